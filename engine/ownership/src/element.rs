//! Paths of `managedFields`: maps by field name, lists by key, value or index.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use windlass_fieldpath::{FieldPath, Segment};

/// One step of an [`OwnedPath`].
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// `f:`: a field of a map.
    Field(String),
    /// `k:`: the list item with these key fields.
    Key(BTreeMap<String, Value>),
    /// `v:`: the item of a set.
    Value(Value),
    /// `i:`: a position.
    Index(usize),
}

impl Element {
    /// Reads a key of a `fieldsV1` map.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => serde_json::from_str(rest).ok().map(Self::Key),
            "v" => serde_json::from_str(rest).ok().map(Self::Value),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    /// Where this step leads in `value`.
    fn segment(&self, value: &Value) -> Option<Segment> {
        let index = match self {
            Self::Field(name) => return value.get(name).map(|_| Segment::Key(name.clone())),
            Self::Key(key) => item_with_key(value.as_array()?, key)?,
            Self::Value(wanted) => value.as_array()?.iter().position(|item| same_value(item, wanted))?,
            Self::Index(index) => *index,
        };
        value.as_array()?.get(index).map(|_| Segment::Index(index))
    }
}

/// The item whose key fields are all equal. Manifests may leave out key fields that the server defaults
/// (`protocol: TCP`), so a single item that contradicts none of them is the one, too.
fn item_with_key(list: &[Value], key: &BTreeMap<String, Value>) -> Option<usize> {
    let exact = |item: &Value| key.iter().all(|(name, wanted)| item.get(name).is_some_and(|v| same_value(v, wanted)));
    let partial = |item: &Value| {
        let mut known = key.iter().filter_map(|(name, wanted)| Some((item.get(name)?, wanted))).peekable();
        known.peek().is_some() && known.all(|(value, wanted)| same_value(value, wanted))
    };
    list.iter().position(exact).or_else(|| {
        let mut candidates = list.iter().enumerate().filter(|(_, item)| partial(item)).map(|(index, _)| index);
        candidates.next().filter(|_| candidates.next().is_none())
    })
}

/// Equality that takes `1` and `1.0` for one number.
pub(crate) fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || (x.as_f64() == y.as_f64() && (x.is_f64() || y.is_f64())),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same_value(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((i, x), (j, y))| i == j && same_value(x, y))
        }
        _ => a == b,
    }
}

/// A path as `managedFields` has it. Display is the server's text: `.spec.containers[name="app"].image`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnedPath(pub Vec<Element>);

impl OwnedPath {
    /// The same place in an object, by keys and indexes.
    pub fn locate(&self, object: &Value) -> Option<FieldPath> {
        let mut path = FieldPath::default();
        let mut at = object;
        for element in &self.0 {
            let segment = element.segment(at)?;
            at = match &segment {
                Segment::Key(key) => at.get(key)?,
                Segment::Index(index) => at.get(*index)?,
            };
            path.0.push(segment);
        }
        Some(path)
    }
}

impl fmt::Display for OwnedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| write!(f, "{element}"))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(key) => {
                let fields: Vec<String> =
                    key.iter().map(|(name, value)| format!("{name}={}", go_text(value))).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", go_text(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A value as Go's structured-merge-diff prints it.
fn go_text(value: &Value) -> String {
    match value {
        Value::String(text) => go_quoted(text),
        Value::Array(list) => format!("[{}]", list.iter().map(go_text).collect::<Vec<_>>().join(",")),
        Value::Object(map) => {
            let fields: Vec<String> = map.iter().map(|(key, value)| format!("{key}={}", go_text(value))).collect();
            format!("{{{}}}", fields.join(";"))
        }
        scalar => scalar.to_string(),
    }
}

/// Go's `%q`.
fn go_quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(elements: &[&str]) -> OwnedPath {
        OwnedPath(elements.iter().map(|text| Element::parse(text).unwrap()).collect())
    }

    #[test]
    fn text_is_the_servers() {
        for (elements, wanted) in [
            (
                &["f:spec", "f:containers", "k:{\"name\":\"app\"}", "f:image"][..],
                ".spec.containers[name=\"app\"].image",
            ),
            (&["f:ports", "k:{\"protocol\":\"TCP\",\"port\":80}"], ".ports[port=80,protocol=\"TCP\"]"),
            (&["f:finalizers", "v:\"a\\\"b\""], ".finalizers[=\"a\\\"b\"]"),
            (&["f:list", "i:3", "v:1.5", "v:null", "v:[1,{\"a\":true}]"], ".list[3][=1.5][=null][=[1,{a=true}]]"),
            (&["f:labels", "f:app.kubernetes.io/name"], ".labels.app.kubernetes.io/name"),
        ] {
            assert_eq!(path(elements).to_string(), wanted);
        }
    }

    #[test]
    fn unknown_elements_are_refused() {
        for text in ["", ".", "x", "g:a", "k:1", "k:{", "v:", "v:x", "i:-1", "i:x"] {
            assert_eq!(Element::parse(text), None, "{text}");
        }
    }

    #[test]
    fn list_items_are_found_by_key_value_and_index() {
        let object = json!({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 2}], "s": ["x", 2.0], "n": [[1]]});
        let found = |elements: &[&str]| path(elements).locate(&object).map(|path| path.to_string());
        assert_eq!(found(&["f:l", "k:{\"name\":\"b\"}", "f:v"]).as_deref(), Some("$[\"l\"][1][\"v\"]"));
        assert_eq!(found(&["f:s", "v:2"]).as_deref(), Some("$[\"s\"][1]"));
        assert_eq!(found(&["f:n", "i:0", "i:0"]).as_deref(), Some("$[\"n\"][0][0]"));
    }

    #[test]
    fn a_defaulted_key_field_may_be_missing_in_the_manifest() {
        let key = path(&["f:ports", "k:{\"port\":80,\"protocol\":\"TCP\"}"]);
        let located = |ports: Value| key.locate(&json!({"ports": ports})).map(|path| path.to_string());
        assert_eq!(located(json!([{"port": 81}, {"port": 80}])).as_deref(), Some("ports[1]"));
        assert_eq!(located(json!([{"port": 80}, {"port": 80, "protocol": "TCP"}])).as_deref(), Some("ports[1]"));
        assert_eq!(located(json!([{"port": 80, "protocol": "UDP"}])), None);
        assert_eq!(located(json!([{"port": 80}, {"protocol": "TCP"}])), None, "two candidates");
        assert_eq!(located(json!([{}])), None, "nothing in common");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let object = json!({"l": [{"name": "a"}], "m": {"x": null}, "t": "text"});
        for elements in [
            &["f:zz"][..],
            &["f:l", "k:{\"name\":\"z\"}"],
            &["f:l", "v:\"a\""],
            &["f:l", "i:1"],
            &["f:l", "f:name"],
            &["f:m", "i:0"],
            &["f:m", "k:{\"x\":null}"],
            &["f:t", "f:x"],
            &["f:m", "f:x", "f:y"],
        ] {
            assert_eq!(path(elements).locate(&object), None, "{elements:?}");
        }
    }
}
