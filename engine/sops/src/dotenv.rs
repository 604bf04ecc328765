//! Dotenv text ↔ tree: `NAME=value` lines, comments with `#` in the first column.

use std::sync::Arc;

use windlass_model::location::{Location, Source};

use crate::error::SyntaxError;
use crate::tree::{Entry, Node, Pair, Scalar};

/// Prefix of the names that hold metadata.
pub(crate) const METADATA_PREFIX: &str = "sops_";

/// The lines of the text, metadata included.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, SyntaxError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut start = 0;
    for line in source.text.split('\n') {
        let range = start..start + line.len();
        start = range.end + 1;
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            entries.push(Entry::Comment(comment.to_owned()));
            continue;
        }
        let error = |reason: String| SyntaxError { at: Location::new(source.clone(), range.clone()), reason };
        let (key, value) =
            line.split_once('=').ok_or_else(|| error("the line is not in the form `NAME=value`".into()))?;
        if key.starts_with(METADATA_PREFIX) && entries.iter().filter_map(Entry::as_pair).any(|pair| pair.key == key) {
            return Err(error(format!("`{key}` stands twice in the file")));
        }
        entries.push(Entry::Pair(Pair::new(key, Node::text(value.replace("\\n", "\n")))));
    }
    Ok(Node::Map(entries))
}

/// `None`: a value has members, or is no text.
pub(crate) fn to_text(node: &Node) -> Option<String> {
    let Node::Map(entries) = node else { return None };
    let mut out = String::new();
    for entry in entries {
        match entry {
            Entry::Comment(text) => out.push_str(&format!("#{text}\n")),
            Entry::Pair(pair) => {
                out.push_str(&format!("{}={}\n", pair.key, value_text(&pair.value)?.replace('\n', "\\n")))
            }
        }
    }
    Some(out)
}

/// A value in formats that have texts only.
pub(crate) fn value_text(node: &Node) -> Option<String> {
    let Node::Scalar(scalar) = node else { return None };
    Some(match scalar {
        Scalar::Text(text) | Scalar::Time(text) => text.clone(),
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 1e21 => format!("{value:.1}"),
        Scalar::Float(value) => value.to_string(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Bytes(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_comments_and_line_breaks_come_back() {
        let text = "#head\nA=1\nB=x\\ny\nC=a=b\n";
        let node = read(&Source::new("a.env", text)).ok().unwrap();
        assert_eq!(node.get("B").and_then(Node::as_text), Some("x\ny"));
        assert_eq!(node.get("C").and_then(Node::as_text), Some("a=b"));
        assert_eq!(to_text(&node).as_deref(), Some(text));
    }

    #[test]
    fn bad_lines_have_their_place() {
        let error = |text| read(&Source::new("a.env", text)).err().unwrap().to_string();
        assert_eq!(error("A=1\nB\n"), "a.env:2:1: the line is not in the form `NAME=value`");
        assert_eq!(error("sops_mac=a\nsops_mac=b\n"), "a.env:2:1: `sops_mac` stands twice in the file");
    }
}
