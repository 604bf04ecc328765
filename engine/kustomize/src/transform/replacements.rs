//! `replacements`: copies a value from one object into fields of others.
//!
//! Texts are copied as texts: a field keeps its type where it has one. What would change the type, and texts that hold
//! structured data themselves, are left to the helper.

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_yaml::{Dialect, Source, parse_documents};

use super::Context;
use crate::identity::{group_version, or_default};
use crate::kustomization::{FieldOptions, ReplacementEntry, ReplacementSource, ReplacementTarget};
use crate::manifest::Manifest;
use crate::scalar::{resolve, stays_a_string, text_of};
use crate::selector::Chooser;
use crate::unsure::{Certain, Unsure, ensure};

const DEFAULT_PATH: &str = "metadata.name";

/// Applies one replacement after the other.
pub(super) fn replace_all(
    entries: &[ReplacementEntry],
    manifests: &mut [Manifest],
    context: Context<'_>,
) -> Certain<()> {
    let loaded = entries.iter().map(|entry| load(entry, context)).collect::<Certain<Vec<_>>>()?;
    loaded.iter().flatten().try_for_each(|replacement| replace(replacement, manifests))
}

fn load(entry: &ReplacementEntry, context: Context<'_>) -> Certain<Vec<ReplacementEntry>> {
    if entry.path.is_empty() {
        return Ok(vec![entry.clone()]);
    }
    let is_alone = entry.source.is_none() && entry.targets.is_none() && entry.source_value.is_none();
    ensure(is_alone, "a replacement in two places")?;
    let text = context.files.load_text(context.dir, &entry.path)?;
    let documents = parse_documents(&Source::new(entry.path.as_str(), text.as_ref()), Dialect::GoV2);
    let mut documents = documents.map_err(|_| Unsure("an unreadable replacement"))?;
    let document = documents.pop().filter(|_| documents.is_empty()).ok_or(Unsure("not one document"))?;
    let read = |value| ReplacementEntry::deserialize(value).map_err(|_| Unsure("an unknown replacement"));
    let entries: Vec<ReplacementEntry> = match document.value {
        Value::Array(items) => items.into_iter().map(read).collect::<Certain<_>>()?,
        value => vec![read(value)?],
    };
    ensure(entries.iter().all(|entry| entry.path.is_empty()), "a replacement in another file")?;
    Ok(entries)
}

fn replace(entry: &ReplacementEntry, manifests: &mut [Manifest]) -> Certain<()> {
    let targets = entry.targets.as_ref().ok_or(Unsure("a replacement without targets"))?;
    let copied = match (&entry.source, &entry.source_value) {
        (Some(source), None) => copied(source, manifests)?,
        (None, Some(text)) => Copied::Text(text.clone()),
        _ => return Err(Unsure("not one source")),
    };
    if let Some(source) = &entry.source {
        ensure(!changes_its_source(source, targets, manifests)?, "a source that changes meanwhile")?;
    }
    targets.iter().try_for_each(|target| paste(&copied, target, manifests))?;
    ensure(!crate::build::has_duplicates(manifests), "objects clash after a replacement")
}

/// Kustomize copies from the field itself: where that is a target too, and only a part of it changes, the others get
/// what it has become.
fn changes_its_source(
    source: &ReplacementSource,
    targets: &[ReplacementTarget],
    manifests: &[Manifest],
) -> Certain<bool> {
    let is_whole = |options: &Option<FieldOptions>| options.as_ref().is_none_or(|options| options.delimiter.is_empty());
    if !is_whole(&source.options) {
        return Ok(false);
    }
    for target in targets.iter().filter(|target| !is_whole(&target.options)) {
        let (select, reject) = choosers(target)?;
        for manifest in manifests.iter().filter(|manifest| is_source(source, manifest)) {
            if is_target(&select, &reject, manifest)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What is copied.
#[derive(Debug, Clone, PartialEq)]
enum Copied {
    /// A scalar, as its text.
    Text(String),
    Structure(Value),
}

fn copied(source: &ReplacementSource, manifests: &[Manifest]) -> Certain<Copied> {
    let mut selected = manifests.iter().filter(|manifest| is_source(source, manifest));
    let (Some(manifest), None) = (selected.next(), selected.next()) else {
        return Err(Unsure("not one source object"));
    };
    let path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let steps = steps(path)?;
    let found = steps.iter().try_fold(None, |found: Option<&Value>, step| {
        let next = match found {
            None => in_mapping_at(&manifest.object, step),
            Some(value) => lookup(value, step),
        };
        next.map(Some)
    })?;
    match found.ok_or(Unsure("an empty path"))? {
        Value::Null => Err(Unsure("an empty source")),
        Value::Array(items) if items.is_empty() => Err(Unsure("an empty source")),
        Value::Object(fields) if fields.is_empty() => Err(Unsure("an empty source")),
        structure @ (Value::Array(_) | Value::Object(_)) => {
            let is_split = source.options.as_ref().is_some_and(|options| !options.delimiter.is_empty());
            ensure(!is_split, "a structure with a delimiter")?;
            Ok(Copied::Structure(structure.clone()))
        }
        scalar => {
            let text = text_of(scalar, manifest.notation.plain_numbers)?;
            part_of(&text, source.options.as_ref()).map(Copied::Text)
        }
    }
}

fn is_source(source: &ReplacementSource, manifest: &Manifest) -> bool {
    let (group, version) = group_version(manifest.api_version());
    let fits = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
    let current = (manifest.kind(), manifest.name(), manifest.namespace());
    let previous = manifest.trail.previous.iter().map(|id| (&*id.kind, &*id.name, &*id.namespace));
    fits(&source.group, group)
        && fits(&source.version, version)
        && std::iter::once(current).chain(previous).any(|(kind, name, namespace)| {
            let same_namespace = source.namespace.is_empty() || or_default(&source.namespace) == or_default(namespace);
            fits(&source.kind, kind) && fits(&source.name, name) && same_namespace
        })
}

fn part_of(text: &str, options: Option<&FieldOptions>) -> Certain<String> {
    match options {
        Some(FieldOptions { delimiter, index, create: _ }) if !delimiter.is_empty() => {
            let index = usize::try_from(*index).map_err(|_| Unsure("a negative part"))?;
            text.split(delimiter.as_str()).nth(index).map(str::to_owned).ok_or(Unsure("a missing part"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
    /// The items of a list whose field has a text.
    Where {
        field: String,
        text: String,
    },
    All,
}

/// Splits at dots, except those in brackets and after a backslash.
fn steps(path: &str) -> Certain<Vec<Step>> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('.') {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(part);
            }
            Some(last) if last.starts_with('[') && !last.ends_with(']') => {
                last.push('.');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts.iter().map(|part| step(part)).collect()
}

fn step(part: &str) -> Certain<Step> {
    let is_bracketed = part.starts_with('[') && part.ends_with(']') && part.len() > 2;
    if is_bracketed {
        let inner = &part[1..part.len() - 1];
        return match inner.split_once('=') {
            Some((field, text)) => {
                // Kustomize takes the text for an expression that may match anywhere.
                let is_plain =
                    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c));
                ensure(is_plain && !field.is_empty(), "an unusual condition")?;
                Ok(Step::Where { field: field.to_owned(), text: text.to_owned() })
            }
            None if inner.contains('.') => Ok(Step::Field(inner.to_owned())),
            None => Err(Unsure("brackets without need")),
        };
    }
    if part == "*" {
        return Ok(Step::All);
    }
    ensure(
        !part.is_empty() && part != "-" && part.trim() == part && !part.contains(['[', ']', '/'])
            || part.contains('/') && !part.contains(['[', ']']),
        "an unusual step",
    )?;
    match part.parse::<usize>() {
        Ok(index) => Ok(Step::Index(index)),
        Err(_) => Ok(Step::Field(part.to_owned())),
    }
}

fn in_mapping_at<'v>(mapping: &'v Map<String, Value>, step: &Step) -> Certain<&'v Value> {
    match step {
        Step::Field(name) => mapping.get(name).ok_or(Unsure("a missing source")),
        Step::Index(_) | Step::Where { .. } | Step::All => Err(Unsure("a mapping in place of a list")),
    }
}

fn lookup<'v>(value: &'v Value, step: &Step) -> Certain<&'v Value> {
    match (value, step) {
        (Value::Object(mapping), _) => in_mapping_at(mapping, step),
        (Value::Array(items), Step::Index(index)) => items.get(*index).ok_or(Unsure("a missing source")),
        (Value::Array(items), Step::Where { field, text }) => {
            let has_text = |item: &&Value| item.get(field).is_some_and(|value| value == text);
            items.iter().find(has_text).ok_or(Unsure("a missing source"))
        }
        _ => Err(Unsure("a source in a scalar")),
    }
}

fn paste(copied: &Copied, target: &ReplacementTarget, manifests: &mut [Manifest]) -> Certain<()> {
    let (select, reject) = choosers(target)?;
    let default = [DEFAULT_PATH.to_owned()];
    let paths = if target.field_paths.is_empty() { &default[..] } else { &target.field_paths };
    for manifest in manifests {
        if is_target(&select, &reject, manifest)? {
            paths.iter().try_for_each(|path| paste_at(copied, path, target.options.as_ref(), manifest))?;
        }
    }
    Ok(())
}

fn choosers(target: &ReplacementTarget) -> Certain<(Chooser, Vec<Chooser>)> {
    let select = Chooser::new(target.select.as_ref().ok_or(Unsure("a target that selects nothing"))?)?;
    Ok((select, target.reject.iter().map(Chooser::new).collect::<Certain<_>>()?))
}

fn is_target(select: &Chooser, reject: &[Chooser], manifest: &Manifest) -> Certain<bool> {
    if !select.fits_metadata(manifest)? || !select.fits_any_name(manifest) {
        return Ok(false);
    }
    for rejected in reject {
        let by_metadata = rejected.has_requirements() && rejected.fits_metadata(manifest)?;
        let by_name = rejected.has_names() && rejected.fits_any_name(manifest);
        if by_metadata || by_name {
            return Ok(false);
        }
    }
    Ok(true)
}

fn paste_at(copied: &Copied, path: &str, options: Option<&FieldOptions>, manifest: &mut Manifest) -> Certain<()> {
    let steps = steps(path)?;
    let is_own = |steps: &[Step]| {
        let names = steps.iter().map(|step| if let Step::Field(name) = step { name } else { "" });
        names.eq(["metadata"])
            || steps.len() == 2
                && matches!(steps, [Step::Field(a), Step::Field(b)] if a == "metadata" && b == "annotations")
    };
    ensure(!is_own(&steps), "a target that holds all annotations")?;
    let plain_numbers = manifest.notation.plain_numbers;
    let mut pasting = Pasting { copied, options, plain_numbers, count: 0 };
    let mut object = Value::Object(std::mem::take(&mut manifest.object));
    pasting.walk(&mut object, &steps)?;
    ensure(pasting.count > 0, "a missing target")?;
    let Value::Object(object) = object else { return Err(Unsure("a replaced object")) };
    manifest.object = object;
    ensure(crate::manifest::has_plain_head(&manifest.object), "an unusual head after a replacement")
}

struct Pasting<'a> {
    copied: &'a Copied,
    options: Option<&'a FieldOptions>,
    plain_numbers: bool,
    count: usize,
}

impl Pasting<'_> {
    fn creates(&self) -> bool {
        self.options.is_some_and(|options| options.create)
    }

    fn walk(&mut self, value: &mut Value, steps: &[Step]) -> Certain<()> {
        let [step, rest @ ..] = steps else {
            self.count += 1;
            return self.set(value);
        };
        match (value, step) {
            (Value::Object(mapping), Step::Field(name)) => match mapping.get_mut(name) {
                Some(field) => self.walk(field, rest),
                None if self.creates() => {
                    let new = self.create(rest)?;
                    mapping.insert(name.clone(), new);
                    self.count += 1;
                    Ok(())
                }
                None => Ok(()),
            },
            (Value::Array(items), Step::All) => items.iter_mut().try_for_each(|item| self.walk(item, rest)),
            (Value::Array(items), Step::Index(index)) => {
                if items.len() == *index && self.creates() {
                    items.push(self.create(rest)?);
                    self.count += 1;
                    return Ok(());
                }
                self.walk(items.get_mut(*index).ok_or(Unsure("a missing item"))?, rest)
            }
            (Value::Array(items), Step::Where { field, text }) => self.walk_where(items, field, text, rest),
            _ => Err(Unsure("a target in another type")),
        }
    }

    fn walk_where(&mut self, items: &mut Vec<Value>, field: &str, text: &str, rest: &[Step]) -> Certain<()> {
        let before = self.count;
        let pattern = Regex::new(text).map_err(|_| Unsure("a wrong expression"))?;
        for item in items.iter_mut() {
            let Some(value) = item.get(field) else { continue };
            if pattern.is_match(&text_of(value, self.plain_numbers)?) {
                self.walk(item, rest)?;
            }
        }
        if self.count == before && self.creates() {
            let mut item = Map::new();
            item.insert(field.to_owned(), resolve(text)?);
            let mut item = Value::Object(item);
            self.walk(&mut item, rest)?;
            items.push(item);
        }
        Ok(())
    }

    /// A new value with the target somewhere below.
    fn create(&self, steps: &[Step]) -> Certain<Value> {
        let [step, rest @ ..] = steps else {
            return match self.copied {
                // A new field has no type: the text decides.
                Copied::Text(text) => resolve(&self.joined("", text)?),
                Copied::Structure(value) => {
                    ensure(self.delimiter().is_none(), "a structure with a delimiter")?;
                    Ok(value.clone())
                }
            };
        };
        match step {
            Step::Field(name) => Ok(Value::Object(Map::from_iter([(name.clone(), self.create(rest)?)]))),
            Step::Index(0) => Ok(Value::Array(vec![self.create(rest)?])),
            Step::Where { field, text } => match (rest, self.create(rest)?) {
                ([Step::Field(_), ..], Value::Object(mut item)) => {
                    ensure(!item.contains_key(field), "a new item with two keys")?;
                    item.insert(field.clone(), resolve(text)?);
                    Ok(Value::Array(vec![Value::Object(item)]))
                }
                _ => Err(Unsure("a new item that is no mapping")),
            },
            Step::Index(_) | Step::All => Err(Unsure("a missing item")),
        }
    }

    fn set(&self, target: &mut Value) -> Certain<()> {
        let is_structure = target.is_object() || target.is_array();
        match self.copied {
            Copied::Structure(value) => {
                ensure(is_structure && self.delimiter().is_none(), "a structure in place of a scalar")?;
                *target = value.clone();
            }
            Copied::Text(text) if is_structure => {
                ensure(self.delimiter().is_none() && stays_a_string(text), "a scalar in place of a structure")?;
                *target = Value::String(text.clone());
            }
            Copied::Text(text) => {
                let current = match self.delimiter() {
                    Some(_) => text_of(target, self.plain_numbers)?,
                    None => String::new(),
                };
                let text = self.joined(&current, text)?;
                *target = retyped(target, text)?;
            }
        }
        Ok(())
    }

    fn delimiter(&self) -> Option<&FieldOptions> {
        self.options.filter(|options| !options.delimiter.is_empty())
    }

    /// The text, or the current one with a part replaced or added.
    fn joined(&self, current: &str, text: &str) -> Certain<String> {
        let Some(options) = self.delimiter() else { return Ok(text.to_owned()) };
        let mut parts: Vec<&str> = current.split(options.delimiter.as_str()).collect();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, text),
            Ok(index) if index < parts.len() => parts[index] = text,
            Ok(_) => parts.push(text),
        }
        Ok(parts.join(&options.delimiter))
    }
}

/// The text in the type that a field has.
fn retyped(current: &Value, text: String) -> Certain<Value> {
    match current {
        Value::String(_) => Ok(Value::String(text)),
        Value::Number(number) if number.is_i64() => match resolve(&text)? {
            new @ Value::Number(_) => Ok(new),
            _ => Err(Unsure("a number that becomes something else")),
        },
        Value::Bool(_) => match resolve(&text)? {
            new @ Value::Bool(_) => Ok(new),
            _ => Err(Unsure("a truth value that becomes something else")),
        },
        _ => Err(Unsure("a target of an unusual type")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn objects() -> Vec<Manifest> {
        vec![
            manifest(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "source"},
                            "data": {"host": "example.com:8080", "a.b": "dotted"}, "list": ["x"]})),
            manifest(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "target"},
                            "spec": {"port": 1, "containers": [
                                {"name": "a", "image": "r/i:1"}, {"name": "b", "image": "r/i:1"}]}})),
        ]
    }

    fn replaced(entry: Value) -> Certain<Value> {
        let mut manifests = objects();
        replace(&serde_json::from_value(entry).unwrap(), &mut manifests)?;
        Ok(manifests[1].object["spec"].clone())
    }

    fn from_host(options: Value, path: &str, target: Value) -> Certain<Value> {
        let source = json!({"kind": "ConfigMap", "fieldPath": "data.host", "options": options});
        replaced(json!({"source": source,
                        "targets": [{"select": {"kind": "Pod"}, "fieldPaths": [path], "options": target}]}))
    }

    #[test]
    fn parts_of_texts_are_copied_into_parts_of_texts() {
        let part = |index: i64| json!({"delimiter": ":", "index": index});
        let image =
            from_host(part(0), "spec.containers.[name=b].image", json!({"delimiter": "/", "index": 0})).unwrap();
        assert_eq!(image["containers"][1]["image"], "example.com/i:1");
        assert_eq!(image["containers"][0]["image"], "r/i:1");
        assert_eq!(from_host(part(1), "spec.port", json!(null)).unwrap()["port"], 8080);
    }

    #[test]
    fn all_items_and_new_fields() {
        let all = from_host(json!(null), "spec.containers.*.image", json!(null)).unwrap();
        assert_eq!(all["containers"][0]["image"], "example.com:8080");
        assert_eq!(all["containers"][1]["image"], "example.com:8080");
        let new =
            from_host(json!(null), "spec.containers.[name=c].env.[name=H].value", json!({"create": true})).unwrap();
        assert_eq!(new["containers"][2], json!({"name": "c", "env": [{"name": "H", "value": "example.com:8080"}]}));
    }

    #[test]
    fn what_kustomize_refuses_or_what_changes_types_is_not_certain() {
        assert!(from_host(json!(null), "spec.port", json!(null)).is_err());
        assert!(from_host(json!(null), "spec.missing", json!(null)).is_err());
        assert!(from_host(json!(null), "spec.port.x", json!(null)).is_err());
        assert!(from_host(json!({"delimiter": ":", "index": 7}), "spec.port", json!(null)).is_err());
        assert!(from_host(json!(null), "spec.containers.[name=^b$].image", json!(null)).is_err());
        assert!(replaced(json!({"source": {"kind": "Nothing"}, "targets": []})).is_err());
        assert!(replaced(json!({"source": {"kind": "ConfigMap"}, "targets": [{"fieldPaths": ["a"]}]})).is_err());
        assert!(replaced(json!({"source": {"kind": "ConfigMap"}, "sourceValue": "x", "targets": []})).is_err());
    }

    #[test]
    fn a_rejected_object_is_left_out() {
        let targets = json!([{"select": {"kind": "Pod"}, "reject": [{"name": "target"}], "fieldPaths": ["spec.port"]}]);
        let spec = replaced(json!({"source": {"kind": "ConfigMap"}, "targets": targets})).unwrap();
        assert_eq!(spec["port"], 1);
    }

    #[test]
    fn dots_in_names_are_escaped_or_bracketed() {
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(steps("a.b\\.c.[d.e]").unwrap(), [field("a"), field("b.c"), field("d.e")]);
        assert_eq!(
            steps("[n=a.b].0.*").unwrap(),
            [Step::Where { field: "n".to_owned(), text: "a.b".to_owned() }, Step::Index(0), Step::All]
        );
        assert!(steps("a..b").is_err());
    }
}
