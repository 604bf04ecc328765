//! `wordwrap`: Python's `textwrap`, line by line.

use minijinja::Error;
use minijinja::value::Value;

use super::strings::integer;
use super::{Function, defined};
use crate::binder::signature;
use crate::failure::{type_error, value_error};
use crate::text::split_lines;
use crate::value::{is_true, py_str, type_name};

pub(super) const FILTERS: &[(&str, Function)] = &[("wordwrap", |_, args| wordwrap(args))];

fn wordwrap(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_wordwrap", &["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"], 1)
        .bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let text = value
        .as_str()
        .ok_or_else(|| type_error(format!("'{}' object has no attribute 'splitlines'", type_name(value))))?;
    let width = integer(slots[1].as_ref(), 79)?;
    let width = usize::try_from(width)
        .ok()
        .filter(|width| *width > 0)
        .ok_or_else(|| value_error(format!("invalid width {width} (must be > 0)")))?;
    let wrap = Wrap {
        width,
        break_long_words: slots[2].as_ref().map_or(Ok(true), is_true)?,
        break_on_hyphens: slots[4].as_ref().map_or(Ok(true), is_true)?,
    };
    let wrap_with = slots[3].as_ref().filter(|value| !value.is_none()).map_or_else(|| "\n".to_owned(), py_str);
    let lines: Vec<String> = split_lines(text).into_iter().map(|line| wrap.lines(line).join(&wrap_with)).collect();
    Ok(Value::from(lines.join(&wrap_with)))
}

#[derive(Debug, Clone, Copy)]
struct Wrap {
    width: usize,
    break_long_words: bool,
    break_on_hyphens: bool,
}

impl Wrap {
    fn lines(self, line: &str) -> Vec<String> {
        let mut chunks = self.chunks(line);
        chunks.reverse();
        let mut lines = Vec::new();
        while !chunks.is_empty() {
            if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
                chunks.pop();
            }
            let mut current = self.fill(&mut chunks);
            if current.last().is_some_and(|chunk| is_blank(chunk)) {
                current.pop();
            }
            if !current.is_empty() {
                lines.push(current.into_iter().flatten().collect());
            }
        }
        lines
    }

    /// Takes the chunks of one line from the end of `chunks`.
    fn fill(self, chunks: &mut Vec<Vec<char>>) -> Vec<Vec<char>> {
        let (mut current, mut length) = (Vec::new(), 0);
        while let Some(chunk) = chunks.last().filter(|chunk| length + chunk.len() <= self.width) {
            length += chunk.len();
            current.extend(chunks.pop());
        }
        let Some(long) = chunks.last_mut().filter(|chunk| chunk.len() > self.width) else { return current };
        if self.break_long_words {
            let room = self.width - length;
            let hyphen = long[..room]
                .iter()
                .rposition(|c| *c == '-')
                .filter(|at| self.break_on_hyphens && *at > 0 && long[..*at].iter().any(|c| *c != '-'));
            let rest = long.split_off(hyphen.map_or(room, |at| at + 1));
            current.push(std::mem::replace(long, rest));
        } else if current.is_empty() {
            current.extend(chunks.pop());
        }
        current
    }

    /// Words and the white space between them; words may end after a hyphen.
    fn chunks(self, line: &str) -> Vec<Vec<char>> {
        let chars: Vec<char> = line.chars().collect();
        let mut chunks = Vec::new();
        let mut start = 0;
        while start < chars.len() {
            let end = if self.break_on_hyphens { chunk_end(&chars, start) } else { run_end(&chars, start) };
            chunks.push(chars[start..end].to_vec());
            start = end;
        }
        chunks
    }
}

fn is_blank(chunk: &[char]) -> bool {
    chunk.iter().all(|c| c.is_whitespace())
}

/// The white space that `textwrap` breaks at.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

fn run_end(chars: &[char], start: usize) -> usize {
    let space = is_space(chars[start]);
    let length = chars[start..].iter().position(|c| is_space(*c) != space);
    length.map_or(chars.len(), |length| start + length)
}

fn is_letter(c: Option<&char>) -> bool {
    c.is_some_and(|c| c.is_alphabetic() || *c == '_')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What may stand before a dash.
fn is_word_or_mark(c: char) -> bool {
    is_word(c) || matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

/// The end of two or more hyphens at `at` that are followed by a word.
fn dash_end(chars: &[char], at: usize) -> Option<usize> {
    let length = chars[at..].iter().take_while(|c| **c == '-').count();
    let followed = chars.get(at + length).is_some_and(|c| is_word(*c));
    (length >= 2 && followed).then_some(at + length)
}

fn chunk_end(chars: &[char], start: usize) -> usize {
    if is_space(chars[start]) {
        return run_end(chars, start);
    }
    let after_word = start > 0 && is_word_or_mark(chars[start - 1]);
    if let Some(end) = dash_end(chars, start).filter(|_| after_word) {
        return end;
    }
    let mut end = start + 1;
    loop {
        if chars.get(end) == Some(&'-') && hyphenated(chars, end) {
            return end + 1;
        }
        if chars.get(end).is_none_or(|c| is_space(*c)) {
            return end;
        }
        if is_word_or_mark(chars[end - 1]) && dash_end(chars, end).is_some() {
            return end;
        }
        end += 1;
    }
}

/// Whether a word may be broken after its hyphen at `at`.
fn hyphenated(chars: &[char], at: usize) -> bool {
    let before = |distance: usize| at.checked_sub(distance).and_then(|index| chars.get(index));
    let two_letters = is_letter(before(1)) && is_letter(before(2));
    let second_hyphen =
        before(1).is_some_and(|c| is_word_or_mark(*c)) && before(2) == Some(&'-') && is_letter(before(3));
    let next = chars.get(at + 1);
    let after = if chars.get(at + 2) == Some(&'-') { chars.get(at + 3) } else { chars.get(at + 2) };
    (two_letters || second_hyphen) && is_letter(next) && is_letter(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        Wrap { width, break_long_words: true, break_on_hyphens: true }.lines(text)
    }

    #[test]
    fn lines_break_like_in_textwrap() {
        assert_eq!(lines("Hello World", 3), ["Hel", "lo ", "Wor", "ld"]);
        assert_eq!(lines("hello-world foo", 7), ["hello-", "world", "foo"]);
        assert_eq!(lines("a--b c", 3), ["a--", "b c"]);
        assert_eq!(lines("", 5), Vec::<String>::new());
    }

    #[test]
    fn widths_below_one_are_errors() {
        for width in [0, -3] {
            assert!(wordwrap(&[Value::from("a b"), Value::from(width)]).is_err());
        }
    }
}
