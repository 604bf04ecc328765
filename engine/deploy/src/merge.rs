//! Merging and nested access of variables and args (spec 01 section 5.4).

use serde_json::{Map, Value};
pub use windlass_template::deep_merge;

/// Why a nested value cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` is not a map, so `{path}` can not be set below it")]
pub struct NotAMap {
    /// The whole dotted path.
    pub path: String,
    /// The part of it that holds another value.
    pub at: String,
}

/// Sets `value` below the keys of `path`, creating missing maps.
///
/// # Errors
/// When a level on the way exists and is no map.
pub fn set_nested(map: &mut Map<String, Value>, path: &[&str], value: Value) -> Result<(), NotAMap> {
    let Some((last, parents)) = path.split_last() else { return Ok(()) };
    let mut current = map;
    for (depth, key) in parents.iter().enumerate() {
        current = match current.entry(*key).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(map) => map,
            _ => return Err(NotAMap { path: path.join("."), at: path[..=depth].join(".") }),
        };
    }
    current.insert((*last).to_owned(), value);
    Ok(())
}

/// The value below the keys of a dotted path; a present null counts.
pub fn get_nested<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let mut current = map.get(keys.next()?)?;
    for key in keys {
        current = current.as_object()?.get(key)?;
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn maps_merge_and_everything_else_is_replaced() {
        let mut base = map(json!({"a": {"x": 1, "y": [1, 2]}, "b": {"k": 1}, "c": 1}));
        deep_merge(&mut base, &map(json!({"a": {"y": [3]}, "b": null, "c": {"z": 1}})));
        assert_eq!(Value::Object(base), json!({"a": {"x": 1, "y": [3]}, "b": null, "c": {"z": 1}}));
    }

    #[test]
    fn a_scalar_in_the_way_is_an_error() {
        let mut base = map(json!({"a": {"b": 1}}));
        let error = set_nested(&mut base, &["a", "b", "c"], json!(2)).unwrap_err();
        assert_eq!(error, NotAMap { path: "a.b.c".into(), at: "a.b".into() });
        assert_eq!(Value::Object(base), json!({"a": {"b": 1}}));
    }

    #[test]
    fn a_null_counts_as_present() {
        let args = map(json!({"a": {"b": null}}));
        assert_eq!(get_nested(&args, "a.b"), Some(&Value::Null));
        assert_eq!(get_nested(&args, "a.c"), None);
        assert_eq!(get_nested(&args, "a.b.c"), None);
    }

    proptest! {
        #[test]
        fn merging_nothing_changes_nothing(keys in proptest::collection::btree_map("[a-c]", 0..5i64, 0..4)) {
            let base: Map<String, Value> = keys.into_iter().map(|(k, v)| (k, json!({"n": v}))).collect();
            let mut merged = base.clone();
            deep_merge(&mut merged, &Map::new());
            prop_assert_eq!(&merged, &base);
            deep_merge(&mut merged, &base);
            prop_assert_eq!(merged, base);
        }
    }
}
