//! Walks to the fields that a kustomization changes, and makes them where they are wanted.
//!
//! A step into a list means all of its items. A value of the wrong type in the way is an error in Kustomize.

use serde_json::{Map, Value};

use crate::identity::group_version;
use crate::manifest::Manifest;
use crate::unsure::{Certain, Unsure};

/// Fields of some kinds. Empty group, version or kind mean any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldSpec<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
    /// Separated by `/`; a name that ends in `[]` is a list that is never made.
    pub(crate) path: &'a str,
    pub(crate) create: bool,
}

/// A field of every version and group of a kind.
pub(crate) const fn of_kind(kind: &'static str, path: &'static str) -> FieldSpec<'static> {
    FieldSpec { group: "", version: "", kind, path, create: false }
}

impl FieldSpec<'_> {
    pub(crate) fn selects(&self, manifest: &Manifest) -> bool {
        let (group, version) = group_version(manifest.api_version());
        let fits = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
        fits(self.kind, manifest.kind()) && fits(self.group, group) && fits(self.version, version)
    }
}

/// What a missing last field becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing.
    Skip,
    Mapping,
    Scalar,
}

/// Applies a change to the fields of the path, which may be none.
pub(crate) fn visit(
    object: &mut Map<String, Value>,
    path: &str,
    missing: Missing,
    change: &mut dyn FnMut(&mut Value) -> Certain<()>,
) -> Certain<()> {
    let steps: Vec<&str> = path.split('/').collect();
    in_mapping(object, &steps, missing, change)
}

/// As [`visit`], below a prefix, of fields that exist.
pub(crate) fn visit_below(
    object: &mut Map<String, Value>,
    prefix: &str,
    path: &str,
    change: &mut dyn FnMut(&mut Value) -> Certain<()>,
) -> Certain<()> {
    let steps: Vec<&str> = prefix.split('/').chain(path.split('/')).collect();
    in_mapping(object, &steps, Missing::Skip, change)
}

fn in_mapping(
    mapping: &mut Map<String, Value>,
    steps: &[&str],
    missing: Missing,
    change: &mut dyn FnMut(&mut Value) -> Certain<()>,
) -> Certain<()> {
    let [step, rest @ ..] = steps else { return Err(Unsure("an empty path")) };
    let (name, is_list) = step.strip_suffix("[]").map_or((*step, false), |name| (name, true));
    if missing != Missing::Skip && !is_list {
        let new = || match missing {
            Missing::Scalar if rest.is_empty() => Value::String(String::new()),
            _ => Value::Object(Map::new()),
        };
        let field = mapping.entry(name).or_insert_with(new);
        if field.is_null() {
            *field = new();
        }
        return in_value(field, rest, missing, change);
    }
    mapping.get_mut(name).map_or(Ok(()), |field| in_value(field, rest, missing, change))
}

fn in_value(
    value: &mut Value,
    steps: &[&str],
    missing: Missing,
    change: &mut dyn FnMut(&mut Value) -> Certain<()>,
) -> Certain<()> {
    if steps.is_empty() {
        return change(value);
    }
    match value {
        Value::Null => Ok(()),
        Value::Object(mapping) => in_mapping(mapping, steps, missing, change),
        Value::Array(items) => items.iter_mut().try_for_each(|item| in_value(item, steps, missing, change)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(Unsure("a scalar in the way of a path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(object: Value, path: &str, missing: Missing) -> Certain<Value> {
        let Value::Object(mut object) = object else { unreachable!("a test passes mappings") };
        visit(&mut object, path, missing, &mut |value| {
            *value = json!("set");
            Ok(())
        })?;
        Ok(Value::Object(object))
    }

    #[test]
    fn lists_on_the_way_mean_all_items() {
        let object = json!({"a": [{"b": 1}, {"b": 2}, {}]});
        assert_eq!(set(object, "a/b", Missing::Skip).unwrap(), json!({"a": [{"b": "set"}, {"b": "set"}, {}]}));
    }

    #[test]
    fn missing_fields_are_made_on_demand() {
        assert_eq!(set(json!({}), "a/b", Missing::Skip).unwrap(), json!({}));
        assert_eq!(set(json!({"a": null}), "a/b", Missing::Mapping).unwrap(), json!({"a": {"b": "set"}}));
        assert_eq!(set(json!({}), "a[]/b", Missing::Mapping).unwrap(), json!({}));
    }

    #[test]
    fn a_scalar_in_the_way_is_not_certain() {
        assert!(set(json!({"a": 1}), "a/b", Missing::Skip).is_err());
        assert!(set(json!({"a": ["x"]}), "a/b", Missing::Skip).is_err());
    }
}
