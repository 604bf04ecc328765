//! Trees → YAML text in the layout of SOPS: four spaces, lists indented, no folding.

use serde_json::{Map, Value};
use windlass_yaml::{Emitter, Folding, format_float};

use crate::tree::{Element, Entry, Node, Scalar};

/// The documents with `---` between them. Values that are no text become `!!binary`.
pub(crate) fn to_text(documents: &[Node]) -> String {
    let mut writer = Writer { out: String::new() };
    for (index, document) in documents.iter().enumerate() {
        if index > 0 {
            writer.out.push_str("---\n");
        }
        match document {
            Node::Map(entries) if has_pairs(entries) => writer.map(entries, 0),
            Node::Map(entries) => {
                writer.comments(entries, 0);
                writer.out.push_str("{}\n");
            }
            _ => {}
        }
    }
    writer.out
}

fn has_pairs(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.as_pair().is_some())
}

fn has_items(elements: &[Element]) -> bool {
    elements.iter().any(|element| matches!(element, Element::Item { .. }))
}

/// The next indentation: multiples of four, also below the text of a list's item.
fn deeper(indent: usize) -> usize {
    (indent + 4) / 4 * 4
}

struct Writer {
    out: String,
}

impl Writer {
    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn comment(&mut self, text: &str, indent: usize) {
        for line in text.split('\n') {
            self.indent(indent);
            self.out.push('#');
            self.out.push_str(line.trim_end_matches('\r'));
            self.out.push('\n');
        }
    }

    fn comments(&mut self, entries: &[Entry], indent: usize) {
        for entry in entries {
            if let Entry::Comment(text) = entry {
                self.comment(text, indent);
            }
        }
    }

    fn map(&mut self, entries: &[Entry], indent: usize) {
        for entry in entries {
            match entry {
                Entry::Comment(text) => self.comment(text, indent),
                Entry::Pair(pair) => {
                    self.indent(indent);
                    self.pair(&pair.key, &pair.value, pair.inline.as_deref(), indent);
                }
            }
        }
    }

    fn pair(&mut self, key: &str, value: &Node, inline: Option<&str>, indent: usize) {
        self.out.push_str(&key_text(key));
        self.out.push(':');
        match value {
            Node::Map(entries) if has_pairs(entries) => {
                self.end_line(inline);
                self.map(entries, deeper(indent));
            }
            Node::List(elements) if has_items(elements) => {
                self.end_line(inline);
                self.list(elements, deeper(indent));
            }
            _ => {
                self.out.push(' ');
                self.leaf(value, inline, indent);
            }
        }
    }

    fn list(&mut self, elements: &[Element], indent: usize) {
        for element in elements {
            match element {
                Element::Comment(text) => self.comment(text, indent),
                Element::Item { value, inline } => self.item(value, inline.as_deref(), indent),
            }
        }
    }

    fn item(&mut self, value: &Node, inline: Option<&str>, indent: usize) {
        let leading = leading_comments(value);
        leading.iter().for_each(|text| self.comment(text, indent));
        self.indent(indent);
        self.out.push_str("- ");
        self.after_dash(value, leading.len(), inline, indent);
    }

    /// The first member of a collection stands on the line of the dash.
    fn after_dash(&mut self, value: &Node, leading: usize, inline: Option<&str>, indent: usize) {
        match value {
            Node::Map(entries) if has_pairs(entries) => {
                let entries = &entries[leading..];
                if let Some(Entry::Pair(first)) = entries.first() {
                    let inline = first.inline.as_deref().or(inline);
                    self.pair(&first.key, &first.value, inline, indent + 2);
                }
                self.map(entries.get(1..).unwrap_or_default(), indent + 2);
            }
            Node::List(elements) if has_items(elements) => {
                let elements = &elements[leading..];
                if let Some(Element::Item { value, inline: own }) = elements.first() {
                    self.out.push_str("- ");
                    self.after_dash(value, 0, own.as_deref().or(inline), indent + 2);
                }
                self.list(elements.get(1..).unwrap_or_default(), indent + 2);
            }
            _ => self.leaf(value, inline, indent),
        }
    }

    fn leaf(&mut self, value: &Node, inline: Option<&str>, indent: usize) {
        match value {
            Node::Null => self.out.push_str("null"),
            Node::Map(_) => self.out.push_str("{}"),
            Node::List(_) => self.out.push_str("[]"),
            Node::Scalar(Scalar::Text(text)) => {
                if let Some(header) = block_header(text) {
                    return self.block(text, header, inline, deeper(indent));
                }
                self.out.push_str(&line_text(text));
            }
            Node::Scalar(scalar) => self.out.push_str(&plain(scalar)),
        }
        self.end_line(inline);
    }

    fn block(&mut self, text: &str, header: &str, inline: Option<&str>, indent: usize) {
        self.out.push_str(header);
        self.end_line(inline);
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.indent(indent);
            }
            self.out.push_str(line);
        }
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn end_line(&mut self, inline: Option<&str>) {
        if let Some(text) = inline {
            self.out.push_str(" #");
            self.out.push_str(&text.replace(['\n', '\r'], " "));
        }
        self.out.push('\n');
    }
}

fn leading_comments(value: &Node) -> Vec<&str> {
    let mut texts = Vec::new();
    match value {
        Node::Map(entries) => {
            for entry in entries {
                let Entry::Comment(text) = entry else { break };
                texts.push(text.as_str());
            }
        }
        Node::List(elements) => {
            for element in elements {
                let Element::Comment(text) = element else { break };
                texts.push(text.as_str());
            }
        }
        _ => {}
    }
    texts
}

fn plain(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Text(text) => line_text(text),
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        Scalar::Float(value) if value.is_nan() => ".nan".into(),
        Scalar::Float(value) if value.is_infinite() => if *value > 0.0 { ".inf" } else { "-.inf" }.into(),
        Scalar::Float(value) => format_float(*value),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Time(stamp) => stamp.clone(),
        Scalar::Bytes(bytes) => {
            use base64::Engine as _;
            format!("!!binary {}", base64::engine::general_purpose::STANDARD.encode(bytes))
        }
    }
}

/// The header of a literal block, for texts of several lines that one can hold.
fn block_header(text: &str) -> Option<&'static str> {
    let fits = text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.contains(" \n")
        && !text.ends_with(' ')
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c));
    if !fits {
        return None;
    }
    Some(match text.bytes().rev().take_while(|byte| *byte == b'\n').count() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    })
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text on one line.
fn line_text(text: &str) -> String {
    let written = Emitter::new(Folding::Never).to_string(&Value::String(text.to_owned()));
    match written.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => line.to_owned(),
        _ => quoted(text),
    }
}

fn key_text(key: &str) -> String {
    let map = Map::from_iter([(key.to_owned(), Value::Null)]);
    let written = Emitter::new(Folding::Never).to_string(&Value::Object(map));
    match written.strip_suffix(": null\n") {
        Some(line) if !line.contains('\n') && !line.starts_with("? ") => line.to_owned(),
        _ => quoted(key),
    }
}

/// Double quotes; every character that YAML does not allow is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
