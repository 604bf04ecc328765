//! Numbers as tags write them, compared exactly.
//!
//! Flux reads them as 64-bit floats, so that date stamps of 17 digits collapse
//! to one value. Same texts accepted, but nothing is rounded. Spec 06 5.6.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::loose_version::compare_integers;

/// One number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decimal {
    NotANumber,
    Infinite { negative: bool },
    Finite(Finite),
}

/// `0.digits × 10^exponent`; digits without zeros at either end, empty for zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finite {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads what Go's `ParseFloat` accepts; a value too large for a float is refused as there.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("nan") {
            return Some(Self::NotANumber);
        }
        let (negative, body) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") {
            return Some(Self::Infinite { negative });
        }
        let hexadecimal = body.starts_with("0x") || body.starts_with("0X");
        let body = without_underscores(body, hexadecimal)?;
        let finite = if hexadecimal {
            Finite::parse(&hexadecimal_value(&body[2..])?.to_string(), negative)?
        } else {
            Finite::parse(&body, negative)?
        };
        Some(Self::Finite(finite))
    }

    /// Order of values; anything is greater than not-a-number.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => a.compare(b),
            _ => self.class().cmp(&other.class()),
        }
    }

    /// Whether this is no number at all, which loses in either direction.
    pub(super) fn is_nan(&self) -> bool {
        *self == Self::NotANumber
    }

    fn class(&self) -> u8 {
        match self {
            Self::NotANumber => 0,
            Self::Infinite { negative: true } => 1,
            Self::Finite(_) => 2,
            Self::Infinite { negative: false } => 3,
        }
    }
}

impl Finite {
    fn parse(text: &str, negative: bool) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_value(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if text.parse::<f64>().ok()?.is_infinite() {
            return None;
        }
        let significant = all.trim_start_matches('0');
        let leading = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        let point = i64::try_from(whole.len()).ok()?;
        let exponent = if digits.is_empty() { 0 } else { point - leading + exponent };
        Some(Self { negative: negative && !digits.is_empty(), digits, exponent })
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (a, b) if a != b => a.cmp(&b),
            (-1, _) => other.magnitude(self),
            _ => self.magnitude(other),
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits))
    }
}

/// Clamped: beyond this every float is zero or infinite anyway.
fn exponent_value(text: &str) -> Option<i64> {
    const LIMIT: &str = "1000000";
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let clamped = if compare_integers(digits, LIMIT) == Ordering::Greater { LIMIT } else { digits };
    clamped.parse::<i64>().ok().map(|value| if negative { -value } else { value })
}

/// Underscores must stand between digits, or after `0x`.
fn without_underscores(text: &str, hexadecimal: bool) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let digit =
        |b: Option<&u8>| b.is_some_and(|b| if hexadecimal { b.is_ascii_hexdigit() } else { b.is_ascii_digit() });
    for (i, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'_') {
        let after_prefix = hexadecimal && i == 2;
        if !(after_prefix || digit(bytes.get(i.wrapping_sub(1)))) || !digit(bytes.get(i + 1)) {
            return None;
        }
    }
    Some(Cow::Owned(text.replace('_', "")))
}

/// `1.8p3`; the exponent is mandatory.
fn hexadecimal_value(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent = exponent_value(exponent)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    let places = i64::try_from(fraction.len()).ok()?.saturating_mul(4);
    let power = i32::try_from((exponent - places).clamp(-5000, 5000)).ok()?;
    let value = value * 2.0_f64.powi(power);
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        Decimal::parse(a).unwrap().compare(&Decimal::parse(b).unwrap())
    }

    #[test]
    fn long_stamps_stay_apart() {
        assert_eq!(compare("20240101123456789", "20240101123456788"), Ordering::Greater);
        assert_eq!(compare("-20240101123456789", "-20240101123456788"), Ordering::Less);
    }

    #[test]
    fn spelling_does_not_matter() {
        for (a, b) in
            [("1", "01"), ("1.0", "1e0"), ("0x1p4", "16"), ("1_000", "1e3"), ("-0", "0"), (".5", "0.50"), ("5.", "5")]
        {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "1e", "latest", "1__0", "_1", "1_", "0x1", " 1", "+nan", "1e400", "e5", "-", "1f"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tiny_and_infinite_values_have_a_place() {
        assert_eq!(compare("1e-400", "0"), Ordering::Greater);
        assert_eq!(compare("-inf", "-1e300"), Ordering::Less);
        assert_eq!(compare("inf", "1e300"), Ordering::Greater);
        assert_eq!(compare("nan", "-inf"), Ordering::Less);
    }
}
