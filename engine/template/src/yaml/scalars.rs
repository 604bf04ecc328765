//! Which plain texts YAML readers take for something other than a string.

use std::sync::LazyLock;

use regex::Regex;

/// A plain scalar as YAML 1.1 (PyYAML's safe loader) reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// A date or timestamp; the text is what printing it gives.
    Date(String),
    Merge,
    /// `=`: PyYAML has a type for it, which it reads as the string.
    Value,
    Text,
}

/// A pattern that stands in this file.
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    )
});
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    )
});
static DATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"));
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?$",
    )
});
/// Numbers and booleans of YAML 1.2 and of Go's reader that 1.1 takes for strings.
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:[yYnN]|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?0o[0-7_]+|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[bB][01_]+|\+\.(?:inf|Inf|INF))$",
    )
});

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Plain::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Plain::Bool(false),
        "<<" => return Plain::Merge,
        "=" => return Plain::Value,
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Plain::Text;
    }
    if INT.is_match(text) {
        return integer(text).map_or(Plain::Text, Plain::Int);
    }
    if FLOAT.is_match(text) {
        return float(text).map_or(Plain::Text, Plain::Float);
    }
    if DATE.is_match(text) {
        return Plain::Date(text.to_owned());
    }
    TIMESTAMP.captures(text).map_or(Plain::Text, |parts| Plain::Date(timestamp(&parts)))
}

/// Whether another YAML reader would not read the plain text as a string.
pub(super) fn is_special_elsewhere(text: &str) -> bool {
    ELSEWHERE.is_match(text)
}

fn sign_and_digits(text: &str) -> (i128, String) {
    let digits = text.replace('_', "");
    match digits.strip_prefix('-') {
        Some(rest) => (-1, rest.to_owned()),
        None => (1, digits.trim_start_matches('+').to_owned()),
    }
}

fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = sign_and_digits(text);
    let radix = |digits: &str, radix| i128::from_str_radix(digits, radix).ok();
    let value = if digits == "0" {
        Some(0)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        radix(digits, 2)
    } else if let Some(digits) = digits.strip_prefix("0x") {
        radix(digits, 16)
    } else if digits.contains(':') {
        digits.split(':').try_fold(0_i128, |value, part| Some(value * 60 + radix(part, 10)?))
    } else if digits.starts_with('0') {
        radix(&digits, 8)
    } else {
        radix(&digits, 10)
    };
    value.map(|value| sign * value)
}

#[expect(clippy::cast_precision_loss, reason = "the sign is 1 or -1")]
fn float(text: &str) -> Option<f64> {
    let (sign, digits) = sign_and_digits(&text.to_lowercase());
    let sign = sign as f64;
    match digits.as_str() {
        ".inf" => return Some(sign * f64::INFINITY),
        ".nan" => return Some(f64::NAN),
        _ => {}
    }
    if digits.contains(':') {
        return digits
            .split(':')
            .try_fold(0.0, |value, part| Some(value * 60.0 + part.parse::<f64>().ok()?))
            .map(|value| sign * value);
    }
    digits.parse::<f64>().ok().map(|value| sign * value)
}

/// What Python prints for the timestamp: `YYYY-MM-DD HH:MM:SS[.ffffff][+HH:MM]`.
fn timestamp(parts: &regex::Captures<'_>) -> String {
    let number = |index: usize| parts.get(index).and_then(|part| part.as_str().parse::<u32>().ok()).unwrap_or(0);
    let mut text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        number(1),
        number(2),
        number(3),
        number(4),
        number(5),
        number(6)
    );
    if let Some(fraction) = parts.get(7).filter(|fraction| fraction.as_str().chars().any(|c| c != '0')) {
        let digits: String = fraction.as_str().chars().chain("000000".chars()).take(6).collect();
        text.push_str(&format!(".{digits}"));
    }
    if let Some(zone) = parts.get(8) {
        match parts.get(9) {
            Some(sign) => text.push_str(&format!("{}{:02}:{:02}", sign.as_str(), number(10), number(11))),
            None if zone.as_str() == "Z" => text.push_str("+00:00"),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_1_1_scalars() {
        let cases = [
            ("010", Plain::Int(8)),
            ("0x1f", Plain::Int(31)),
            ("0b11", Plain::Int(3)),
            ("1_000", Plain::Int(1000)),
            ("1:30", Plain::Int(90)),
            ("-5", Plain::Int(-5)),
            ("0o10", Plain::Text),
            ("1e3", Plain::Text),
            ("1.0e3", Plain::Text),
            ("1.0e+3", Plain::Float(1000.0)),
            ("y", Plain::Text),
            ("off", Plain::Bool(false)),
            ("", Plain::Null),
            ("2020-01-01", Plain::Date("2020-01-01".into())),
            ("2020-01-01T10:00:00Z", Plain::Date("2020-01-01 10:00:00+00:00".into())),
            ("2020-1-1 1:02:03.5", Plain::Date("2020-01-01 01:02:03.500000".into())),
            ("09", Plain::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_that_other_readers_change_are_known() {
        for text in ["y", "N", "1e5", "12e03", "0o17", "1E5"] {
            assert!(is_special_elsewhere(text), "{text}");
        }
        for text in ["yy", "NaN", "1e", "e5", "v1", "1.2.3", "a1e5"] {
            assert!(!is_special_elsewhere(text), "{text}");
        }
    }
}
