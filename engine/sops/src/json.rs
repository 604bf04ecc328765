//! JSON text ↔ tree in the file's order; numbers are floats, as Go reads them.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use windlass_model::location::{Location, Source};

use crate::error::SyntaxError;
use crate::tree::{Element, Entry, Node, Pair, Scalar};

/// The object of the text.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, SyntaxError> {
    let node: Node = serde_json::from_str(&source.text).map_err(|error| {
        let text = error.to_string();
        // The place is told by the location.
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned();
        SyntaxError { at: Location::at_line(source.clone(), error.line(), error.column()), reason }
    })?;
    match node {
        Node::Map(_) => Ok(node),
        _ => Err(SyntaxError { at: Location::new(source.clone(), 0..0), reason: "the document is no object".into() }),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::Bool(value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "Go's reader has floats only")]
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::Float(value as f64)))
    }

    #[expect(clippy::cast_precision_loss, reason = "Go's reader has floats only")]
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::Float(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = items.next_element()? {
            elements.push(Element::Item { value, inline: None });
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Node, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some((key, value)) = pairs.next_entry::<String, Node>()? {
            if entries.iter().filter_map(Entry::as_pair).any(|pair| pair.key == key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice in one object")));
            }
            entries.push(Entry::Pair(Pair::new(key, value)));
        }
        Ok(Node::Map(entries))
    }
}

/// Text with tabs and a final newline, as SOPS writes it. `None`: a value is no text.
pub(crate) fn to_text(node: &Node) -> Option<String> {
    let mut out = String::new();
    write(node, 0, &mut out)?;
    out.push('\n');
    Some(out)
}

fn write(node: &Node, depth: usize, out: &mut String) -> Option<()> {
    match node {
        Node::Null => out.push_str("null"),
        Node::Scalar(scalar) => write_scalar(scalar, out)?,
        Node::Map(_) => {
            let members = node.pairs().map(|pair| (Some(pair.key.as_str()), &pair.value));
            write_members(members, ['{', '}'], depth, out)?;
        }
        Node::List(_) => write_members(node.items().map(|item| (None, item)), ['[', ']'], depth, out)?,
    }
    Some(())
}

fn write_members<'a>(
    members: impl Iterator<Item = (Option<&'a str>, &'a Node)>,
    [open, close]: [char; 2],
    depth: usize,
    out: &mut String,
) -> Option<()> {
    out.push(open);
    let mut empty = true;
    for (key, value) in members {
        out.push_str(if empty { "\n" } else { ",\n" });
        empty = false;
        out.extend(std::iter::repeat_n('\t', depth + 1));
        if let Some(key) = key {
            write_text(key, out);
            out.push_str(": ");
        }
        write(value, depth + 1, out)?;
    }
    if !empty {
        out.push('\n');
        out.extend(std::iter::repeat_n('\t', depth));
    }
    out.push(close);
    Some(())
}

fn write_scalar(scalar: &Scalar, out: &mut String) -> Option<()> {
    match scalar {
        Scalar::Text(text) | Scalar::Time(text) => write_text(text, out),
        Scalar::Int(value) => out.push_str(&value.to_string()),
        Scalar::UInt(value) => out.push_str(&value.to_string()),
        Scalar::Float(value) if value.is_finite() => out.push_str(&number(*value)),
        Scalar::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Scalar::Float(_) | Scalar::Bytes(_) => return None,
    }
    Some(())
}

/// Go's JSON notation of a float.
fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// Go escapes what HTML could misread.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        let source = Source::new("a.json", text);
        to_text(&read(&source).ok().unwrap()).unwrap()
    }

    #[test]
    fn order_and_types_are_kept() {
        assert_eq!(
            round(r#"{"z": 1, "a": [true, null, {}, []], "b": "<&>"}"#),
            "{\n\t\"z\": 1,\n\t\"a\": [\n\t\ttrue,\n\t\tnull,\n\t\t{},\n\t\t[]\n\t],\n\t\"b\": \"\\u003c\\u0026\\u003e\"\n}\n"
        );
    }

    #[test]
    fn numbers_are_written_as_go_does() {
        for (value, expected) in
            [(1e21, "1e+21"), (1e-7, "1e-7"), (1.5, "1.5"), (0.0, "0"), (123_456_789.0, "123456789")]
        {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn bad_json_has_its_place() {
        for (text, place) in
            [("{\n  \"a\": ?}", "a.json:2:8"), ("[]", "a.json:1:1"), ("{\"a\": 1, \"a\": 2}", "a.json:1:")]
        {
            let error = read(&Source::new("a.json", text)).err().unwrap();
            assert!(error.to_string().starts_with(place), "{error}");
        }
    }
}
