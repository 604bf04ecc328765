//! Lays out values as block YAML, line breaks and indentation included.

use serde_json::{Map, Number, Value};

use super::order::sort_by_key;
use super::scalar::{Place, Style, format_float, is_break, is_printable, style};
use crate::compose::integral;

/// Keys longer than this (or with a line break) stand behind a `?`.
const MAX_SIMPLE_KEY: usize = 128;

pub(super) struct Writer<'t> {
    text: &'t mut String,
    /// Column from which a blank may become a line break.
    width: Option<usize>,
    column: usize,
}

/// How a collection starts: on the line of a `- `, `? ` or `: `, or on a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Inline,
    NewLine,
}

impl<'t> Writer<'t> {
    pub(super) fn new(text: &'t mut String, width: Option<usize>) -> Self {
        Self { text, width, column: 0 }
    }

    pub(super) fn document(&mut self, value: &Value) {
        match value {
            Value::Array(items) if !items.is_empty() => self.sequence(items, 0, Start::Inline),
            Value::Object(map) if !map.is_empty() => self.mapping(map, 0, Start::Inline),
            _ => self.scalar(value, 2),
        }
        self.end_line();
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize, start: Start) {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        sort_by_key(&mut entries, |entry| entry.0);
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 || start == Start::NewLine {
                self.new_line(indent);
            }
            if key.len() > MAX_SIMPLE_KEY || key.contains(is_break) {
                self.push("? ");
                self.string(key, Place::Value, indent + 2);
                self.new_line(indent);
                self.push(": ");
                self.nested(value, indent + 2);
            } else {
                self.string(key, Place::SimpleKey, indent + 2);
                self.push(":");
                self.entry_value(value, indent);
            }
        }
    }

    fn entry_value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent, Start::NewLine),
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent + 2, Start::NewLine),
            _ => {
                self.push(" ");
                self.scalar(value, indent + 2);
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, start: Start) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || start == Start::NewLine {
                self.new_line(indent);
            }
            self.push("- ");
            self.nested(item, indent + 2);
        }
    }

    /// A value on the line of its `- `, `? ` or `: `.
    fn nested(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent, Start::Inline),
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent, Start::Inline),
            _ => self.scalar(value, indent),
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.push("null"),
            Value::Bool(true) => self.push("true"),
            Value::Bool(false) => self.push("false"),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.string(text, Place::Value, indent),
            Value::Array(_) => self.push("[]"),
            Value::Object(_) => self.push("{}"),
        }
    }

    fn number(&mut self, number: &Number) {
        match number.as_f64() {
            Some(value) if number.is_f64() => match integral(value) {
                Some(integer) => self.push(&integer.to_string()),
                None => self.push(&format_float(value)),
            },
            _ => self.push(&number.to_string()),
        }
    }

    fn string(&mut self, text: &str, place: Place, indent: usize) {
        let width = self.width.filter(|_| place == Place::Value);
        match style(text, place) {
            Style::Plain => self.plain(text, indent, width),
            Style::Single => self.single(text, indent, width),
            Style::Double => self.double(text, indent, width),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize, width: Option<usize>) {
        if self.fits(text, width) {
            return self.push(text);
        }
        let mut chars = text.chars().peekable();
        let mut after_blank = false;
        while let Some(c) = chars.next() {
            let may_break = c == ' ' && !after_blank && chars.peek() != Some(&' ');
            self.char_or_break(c, may_break, indent, width);
            after_blank = c == ' ';
        }
    }

    fn single(&mut self, text: &str, indent: usize, width: Option<usize>) {
        self.push("'");
        let mut chars = text.chars().peekable();
        let (mut after_blank, mut first) = (false, true);
        while let Some(c) = chars.next() {
            if c == '\'' {
                self.push("'");
            }
            let inside = !first && chars.peek().is_some_and(|next| *next != ' ');
            self.char_or_break(c, c == ' ' && !after_blank && inside, indent, width);
            after_blank = c == ' ';
            first = false;
        }
        self.push("'");
    }

    fn double(&mut self, text: &str, indent: usize, width: Option<usize>) {
        self.push("\"");
        let mut chars = text.chars().peekable();
        let (mut after_blank, mut first) = (false, true);
        while let Some(c) = chars.next() {
            if c == ' ' {
                let inside = !first && chars.peek().is_some();
                let broken = self.char_or_break(c, !after_blank && inside, indent, width);
                if broken && chars.peek() == Some(&' ') {
                    self.push("\\");
                }
            } else if c == '"' || c == '\\' || c == '\n' || !is_printable(c) {
                self.escape(c);
            } else {
                self.push_char(c);
            }
            after_blank = c == ' ';
            first = false;
        }
        self.push("\"");
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{B}' => 'v',
            '\u{C}' => 'f',
            '\r' => 'r',
            '\u{1B}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                return match code {
                    0..=0xFF => self.push(&format!("\\x{code:02X}")),
                    0x100..=0xFFFF => self.push(&format!("\\u{code:04X}")),
                    _ => self.push(&format!("\\U{code:08X}")),
                };
            }
        };
        self.push("\\");
        self.push_char(short);
    }

    /// Text behind `|`; the line that follows it starts with the break that is due.
    fn literal(&mut self, text: &str, indent: usize) {
        self.push("|");
        if text.starts_with([' ', '\n']) {
            self.push("2");
        }
        let body = match text.strip_suffix('\n') {
            None => {
                self.push("-");
                text
            }
            Some(body) => {
                if body.is_empty() || body.ends_with('\n') {
                    self.push("+");
                }
                body
            }
        };
        for line in body.split('\n') {
            self.end_line();
            if !line.is_empty() {
                self.pad(indent);
                self.push(line);
            }
        }
    }

    /// Writes `c`, or breaks the line in its place when it is a blank far to the right.
    fn char_or_break(&mut self, c: char, may_break: bool, indent: usize, width: Option<usize>) -> bool {
        let broken = may_break && width.is_some_and(|width| self.column > width);
        if broken {
            self.new_line(indent);
        } else {
            self.push_char(c);
        }
        broken
    }

    /// Whether no character of `text` can come behind the folding column.
    fn fits(&self, text: &str, width: Option<usize>) -> bool {
        width.is_none_or(|width| self.column + text.len() <= width)
    }

    fn new_line(&mut self, indent: usize) {
        self.end_line();
        self.pad(indent);
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    fn pad(&mut self, indent: usize) {
        const BLANKS: &str = "                                ";
        let mut left = indent;
        while left > 0 {
            let part = left.min(BLANKS.len());
            self.push(&BLANKS[..part]);
            left -= part;
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += if text.is_ascii() { text.len() } else { text.chars().count() };
    }

    fn push_char(&mut self, c: char) {
        self.text.push(c);
        self.column += 1;
    }
}
