//! An untyped Kubernetes object: JSON with readers for the metadata every stage needs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::object_ref::{Gvk, ObjectRef};

/// Key of the label that carries the discriminator.
pub const DISCRIMINATOR_LABEL: &str = "kluctl.io/discriminator";
/// Key of the annotation with the item directory, relative to its source root.
pub const ITEM_DIR_ANNOTATION: &str = "kluctl.io/deployment-item-dir";
/// Prefix of the tag labels `kluctl.io/tag-0`, `kluctl.io/tag-1`, …
pub const TAG_LABEL_PREFIX: &str = "kluctl.io/tag-";

/// A Kubernetes object. Cloning is deep; share with `Arc` where it matters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Value);

impl Object {
    /// `apiVersion` and `kind`; missing ones are empty.
    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.text("apiVersion"), self.text("kind"))
    }

    /// The object's identity as written; the namespace may still be missing.
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(&self.gvk(), self.namespace(), self.name())
    }

    /// `kind`, or empty.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// `metadata.name`, or empty.
    pub fn name(&self) -> &str {
        self.metadata_text("name")
    }

    /// `metadata.namespace`, or empty.
    pub fn namespace(&self) -> &str {
        self.metadata_text("namespace")
    }

    /// `metadata.resourceVersion`, or empty.
    pub fn resource_version(&self) -> &str {
        self.metadata_text("resourceVersion")
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.0.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    /// All annotations with string values, in key order.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata_map("annotations")
    }

    /// All labels with string values, in key order.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata_map("labels")
    }

    /// An annotation read as a lenient Go boolean (spec 03 section 2.2); unreadable text counts as absent.
    pub fn bool_annotation(&self, key: &str) -> Option<bool> {
        self.annotation(key).and_then(parse_go_bool)
    }

    /// Sets `metadata.namespace`; an empty text removes it.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            if let Some(metadata) = self.0.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("namespace");
            }
        } else if let Some(metadata) = self.metadata_mut() {
            metadata.insert("namespace".into(), namespace.into());
        }
    }

    /// Sets a label, overwriting; metadata and labels are created when missing.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_in("labels", key, value);
    }

    /// Sets an annotation, overwriting.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_in("annotations", key, value);
    }

    /// Removes an annotation, and the annotation map when it becomes empty; tells its text.
    pub fn take_annotation(&mut self, key: &str) -> Option<String> {
        let metadata = self.0.get_mut("metadata")?.as_object_mut()?;
        let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
        let value = annotations.remove(key)?;
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
        value.as_str().map(str::to_owned)
    }

    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata_text(&self, key: &str) -> &str {
        self.0.get("metadata").and_then(|m| m.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata_map(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .get("metadata")
            .and_then(|m| m.get(key))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| v.as_str().map(|v| (k.as_str(), v)))
    }

    fn metadata_mut(&mut self) -> Option<&mut Map<String, Value>> {
        child_map(self.0.as_object_mut()?, "metadata")
    }

    fn set_in(&mut self, map: &str, key: &str, value: &str) {
        if let Some(map) = self.metadata_mut().and_then(|m| child_map(m, map)) {
            map.insert(key.into(), value.into());
        }
    }
}

fn child_map<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    let child = parent.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if child.is_null() {
        *child = Value::Object(Map::new());
    }
    child.as_object_mut()
}

/// Go's `strconv.ParseBool`.
pub fn parse_go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_created_in_missing_metadata() {
        let mut object = Object(json!({"kind": "X", "metadata": {"labels": null}}));
        object.set_label("a", "b");
        object.set_annotation("c", "d");
        assert_eq!(object.0["metadata"], json!({"labels": {"a": "b"}, "annotations": {"c": "d"}}));
    }

    #[test]
    fn taking_the_last_annotation_removes_the_map() {
        let mut object = Object(json!({"metadata": {"annotations": {"a": "1"}}}));
        assert_eq!(object.take_annotation("a").as_deref(), Some("1"));
        assert_eq!(object.0, json!({"metadata": {}}));
        assert_eq!(object.take_annotation("a"), None);
    }

    #[test]
    fn an_unreadable_boolean_counts_as_absent() {
        let object = Object(json!({"metadata": {"annotations": {"a": "yes", "b": "T"}}}));
        assert_eq!((object.bool_annotation("a"), object.bool_annotation("b")), (None, Some(true)));
    }
}
