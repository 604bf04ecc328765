//! Reads the plain block style that manifests are written in, several times
//! faster than the event parser.
//!
//! Gives up (`None`) at the first thing outside its subset, errors included;
//! then the [`Composer`](crate::compose::Composer) reads the text from the
//! start. Whatever this reader accepts, the composer reads as the same value:
//! a property test holds the two together.

mod flow;
mod lines;
mod scalar;

use serde_json::{Map, Value};

use crate::compose::key_text;
use crate::dialect::{Dialect, DuplicateKeys, ReadOptions};
use lines::Lines;
use scalar::{inline, quoted};

/// Nesting above which the composer decides.
const MAX_DEPTH: usize = 64;

/// The documents of a text, null for empty ones.
pub(crate) fn documents(text: &str, options: ReadOptions) -> Option<Vec<Value>> {
    match text.rsplit('\n').next().unwrap_or_default() {
        "" => read(Lines::new(text, false)?, options),
        last if last.trim_start_matches(' ').is_empty() => None,
        // Rendered files have no line break at the end.
        _ => read(Lines::new(&format!("{text}\n"), true)?, options),
    }
}

fn read(lines: Lines<'_>, options: ReadOptions) -> Option<Vec<Value>> {
    let mut reader = Reader { lines, options, depth: 0 };
    let mut documents = Vec::new();
    loop {
        documents.push(match reader.lines.peek() {
            None => Value::Null,
            Some(_) => reader.block()?,
        });
        if reader.lines.peek().is_some() {
            return None;
        }
        if !reader.lines.next_document() {
            return Some(documents);
        }
    }
}

struct Reader<'t> {
    lines: Lines<'t>,
    options: ReadOptions,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn dialect(&self) -> Dialect {
        self.options.dialect
    }

    /// The collection that starts at the current line.
    fn block(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let line = self.lines.peek()?;
        let value = if is_item(line.text) { self.sequence(line.column) } else { self.mapping(line.column) };
        self.depth -= 1;
        value
    }

    fn mapping(&mut self, column: usize) -> Option<Value> {
        let mut map = Map::new();
        while let Some(line) = self.lines.peek().filter(|line| line.column >= column) {
            if line.column != column || is_item(line.text) {
                return None;
            }
            let (key, rest) = split_key(line.text)?;
            let key = match key {
                KeyText::Plain(text) => key_text(text, self.dialect())?,
                KeyText::Quoted(text) => text.to_owned(),
            };
            let rest = rest.trim_start_matches(' ');
            self.lines.advance();
            let value = if rest.is_empty() || rest.starts_with('#') {
                self.entry_below(column)?
            } else {
                self.inline(rest, column)?
            };
            if map.insert(key, value).is_some() && self.options.duplicate_keys == DuplicateKeys::Error {
                return None;
            }
        }
        Some(Value::Object(map))
    }

    /// The value of a key that has nothing beside it.
    fn entry_below(&mut self, column: usize) -> Option<Value> {
        match self.lines.peek() {
            Some(line) if line.column > column => self.block(),
            Some(line) if line.column == column && is_item(line.text) => {
                self.depth += 1;
                let value = self.sequence(column);
                self.depth -= 1;
                value
            }
            _ => Some(Value::Null),
        }
    }

    fn sequence(&mut self, column: usize) -> Option<Value> {
        let mut items = Vec::new();
        while let Some(line) = self.lines.peek().filter(|line| line.column >= column) {
            if line.column != column {
                return None;
            }
            if !is_item(line.text) {
                break;
            }
            let rest = line.text[1..].trim_start_matches(' ');
            if rest.is_empty() || rest.starts_with('#') {
                self.lines.advance();
                items.push(match self.lines.peek() {
                    Some(below) if below.column > column => self.block()?,
                    _ => Value::Null,
                });
            } else if is_item(rest) || split_key(rest).is_some() {
                self.lines.enter(line.text.len() - rest.len());
                items.push(self.block()?);
            } else {
                self.lines.advance();
                items.push(self.inline(rest, column)?);
            }
        }
        Some(Value::Array(items))
    }

    /// A value on the line of its key or dash, which stands at `column`.
    fn inline(&mut self, text: &'t str, column: usize) -> Option<Value> {
        if let Some(header) = text.strip_prefix('|') {
            return self.lines.literal(header, column).map(Value::String);
        }
        let value = match text.as_bytes().first()? {
            b'[' | b'{' => flow::value(text, self.options)?,
            _ => inline(text, self.dialect())?,
        };
        // A deeper line would continue the scalar.
        let continued = self.lines.peek().is_some_and(|line| line.column > column);
        (!continued).then_some(value)
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

enum KeyText<'t> {
    Plain(&'t str),
    Quoted(&'t str),
}

/// A key in front of its colon, and what follows.
fn split_key(text: &str) -> Option<(KeyText<'_>, &str)> {
    let (key, rest) = match text.as_bytes().first()? {
        b'"' | b'\'' => {
            let (inner, rest) = quoted(text)?;
            (KeyText::Quoted(inner), rest)
        }
        b'-' => return None,
        _ => {
            let end = text.bytes().position(|b| !is_key_byte(b))?;
            if end == 0 {
                return None;
            }
            (KeyText::Plain(&text[..end]), &text[end..])
        }
    };
    let rest = rest.strip_prefix(':')?;
    let short = text.len() - rest.len() < 1000;
    (short && (rest.is_empty() || rest.starts_with(' '))).then_some((key, rest))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-')
}

#[cfg(test)]
mod tests;
