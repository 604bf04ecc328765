//! Filters on numbers.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{Function, defined};
use crate::binder::signature;
use crate::error::ErrorKind;
use crate::failure::{raised, type_error};
use crate::value::{Number, is_true, number_of, py_str, type_name};

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("abs", |_, args| abs(args)),
    ("int", |_, args| int_filter(args)),
    ("float", |_, args| float_filter(args)),
    ("round", |_, args| round(args)),
    ("filesizeformat", |_, args| file_size(args)),
];

/// An integer value of any size the engine has.
fn int_value(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

fn abs(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("abs", &["x"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    match number_of(value) {
        Some(Number::Int(number)) => Ok(int_value(number.abs())),
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        None => Err(type_error(format!("bad operand type for abs(): '{}'", type_name(value)))),
    }
}

/// `int(default=0, base=10)`.
fn int_filter(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_int", &["value", "default", "base"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let default = slots[1].clone().unwrap_or_else(|| Value::from(0));
    let base = slots[2].as_ref().and_then(Value::as_i64).unwrap_or(10);
    let Some(text) = value.as_str() else {
        return Ok(match number_of(value) {
            Some(Number::Int(number)) => int_value(number),
            Some(Number::Float(number)) => truncated(number).unwrap_or(default),
            None => default,
        });
    };
    if let Some(number) = parse_int(text, base) {
        return Ok(int_value(number));
    }
    Ok(parse_float(text).and_then(truncated).unwrap_or(default))
}

fn truncated(number: f64) -> Option<Value> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; beyond that the engine has no integers")]
    number.is_finite().then(|| int_value(number.trunc() as i128))
}

/// `int(text, base)` of Python.
fn parse_int(text: &str, base: i64) -> Option<i128> {
    let text = ascii_digits(text.trim());
    let text = text.as_str();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_lowercase();
    let prefixed = |prefix: &str, of: i64| {
        (base == of || base == 0).then(|| lower.strip_prefix(prefix)).flatten().map(|rest| (rest, of))
    };
    let found = prefixed("0x", 16).or_else(|| prefixed("0o", 8)).or_else(|| prefixed("0b", 2));
    let (digits, base) = found.unwrap_or((&lower, if base == 0 { 10 } else { base }));
    let radix = u32::try_from(base).ok().filter(|radix| (2..=36).contains(radix))?;
    let number = i128::from_str_radix(&plain_digits(digits)?, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// Decimal digits of any script as ASCII ones.
fn ascii_digits(text: &str) -> String {
    text.chars()
        .map(|c| crate::methods::decimal_value(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c))
        .collect()
}

/// The digits without `_`, which may only stand between digits.
fn plain_digits(digits: &str) -> Option<String> {
    let wrong = digits.starts_with(['_', '-', '+']) || digits.ends_with('_') || digits.contains("__");
    (!wrong).then(|| digits.replace('_', ""))
}

/// `float(text)` of Python.
fn parse_float(text: &str) -> Option<f64> {
    let text = ascii_digits(text.trim()).to_lowercase();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    match unsigned {
        "inf" | "infinity" | "nan" => {}
        _ if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {}
        _ => return None,
    }
    let negative = text.starts_with('-');
    plain_digits(unsigned)?.parse::<f64>().ok().map(|number| if negative { -number } else { number })
}

/// `float(default=0.0)`.
fn float_filter(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_float", &["value", "default"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let number = match (value.as_str(), number_of(value)) {
        (Some(text), _) => parse_float(text),
        (None, Some(Number::Float(number))) => Some(number),
        #[expect(clippy::cast_precision_loss, reason = "as Python does")]
        (None, Some(Number::Int(number))) => Some(number as f64),
        (None, None) => None,
    };
    Ok(number.map_or_else(|| slots[1].clone().unwrap_or_else(|| Value::from(0.0)), Value::from))
}

fn round(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_round", &["value", "precision", "method"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let precision = slots[1].as_ref().and_then(Value::as_i64).unwrap_or(0);
    let method = slots[2].as_ref().map_or_else(|| "common".to_owned(), py_str);
    let number = number_of(value)
        .ok_or_else(|| type_error(format!("type {} doesn't define __round__ method", type_name(value))))?;
    match (method.as_str(), number) {
        ("common", Number::Int(number)) => Ok(int_value(round_int(number, precision))),
        ("common", Number::Float(number)) => Ok(Value::from(round_float(number, precision))),
        ("ceil" | "floor", number) => Ok(Value::from(directed(number, precision, method == "ceil"))),
        _ => Err(raised(ErrorKind::Assertion, "method must be common, ceil or floor")),
    }
}

fn round_int(number: i128, precision: i64) -> i128 {
    let Some(unit) = u32::try_from(-precision).ok().and_then(|digits| 10_i128.checked_pow(digits)) else {
        return if precision < 0 { 0 } else { number };
    };
    let (quotient, rest) = (number.div_euclid(unit), number.rem_euclid(unit));
    let up = rest * 2 > unit || (rest * 2 == unit && quotient % 2 != 0);
    (quotient + i128::from(up)) * unit
}

/// Python rounds the exact binary value, halves to even.
fn round_float(number: f64, precision: i64) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(precision) {
        Ok(digits) if digits < 340 => format!("{number:.digits$}").parse().unwrap_or(number),
        Ok(_) => number,
        Err(_) => {
            let unit = 10_f64.powi(i32::try_from(-precision).unwrap_or(i32::MAX));
            (number / unit).round_ties_even() * unit
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Python does")]
fn directed(number: Number, precision: i64, up: bool) -> f64 {
    let number = match number {
        Number::Int(number) => number as f64,
        Number::Float(number) => number,
    };
    let unit = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
    let scaled = number * unit;
    // Python's `ceil` and `floor` give integers, which know no negative zero.
    (if up { scaled.ceil() } else { scaled.floor() }) / unit + 0.0
}

fn file_size(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_filesizeformat", &["value", "binary"], 1).bind(args)?;
    let binary = slots[1].as_ref().map_or(Ok(false), is_true)?;
    let value = float_filter(&[defined(slots[0].as_ref())?.clone(), Value::from(())])?;
    if value.kind() != ValueKind::Number {
        return Err(type_error("could not convert to a number"));
    }
    let bytes = f64::try_from(value).unwrap_or(0.0);
    let base = if binary { 1024.0 } else { 1000.0 };
    #[expect(clippy::float_cmp, reason = "exactly one byte")]
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        if bytes.is_infinite() {
            return Err(raised(ErrorKind::Overflow, "cannot convert float infinity to integer"));
        }
        return Ok(Value::from(format!("{} Bytes", bytes.trunc() + 0.0)));
    }
    let mut unit = base;
    let prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    for (index, prefix) in prefixes.iter().enumerate() {
        unit *= base;
        if bytes < unit || index + 1 == prefixes.len() {
            let shown = base * bytes / unit;
            let name = if binary { format!("{}iB", prefix.to_uppercase()) } else { format!("{prefix}B") };
            let shown = if shown.is_nan() { "nan".to_owned() } else { format!("{shown:.1}") };
            return Ok(Value::from(format!("{shown} {name}")));
        }
    }
    Ok(Value::from(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(filter: fn(&[Value]) -> Result<Value, Error>, args: &[Value]) -> String {
        filter(args).map_or_else(|error| error.detail().unwrap_or_default().to_owned(), |value| py_str(&value))
    }

    #[test]
    fn numbers_convert_like_in_python() {
        for (text, expected) in [
            ("42", "42"),
            (" -1_000 ", "-1000"),
            ("42.23", "42"),
            ("1e3", "1000"),
            ("x", "0"),
            ("_1", "0"),
            ("0x1f", "0"),
        ] {
            assert_eq!(call(int_filter, &[Value::from(text)]), expected, "{text}");
        }
        assert_eq!(call(int_filter, &[Value::from("0x1f"), Value::from(7), Value::from(16)]), "31");
        assert_eq!(call(int_filter, &[Value::from(()), Value::from(7)]), "7");
        for (text, expected) in [("1.5", "1.5"), ("-inf", "-inf"), ("x", "0.0"), ("1_0.5", "10.5"), ("", "0.0")] {
            assert_eq!(call(float_filter, &[Value::from(text)]), expected, "{text}");
        }
    }

    #[test]
    fn rounding_is_to_even_on_the_binary_value() {
        assert_eq!(call(round, &[Value::from(2.5)]), "2.0");
        assert_eq!(call(round, &[Value::from(42.55), Value::from(1)]), "42.5");
        assert_eq!(call(round, &[Value::from(25), Value::from(-1)]), "20");
        assert_eq!(call(round, &[Value::from(42.1), Value::from(0), Value::from("ceil")]), "43.0");
    }

    #[test]
    fn wrong_kinds_are_errors() {
        assert_eq!(call(abs, &[Value::from("x")]), "bad operand type for abs(): 'str'");
        assert_eq!(
            call(round, &[Value::from(1), Value::from(0), Value::from("up")]),
            "method must be common, ceil or floor"
        );
        assert!(int_filter(&[Value::UNDEFINED]).is_err());
    }
}
