//! Flow collections on one line, with simple content.

use granit_parser::ScalarStyle;
use serde_json::{Map, Value};

use super::scalar::{ends, quoted};
use crate::compose::{key_text, scalar};
use crate::dialect::{DuplicateKeys, ReadOptions};

const MAX_DEPTH: usize = 16;

/// A collection that starts `text`; only a comment may follow it.
pub(super) fn value(text: &str, options: ReadOptions) -> Option<Value> {
    let mut flow = Flow { rest: text, options, depth: 0 };
    let value = flow.value()?;
    ends(flow.rest).then_some(value)
}

struct Flow<'t> {
    rest: &'t str,
    options: ReadOptions,
    depth: usize,
}

impl<'t> Flow<'t> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, mark: char) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = match self.rest.as_bytes().first()? {
            b'[' => self.sequence(),
            b'{' => self.mapping(),
            b'"' | b'\'' => self.quoted().map(|text| Value::String(text.to_owned())),
            _ => {
                let text = self.word()?;
                scalar(text.to_owned(), ScalarStyle::Plain, None, self.options.dialect).ok()
            }
        };
        self.depth -= 1;
        value
    }

    fn sequence(&mut self) -> Option<Value> {
        self.take('[');
        let mut items = Vec::new();
        if self.take(']') {
            return Some(Value::Array(items));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            if self.take(']') {
                return Some(Value::Array(items));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn mapping(&mut self) -> Option<Value> {
        self.take('{');
        let mut map = Map::new();
        if self.take('}') {
            return Some(Value::Object(map));
        }
        loop {
            self.blanks();
            let key = match self.rest.as_bytes().first()? {
                b'"' | b'\'' => self.quoted()?.to_owned(),
                _ => key_text(self.word()?, self.options.dialect)?,
            };
            self.rest = self.rest.strip_prefix(": ")?;
            self.blanks();
            let value = self.value()?;
            if map.insert(key, value).is_some() && self.options.duplicate_keys == DuplicateKeys::Error {
                return None;
            }
            if self.take('}') {
                return Some(Value::Object(map));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn quoted(&mut self) -> Option<&'t str> {
        let (text, rest) = quoted(self.rest)?;
        self.rest = rest;
        Some(text)
    }

    /// A plain scalar of letters, digits and harmless marks.
    fn word(&mut self) -> Option<&'t str> {
        let end =
            self.rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-')))?;
        let (word, rest) = self.rest.split_at(end);
        let dash = word.starts_with('-') && !word.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if word.is_empty() || dash {
            return None;
        }
        self.rest = rest;
        Some(word)
    }
}
