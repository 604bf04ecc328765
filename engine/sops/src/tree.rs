//! An encrypted or decrypted file as a tree that keeps order, types and comments.

use std::borrow::Cow;
use std::fmt;

/// A value of a file.
#[derive(Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Scalar(Scalar),
    Map(Vec<Entry>),
    List(Vec<Element>),
}

/// Values are secrets, so only the kind is shown.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Scalar(_) => "Scalar(..)",
            Self::Map(_) => "Map(..)",
            Self::List(_) => "List(..)",
        })
    }
}

/// A member of a map, or a comment on a line of its own.
#[derive(Clone, PartialEq)]
pub(crate) enum Entry {
    Comment(String),
    Pair(Pair),
}

/// A key with its value.
#[derive(Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: Node,
    /// The comment at the end of the line.
    pub(crate) inline: Option<String>,
}

impl Pair {
    pub(crate) fn new(key: impl Into<String>, value: Node) -> Self {
        Self { key: key.into(), value, inline: None }
    }
}

/// A member of a list, or a comment on a line of its own.
#[derive(Clone, PartialEq)]
pub(crate) enum Element {
    Comment(String),
    Item { value: Node, inline: Option<String> },
}

/// A value without members.
#[derive(Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Int(i64),
    /// An integer beyond 64 signed bits.
    UInt(u64),
    Float(f64),
    Bool(bool),
    /// An RFC 3339 timestamp.
    Time(String),
    /// What is no text.
    Bytes(Vec<u8>),
}

impl Scalar {
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    /// The bytes that the file's authentication code is made of.
    pub(crate) fn digest_bytes(&self) -> Cow<'_, [u8]> {
        let text = |text: String| Cow::Owned(text.into_bytes());
        match self {
            Self::Text(value) | Self::Time(value) => Cow::Borrowed(value.as_bytes()),
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Int(value) => text(value.to_string()),
            Self::UInt(value) => text(value.to_string()),
            Self::Float(value) => text(go_decimal(*value)),
            Self::Bool(true) => Cow::Borrowed(b"True"),
            Self::Bool(false) => Cow::Borrowed(b"False"),
        }
    }
}

/// A float in Go's form without exponent.
pub(crate) fn go_decimal(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        value.to_string()
    }
}

impl Node {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Scalar(Scalar::Text(value.into()))
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Scalar(Scalar::Text(text) | Scalar::Time(text)) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a map; nothing for others.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &Pair> {
        let entries = if let Self::Map(entries) = self { entries.as_slice() } else { &[] };
        entries.iter().filter_map(Entry::as_pair)
    }

    /// The items of a list; nothing for others.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Node> {
        let elements = if let Self::List(elements) = self { elements.as_slice() } else { &[] };
        elements.iter().filter_map(|element| match element {
            Element::Item { value, .. } => Some(value),
            Element::Comment(_) => None,
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.pairs().find(|pair| pair.key == key).map(|pair| &pair.value)
    }
}

impl Entry {
    pub(crate) fn as_pair(&self) -> Option<&Pair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::Comment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_made_of_gos_notation() {
        for (scalar, expected) in [
            (Scalar::Float(1.0), "1"),
            (Scalar::Float(0.1), "0.1"),
            (Scalar::Float(1e21), "1000000000000000000000"),
            (Scalar::Float(1e-7), "0.0000001"),
            (Scalar::Float(f64::INFINITY), "+Inf"),
            (Scalar::Int(-3), "-3"),
            (Scalar::Bool(true), "True"),
            (Scalar::Bool(false), "False"),
        ] {
            assert_eq!(scalar.digest_bytes().as_ref(), expected.as_bytes());
        }
    }

    #[test]
    fn debug_output_has_no_values() {
        assert!(!format!("{:?}", Node::text("hidden")).contains("hidden"));
    }
}
