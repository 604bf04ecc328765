//! Visits the places of a value together with their text, building each text only once.

use serde_json::Value;

use crate::path::{FieldPath, Segment, append_segment};

/// Calls `visit` with text and path of every leaf: scalars and null. Empty maps and lists have none.
pub fn walk_leaves(value: &Value, visit: &mut dyn FnMut(&str, &FieldPath)) {
    walk(value, &mut |text, path, value| {
        if !value.is_object() && !value.is_array() {
            visit(text, path);
        }
    });
}

/// Calls `visit` with text and path of every node below the root: maps, lists and leaves.
pub fn walk_nodes(value: &Value, visit: &mut dyn FnMut(&str, &FieldPath)) {
    walk(value, &mut |text, path, _| {
        if !path.0.is_empty() {
            visit(text, path);
        }
    });
}

type Visit<'a> = dyn FnMut(&str, &FieldPath, &Value) + 'a;

fn walk(value: &Value, visit: &mut Visit<'_>) {
    descend(value, &mut String::new(), &mut FieldPath::default(), visit);
}

fn descend(value: &Value, text: &mut String, path: &mut FieldPath, visit: &mut Visit<'_>) {
    visit(text, path, value);
    let mut enter = |segment: Segment, child: &Value| {
        let length = text.len();
        append_segment(text, &segment);
        path.0.push(segment);
        descend(child, text, path, visit);
        path.0.pop();
        text.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, child)| enter(Segment::Key(key.clone()), child)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, child)| enter(Segment::Index(index), child)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Walk = fn(&Value, &mut dyn FnMut(&str, &FieldPath));

    fn texts(walk: Walk, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        walk(value, &mut |text, path| {
            assert_eq!(text, path.to_string());
            found.push(text.to_owned());
        });
        found
    }

    #[test]
    fn leaves_are_scalars_and_null() {
        let value = json!({"aa": {"x-y": null, "zz": []}, "bb": [1, {"c": "t"}], "dd": {}});
        assert_eq!(texts(walk_leaves, &value), ["aa[\"x-y\"]", "bb[0]", "bb[1][\"c\"]"]);
    }

    #[test]
    fn nodes_are_everything_below_the_root() {
        let value = json!({"aa": {}, "bb": [1]});
        assert_eq!(texts(walk_nodes, &value), ["aa", "bb", "bb[0]"]);
        assert!(texts(walk_nodes, &json!(1)).is_empty());
    }
}
