//! Names fields of JSON values: the textual path of reports, and the path expressions of users.
//!
//! [`FieldPath`] is one exact place (spec 03 section 2.4); [`JsonPath`] is an expression that may hit many
//! (section 2.5). [`FieldRule`] and [`Selector`] are what `ignoreForDiff` and `conflictResolution` have in common.
//! Not for: YAML positions (`windlass-yaml`).

mod delete;
mod filter;
mod json_path;
mod locate;
mod parse;
mod path;
mod rule;
mod walk;

pub use delete::DeleteError;
pub use json_path::{JsonPath, JsonPathError, JsonPathErrorKind};
pub use path::{FieldPath, Segment, SetError};
pub use rule::{FieldRule, RuleError, Selector, numbered_annotations};
pub use walk::{walk_leaves, walk_nodes};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn segment() -> impl Strategy<Value = Segment> {
        // The output form does not escape, so a key with both quotes or a backslash cannot be read back.
        prop_oneof![
            "[a-zA-Z0-9_./ \"é-]{0,8}".prop_map(Segment::Key),
            "[a-zA-Z0-9_./ 'é-]{0,8}".prop_map(Segment::Key),
            (0_usize..3).prop_map(Segment::Index),
        ]
    }

    /// A value that has something at `path` and nothing else but nulls.
    fn value_with(path: &FieldPath) -> Value {
        path.0.iter().rev().fold(json!(true), |inner, segment| match segment {
            Segment::Key(key) => json!({key: inner}),
            Segment::Index(index) => {
                let mut list = vec![Value::Null; *index];
                list.push(inner);
                Value::Array(list)
            }
        })
    }

    proptest! {
        #[test]
        fn a_printed_path_locates_its_own_place(segments in prop::collection::vec(segment(), 1..6)) {
            let path = FieldPath(segments);
            let parsed = JsonPath::parse(&path.to_string()).unwrap();
            prop_assert_eq!(parsed.as_simple(), Some(path.clone()));
            let mut value = value_with(&path);
            prop_assert_eq!(parsed.locate(&value), vec![path.clone()]);
            prop_assert_eq!(parsed.delete(&mut value), Ok(true));
            prop_assert!(path.get(&value).is_none_or(Value::is_null));
        }

        #[test]
        fn any_text_parses_or_tells_a_place_inside_it(text in "[a-c.$@*?()\\[\\]'\":,0-9=!<>&|~/ é\\\\-]{0,24}") {
            match JsonPath::parse(&text) {
                Ok(path) => {
                    let value = json!({"a": [{"b": 1}, {"b": [2, null]}], "b": {"a": "x"}});
                    let hits = path.locate(&value);
                    prop_assert!(hits.iter().all(|hit| hit.get(&value).is_some()));
                    let mut copy = value.clone();
                    let deleted = path.delete(&mut copy);
                    prop_assert_eq!(deleted == Ok(true), copy != value);
                }
                Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
            }
        }
    }
}
