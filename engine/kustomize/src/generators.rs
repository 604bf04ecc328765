//! `configMapGenerator` and `secretGenerator`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::identity::Identity;
use crate::kustomization::{Generator, GeneratorOptions, Kustomization, Texts};
use crate::manifest::{Manifest, NotationInFile};
use crate::transform::Context;
use crate::unsure::{Certain, Unsure, ensure};

/// Kustomize reads no longer lines from an env file.
const MAX_LINE: usize = 60_000;

/// Kustomize breaks encoded texts into lines of this length.
const ENCODED_LINE: usize = 70;

/// Generates what a kustomization asks for, and puts it among its objects.
pub(crate) fn generate(
    kustomization: &Kustomization,
    manifests: &mut Vec<Manifest>,
    context: Context<'_>,
) -> Certain<()> {
    let global = kustomization.generator_options.as_ref();
    let maps = kustomization.config_map_generator.iter().map(|generator| (Kind::ConfigMap, generator));
    let secrets = kustomization.secret_generator.iter().map(|generator| (Kind::Secret, generator));
    for (kind, generator) in maps.chain(secrets) {
        let options = merged_options(generator.options.as_ref(), global);
        let generated = make(kind, generator, &options, context)?;
        absorb(generated, &generator.behavior, manifests)?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ConfigMap,
    Secret,
}

/// The options of all generators fill the gaps of one; switches can only be switched on.
fn merged_options(own: Option<&GeneratorOptions>, global: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut merged = own.cloned().unwrap_or_default();
    if let Some(GeneratorOptions { labels, annotations, disable_name_suffix_hash, immutable }) = global {
        let fill = |texts: &mut Texts, more: &Texts| {
            for (key, text) in more {
                texts.entry(key.clone()).or_insert_with(|| text.clone());
            }
        };
        fill(&mut merged.labels, labels);
        fill(&mut merged.annotations, annotations);
        merged.disable_name_suffix_hash |= disable_name_suffix_hash;
        merged.immutable |= immutable;
    }
    merged
}

fn make(kind: Kind, generator: &Generator, options: &GeneratorOptions, context: Context<'_>) -> Certain<Manifest> {
    ensure(!generator.name.is_empty() && !generator.name.contains(','), "a generator without a name")?;
    let mut metadata = Map::from_iter([("name".to_owned(), json!(generator.name))]);
    if !generator.namespace.is_empty() {
        metadata.insert("namespace".to_owned(), json!(generator.namespace));
    }
    for (field, texts) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !texts.is_empty() {
            metadata.insert(field.to_owned(), json!(texts));
        }
    }
    let mut object = Map::from_iter([("apiVersion".to_owned(), json!("v1")), ("metadata".to_owned(), metadata.into())]);
    let content = content(generator, context)?;
    match kind {
        Kind::ConfigMap => {
            object.insert("kind".to_owned(), json!("ConfigMap"));
            put_texts(&mut object, content)?;
        }
        Kind::Secret => {
            object.insert("kind".to_owned(), json!("Secret"));
            let kind = generator.secret_type.as_deref().filter(|kind| !kind.is_empty());
            object.insert("type".to_owned(), json!(kind.unwrap_or("Opaque")));
            let data = content.into_iter().map(|(key, bytes)| (key, Value::String(encoded(&bytes)))).collect();
            object.insert("data".to_owned(), Value::Object(data));
        }
    }
    if options.immutable {
        object.insert("immutable".to_owned(), json!(true));
    }
    let mut manifest = Manifest::new(object, NotationInFile::PLAIN);
    manifest.trail.needs_hash = !options.disable_name_suffix_hash;
    manifest.trail.generated = true;
    Ok(manifest)
}

fn put_texts(object: &mut Map<String, Value>, content: BTreeMap<String, Vec<u8>>) -> Certain<()> {
    for (key, bytes) in content {
        let (field, text) = match String::from_utf8(bytes) {
            Ok(text) => {
                ensure(is_written_as_it_is(&text), "an unusual character")?;
                ("data", text)
            }
            Err(error) => ("binaryData", encoded(error.as_bytes())),
        };
        let entries = object.entry(field).or_insert_with(|| json!({}));
        entries.as_object_mut().ok_or(Unsure("data that is no mapping"))?.insert(key, Value::String(text));
    }
    Ok(())
}

/// Kustomize writes texts as YAML and reads them back, which changes some line breaks.
fn is_written_as_it_is(text: &str) -> bool {
    // A text that begins with a tab can not be read back.
    !text.trim_start_matches([' ', '\n']).starts_with('\t')
        && text.chars().all(|c| match c {
            '\n' | '\t' => true,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            _ => !c.is_control(),
        })
}

fn encoded(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    if text.len() < ENCODED_LINE {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / ENCODED_LINE + 1);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(ENCODED_LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = others;
    }
    lines
}

fn content(generator: &Generator, context: Context<'_>) -> Certain<BTreeMap<String, Vec<u8>>> {
    let mut content = BTreeMap::new();
    let mut add = |key: String, bytes: Vec<u8>| ensure(content.insert(key, bytes).is_none(), "a key twice");
    let env = (!generator.env.is_empty()).then_some(&generator.env);
    for file in generator.envs.iter().chain(env) {
        let text = context.files.load_text(context.dir, file)?;
        for (key, value) in env_lines(&text)? {
            add(key, value.into_bytes())?;
        }
    }
    for literal in &generator.literals {
        let (key, value) = literal.split_once('=').ok_or(Unsure("a literal without a value"))?;
        ensure(!key.is_empty(), "a literal without a key")?;
        add(key.to_owned(), unquoted(value).as_bytes().to_vec())?;
    }
    for file in &generator.files {
        let (key, file) = match file.split_once('=') {
            None => (file.rsplit('/').next().unwrap_or(file), file.as_str()),
            Some((key, file)) => (key, file),
        };
        ensure(!key.is_empty() && !file.is_empty() && !file.contains('='), "an unusual file")?;
        add(key.to_owned(), context.files.load(context.dir, file)?.into_owned())?;
    }
    Ok(content)
}

fn env_lines(text: &str) -> Certain<Vec<(String, String)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    for line in text.split('\n') {
        ensure(line.len() < MAX_LINE, "a long line")?;
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            entries.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(entries)
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

/// Adds a generated object, or changes the one that there is.
fn absorb(mut generated: Manifest, behavior: &str, manifests: &mut Vec<Manifest>) -> Certain<()> {
    let wanted = generated.current();
    let is_meant =
        |manifest: &Manifest| manifest.api_version() == "v1" && manifest.all_names().any(|name| name == wanted);
    let mut found = manifests.iter().enumerate().filter(|(_, manifest)| is_meant(manifest)).map(|(index, _)| index);
    let changes = matches!(behavior, "merge" | "replace");
    match (found.next(), found.next()) {
        (None, _) if !changes => {
            manifests.push(generated);
            Ok(())
        }
        (Some(index), None) if changes => {
            let old = &manifests[index];
            let needs_hash = generated.trail.needs_hash && old.trail.needs_hash;
            take_metadata(&mut generated, old)?;
            if behavior == "merge" {
                take_entries(&mut generated, old, "data")?;
                take_entries(&mut generated, old, "binaryData")?;
            }
            generated.trail = old.trail.clone();
            generated.trail.needs_hash = needs_hash;
            ensure(identity(&generated) == identity(old), "an object of another name")?;
            manifests[index] = generated;
            Ok(())
        }
        _ => Err(Unsure("an unusual behavior")),
    }
}

fn identity(manifest: &Manifest) -> Identity {
    manifest.identity()
}

/// Name and namespace of the old object; its labels and annotations below the new ones.
fn take_metadata(generated: &mut Manifest, old: &Manifest) -> Certain<()> {
    let old = old.metadata().ok_or(Unsure("no metadata"))?;
    let metadata = generated.object.get_mut("metadata").and_then(Value::as_object_mut).ok_or(Unsure("no metadata"))?;
    for field in ["labels", "annotations"] {
        let merged = merged_texts(old.get(field), metadata.remove(field))?;
        if !merged.is_empty() {
            metadata.insert(field.to_owned(), Value::Object(merged));
        }
    }
    for field in ["name", "namespace"] {
        metadata.remove(field);
        if let Some(text) = old.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            metadata.insert(field.to_owned(), text.into());
        }
    }
    Ok(())
}

fn take_entries(generated: &mut Manifest, old: &Manifest, field: &str) -> Certain<()> {
    let merged = merged_texts(old.object.get(field), generated.object.remove(field))?;
    if !merged.is_empty() {
        generated.object.insert(field.to_owned(), Value::Object(merged));
    }
    Ok(())
}

fn merged_texts(old: Option<&Value>, new: Option<Value>) -> Certain<Map<String, Value>> {
    let mut merged = match old {
        None => Map::new(),
        Some(Value::Object(entries)) => entries.clone(),
        Some(_) => return Err(Unsure("entries that are no mapping")),
    };
    ensure(merged.values().all(Value::is_string), "entries that are no texts")?;
    if let Some(Value::Object(new)) = new {
        merged.extend(new);
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_encoded_texts_are_broken() {
        assert_eq!(encoded(b"abc"), "YWJj");
        let long = encoded(&[0; 60]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(long.ends_with('\n'));
    }

    #[test]
    fn env_files_have_comments_and_keys_without_value() {
        let lines = env_lines("\u{feff}# c\n A=1=2\r\nB\n\n").unwrap();
        assert_eq!(lines, [("A".to_owned(), "1=2".to_owned()), ("B".to_owned(), String::new())]);
    }

    #[test]
    fn quotes_around_literals_are_removed_in_pairs() {
        assert_eq!(unquoted("\"a\""), "a");
        assert_eq!(unquoted("'a\""), "'a\"");
        assert_eq!(unquoted("\""), "\"");
    }

    #[test]
    fn global_options_fill_gaps() {
        let own = GeneratorOptions { labels: Texts::from([("a".into(), "own".into())]), ..Default::default() };
        let global = GeneratorOptions {
            labels: Texts::from([("a".into(), "global".into()), ("b".into(), "global".into())]),
            immutable: true,
            ..Default::default()
        };
        let merged = merged_options(Some(&own), Some(&global));
        assert_eq!(merged.labels["a"], "own");
        assert_eq!(merged.labels["b"], "global");
        assert!(merged.immutable);
    }
}
