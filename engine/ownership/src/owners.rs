//! Field owners of a live object, read from `metadata.managedFields`.

use std::collections::BTreeMap;

use serde_json::Value;
use windlass_model::object::Object;

use crate::element::{Element, OwnedPath};

/// One entry of `managedFields`, without its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldOwner {
    /// Manager name.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// RFC 3339; empty when unknown.
    pub time: String,
    /// `status`, `scale` or empty.
    pub subresource: String,
}

/// `managedFields` does not have the documented shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipError {
    /// An entry without manager name.
    #[error("entry {0} of metadata.managedFields has no manager")]
    NoManager(usize),
    /// A key that is none of `f:`, `k:`, `v:`, `i:`.
    #[error("metadata.managedFields of manager `{manager}` has the unreadable field `{key}`")]
    Field {
        /// Manager of the entry.
        manager: String,
        /// The key.
        key: String,
    },
}

/// A path and the managers that own it, as indexes of [`Owners::entries`].
#[derive(Debug, Clone)]
struct Owned {
    path: OwnedPath,
    by: Vec<usize>,
}

/// Owned paths by the text the server uses in messages.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    entries: Vec<FieldOwner>,
    paths: BTreeMap<String, Vec<Owned>>,
}

/// What [`Owners::find`] found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<'o> {
    None,
    One(&'o OwnedPath, Vec<&'o FieldOwner>),
    Ambiguous,
}

impl Owners {
    /// Reads every entry, whatever its operation or sub-resource. Entries without `fieldsV1` are skipped.
    pub fn read(object: &Object) -> Result<Self, OwnershipError> {
        let mut owners = Self::default();
        let entries = object.0.pointer("/metadata/managedFields").and_then(Value::as_array);
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            let Some(fields) = entry.get("fieldsV1").filter(|fields| !fields.is_null()) else { continue };
            let owner = field_owner(entry).ok_or(OwnershipError::NoManager(index))?;
            owners.entries.push(owner);
            owners.add_fields(fields, &mut OwnedPath::default())?;
        }
        Ok(owners)
    }

    /// Owners of the path with this text.
    pub(crate) fn find(&self, text: &str) -> Found<'_> {
        match self.paths.get(text).map(Vec::as_slice) {
            None | Some([]) => Found::None,
            Some([owned]) => Found::One(&owned.path, owned.by.iter().map(|&index| &self.entries[index]).collect()),
            Some(_) => Found::Ambiguous,
        }
    }

    fn add_fields(&mut self, fields: &Value, path: &mut OwnedPath) -> Result<(), OwnershipError> {
        for (key, children) in fields.as_object().into_iter().flatten() {
            if key == "." {
                continue;
            }
            let element = Element::parse(key).ok_or_else(|| self.unreadable(key))?;
            path.0.push(element);
            let is_leaf = children.as_object().is_none_or(serde_json::Map::is_empty);
            if is_leaf || children.get(".").is_some() {
                self.add_path(path);
            }
            self.add_fields(children, path)?;
            path.0.pop();
        }
        Ok(())
    }

    fn add_path(&mut self, path: &OwnedPath) {
        let Some(entry) = self.entries.len().checked_sub(1) else { return };
        let same_text = self.paths.entry(path.to_string()).or_default();
        match same_text.iter_mut().find(|owned| owned.path == *path) {
            Some(owned) => owned.by.push(entry),
            None => same_text.push(Owned { path: path.clone(), by: vec![entry] }),
        }
    }

    fn unreadable(&self, key: &str) -> OwnershipError {
        let manager = self.entries.last().map(|entry| entry.manager.clone()).unwrap_or_default();
        OwnershipError::Field { manager, key: key.to_owned() }
    }
}

fn field_owner(entry: &Value) -> Option<FieldOwner> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(FieldOwner {
        manager: text("manager")?,
        operation: text("operation").unwrap_or_default(),
        time: text("time").unwrap_or_default(),
        subresource: text("subresource").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entries: Value) -> Result<Owners, OwnershipError> {
        Owners::read(&Object(json!({"metadata": {"managedFields": entries}})))
    }

    fn managers(owners: &Owners, text: &str) -> Vec<String> {
        match owners.find(text) {
            Found::One(path, by) => {
                assert_eq!(path.to_string(), text);
                by.iter().map(|owner| owner.manager.clone()).collect()
            }
            found => vec![format!("{found:?}")],
        }
    }

    #[test]
    fn leaves_and_dots_are_owned_but_not_the_way_to_them() {
        let owners = read(json!([
            {"manager": "a", "operation": "Apply", "fieldsV1": {"f:data": {".": {}, "f:x": {}}, "f:spec": {"f:y": {}}}},
            {"manager": "b", "operation": "Update", "subresource": "status", "time": "t", "fieldsV1": {"f:data": {"f:x": {}}}},
        ]))
        .unwrap();
        assert_eq!(managers(&owners, ".data"), ["a"]);
        assert_eq!(managers(&owners, ".data.x"), ["a", "b"]);
        assert_eq!(managers(&owners, ".spec.y"), ["a"]);
        assert_eq!(managers(&owners, ".spec"), ["None"]);
        let Found::One(_, by) = owners.find(".data.x") else { panic!("owned") };
        let wanted = FieldOwner {
            manager: "b".into(),
            operation: "Update".into(),
            time: "t".into(),
            subresource: "status".into(),
        };
        assert_eq!(by[1], &wanted);
    }

    #[test]
    fn two_paths_with_one_text_are_ambiguous() {
        let owners = read(json!([{"manager": "a", "fieldsV1": {"f:m": {"f:x.y": {}, "f:x": {"f:y": {}}}}}])).unwrap();
        assert_eq!(owners.find(".m.x.y"), Found::Ambiguous);
    }

    #[test]
    fn entries_without_fields_are_skipped_and_missing_lists_are_empty() {
        assert_eq!(read(json!([{"operation": "Apply"}, {"fieldsV1": null}])).unwrap().entries, []);
        assert!(Owners::read(&Object(json!({}))).unwrap().paths.is_empty());
        assert!(read(json!(null)).unwrap().paths.is_empty());
    }

    #[test]
    fn malformed_entries_are_errors() {
        assert_eq!(read(json!([{}, {"fieldsV1": {}}])).unwrap_err(), OwnershipError::NoManager(1));
        assert_eq!(read(json!([{"manager": 1, "fieldsV1": {}}])).unwrap_err(), OwnershipError::NoManager(0));
        let error = read(json!([{"manager": "a", "fieldsV1": {"f:x": {"zz": {}}}}])).unwrap_err();
        assert_eq!(error.to_string(), "metadata.managedFields of manager `a` has the unreadable field `zz`");
    }
}
