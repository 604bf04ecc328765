//! Literals as Python reads them.

use std::iter::Peekable;
use std::str::Chars;

/// Whether Jinja2 takes `text` for one number: `010` and `1.` are none.
pub(super) fn is_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (prefix, base) in radix {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return grouped(digits.strip_prefix('_').unwrap_or(digits), |c| c.is_digit(base));
        }
    }
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (lower.as_str(), None),
    };
    let decimal = |text: &str| grouped(text, |c| c.is_ascii_digit());
    if let Some((whole, fraction)) = mantissa.split_once('.') {
        return decimal(whole) && decimal(fraction) && exponent.is_none_or(|text| decimal(unsigned(text)));
    }
    match exponent {
        Some(exponent) => decimal(mantissa) && decimal(unsigned(exponent)),
        None => decimal(mantissa) && (!mantissa.starts_with('0') || mantissa.chars().all(|c| matches!(c, '0' | '_'))),
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// Digits with single underscores between them.
fn grouped(text: &str, digit: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.split('_').all(|group| !group.is_empty() && group.chars().all(&digit))
}

/// A string literal in the engine's spelling; `None` if it needs no change.
pub(super) fn rewritten(literal: &str) -> Result<Option<String>, String> {
    if !literal.contains('\\') {
        return Ok(None);
    }
    let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    let mut out = String::from("\"");
    for c in unescaped(inner)?.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // One line stays one line, so that places in the text stay right.
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(Some(out))
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('\n') => {}
            Some(plain @ ('\\' | '\'' | '"')) => out.push(plain),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('x') => out.push(code(&mut chars, 2, "truncated \\xXX escape")?),
            Some('u') => out.push(code(&mut chars, 4, "truncated \\uXXXX escape")?),
            Some('U') => out.push(code(&mut chars, 8, "truncated \\UXXXXXXXX escape")?),
            Some('N') => return Err("`\\N{NAME}` is not supported; write the character itself or `\\uXXXX`".to_owned()),
            Some(digit @ '0'..='7') => out.push(octal(digit, &mut chars)),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    Ok(out)
}

fn octal(first: char, chars: &mut Peekable<Chars<'_>>) -> char {
    let mut value = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let Some(digit) = chars.next_if(|c| c.is_digit(8)) else { break };
        value = value * 8 + digit.to_digit(8).unwrap_or_default();
    }
    char::from_u32(value).unwrap_or_default()
}

fn code(chars: &mut Peekable<Chars<'_>>, digits: usize, problem: &str) -> Result<char, String> {
    let mut value = 0;
    for _ in 0..digits {
        let digit = chars.next_if(char::is_ascii_hexdigit).and_then(|c| c.to_digit(16)).ok_or(problem)?;
        value = value * 16 + digit;
    }
    // Half of a surrogate pair cannot be printed in Python either.
    char::from_u32(value).ok_or_else(|| "surrogates not allowed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_jinja() {
        for text in ["0", "00", "0_0", "7", "1_000", "0xfF", "0b1", "0o17", "1.5", "1e3", "1.5e-3", "1_0.5_0", "0x_f"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["010", "01", "1.", "1__0", "1_", "1.e5", "0x", "1e"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn escapes_are_those_of_python() {
        let read = |text: &str| rewritten(text).unwrap();
        assert_eq!(read("'plain'"), None);
        assert_eq!(read(r"'\x41\u0042\U00000043\103\d\/'").as_deref(), Some(r#""ABCC\\d\\/""#));
        assert_eq!(read("'a\\\nb'").as_deref(), Some("\"ab\""));
        assert_eq!(read(r#"'\'"\\\n'"#).as_deref(), Some(r#""'\"\\\n""#));
        assert!(rewritten(r"'\x4'").is_err());
        assert!(rewritten(r"'\N{BULLET}'").unwrap_err().contains("not supported"));
        assert!(rewritten(r"'\ud800'").is_err());
    }
}
