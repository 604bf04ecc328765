//! Which elements of two lists belong together.
//!
//! Elements with an equal partner drop out first: regardless of order where elements have an identity of their own
//! (a merge key such as `name`), in order where order is meaning (`args`, `command`, lists of scalars, init
//! containers). The rest is paired by name, then by index.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use similar::DiffOp;
use windlass_fieldpath::{FieldPath, Segment};

use crate::myers::edit_script;

/// Fields that the API uses as merge keys of lists.
const MERGE_KEYS: [&str; 11] =
    ["name", "key", "containerPort", "port", "mountPath", "devicePath", "ip", "topologyKey", "type", "uid", "id"];

/// Index, old element, new element.
pub(crate) type Pair<'v> = (usize, Option<&'v Value>, Option<&'v Value>);

/// Pairs to compare: the index is the new one, for a lone old element the old one.
pub(crate) fn pairs<'v>(path: &FieldPath, old: &'v [Value], new: &'v [Value]) -> Vec<Pair<'v>> {
    let (old_keys, new_keys): (Vec<_>, Vec<_>) =
        (old.iter().map(canonical).collect(), new.iter().map(canonical).collect());
    let (old_rest, new_rest) = if order_matters(path, old, new) {
        unmatched_in_order(&old_keys, &new_keys)
    } else {
        unmatched_in_any_order(&old_keys, &new_keys)
    };
    pair_rest(old, new, old_rest, new_rest)
}

fn order_matters(path: &FieldPath, old: &[Value], new: &[Value]) -> bool {
    match path.0.last() {
        Some(Segment::Key(key)) if key == "initContainers" => return true,
        // A set, which the server keeps in any order.
        Some(Segment::Key(key)) if key == "finalizers" => return false,
        _ => {}
    }
    let has_key = |element: &Value| MERGE_KEYS.iter().any(|key| element.get(key).is_some());
    !old.iter().chain(new).all(has_key)
}

/// A text that is equal for equal elements. Objects print their keys in order.
fn canonical(value: &Value) -> String {
    value.to_string()
}

type Indexes = VecDeque<usize>;

fn unmatched_in_any_order(old: &[String], new: &[String]) -> (Indexes, Indexes) {
    let mut available: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (index, key) in new.iter().enumerate() {
        available.entry(key).or_default().push_back(index);
    }
    let mut new_is_free = vec![true; new.len()];
    let mut old_rest = Indexes::new();
    for (index, key) in old.iter().enumerate() {
        match available.get_mut(key.as_str()).and_then(VecDeque::pop_front) {
            Some(partner) => new_is_free[partner] = false,
            None => old_rest.push_back(index),
        }
    }
    let new_rest = (0..new.len()).filter(|&index| new_is_free[index]).collect();
    (old_rest, new_rest)
}

fn unmatched_in_order(old: &[String], new: &[String]) -> (Indexes, Indexes) {
    let (mut old_rest, mut new_rest) = (Indexes::new(), Indexes::new());
    for op in edit_script(old, new) {
        if !matches!(op, DiffOp::Equal { .. }) {
            old_rest.extend(op.old_range());
            new_rest.extend(op.new_range());
        }
    }
    (old_rest, new_rest)
}

fn pair_rest<'v>(old: &'v [Value], new: &'v [Value], old_rest: Indexes, new_rest: Indexes) -> Vec<Pair<'v>> {
    let mut pairs = Vec::new();
    let by_name = same_names(old, new, &old_rest, &new_rest);
    pairs.extend(by_name.iter().map(|&(o, n)| (n, old.get(o), new.get(n))));
    let old_rest: Indexes = old_rest.into_iter().filter(|o| !by_name.iter().any(|pair| pair.0 == *o)).collect();
    let new_rest: Indexes = new_rest.into_iter().filter(|n| !by_name.iter().any(|pair| pair.1 == *n)).collect();
    let is_new: std::collections::BTreeSet<usize> = new_rest.iter().copied().collect();
    let is_old: std::collections::BTreeSet<usize> = old_rest.iter().copied().collect();
    pairs.extend(old_rest.iter().map(|&o| (o, old.get(o), new.get(o).filter(|_| is_new.contains(&o)))));
    pairs.extend(new_rest.iter().filter(|n| !is_old.contains(n)).map(|&n| (n, None, new.get(n))));
    pairs
}

/// Leftovers with one `name` on both sides, provided that names are unique among them.
///
/// Equal ones are elements that moved in an ordered list: paired they would not show.
fn same_names(old: &[Value], new: &[Value], old_rest: &Indexes, new_rest: &Indexes) -> Vec<(usize, usize)> {
    let (Some(old_names), Some(new_names)) = (names(old, old_rest), names(new, new_rest)) else { return Vec::new() };
    old_rest
        .iter()
        .zip(&old_names)
        .filter_map(|(&o, name)| Some((o, new_rest[new_names.iter().position(|other| other == name)?])))
        .filter(|&(o, n)| old[o] != new[n])
        .collect()
}

fn names<'v>(list: &'v [Value], rest: &Indexes) -> Option<Vec<&'v str>> {
    let names: Vec<&str> = rest.iter().map(|&index| list[index].get("name")?.as_str()).collect::<Option<_>>()?;
    let unique: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    (unique.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `-0=a` for a lone old element, `+2=d` for a lone new one, `1:a>x` for a pair.
    fn shown(path: &[&str], old: Value, new: Value) -> Vec<String> {
        let (old, new) = (old.as_array().unwrap(), new.as_array().unwrap());
        pairs(&FieldPath::keys(path.iter().copied()), old, new)
            .into_iter()
            .map(|(index, old, new)| match (old, new) {
                (Some(old), Some(new)) => format!("{index}:{old}>{new}"),
                (Some(old), None) => format!("-{index}={old}"),
                (None, Some(new)) => format!("+{index}={new}"),
                (None, None) => "nothing".into(),
            })
            .collect()
    }

    #[test]
    fn equal_scalars_drop_out_and_the_rest_is_paired_by_index() {
        assert_eq!(shown(&["args"], json!([1, 2, 3]), json!([2, 3, 4])), ["-0=1", "+2=4"]);
        assert_eq!(shown(&["args"], json!([1, 2]), json!([1, 9])), ["1:2>9"]);
        assert!(shown(&["args"], json!([1, 2]), json!([1, 2])).is_empty());
    }

    #[test]
    fn an_order_change_of_scalars_shows() {
        assert_eq!(shown(&["args"], json!(["a", "b"]), json!(["b", "a"])), ["-0=\"a\"", "+1=\"a\""]);
        assert!(shown(&["metadata", "finalizers"], json!(["a", "b"]), json!(["b", "a"])).is_empty());
    }

    #[test]
    fn an_order_change_of_named_elements_shows_only_for_init_containers() {
        let (a, b) = (json!({"name": "a"}), json!({"name": "b"}));
        assert!(shown(&["containers"], json!([a, b]), json!([b, a])).is_empty());
        assert_eq!(
            shown(&["initContainers"], json!([a, b]), json!([b, a])),
            ["-0={\"name\":\"a\"}", "+1={\"name\":\"a\"}"]
        );
    }

    #[test]
    fn an_order_change_of_elements_without_merge_key_shows() {
        let (a, b) = (json!({"path": "/a"}), json!({"path": "/b"}));
        assert_eq!(shown(&["paths"], json!([a, b]), json!([b, a])).len(), 2);
    }

    #[test]
    fn changed_elements_find_their_partner_by_name() {
        let item = |name: &str, v: i64| json!({"name": name, "v": v});
        assert_eq!(
            shown(&["l"], json!([item("a", 1), item("b", 1)]), json!([item("x", 1), item("a", 2), item("b", 1)])),
            ["1:{\"name\":\"a\",\"v\":1}>{\"name\":\"a\",\"v\":2}", "+0={\"name\":\"x\",\"v\":1}"]
        );
    }

    #[test]
    fn renamed_elements_are_paired_by_index() {
        let item = |name: &str| json!({"name": name});
        assert_eq!(shown(&["l"], json!([item("a")]), json!([item("b")])), ["0:{\"name\":\"a\"}>{\"name\":\"b\"}"]);
    }

    #[test]
    fn repeated_names_are_paired_by_index() {
        let item = |v: i64| json!({"name": "a", "v": v});
        assert_eq!(shown(&["l"], json!([item(1), item(2)]), json!([item(3), item(4)])).len(), 2);
    }

    #[test]
    fn each_partner_is_used_once() {
        assert_eq!(shown(&["l"], json!([1, 1]), json!([1])), ["-1=1"]);
        let key = json!({"key": "k"});
        assert_eq!(shown(&["l"], json!([key]), json!([key, key])), ["+1={\"key\":\"k\"}"]);
    }
}
