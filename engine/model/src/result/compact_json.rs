//! JSON text the way Go's encoder writes it: no spaces, HTML characters and line separators escaped.

use std::io::{self, Write};

use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Compact JSON with `<`, `>`, `&`, U+2028 and U+2029 written as `\uXXXX`; keys ascend.
pub fn compact_json(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, HtmlSafe);
    // Writing a `Value` into memory cannot fail; the empty text is never reached.
    if serde::Serialize::serialize(value, &mut serializer).is_err() {
        return String::new();
    }
    String::from_utf8(text).unwrap_or_default()
}

struct HtmlSafe;

impl Formatter for HtmlSafe {
    /// Go writes whole floats without a fraction and uses exponents below 1e-6 and from 1e21 on.
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let magnitude = value.abs();
        if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
            let text = format!("{value:e}");
            let sign = if text.contains("e-") { "" } else { "+" };
            return write!(writer, "{}", text.replace('e', &format!("e{sign}")));
        }
        write!(writer, "{value}")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let Some(special) = from.chars().next() else { break };
            write!(writer, "\\u{:04x}", u32::from(special))?;
            rest = &from[special.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn html_characters_and_line_separators_are_escaped_in_values_and_keys() {
        let value = json!({"<k>": "a & b\u{2028}\u{2029} é \"q\" \n"});
        assert_eq!(compact_json(&value), "{\"\\u003ck\\u003e\":\"a \\u0026 b\\u2028\\u2029 é \\\"q\\\" \\n\"}");
    }

    #[test]
    fn floats_are_written_as_go_does() {
        let value = json!([1.0, -3e6, 0.5, 1e20, 1e21, -1.5e300, 1e-6, 1.5e-7, 0.0]);
        assert_eq!(compact_json(&value), "[1,-3000000,0.5,100000000000000000000,1e+21,-1.5e+300,0.000001,1.5e-7,0]");
    }

    #[test]
    fn escaped_text_reads_back_as_the_same_value() {
        let value = json!({"b": [1, 2.5, null, true, "<>&"], "a": {}});
        let text = compact_json(&value);
        assert_eq!(text, "{\"a\":{},\"b\":[1,2.5,null,true,\"\\u003c\\u003e\\u0026\"]}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
