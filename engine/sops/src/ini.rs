//! INI text ↔ tree: sections of keys; a section's comment is its first entry, a key's comment follows the key.

use std::sync::Arc;

use windlass_model::location::{Location, Source};

use super::dotenv::value_text;
use crate::error::SyntaxError;
use crate::tree::{Entry, Node, Pair};

/// The section of keys that stand before the first header.
const DEFAULT: &str = "DEFAULT";

/// The sections of the text.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, SyntaxError> {
    let mut sections = vec![Section { name: DEFAULT.into(), entries: Vec::new() }];
    let mut comment: Option<String> = None;
    let mut lines = Lines { rest: &source.text, start: 0 };
    while let Some((start, line)) = lines.next() {
        let at = Location::new(source.clone(), start..start + line.len());
        let error = |reason: String| SyntaxError { at: at.clone(), reason };
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            let text = line.trim_start_matches([line.chars().next().unwrap_or('#'), ' ']);
            comment = Some(comment.map_or_else(|| text.to_owned(), |before| format!("{before}\n{text}")));
        } else if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split_once(']').map(|(name, _)| name.trim()).filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| error("the header of a section has no name and `]`".into()))?;
            if name == "sops" && sections.iter().any(|section| section.name == name) {
                return Err(error("the section `sops` stands twice in the file".into()));
            }
            sections
                .push(Section { name: name.into(), entries: comment.take().map(Entry::Comment).into_iter().collect() });
        } else if !line.is_empty() {
            let (key, value) =
                line.split_once(['=', ':']).ok_or_else(|| error("the line is not in the form `key = value`".into()))?;
            let (value, inline) =
                lines.value(value.trim()).ok_or_else(|| error("the quoted value has no end".into()))?;
            let Some(section) = sections.last_mut() else { continue };
            let key = key.trim().trim_matches(['`', '"']);
            if section.entries.iter().filter_map(Entry::as_pair).any(|pair| pair.key == key) {
                return Err(error(format!("the key `{key}` stands twice in one section")));
            }
            section.entries.push(Entry::Pair(Pair::new(key, Node::text(value))));
            section.entries.extend(comment.take().or(inline).map(Entry::Comment));
        }
    }
    let as_pair = |section: Section| Entry::Pair(Pair::new(section.name, Node::Map(section.entries)));
    Ok(Node::Map(sections.into_iter().map(as_pair).collect()))
}

struct Section {
    name: String,
    entries: Vec<Entry>,
}

struct Lines<'a> {
    rest: &'a str,
    start: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.start;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.start += (line.len() + 1).min(self.rest.len());
        self.rest = rest;
        Some((start, line))
    }

    /// The value and its comment; quoted ones may go on in the next lines.
    fn value(&mut self, text: &str) -> Option<(String, Option<String>)> {
        for quote in ["\"\"\"", "`"] {
            let Some(first) = text.strip_prefix(quote) else { continue };
            if let Some((value, _)) = first.split_once(quote) {
                return Some((value.to_owned(), None));
            }
            let mut value = first.to_owned();
            loop {
                let (_, line) = self.next()?;
                value.push('\n');
                if let Some((last, _)) = line.split_once(quote) {
                    value.push_str(last);
                    return Some((value, None));
                }
                value.push_str(line);
            }
        }
        let (value, comment) = match text.find(['#', ';']) {
            Some(at) => (text[..at].trim(), Some(text[at + 1..].trim().to_owned())),
            None => (text, None),
        };
        let unquoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        Some((unquoted.unwrap_or(value).to_owned(), comment))
    }
}

/// `None`: a section is no map, or a value is no text.
pub(crate) fn to_text(node: &Node) -> Option<String> {
    let mut out = String::new();
    for section in node.pairs() {
        let Node::Map(entries) = &section.value else { return None };
        if section.key == DEFAULT && entries.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        write_section(&section.key, entries, &mut out)?;
    }
    Some(out)
}

fn write_section(name: &str, entries: &[Entry], out: &mut String) -> Option<()> {
    let mut entries = entries.iter().peekable();
    if let Some(Entry::Comment(text)) = entries.peek() {
        write_comment(text, out);
        entries.next();
    }
    if name != DEFAULT || !out.is_empty() {
        out.push_str(&format!("[{name}]\n"));
    }
    let rest: Vec<&Entry> = entries.collect();
    let widest =
        rest.iter().filter_map(|entry| entry.as_pair()).map(|pair| pair.key.chars().count()).max().unwrap_or(0);
    for (index, entry) in rest.iter().enumerate() {
        let Entry::Pair(pair) = entry else { continue };
        if let Some(Entry::Comment(text)) = rest.get(index + 1) {
            write_comment(text, out);
        }
        let value = quoted(&value_text(&pair.value)?);
        out.push_str(&format!("{:widest$} = {value}\n", pair.key));
    }
    Some(())
}

fn write_comment(text: &str, out: &mut String) {
    for line in text.split('\n') {
        out.push_str(&format!("; {line}\n"));
    }
}

fn quoted(value: &str) -> String {
    if value.contains(['\n', '`']) {
        format!("\"\"\"{value}\"\"\"")
    } else if value.contains(['#', ';']) {
        format!("`{value}`")
    } else if value.trim() != value {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_and_quotes_come_back() {
        let text = "top = 1\n\n; about s\n[s]\n; about k\nk    = v\nlong = `a;b`\ntext = \"\"\"x\ny\"\"\"\n";
        let node = read(&Source::new("a.ini", text)).ok().unwrap();
        assert_eq!(node.get("s").and_then(|s| s.get("long")).and_then(Node::as_text), Some("a;b"));
        assert_eq!(node.get("s").and_then(|s| s.get("text")).and_then(Node::as_text), Some("x\ny"));
        assert_eq!(to_text(&node).as_deref(), Some(text));
    }

    #[test]
    fn bad_lines_have_their_place() {
        for (text, expected) in [
            ("[s]\nk\n", "a.ini:2:1: the line is not in the form `key = value`"),
            ("[s\n", "a.ini:1:1: the header of a section has no name and `]`"),
            ("[s]\nk=1\nk=2\n", "a.ini:3:1: the key `k` stands twice in one section"),
            ("[sops]\n[sops]\n", "a.ini:2:1: the section `sops` stands twice in the file"),
            ("k = \"\"\"x\n", "a.ini:1:1: the quoted value has no end"),
        ] {
            assert_eq!(read(&Source::new("a.ini", text)).err().unwrap().to_string(), expected);
        }
    }
}
