//! Scalars that begin and end on one line.

use granit_parser::ScalarStyle;
use serde_json::Value;

use crate::compose::scalar;
use crate::dialect::Dialect;

/// A whole scalar, perhaps with a comment behind it.
pub(super) fn inline(text: &str, dialect: Dialect) -> Option<Value> {
    match text.as_bytes().first()? {
        b'"' => {
            let (value, rest) = double(text)?;
            ends(rest).then_some(Value::String(value))
        }
        b'\'' => {
            let (value, rest) = quoted(text)?;
            ends(rest).then(|| Value::String(value.to_owned()))
        }
        _ => plain(text, dialect),
    }
}

/// Whether nothing but a comment follows.
pub(super) fn ends(rest: &str) -> bool {
    rest.is_empty() || (rest.starts_with(' ') && matches!(rest.trim_start_matches(' ').as_bytes(), [] | [b'#', ..]))
}

/// A quoted text without escapes, and what follows it.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next()?;
    let (inner, rest) = text[1..].split_once(quote)?;
    let simple = if quote == '"' { !inner.contains('\\') } else { !rest.starts_with(quote) };
    simple.then_some((inner, rest))
}

/// A text in double quotes with the usual escapes.
fn double(text: &str) -> Option<(String, &str)> {
    if let Some((inner, rest)) = quoted(text) {
        return Some((inner.to_owned(), rest));
    }
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let at = rest.find(['"', '\\'])?;
        value.push_str(&rest[..at]);
        let (mark, after) = rest[at..].split_at(1);
        if mark == "\"" {
            return Some((value, after));
        }
        value.push(match after.as_bytes().first()? {
            b'n' => '\n',
            b't' => '\t',
            b'"' => '"',
            b'\\' => '\\',
            _ => return None,
        });
        rest = &after[1..];
    }
}

fn plain(text: &str, dialect: Dialect) -> Option<Value> {
    match text.as_bytes() {
        [b'-'] | [b'-', b' ', ..] => return None,
        [first, ..] if b"&*!%@`#?,|>[]{}:'\"".contains(first) => return None,
        _ => {}
    }
    let text = match text.find(" #") {
        Some(end) => text[..end].trim_end_matches(' '),
        None => text,
    };
    if text.ends_with(':') || text.contains(": ") {
        return None;
    }
    scalar(text.to_owned(), ScalarStyle::Plain, None, dialect).ok()
}
