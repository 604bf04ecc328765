//! Scalars between their text and their value.
//!
//! Kustomize works on texts: it compares `80` and `"80"` as equal, and a text that it puts into a field without a
//! type becomes whatever YAML makes of it. Values have lost their text, so only those count whose text is certain.

use serde_json::Value;

use crate::annotations::looks_like_a_timestamp;
use crate::unsure::{Certain, Unsure};

/// Integers from here on may be written with an exponent after a JSON patch.
const PLAIN_INTEGERS: i64 = 1_000_000;

/// The text of a scalar. With `plain_numbers` the file has no number in another notation than the decimal one.
pub(crate) fn text_of(value: &Value, plain_numbers: bool) -> Certain<String> {
    match value {
        Value::String(text) if !looks_like_a_timestamp(text) => Ok(text.clone()),
        Value::Number(number) if plain_numbers => match number.as_i64() {
            Some(integer) if integer.abs() < PLAIN_INTEGERS => Ok(integer.to_string()),
            _ => Err(Unsure("text of a large or fractional number")),
        },
        _ => Err(Unsure("text of a value")),
    }
}

/// Whether a text stays a string when it stands in YAML without quotes and without a type.
pub(crate) fn stays_a_string(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "y"];
    // A letter that no number, date, `.inf` or `.nan` has decides; `<<` and `=` have types of their own.
    let decides = |c: char| {
        c.is_ascii_alphabetic()
            && !matches!(c, 'a'..='f' | 'A'..='F' | 'x' | 'o' | 'i' | 'n' | 'I' | 'N' | 'T' | 't' | 'Z' | 'z')
    };
    let starts_with_letter = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    (starts_with_letter || text.contains(decides)) && !WORDS.contains(&text)
}

/// What YAML makes of a text without quotes and without a type.
pub(crate) fn resolve(text: &str) -> Certain<Value> {
    match text {
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        _ if stays_a_string(text) => return Ok(Value::String(text.to_owned())),
        _ => {}
    }
    match text.parse::<i64>() {
        Ok(integer) if integer.to_string() == text && integer.abs() < PLAIN_INTEGERS => Ok(integer.into()),
        _ => Err(Unsure("type of a text")),
    }
}

/// Whether a manifest has numbers like `0644`, `0x1f` or `1_000`, whose text is not that of their value.
pub(crate) fn has_plain_numbers(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.windows(3).any(|window| {
        let starts = matches!(window[0], b' ' | b'\t' | b'\n' | b'[' | b'{' | b',' | b':' | b'-');
        let zero = starts && window[1] == b'0' && (window[2].is_ascii_alphanumeric());
        let plus = starts && window[1] == b'+' && window[2].is_ascii_digit();
        let grouped = window[0].is_ascii_digit() && window[1] == b'_' && window[2].is_ascii_digit();
        zero || plus || grouped
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_certain_texts_count() {
        assert_eq!(text_of(&json!(80), true).unwrap(), "80");
        assert_eq!(text_of(&json!("80"), false).unwrap(), "80");
        for value in [json!(1.5), json!(2_000_000), json!(true), json!(null), json!("2024-01-02T00:00:00Z")] {
            assert!(text_of(&value, true).is_err(), "{value}");
        }
        assert!(text_of(&json!(80), false).is_err());
    }

    #[test]
    fn texts_that_look_like_something_else_are_not_strings() {
        for text in ["web", "nginx:1.25", "a-1", "yes", "https://x", "1.2.3-rc1", "v1"] {
            assert!(stays_a_string(text), "{text}");
        }
        for text in ["", "1", "0x1f", "1e5", "true", "null", "~", ".inf", ".nan", "2024-01-02", "-.5", "<<", "0b1"] {
            assert!(!stays_a_string(text), "{text}");
        }
    }

    #[test]
    fn plain_texts_resolve_as_in_yaml() {
        assert_eq!(resolve("8080").unwrap(), json!(8080));
        assert_eq!(resolve("false").unwrap(), json!(false));
        assert_eq!(resolve("web").unwrap(), json!("web"));
        for text in ["", "007", "1.0", "null", "1e3"] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_in_other_notations_are_noticed() {
        assert!(has_plain_numbers("a: 10\nb: \"x\"\nport: 80\n"));
        for text in ["a: 0644\n", "a: 0x1f\n", "a: [1,+1]\n", "a: 1_000\n"] {
            assert!(!has_plain_numbers(text), "{text}");
        }
    }
}
