//! Exact places that an expression hits.

use serde_json::Value;

use crate::json_path::{JsonPath, Member, Step};
use crate::path::{FieldPath, Segment};

impl JsonPath {
    /// The places in `value`, each once, in order of discovery. A leading `$` or `@` makes no difference.
    pub fn locate(&self, value: &Value) -> Vec<FieldPath> {
        locate_steps(&self.steps, value)
    }
}

pub(crate) fn locate_steps(steps: &[Step], root: &Value) -> Vec<FieldPath> {
    let mut found: Vec<(FieldPath, &Value)> = vec![(FieldPath::default(), root)];
    for step in steps {
        let mut next = Vec::new();
        for (path, value) in found {
            apply(step, &path, value, root, &mut next);
        }
        found = next;
    }
    let mut seen = std::collections::HashSet::new();
    found.into_iter().map(|(path, _)| path).filter(|path| seen.insert(path.clone())).collect()
}

fn apply<'v>(step: &Step, path: &FieldPath, value: &'v Value, root: &Value, into: &mut Vec<(FieldPath, &'v Value)>) {
    match step {
        Step::Key(key) => into.extend(member_key(path, value, key)),
        Step::Index(index) => into.extend(member_index(path, value, *index)),
        Step::Wildcard => into.extend(children(path, value)),
        Step::Descent => descend(path, value, into),
        Step::Slice { start, end, step } => slice(path, value, (*start, *end, *step), into),
        Step::Union(members) => into.extend(members.iter().filter_map(|member| match member {
            Member::Key(key) => member_key(path, value, key),
            Member::Index(index) => member_index(path, value, *index),
        })),
        Step::Filter(filter) => {
            into.extend(children(path, value).into_iter().filter(|(_, element)| filter.holds(element, root)));
        }
    }
}

fn extended(path: &FieldPath, segment: Segment) -> FieldPath {
    let mut path = path.clone();
    path.0.push(segment);
    path
}

fn member_key<'v>(path: &FieldPath, value: &'v Value, key: &str) -> Option<(FieldPath, &'v Value)> {
    let child = value.as_object()?.get(key)?;
    Some((extended(path, Segment::Key(key.to_owned())), child))
}

fn member_index<'v>(path: &FieldPath, value: &'v Value, index: i64) -> Option<(FieldPath, &'v Value)> {
    let list = value.as_array()?;
    let index = absolute(index, list.len())?;
    Some((extended(path, Segment::Index(index)), list.get(index)?))
}

/// Negative indexes count from the end.
pub(crate) fn absolute(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => (index < length).then_some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

fn children<'v>(path: &FieldPath, value: &'v Value) -> Vec<(FieldPath, &'v Value)> {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, child)| (extended(path, Segment::Key(key.clone())), child)).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, child)| (extended(path, Segment::Index(index)), child)).collect()
        }
        _ => Vec::new(),
    }
}

fn descend<'v>(path: &FieldPath, value: &'v Value, into: &mut Vec<(FieldPath, &'v Value)>) {
    into.push((path.clone(), value));
    for (path, child) in children(path, value) {
        descend(&path, child, into);
    }
}

type Bounds = (Option<i64>, Option<i64>, Option<i64>);

/// As Python slices lists: the end is exclusive, negative bounds count from the end, a negative step goes back.
fn slice<'v>(path: &FieldPath, value: &'v Value, bounds: Bounds, into: &mut Vec<(FieldPath, &'v Value)>) {
    let Some(list) = value.as_array() else { return };
    let Ok(length) = i64::try_from(list.len()) else { return };
    let step = bounds.2.unwrap_or(1);
    let clamp = |bound: i64, low: i64, high: i64| {
        (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(low, high)
    };
    let (start, end) = if step > 0 {
        (bounds.0.map_or(0, |b| clamp(b, 0, length)), bounds.1.map_or(length, |b| clamp(b, 0, length)))
    } else {
        (bounds.0.map_or(length - 1, |b| clamp(b, -1, length - 1)), bounds.1.map_or(-1, |b| clamp(b, -1, length - 1)))
    };
    let mut at = start;
    while (step > 0 && at < end) || (step < 0 && at > end) {
        into.extend(member_index(path, value, at));
        at = at.saturating_add(step);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(text: &str, value: &Value) -> Vec<String> {
        JsonPath::parse(text).unwrap().locate(value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn locates_every_kind_of_step() {
        let value = json!({"spec": {"list": [
            {"name": "aa", "port": 80},
            {"name": "bb", "port": 81, "on": true},
            {"name": "cc", "port": 82.5, "on": false},
        ]}});
        for (text, wanted) in [
            ("spec.list[0].name", &["spec.list[0].name"][..]),
            ("$.spec.list[-1].port", &["spec.list[2].port"]),
            ("@['spec'].list[0,-1].name", &["spec.list[0].name", "spec.list[2].name"]),
            ("spec.list[0]['port','name','port']", &["spec.list[0].port", "spec.list[0].name"]),
            ("spec.list[*].on", &["spec.list[1].on", "spec.list[2].on"]),
            ("spec.list[1:].name", &["spec.list[1].name", "spec.list[2].name"]),
            ("spec.list[::-2].name", &["spec.list[2].name", "spec.list[0].name"]),
            ("spec.list[-2:-1].name", &["spec.list[1].name"]),
            ("..name", &["spec.list[0].name", "spec.list[1].name", "spec.list[2].name"]),
            ("spec..port", &["spec.list[0].port", "spec.list[1].port", "spec.list[2].port"]),
            ("spec.list[?(@.name == 'bb')].port", &["spec.list[1].port"]),
            ("spec.list[?(@.port >= 81 && @.port < 82.5)].port", &["spec.list[1].port"]),
            ("spec.list[?(@.on)].name", &["spec.list[1].name"]),
            ("spec.list[?(!(@.on))].name", &["spec.list[0].name", "spec.list[2].name"]),
            ("spec.list[?(@.name =~ /^(a|c)/)].name", &["spec.list[0].name", "spec.list[2].name"]),
            (
                "spec.list[?(@.name == $.spec.list[2].name || @.port <= 80)].name",
                &["spec.list[0].name", "spec.list[2].name"],
            ),
        ] {
            assert_eq!(found(text, &value), wanted, "{text}");
        }
    }

    #[test]
    fn a_lone_descent_finds_every_node_and_the_root() {
        let value = json!({"aa": [1], "bb": {}});
        assert_eq!(found("..", &value), ["", "aa", "aa[0]", "bb"]);
        assert!(JsonPath::parse("..").unwrap().is_everything());
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let value = json!({"aa": [1, 2], "bb": "text", "nn": null});
        for text in [
            "cc",
            "aa.bb",
            "aa[2]",
            "aa[-3]",
            "bb[0]",
            "bb.x",
            "nn.x",
            "bb[*]",
            "bb[1:]",
            "aa['x']",
            "aa[5:9]",
            "aa[?(@ == 'x')]",
            "aa[?(@.x)]",
            "aa[?(@ > 'x')]",
            "..zz",
            "aa[?(@ =~ /x/)]",
        ] {
            assert!(found(text, &value).is_empty(), "{text}");
        }
        assert_eq!(found("nn", &value), ["nn"], "null is a value");
    }
}
