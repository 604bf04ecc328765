//! PyYAML's block emitter: where blanks, line breaks and quotes go.

/// A line is folded once it is beyond this column.
const BEST_WIDTH: usize = 80;
const BEST_INDENT: usize = 2;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Root,
    Sequence,
    Mapping,
    SimpleKey,
}

/// Writes text and keeps track of the column.
pub(super) struct Emitter {
    out: String,
    column: usize,
    indent: Option<usize>,
    /// The last character was white space (or an indicator that counts as such).
    whitespace: bool,
    /// Only indentation and indicators are on the line so far.
    indention: bool,
    /// The document must be closed with `...`.
    open_ended: bool,
}

impl Emitter {
    pub(super) fn new() -> Self {
        Self { out: String::new(), column: 0, indent: None, whitespace: true, indention: true, open_ended: false }
    }

    pub(super) fn finish(mut self) -> String {
        self.write_indent();
        if self.open_ended {
            self.write_indicator("...", true, false, false);
            self.write_indent();
        }
        self.out
    }

    /// Runs `body` one level deeper; `flow` is a scalar's own indentation.
    fn indented(&mut self, flow: bool, indentless: bool, body: impl FnOnce(&mut Self)) {
        let outer = self.indent;
        self.indent = match outer {
            None => Some(if flow { BEST_INDENT } else { 0 }),
            Some(indent) if indentless => Some(indent),
            Some(indent) => Some(indent + BEST_INDENT),
        };
        body(self);
        self.indent = outer;
    }

    pub(super) fn sequence(&mut self, context: Context, items: &[impl Fn(&mut Self)]) {
        if items.is_empty() {
            return self.write_empty("[]");
        }
        let indentless = context == Context::Mapping && !self.indention;
        self.indented(false, indentless, |emitter| {
            for item in items {
                emitter.write_indent();
                emitter.write_indicator("-", true, false, true);
                item(emitter);
            }
        });
    }

    pub(super) fn mapping(&mut self, entries: &[(bool, impl Fn(&mut Self), impl Fn(&mut Self))]) {
        if entries.is_empty() {
            return self.write_empty("{}");
        }
        self.indented(false, false, |emitter| {
            for (simple, key, value) in entries {
                emitter.write_indent();
                if *simple {
                    key(emitter);
                    emitter.write_indicator(":", false, false, false);
                } else {
                    emitter.write_indicator("?", true, false, true);
                    key(emitter);
                    emitter.write_indent();
                    emitter.write_indicator(":", true, false, true);
                }
                value(emitter);
            }
        });
    }

    pub(super) fn tag(&mut self, tag: &str) {
        self.write_indicator(tag, true, false, false);
    }

    pub(super) fn scalar(&mut self, text: &str, style: Style, context: Context) {
        let split = context != Context::SimpleKey;
        self.indented(true, false, |emitter| match style {
            Style::Plain => emitter.write_plain(text, split, context == Context::Root),
            Style::Single => emitter.write_single(text, split),
            Style::Double => emitter.write_double(text, split),
            Style::Literal => emitter.write_literal(text),
        });
    }

    fn write_empty(&mut self, brackets: &str) {
        self.write_indicator(&brackets[..1], true, true, false);
        self.write_indicator(&brackets[1..], false, false, false);
    }

    fn write_indicator(&mut self, text: &str, need_whitespace: bool, whitespace: bool, indention: bool) {
        if !self.whitespace && need_whitespace {
            self.put(" ");
        }
        self.whitespace = whitespace;
        self.indention = self.indention && indention;
        self.open_ended = false;
        self.put(text);
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.write_line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            let blanks = " ".repeat(indent - self.column);
            self.put(&blanks);
        }
    }

    fn write_line_break(&mut self, c: char) {
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
        self.out.push(c);
    }

    fn put(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn put_chars(&mut self, chars: &[char]) {
        self.column += chars.len();
        self.out.extend(chars);
    }

    fn write_plain(&mut self, text: &str, split: bool, root: bool) {
        if root {
            self.open_ended = true;
        }
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(" ");
        }
        self.whitespace = false;
        self.indention = false;
        let chars: Vec<char> = text.chars().collect();
        let mut start = 0;
        let mut spaces = false;
        for end in 0..=chars.len() {
            let c = chars.get(end).copied();
            if spaces {
                if c != Some(' ') {
                    if start + 1 == end && self.column > BEST_WIDTH && split {
                        self.write_indent();
                        self.whitespace = false;
                        self.indention = false;
                    } else {
                        self.put_chars(&chars[start..end]);
                    }
                    start = end;
                }
            } else if c.is_none_or(|c| c == ' ') {
                self.put_chars(&chars[start..end]);
                start = end;
            }
            spaces = c == Some(' ');
        }
    }

    fn write_single(&mut self, text: &str, split: bool) {
        self.write_indicator("'", true, false, false);
        let chars: Vec<char> = text.chars().collect();
        let (mut start, mut spaces, mut breaks) = (0, false, false);
        for end in 0..=chars.len() {
            let c = chars.get(end).copied();
            if spaces {
                if c != Some(' ') {
                    if start + 1 == end && self.column > BEST_WIDTH && split && start != 0 && end != chars.len() {
                        self.write_indent();
                    } else {
                        self.put_chars(&chars[start..end]);
                    }
                    start = end;
                }
            } else if breaks {
                if c.is_none_or(|c| !is_break(c)) {
                    self.write_folded_breaks(&chars[start..end]);
                    start = end;
                }
            } else if c.is_none_or(|c| c == ' ' || c == '\'' || is_break(c)) && start < end {
                self.put_chars(&chars[start..end]);
                start = end;
            }
            if c == Some('\'') {
                self.put("''");
                start = end + 1;
            }
            spaces = c == Some(' ');
            breaks = c.is_some_and(is_break);
        }
        self.write_indicator("'", false, false, false);
    }

    fn write_folded_breaks(&mut self, breaks: &[char]) {
        if breaks.first() == Some(&'\n') {
            self.write_line_break('\n');
        }
        for c in breaks {
            self.write_line_break(*c);
        }
        self.write_indent();
    }

    fn write_double(&mut self, text: &str, split: bool) {
        self.write_indicator("\"", true, false, false);
        let chars: Vec<char> = text.chars().collect();
        let mut start = 0;
        for end in 0..=chars.len() {
            let c = chars.get(end).copied();
            if c.is_none_or(|c| matches!(c, '"' | '\\') || !(' '..='~').contains(&c)) {
                if start < end {
                    self.put_chars(&chars[start..end]);
                    start = end;
                }
                if let Some(c) = c {
                    self.put(&escape(c));
                    start = end + 1;
                }
            }
            let inside = 0 < end && end + 1 < chars.len();
            let pending = end.saturating_sub(start);
            if inside && (c == Some(' ') || start >= end) && self.column + pending > BEST_WIDTH && split {
                if start < end {
                    self.put_chars(&chars[start..end]);
                    start = end;
                }
                self.put("\\");
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
                if chars.get(start) == Some(&' ') {
                    self.put("\\");
                }
            }
        }
        self.write_indicator("\"", false, false, false);
    }

    fn write_literal(&mut self, text: &str) {
        let hints = block_hints(text);
        self.write_indicator(&format!("|{hints}"), true, false, false);
        if hints.ends_with('+') {
            self.open_ended = true;
        }
        self.write_line_break('\n');
        let chars: Vec<char> = text.chars().collect();
        let (mut start, mut breaks) = (0, true);
        for end in 0..=chars.len() {
            let c = chars.get(end).copied();
            if breaks {
                if c.is_none_or(|c| !is_break(c)) {
                    for c in &chars[start..end] {
                        self.write_line_break(*c);
                    }
                    if c.is_some() {
                        self.write_indent();
                    }
                    start = end;
                }
            } else if c.is_none_or(is_break) {
                self.out.extend(&chars[start..end]); // the column is not counted, as in PyYAML
                if c.is_none() {
                    self.write_line_break('\n');
                }
                start = end;
            }
            breaks = c.map_or(breaks, is_break);
        }
    }
}

fn block_hints(text: &str) -> String {
    let mut hints = String::new();
    if text.starts_with(|c| c == ' ' || is_break(c)) {
        hints.push('2');
    }
    let mut last = text.chars().rev();
    match (last.next(), last.next()) {
        (Some(c), _) if !is_break(c) => hints.push('-'),
        (Some(_), None) => hints.push('+'),
        (Some(_), Some(c)) if is_break(c) => hints.push('+'),
        _ => {}
    }
    hints
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
