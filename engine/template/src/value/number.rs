//! Numbers: what Python would compute with and print.

use minijinja::value::{Value, ValueKind};

/// Python's two kinds of numbers; booleans count as integers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    Float(f64),
}

/// The number behind a value, if it is one.
pub(crate) fn number_of(value: &Value) -> Option<Number> {
    match value.kind() {
        ValueKind::Bool => Some(Number::Int(i128::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Number::Int),
        ValueKind::Number => f64::try_from(value.clone()).ok().map(Number::Float),
        _ => None,
    }
}

/// A number of a YAML or JSON document: integral floats arrive as integers.
pub(super) fn json_number(number: &serde_json::Number) -> Value {
    if let Some(value) = number.as_i64() {
        return Value::from(value);
    }
    if let Some(value) = number.as_u64() {
        return Value::from(value);
    }
    let value = number.as_f64().unwrap_or(f64::NAN);
    if value.fract() == 0.0 && value.abs() < 1e21 {
        #[expect(clippy::cast_possible_truncation, reason = "integral and below 1e21")]
        let integer = value as i128;
        return i64::try_from(integer).map_or_else(|_| Value::from(integer), Value::from);
    }
    Value::from(value)
}

/// `repr(float)` of Python.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    // Of two texts of that length Python takes the one nearer to the value, and the even one when both are as near.
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let nearest = format!("{value:.0$e}", digits.saturating_sub(1));
    let same = nearest.parse().is_ok_and(|parsed: f64| parsed.to_bits() == value.to_bits());
    let scientific = if same { nearest } else { shortest };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = plain_text(mantissa, exponent);
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Digits without an exponent, from a mantissa such as `-1.25`.
fn plain_text(mantissa: &str, exponent: i32) -> String {
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    while digits.len() < whole {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(whole);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_like_python() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (5e15 / 7.0, "714285714285714.2"),
            (-0.001_25, "-0.00125"),
            (120.5, "120.5"),
            (-0.0, "-0.0"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(float_text(value), text);
        }
    }

    #[test]
    fn integral_floats_of_documents_become_integers() {
        let number = |text: &str| super::super::py_str(&json_number(&serde_json::from_str(text).unwrap()));
        assert_eq!(number("1.0"), "1");
        assert_eq!(number("1e3"), "1000");
        assert_eq!(number("1.5"), "1.5");
        assert_eq!(number("1e21"), "1e+21");
        assert_eq!(number("9007199254740993"), "9007199254740993");
        assert_eq!(number("18446744073709551615"), "18446744073709551615");
    }
}
