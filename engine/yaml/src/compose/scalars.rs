//! Scalars: tags, and what JSON makes of numbers.

use granit_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

use crate::dialect::Dialect;
use crate::error::YamlErrorKind;
use crate::resolve::{Resolved, resolve};
use crate::timestamp;

/// The value of a scalar.
pub(crate) fn scalar(
    text: String,
    style: ScalarStyle,
    tag: Option<&Tag>,
    dialect: Dialect,
) -> Result<Value, YamlErrorKind> {
    let tag = tag.filter(|tag| dialect != Dialect::GoV3 || !is_unspecific(tag));
    let resolved = match tag.map(|tag| tag.suffix_in_namespace(YAML_NAMESPACE)) {
        None if style == ScalarStyle::Plain => resolve(&text, dialect),
        None | Some(None) => Resolved::Text,
        Some(Some(tag)) => match apply_tag(&tag, &text, dialect) {
            Some(resolved) => resolved,
            None => return Err(YamlErrorKind::TagMismatch { tag: format!("!!{tag}"), text }),
        },
    };
    Ok(match resolved {
        Resolved::Text => Value::String(text),
        Resolved::Timestamp(stamp) => Value::String(stamp),
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => value.into(),
        Resolved::UInt(value) => value.into(),
        Resolved::Float(value) => return float(value, dialect),
    })
}

fn float(value: f64, dialect: Dialect) -> Result<Value, YamlErrorKind> {
    let integer = dialect.integral_floats_are_integers().then(|| integral(value)).flatten();
    if let Some(number) = integer.or_else(|| Number::from_f64(value)) {
        return Ok(Value::Number(number));
    }
    let value = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    };
    Err(YamlErrorKind::UnsupportedValue { value })
}

/// The integer that a float without fraction is written as, when that fits 64
/// bits: its shortest digits, filled up with zeros.
pub(crate) fn integral(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || !value.is_finite() {
        return None;
    }
    if value.abs() < EXACT {
        return Some(Number::from(value as i64));
    }
    let digits = value.to_string();
    digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from)).ok()
}

const YAML_NAMESPACE: &str = "tag:yaml.org,2002:";

/// The value of an explicitly tagged scalar; nothing when the tag does not fit it.
fn apply_tag(tag: &str, text: &str, dialect: Dialect) -> Option<Resolved> {
    match (tag, resolve(text, dialect)) {
        ("int", found @ (Resolved::Int(_) | Resolved::UInt(_))) => Some(found),
        ("float", Resolved::Int(value)) => Some(Resolved::Float(value as f64)),
        ("float", Resolved::UInt(value)) => Some(Resolved::Float(value as f64)),
        ("float", found @ Resolved::Float(_)) => Some(found),
        ("bool", found @ Resolved::Bool(_)) => Some(found),
        ("null", Resolved::Null) => Some(Resolved::Null),
        ("int" | "float" | "bool" | "null", _) => None,
        ("timestamp", _) => {
            let stamp = timestamp::to_rfc3339(text)?;
            Some(if dialect == Dialect::GoV3 { Resolved::Timestamp(stamp) } else { Resolved::Text })
        }
        ("binary", _) => binary(text).map(Resolved::Timestamp),
        _ => Some(Resolved::Text),
    }
}

pub(super) fn is_merge_tag(tag: &Tag) -> bool {
    tag.suffix_in_namespace(YAML_NAMESPACE).as_deref() == Some("merge")
}

/// A lone `!`, which v3 drops.
fn is_unspecific(tag: &Tag) -> bool {
    tag.suffix().is_empty() && tag.original_handle() == "!" || tag.handle().is_empty() && tag.suffix() == "!"
}

/// Text behind base64; values are text, so other bytes are refused.
fn binary(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len()), 0_u32, 0);
    let digits = text.bytes().filter(|b| !b.is_ascii_whitespace());
    for digit in digits.take_while(|b| *b != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}
