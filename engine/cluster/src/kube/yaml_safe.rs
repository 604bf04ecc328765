//! JSON that a YAML parser reads as JSON.
//!
//! The server parses the body of an apply patch as YAML. YAML folds some line breaks that JSON
//! leaves alone, together with the spaces around them, and knows characters that must not be there at all.

use serde_json::Value;

/// The body of an apply patch.
pub(super) fn body(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    if !text.chars().any(needs_escape) {
        return text.into_bytes();
    }
    // All of these can only be inside strings.
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if needs_escape(c) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe.into_bytes()
}

/// Line breaks of YAML beyond those of JSON, and what its parsers refuse.
fn needs_escape(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn breaks_and_forbidden_characters_are_escaped_and_the_rest_is_not() {
        let value = json!({"k\u{85}": "a \u{2028} b\u{2029}\u{7f}\u{feff}", "plain": "é 😀 <&> \n"});
        let text = String::from_utf8(body(&value)).unwrap();
        assert_eq!(text, r#"{"k\u0085":"a \u2028 b\u2029\u007f\ufeff","plain":"é 😀 <&> \n"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
