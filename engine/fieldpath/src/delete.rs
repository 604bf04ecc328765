//! Deletes what an expression hits, with the semantics ignore rules are written for (spec 03 section 2.5).

use serde_json::Value;

use crate::json_path::{JsonPath, Member, Step};
use crate::locate::{absolute, locate_steps};

/// An expression that can locate but not delete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be deleted: a path must not end in {end}")]
pub struct DeleteError {
    /// The expression.
    pub path: String,
    /// What it ends in.
    pub end: &'static str,
}

impl JsonPath {
    /// Removes map keys and sets list elements to null. Tells whether anything was there.
    pub fn delete(&self, value: &mut Value) -> Result<bool, DeleteError> {
        let refuse = |end| Err(DeleteError { path: self.text.clone(), end });
        let Some((last, parents)) = self.steps.split_last() else { return refuse("`$`") };
        match last {
            Step::Descent => return refuse("`..`"),
            Step::Slice { .. } => return refuse("a slice"),
            Step::Filter(_) => return refuse("a filter"),
            Step::Key(_) | Step::Index(_) | Step::Wildcard | Step::Union(_) => {}
        }
        let mut deleted = false;
        for parent in locate_steps(parents, value) {
            // An earlier deletion may have taken this parent away (`..name` inside `name`).
            if let Some(parent) = parent.get_mut(value) {
                deleted |= delete_child(parent, last);
            }
        }
        Ok(deleted)
    }
}

fn delete_child(parent: &mut Value, step: &Step) -> bool {
    match step {
        Step::Key(key) => delete_key(parent, key),
        Step::Index(index) => delete_index(parent, *index),
        Step::Wildcard => delete_all(parent),
        Step::Union(members) => members.iter().fold(false, |deleted, member| {
            deleted
                | match member {
                    Member::Key(key) => delete_key(parent, key),
                    Member::Index(index) => delete_index(parent, *index),
                }
        }),
        Step::Descent | Step::Slice { .. } | Step::Filter(_) => false,
    }
}

fn delete_key(parent: &mut Value, key: &str) -> bool {
    parent.as_object_mut().is_some_and(|map| map.remove(key).is_some())
}

fn delete_index(parent: &mut Value, index: i64) -> bool {
    let Some(list) = parent.as_array_mut() else { return false };
    let length = list.len();
    match absolute(index, length).and_then(|index| list.get_mut(index)) {
        Some(element) => !element.take().is_null(),
        None => false,
    }
}

fn delete_all(parent: &mut Value) -> bool {
    match parent {
        Value::Object(map) => {
            let deleted = !map.is_empty();
            map.clear();
            deleted
        }
        Value::Array(list) => list.iter_mut().fold(false, |deleted, element| deleted | !element.take().is_null()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deleted(text: &str, mut value: Value) -> Value {
        let changed = JsonPath::parse(text).unwrap().delete(&mut value).unwrap();
        assert!(changed, "{text}");
        value
    }

    #[test]
    fn map_keys_go_and_list_elements_become_null() {
        let value = json!({"m": {"a": 1, "b": 2}, "l": [1, 2, 3]});
        for (text, wanted) in [
            ("m.a", json!({"m": {"b": 2}, "l": [1, 2, 3]})),
            ("$.m['a']", json!({"m": {"b": 2}, "l": [1, 2, 3]})),
            ("m.*", json!({"m": {}, "l": [1, 2, 3]})),
            ("l[1]", json!({"m": {"a": 1, "b": 2}, "l": [1, null, 3]})),
            ("l[-1]", json!({"m": {"a": 1, "b": 2}, "l": [1, 2, null]})),
            ("l[*]", json!({"m": {"a": 1, "b": 2}, "l": [null, null, null]})),
            ("l[0,2]", json!({"m": {"a": 1, "b": 2}, "l": [null, 2, null]})),
            ("m['a','b']", json!({"m": {}, "l": [1, 2, 3]})),
            ("..a", json!({"m": {"b": 2}, "l": [1, 2, 3]})),
        ] {
            assert_eq!(deleted(text, value.clone()), wanted, "{text}");
        }
    }

    #[test]
    fn filters_and_slices_may_stand_before_the_last_step() {
        let value = json!({"l": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]});
        assert_eq!(deleted("l[?(@.n == 'y')].v", value.clone()), json!({"l": [{"n": "x", "v": 1}, {"n": "y"}]}));
        assert_eq!(deleted("l[0:1].v", value), json!({"l": [{"n": "x"}, {"n": "y", "v": 2}]}));
    }

    #[test]
    fn nested_hits_of_a_descent_are_deleted_with_their_parent() {
        assert_eq!(deleted("..a", json!({"a": {"a": 1}, "b": {"a": 2}})), json!({"b": {}}));
    }

    #[test]
    fn paths_without_a_last_name_cannot_be_deleted() {
        for (text, end) in
            [("..", "`..`"), ("a..", "`..`"), ("$", "`$`"), ("a[0:1]", "a slice"), ("a[?(@.b)]", "a filter")]
        {
            let mut value = json!({"a": [{"b": 1}]});
            let error = JsonPath::parse(text).unwrap().delete(&mut value).unwrap_err();
            assert_eq!(error.end, end);
            assert_eq!(value, json!({"a": [{"b": 1}]}));
        }
    }

    #[test]
    fn deleting_what_is_not_there_changes_nothing() {
        let value = json!({"m": {}, "l": [1], "s": "t"});
        for text in ["x", "m.a", "m.*", "l[1]", "l[-2]", "l.a", "m[0]", "s.a", "s.*", "x.y.z"] {
            let mut copy = value.clone();
            assert_eq!(JsonPath::parse(text).unwrap().delete(&mut copy), Ok(false), "{text}");
            assert_eq!(copy, value);
        }
    }
}
