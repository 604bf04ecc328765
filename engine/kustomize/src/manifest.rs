//! Manifest file → objects, as Kustomize reads them.
//!
//! Kustomize splits the text itself before it parses; the same is done here, since it shows: only the first YAML
//! document of each piece counts, and lists are moved to the end. Whatever is not certain is [`Reading::Unsure`].

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::{Map, Value};
use windlass_yaml::{Dialect, Source, YamlError, parse_first};

use crate::annotations::looks_like_a_timestamp;
use crate::error::ManifestProblem;
use crate::identity::{Identity, Notation, effective_namespace};
use crate::scalar::has_plain_numbers;
use crate::trail::{PreviousId, Trail};

/// An object with the head that Kustomize looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) object: Map<String, Value>,
    pub(crate) trail: Trail,
    pub(crate) notation: NotationInFile,
}

/// What the text of the file had that its value has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotationInFile {
    /// All numbers are decimal, so that their text follows from their value.
    pub(crate) plain_numbers: bool,
    /// A comment may hold a schema for merges.
    pub(crate) schema_comments: bool,
    /// Every null is written as such: an empty value is another null for merges.
    pub(crate) explicit_nulls: bool,
}

impl NotationInFile {
    /// Of what the native code has made itself.
    pub(crate) const PLAIN: Self = Self { plain_numbers: true, schema_comments: false, explicit_nulls: true };

    pub(crate) fn of(text: &str, manifests: &[Manifest]) -> Self {
        let is_schema = |comment: &str| comment.trim_start_matches([' ', '#']).starts_with('{');
        Self {
            plain_numbers: has_plain_numbers(text),
            explicit_nulls: has_explicit_nulls(text, manifests),
            schema_comments: text.lines().any(|line| line.split_once('#').is_some_and(|(_, rest)| is_schema(rest))),
        }
    }
}

/// What became of a file.
#[derive(Debug)]
pub(crate) enum Reading {
    Objects(Vec<Manifest>),
    /// Certainly wrong.
    Refused(ManifestProblem),
    /// Only the helper knows. A syntax error is kept for the case that there is no helper.
    Unsure(Option<Box<YamlError>>),
}

impl Manifest {
    pub(crate) fn new(object: Map<String, Value>, notation: NotationInFile) -> Self {
        Self { object, trail: Trail::default(), notation }
    }

    pub(crate) fn api_version(&self) -> &str {
        text_of(self.object.get("apiVersion"))
    }

    pub(crate) fn kind(&self) -> &str {
        text_of(self.object.get("kind"))
    }

    pub(crate) fn name(&self) -> &str {
        text_of(self.metadata().and_then(|metadata| metadata.get("name")))
    }

    pub(crate) fn namespace(&self) -> &str {
        text_of(self.metadata().and_then(|metadata| metadata.get("namespace")))
    }

    pub(crate) fn metadata(&self) -> Option<&Map<String, Value>> {
        self.object.get("metadata").and_then(Value::as_object)
    }

    /// Notes the current name, before it changes.
    pub(crate) fn remember(&mut self) {
        let namespace = effective_namespace(self.api_version(), self.kind(), self.namespace()).to_owned();
        let previous = PreviousId { kind: self.kind().to_owned(), name: self.name().to_owned(), namespace };
        self.trail.previous.push(previous);
    }

    /// The first name it had: kind, name and the namespace that counts.
    pub(crate) fn original(&self) -> (&str, &str, &str) {
        match self.trail.previous.first() {
            Some(PreviousId { kind, name, namespace }) => (kind, name, namespace),
            None => self.current(),
        }
    }

    /// As [`original`](Self::original), of today.
    pub(crate) fn current(&self) -> (&str, &str, &str) {
        let namespace = effective_namespace(self.api_version(), self.kind(), self.namespace());
        (self.kind(), self.name(), namespace)
    }

    /// All names it ever had, with the namespace that counts: kind, name, namespace.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let previous = self.trail.previous.iter();
        let previous = previous.map(|PreviousId { kind, name, namespace }| (&**kind, &**name, &**namespace));
        previous.chain([self.current()])
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.api_version(), self.kind(), self.name(), self.namespace())
    }

    /// How Kustomize writes the identity.
    pub(crate) fn id_text(&self) -> Notation<'_> {
        Notation { api_version: self.api_version(), kind: self.kind(), name: self.name(), namespace: self.namespace() }
    }
}

/// Whether there are as many nulls as words for them.
fn has_explicit_nulls(text: &str, manifests: &[Manifest]) -> bool {
    let is_null = |line: &str| matches!(line.rsplit_once(": "), Some((_, "null" | "~")));
    let words = text.lines().filter(|line| is_null(line.trim_end())).count();
    words > 0 && words == manifests.iter().flat_map(|manifest| manifest.object.values()).map(nulls).sum::<usize>()
}

fn nulls(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Array(items) => items.iter().map(nulls).sum(),
        Value::Object(fields) => fields.values().map(nulls).sum(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn text_of(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Stops reading with something else than objects.
type Stop = Reading;

/// Reads the text of a manifest file; `name` is for errors.
pub(crate) fn read(text: &str, name: &str) -> Reading {
    match objects_of(text, name) {
        Err(stop) => stop,
        Ok(mut manifests) => {
            let notation = NotationInFile::of(text, &manifests);
            manifests.iter_mut().for_each(|manifest| manifest.notation = notation);
            Reading::Objects(manifests)
        }
    }
}

fn objects_of(text: &str, name: &str) -> Result<Vec<Manifest>, Stop> {
    if text.starts_with('\u{feff}') {
        return Err(Reading::Unsure(None));
    }
    let text = if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    let pieces = split(&text).ok_or(Reading::Unsure(None))?;
    let mut documents = Vec::with_capacity(pieces.len());
    for piece in &pieces {
        documents.extend(parse(piece, name)?);
    }
    if let ([_], [_]) = (pieces.as_slice(), documents.as_slice()) {
        documents = unwrap_single_list(documents)?;
    }
    expand_lists(validated(documents)?)
}

/// Cuts at lines that begin with `---`, except a first one; such a line may end in a comment only.
fn split(text: &str) -> Option<Vec<&str>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find("\n---") {
        let line = from + found + 1;
        let Some(length) = text[line..].find('\n') else {
            break;
        };
        let rest = text[line + 3..line + length].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return None;
        }
        // The line break before the separator belongs to the piece, the one after it to the separator: a second
        // separator right behind the first one does not cut.
        pieces.push(&text[start..line]);
        start = line + length + 1;
        from = start;
    }
    pieces.push(&text[start..]);
    Some(pieces)
}

/// The first document of a piece, unless it is empty.
fn parse(piece: &str, name: &str) -> Result<Option<Value>, Stop> {
    let source = Source::new(name, piece);
    match parse_first(&source, Dialect::GoV3) {
        Ok(document) if document.value.is_null() => Ok(None),
        Ok(document) => Ok(Some(document.value)),
        Err(error) => Err(Reading::Unsure(Some(Box::new(error)))),
    }
}

/// A file that is one `List` stands for its items.
fn unwrap_single_list(mut documents: Vec<Value>) -> Result<Vec<Value>, Stop> {
    let kind = text_of(documents[0].get("kind"));
    if kind == "ResourceList" {
        return Err(Reading::Unsure(None));
    }
    if kind != "List" || documents[0].get("items").is_none() {
        return Ok(documents);
    }
    if documents[0].get("functionConfig").is_some() {
        return Err(Reading::Unsure(None));
    }
    match documents[0].get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(Reading::Unsure(None)),
    }
}

/// Drops empty documents; every other one must have the head of an object.
fn validated(documents: Vec<Value>) -> Result<Vec<Manifest>, Stop> {
    let mut manifests = Vec::with_capacity(documents.len());
    for document in documents {
        match document {
            Value::Null => {}
            Value::Object(object) if object.is_empty() => {}
            Value::Object(object) => manifests.push(validate(object)?),
            _ => return Err(Reading::Unsure(None)),
        }
    }
    Ok(manifests)
}

fn validate(object: Map<String, Value>) -> Result<Manifest, Stop> {
    if !has_plain_head(&object) {
        return Err(Reading::Unsure(None));
    }
    let manifest = Manifest::new(object, NotationInFile::PLAIN);
    let has_metadata = manifest.metadata().is_some_and(has_known_metadata);
    let problem = if manifest.kind().is_empty() && manifest.api_version().is_empty() && !has_metadata {
        ManifestProblem::NoMetadata
    } else if manifest.kind().is_empty() {
        ManifestProblem::NoKind { object: go_head(&manifest) }
    } else if manifest.name().is_empty() && !manifest.kind().ends_with("List") {
        ManifestProblem::NoName { object: go_head(&manifest) }
    } else {
        return Ok(manifest);
    };
    Err(if has_text_only(&manifest) { Reading::Refused(problem) } else { Reading::Unsure(None) })
}

/// Whether the head can be shown as it stands in the file.
fn has_text_only(manifest: &Manifest) -> bool {
    let entries = |field: &str| manifest.metadata().and_then(|metadata| metadata.get(field)).and_then(Value::as_object);
    ["labels", "annotations"]
        .iter()
        .filter_map(|field| entries(field))
        .flat_map(Map::values)
        .all(|value| value.as_str().is_some_and(|text| !looks_like_a_timestamp(text)))
}

/// Whether the head consists of strings and mappings of strings, so that it can be judged here.
pub(crate) fn has_plain_head(object: &Map<String, Value>) -> bool {
    let is_text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => !looks_like_a_timestamp(text),
        Some(_) => false,
    };
    let is_mapping = |value: Option<&Value>| matches!(value, None | Some(Value::Null | Value::Object(_)));
    if !is_text(object.get("apiVersion")) || !is_text(object.get("kind")) {
        return false;
    }
    match object.get("metadata") {
        None | Some(Value::Null) => true,
        Some(Value::Object(metadata)) => {
            is_text(metadata.get("name"))
                && is_text(metadata.get("namespace"))
                && is_mapping(metadata.get("labels"))
                && is_mapping(metadata.get("annotations"))
        }
        Some(_) => false,
    }
}

fn has_known_metadata(metadata: &Map<String, Value>) -> bool {
    ["name", "namespace", "labels", "annotations"].iter().any(|field| match metadata.get(*field) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(entries)) => !entries.is_empty(),
        Some(_) => true,
    })
}

/// The head as Go prints the structure: `{{v1 ConfigMap} {{name namespace} map[labels] map[annotations]}}`.
fn go_head(manifest: &Manifest) -> String {
    let map = |field: &str| {
        let entries = manifest.metadata().and_then(|metadata| metadata.get(field)).and_then(Value::as_object);
        let entries: Vec<String> =
            entries.into_iter().flatten().map(|(key, value)| format!("{key}:{}", text_of(Some(value)))).collect();
        entries.join(" ")
    };
    format!(
        "{{{{{} {}}} {{{{{} {}}} map[{}] map[{}]}}}}",
        manifest.api_version(),
        manifest.kind(),
        manifest.name(),
        manifest.namespace(),
        map("labels"),
        map("annotations")
    )
}

/// Lists give their items, which come after everything else of the file.
fn expand_lists(manifests: Vec<Manifest>) -> Result<Vec<Manifest>, Stop> {
    let mut waiting = VecDeque::from(manifests);
    let mut expanded = Vec::with_capacity(waiting.len());
    while let Some(mut manifest) = waiting.pop_front() {
        if !manifest.kind().ends_with("List") {
            expanded.push(manifest);
            continue;
        }
        match manifest.object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => waiting.extend(validated(items)?),
            Some(Value::Null) => {}
            // An ordinary object whose kind happens to end like that, or a mistake.
            _ => return Err(Reading::Unsure(None)),
        }
    }
    Ok(expanded)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn manifest(object: Value) -> Manifest {
        match object {
            Value::Object(object) => Manifest::new(object, NotationInFile::PLAIN),
            _ => unreachable!("a test passes mappings"),
        }
    }

    fn names(text: &str) -> Vec<String> {
        match read(text, "a.yaml") {
            Reading::Objects(manifests) => manifests.iter().map(|manifest| manifest.name().to_owned()).collect(),
            other => panic!("expected objects, got {other:?}"),
        }
    }

    fn refusal(text: &str) -> String {
        match read(text, "a.yaml") {
            Reading::Refused(problem) => problem.to_string(),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn is_unsure(text: &str) -> bool {
        matches!(read(text, "a.yaml"), Reading::Unsure(_))
    }

    #[test]
    fn empty_documents_are_dropped() {
        assert_eq!(names("# nothing\n---\n---\nkind: A\nmetadata: {name: a}\n---\n{}\n---\n"), ["a"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn items_of_lists_come_last() {
        let text = "kind: A\nmetadata: {name: a}\n---\nkind: AList\nitems: [{kind: A, metadata: {name: x}}, null]\n---\nkind: A\nmetadata: {name: b}\n";
        assert_eq!(names(text), ["a", "b", "x"]);
    }

    #[test]
    fn lists_in_lists_come_after_them() {
        let text = "kind: List\nitems:\n- {kind: BList, items: [{kind: B, metadata: {name: b}}]}\n- {kind: A, metadata: {name: a}}\n";
        assert_eq!(names(text), ["a", "b"]);
    }

    #[test]
    fn a_list_without_items_is_empty_or_unsure() {
        assert!(names("kind: List\nitems:\n").is_empty());
        assert!(names("kind: XList\nitems: []\n").is_empty());
        assert!(is_unsure("kind: XList\n"));
        assert!(is_unsure("kind: XList\nitems: 1\n"));
        assert!(is_unsure("kind: ResourceList\nitems: []\n"));
    }

    #[test]
    fn windows_line_ends_separate_too() {
        assert_eq!(names("kind: A\r\nmetadata: {name: a}\r\n---\r\nkind: A\r\nmetadata: {name: b}\r\n"), ["a", "b"]);
    }

    #[test]
    fn a_separator_may_have_a_comment_only() {
        assert_eq!(names("kind: A\nmetadata: {name: a}\n--- # b\nkind: A\nmetadata: {name: b}\n"), ["a", "b"]);
        assert!(is_unsure("kind: A\nmetadata: {name: a}\n--- b\nkind: A\n"));
    }

    #[test]
    fn missing_heads_are_named_as_kustomize_does() {
        assert_eq!(refusal("a: 1\n"), "missing Resource metadata");
        assert_eq!(refusal("apiVersion: v2\nname: x\n"), "missing kind in object {{v2 } {{ } map[] map[]}}");
        assert_eq!(
            refusal("apiVersion: v1\nkind: A\nmetadata: {namespace: n, labels: {b: c, a: b}}\n"),
            "missing metadata.name in object {{v1 A} {{ n} map[a:b b:c] map[]}}"
        );
        assert_eq!(
            refusal("apiVersion: v1\nkind: A\nmetadata: {name: ''}\n"),
            "missing metadata.name in object {{v1 A} {{ } map[] map[]}}"
        );
    }

    #[test]
    fn whatever_is_no_mapping_is_unsure() {
        assert!(is_unsure("- 1\n"));
        assert!(is_unsure("text\n"));
        assert!(is_unsure("kind: A\nmetadata: [1]\n"));
        assert!(is_unsure("kind: A\nmetadata: {name: 1}\n"));
        assert!(is_unsure("kind: 2024-01-02\nmetadata: {name: a}\n"));
        assert!(is_unsure("\u{feff}kind: A\nmetadata: {name: a}\n"));
    }

    #[test]
    fn syntax_errors_are_kept() {
        assert!(matches!(read("a: [\n", "a.yaml"), Reading::Unsure(Some(_))));
        assert!(matches!(read("kind: A\nkind: B\n", "a.yaml"), Reading::Unsure(Some(_))));
    }
}
