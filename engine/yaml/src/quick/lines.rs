//! Lines of a text, without blank ones and comments.

use crate::emit::is_printable;

/// A line's text from its first character on, and that character's column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) column: usize,
    pub(super) text: &'t str,
}

pub(super) struct Lines<'t> {
    /// What follows the current line.
    rest: &'t str,
    /// What followed the line before the current one.
    behind: &'t str,
    current: Current<'t>,
    /// The last line break is not the author's.
    completed: bool,
}

enum Current<'t> {
    Line(Line<'t>),
    Separator,
    End,
}

impl<'t> Lines<'t> {
    /// Nothing when the text has characters or an end that need a closer look. `completed` means that the
    /// line break at the end was added to a last line that had none.
    pub(super) fn new(text: &'t str, completed: bool) -> Option<Self> {
        let plain = if text.is_ascii() {
            text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b))
        } else {
            text.chars().all(is_printable)
        };
        if !plain || !text.ends_with('\n') {
            return None;
        }
        let mut lines = Self { rest: text, behind: text, current: Current::End, completed };
        lines.advance();
        // The first `---` opens the first document.
        if matches!(lines.current, Current::Separator) {
            lines.advance();
        }
        Some(lines)
    }

    /// The current line; nothing at the end of a document.
    pub(super) fn peek(&self) -> Option<Line<'t>> {
        match self.current {
            Current::Line(line) => Some(line),
            Current::Separator | Current::End => None,
        }
    }

    /// Goes behind a separator; false at the end of the text.
    pub(super) fn next_document(&mut self) -> bool {
        let more = matches!(self.current, Current::Separator);
        if more {
            self.advance();
        }
        more
    }

    /// Cuts the first `bytes` off the current line.
    pub(super) fn enter(&mut self, bytes: usize) {
        if let Current::Line(line) = &mut self.current {
            line.column += bytes;
            line.text = &line.text[bytes..];
        }
    }

    pub(super) fn advance(&mut self) {
        self.behind = self.rest;
        while let Some((line, rest)) = self.rest.split_once('\n') {
            self.rest = rest;
            let text = line.trim_start_matches(' ');
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            self.current = if line == "---" {
                Current::Separator
            } else {
                Current::Line(Line { column: line.len() - text.len(), text: text.trim_end_matches(' ') })
            };
            return;
        }
        self.current = Current::End;
    }

    /// The text of a literal block below a key or dash at `column`, whose line is behind.
    pub(super) fn literal(&mut self, header: &str, column: usize) -> Option<String> {
        if !matches!(header, "" | "-" | "+") {
            return None;
        }
        let (mut rest, mut text, mut blank, mut indent) = (self.behind, String::new(), 0, None);
        while let Some((line, after)) = rest.split_once('\n') {
            let body = line.trim_start_matches(' ');
            let width = line.len() - body.len();
            if body.is_empty() {
                if width > indent.unwrap_or(0) {
                    return None;
                }
                blank += 1;
                rest = after;
                continue;
            }
            let indent = *indent.get_or_insert(width);
            if width < indent {
                if width > column || body.starts_with('#') {
                    return None;
                }
                break;
            }
            if indent <= column {
                return None;
            }
            text.extend(std::iter::repeat_n('\n', blank));
            blank = 0;
            text.push_str(&line[indent..]);
            text.push('\n');
            rest = after;
        }
        if text.is_empty() {
            return None;
        }
        let open_end = self.completed && rest.is_empty() && blank == 0;
        match header {
            _ if open_end => drop(text.pop()),
            "-" => drop(text.pop()),
            "+" => text.extend(std::iter::repeat_n('\n', blank)),
            _ => {}
        }
        self.rest = rest;
        self.advance();
        Some(text)
    }
}
