//! The type of a plain scalar, per dialect.
//!
//! Looks at the first byte first: most scalars of a manifest start with a
//! letter that no special value starts with, and cost one table look-up.

use crate::dialect::Dialect;
use crate::timestamp;

/// What a plain scalar means.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond the signed range.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// Text to be used in place of the written one.
    Timestamp(String),
    /// The scalar itself.
    Text,
}

/// The meaning of an untagged plain scalar.
pub fn resolve(text: &str, dialect: Dialect) -> Resolved {
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text, dialect),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text, dialect),
        Some(_) => Resolved::Text,
    }
}

fn word(text: &str, dialect: Dialect) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" if old_booleans(dialect) => Resolved::Bool(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" if old_booleans(dialect) => Resolved::Bool(false),
        "y" | "Y" if dialect == Dialect::GoV2 => Resolved::Bool(true),
        "n" | "N" if dialect == Dialect::GoV2 => Resolved::Bool(false),
        _ => Resolved::Text,
    }
}

fn old_booleans(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::GoV2 | Dialect::Python)
}

fn number(text: &str, dialect: Dialect) -> Resolved {
    if let Some(special) = special_float(text) {
        return Resolved::Float(special);
    }
    match dialect {
        Dialect::GoV2 => go_number(text, dialect),
        Dialect::GoV3 => match timestamp::to_rfc3339(text) {
            Some(stamp) => Resolved::Timestamp(stamp),
            None => go_number(text, dialect),
        },
        Dialect::Yaml12 => core_number(text),
        Dialect::Python => python_number(text),
    }
}

fn special_float(text: &str) -> Option<f64> {
    let signed =
        text.strip_prefix('+').map(|rest| (rest, 1.0)).or_else(|| text.strip_prefix('-').map(|rest| (rest, -1.0)));
    let (body, sign) = signed.unwrap_or((text, 1.0));
    match body {
        ".inf" | ".Inf" | ".INF" => Some(f64::INFINITY * sign),
        ".nan" | ".NaN" | ".NAN" if signed.is_none() => Some(f64::NAN),
        _ => None,
    }
}

/// Integers by Go's prefix rules after all `_` are gone, then floats.
fn go_number(text: &str, dialect: Dialect) -> Resolved {
    if text.starts_with('.') {
        return go_fraction(text).map_or(Resolved::Text, Resolved::Float);
    }
    let stripped;
    let plain = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    let (negative, digits) = split_sign(plain);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let signed = plain.starts_with(['+', '-']);
    if let Some(found) = integer(digits, radix, negative, !signed) {
        return found;
    }
    if let Some(value) = float(plain) {
        return Resolved::Float(value);
    }
    go_prefixed(plain, dialect).unwrap_or(Resolved::Text)
}

/// Go's second attempt at prefixed numbers lets a sign follow the prefix.
fn go_prefixed(plain: &str, dialect: Dialect) -> Option<Resolved> {
    let (digits, radix) = match plain.as_bytes() {
        [b'0', b'b', b'+' | b'-', ..] => (&plain[2..], 2),
        [b'0', b'o', b'+' | b'-', ..] if dialect == Dialect::GoV3 => (&plain[2..], 8),
        _ => return None,
    };
    let (negative, digits) = split_sign(digits);
    integer(digits, radix, negative, false)
}

/// A float that starts with its point; each `_` stands between digits.
fn go_fraction(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return float(text);
    }
    let bytes = text.as_bytes();
    let separates = |at: usize| {
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    let fits = bytes.iter().enumerate().all(|(at, b)| *b != b'_' || separates(at));
    if fits { float(&text.replace('_', "")) } else { None }
}

/// YAML 1.2 core schema: `0o17`, `0x1F`, decimal with leading zeros.
fn core_number(text: &str) -> Resolved {
    let found = match text.as_bytes() {
        [b'0', b'o', ..] => integer(&text[2..], 8, false, true),
        [b'0', b'x', ..] => integer(&text[2..], 16, false, true),
        _ => {
            let (negative, digits) = split_sign(text);
            integer(digits, 10, negative, !negative)
        }
    };
    found.unwrap_or_else(|| float(text).map_or(Resolved::Text, Resolved::Float))
}

/// Python's loader: `_` anywhere after the first digit, base 60, floats need
/// a point and a signed exponent.
fn python_number(text: &str) -> Resolved {
    let (negative, body) = split_sign(text);
    if body.contains(':') {
        return base60(body, negative);
    }
    let plain = body.replace('_', "");
    let (radix, digits) = match body.as_bytes() {
        [b'0', b'x', ..] => (16, &plain[2.min(plain.len())..]),
        [b'0', b'b', ..] => (2, &plain[2.min(plain.len())..]),
        [b'0', _, ..] => (8, &plain[1..]),
        [b'0'..=b'9', ..] => (10, plain.as_str()),
        _ => (10, ""),
    };
    if let Some(found) = integer(digits, radix, negative, !negative) {
        return found;
    }
    match python_float(&plain, body) {
        Some(value) => Resolved::Float(if negative { -value } else { value }),
        None => Resolved::Text,
    }
}

fn python_float(plain: &str, body: &str) -> Option<f64> {
    let (mantissa, exponent) = match plain.find(['e', 'E']) {
        Some(at) => (&plain[..at], Some(&plain[at + 1..])),
        None => (plain, None),
    };
    let signed = exponent.is_none_or(|digits| digits.starts_with(['+', '-']));
    let starts = body.starts_with(|c: char| c.is_ascii_digit())
        || body.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if starts && signed && mantissa.contains('.') { float(plain) } else { None }
}

fn base60(body: &str, negative: bool) -> Resolved {
    if !is_base60(body) {
        return Resolved::Text;
    }
    let plain = body.replace('_', "");
    let total =
        plain.split(':').try_fold(0.0_f64, |total, part| part.parse::<f64>().ok().map(|value| total * 60.0 + value));
    match total {
        Some(value) if !plain.contains('.') && value < 9e15 => {
            let value = value as i64;
            Resolved::Int(if negative { -value } else { value })
        }
        Some(value) => Resolved::Float(if negative { -value } else { value }),
        None => Resolved::Text,
    }
}

/// Whether `text` looks like a base 60 number of YAML 1.1, such as `12:30:45`.
pub(crate) fn is_base60(text: &str) -> bool {
    let (_, body) = split_sign(text);
    let mut parts = body.split(':');
    let head = parts.next().unwrap_or_default().as_bytes();
    if !head.first().is_some_and(u8::is_ascii_digit) || !head.iter().all(|b| b.is_ascii_digit() || *b == b'_') {
        return false;
    }
    let mut tail = parts.peekable();
    if tail.peek().is_none() {
        return false;
    }
    while let Some(part) = tail.next() {
        let (whole, fraction) = match part.split_once('.') {
            Some((whole, fraction)) if tail.peek().is_none() => (whole, fraction),
            Some(_) => return false,
            None => (part, ""),
        };
        let fits = matches!(whole.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
        if !fits || !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            return false;
        }
    }
    true
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Digits of a radix as `i64`, or as `u64` where allowed; nothing when they do not fit.
fn integer(digits: &str, radix: u32, negative: bool, unsigned: bool) -> Option<Resolved> {
    // `from_str_radix` would accept a second sign.
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(value).map(Resolved::Int);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Resolved::Int(value)),
        Err(_) => unsigned.then_some(Resolved::UInt(value)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` that fits a double.
fn float(text: &str) -> Option<f64> {
    let (_, body) = split_sign(text);
    let bytes = body.as_bytes();
    let whole = digits_from(bytes, 0);
    let mut at = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits_from(bytes, at + 1);
        if whole == 0 && fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        let exponent = digits_from(bytes, at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    if at != bytes.len() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn digits_from(bytes: &[u8], start: usize) -> usize {
    bytes.get(start..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Dialect::{GoV2, GoV3, Python, Yaml12};
    use Resolved::{Bool, Float, Int, Null, Text, Timestamp, UInt};

    #[test]
    fn booleans_differ_by_dialect() {
        for (text, v2, v3, core, python) in [
            ("yes", Bool(true), Text, Text, Bool(true)),
            ("OFF", Bool(false), Text, Text, Bool(false)),
            ("y", Bool(true), Text, Text, Text),
            ("N", Bool(false), Text, Text, Text),
            ("True", Bool(true), Bool(true), Bool(true), Bool(true)),
            ("tRUE", Text, Text, Text, Text),
            ("yEs", Text, Text, Text, Text),
            ("~", Null, Null, Null, Null),
            ("", Null, Null, Null, Null),
        ] {
            let all = [GoV2, GoV3, Yaml12, Python].map(|dialect| resolve(text, dialect));
            assert_eq!(all, [v2, v3, core, python], "{text}");
        }
    }

    #[test]
    fn numbers_differ_by_dialect() {
        for (text, go, core, python) in [
            ("0777", Int(511), Int(777), Int(511)),
            ("0o17", Int(15), Int(15), Text),
            ("0x1F", Int(31), Int(31), Int(31)),
            ("0b11", Int(3), Text, Int(3)),
            ("-0b11", Int(-3), Text, Int(-3)),
            ("1_000", Int(1000), Text, Int(1000)),
            ("+1", Int(1), Int(1), Int(1)),
            ("08", Float(8.0), Int(8), Text),
            ("1e3", Float(1000.0), Float(1000.0), Text),
            ("1.0e+3", Float(1000.0), Float(1000.0), Float(1000.0)),
            (".5", Float(0.5), Float(0.5), Float(0.5)),
            ("1.", Float(1.0), Float(1.0), Float(1.0)),
            ("1:30", Text, Text, Int(90)),
            (
                "12345678901234567890",
                UInt(12345678901234567890),
                UInt(12345678901234567890),
                UInt(12345678901234567890),
            ),
            ("-9223372036854775808", Int(i64::MIN), Int(i64::MIN), Int(i64::MIN)),
        ] {
            let all = [GoV2, Yaml12, Python].map(|dialect| resolve(text, dialect));
            assert_eq!(all, [go, core, python], "{text}");
        }
    }

    #[test]
    fn near_misses_stay_text() {
        for text in [
            "+",
            "-",
            ".",
            "..",
            "1.2.3",
            "0x",
            "0xg",
            "0b2",
            "1e",
            "1e+",
            "--1",
            "+-1",
            "1-1",
            "e5",
            ".e5",
            "1e999",
            "10.0.0.1/8",
            "1:60",
            "٣",
            "-a",
            "._",
            "0x-1",
        ] {
            for dialect in [GoV2, GoV3, Yaml12] {
                assert_eq!(resolve(text, dialect), Text, "{text} {dialect:?}");
            }
        }
    }

    #[test]
    fn only_manifests_have_timestamps() {
        assert_eq!(resolve("2024-01-02", GoV3), Timestamp("2024-01-02T00:00:00Z".into()));
        for dialect in [GoV2, Yaml12, Python] {
            assert_eq!(resolve("2024-01-02", dialect), Text);
        }
    }
}
