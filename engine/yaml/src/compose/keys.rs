//! Keys: JSON knows strings only, YAML everything.

use granit_parser::{Event, ScalarStyle};
use serde_json::Value;

use super::scalars::is_merge_tag;
use crate::dialect::Dialect;
use crate::emit::{format_float, format_float32};
use crate::resolve::{Resolved, resolve};

/// What a key event says.
pub(super) enum Key {
    Text(String),
    Merge,
    /// The key is the value of an anchor, or has a tag: compose it, then [`value_key`].
    Composed,
    /// No string can be made of it; how to name it in the error.
    Refused(String),
}

impl Key {
    /// Reads a key from its event.
    pub(super) fn of(event: &Event<'_>, dialect: Dialect) -> Self {
        match event {
            Event::Scalar(text, style, 0, None) => Self::untagged(text, *style, dialect),
            Event::Scalar(_, _, _, Some(tag)) if dialect.merges() && is_merge_tag(tag) => Self::Merge,
            Event::Scalar(text, _, _, Some(tag)) if dialect == Dialect::GoV3 && !tag.is_yaml_core_schema_tag("str") => {
                Self::Refused(format!("`{text}`"))
            }
            Event::SequenceStart(..) => Self::Refused("(a list)".to_owned()),
            Event::MappingStart(..) => Self::Refused("(a mapping)".to_owned()),
            _ => Self::Composed,
        }
    }

    fn untagged(text: &str, style: ScalarStyle, dialect: Dialect) -> Self {
        if style != ScalarStyle::Plain {
            return Self::Text(text.to_owned());
        }
        if text == "<<" && dialect.merges() {
            return Self::Merge;
        }
        key_text(text, dialect).map_or_else(|| Self::Refused(format!("`{text}`")), Self::Text)
    }
}

/// Text of a plain key; nothing where only strings are keys.
pub(crate) fn key_text(text: &str, dialect: Dialect) -> Option<String> {
    let resolved = resolve(text, dialect);
    if resolved == Resolved::Text {
        return Some(text.to_owned());
    }
    typed_key(resolved, dialect)
}

fn typed_key(resolved: Resolved, dialect: Dialect) -> Option<String> {
    if dialect == Dialect::GoV3 {
        return None;
    }
    match resolved {
        Resolved::Null if dialect == Dialect::GoV2 => None,
        Resolved::Null => Some("null".to_owned()),
        Resolved::Bool(value) => Some(value.to_string()),
        Resolved::Int(value) => Some(value.to_string()),
        Resolved::UInt(value) => Some(value.to_string()),
        Resolved::Float(value) => Some(float_key(value, dialect)),
        Resolved::Timestamp(text) => Some(text),
        Resolved::Text => None,
    }
}

/// Go prints float keys with 32 bits.
fn float_key(value: f64, dialect: Dialect) -> String {
    let narrow = if dialect == Dialect::GoV2 { f64::from(value as f32) } else { value };
    if narrow.is_nan() {
        ".nan".to_owned()
    } else if narrow.is_infinite() {
        if narrow > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() }
    } else if dialect == Dialect::GoV2 {
        format_float32(value as f32)
    } else {
        format_float(value)
    }
}

/// Text of a key that is an alias or tagged.
pub(super) fn value_key(value: Value, dialect: Dialect) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(value) => typed_key(Resolved::Bool(value), dialect),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => typed_key(Resolved::Int(value), dialect),
            (_, Some(value), _) => typed_key(Resolved::UInt(value), dialect),
            (_, _, Some(value)) => typed_key(Resolved::Float(value), dialect),
            _ => None,
        },
        Value::Null => typed_key(Resolved::Null, dialect),
        Value::Array(_) | Value::Object(_) => None,
    }
}
