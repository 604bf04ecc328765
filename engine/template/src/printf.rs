//! Python's `%` formatting of strings.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::failure::{raised, type_error, value_error};
use crate::value::{Number, number_of, py_repr, py_str, type_name, undefined};

/// `format % values`.
pub(crate) fn printf(format: &str, values: &Value) -> Result<String, Error> {
    let mut arguments = Arguments::new(values)?;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        if chars.peek() == Some(&'(') {
            chars.next();
            let mut depth = 1;
            let mut name = String::new();
            for c in chars.by_ref() {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                name.push(c);
            }
            if depth != 0 {
                return Err(value_error("incomplete format key"));
            }
            spec.key = Some(name);
        }
        while let Some(flag) = chars.next_if(|c| "-+ 0#".contains(*c)) {
            spec.flags.push(flag);
        }
        if chars.next_if_eq(&'*').is_some() {
            let width = arguments.integer()?;
            if width < 0 {
                spec.flags.push('-');
            }
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
        } else {
            spec.width = digits(&mut chars).unwrap_or(0);
        }
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(if chars.next_if_eq(&'*').is_some() {
                usize::try_from(arguments.integer()?).unwrap_or(0)
            } else {
                digits(&mut chars).unwrap_or(0)
            });
        }
        while chars.next_if(|c| "hlL".contains(*c)).is_some() {}
        if spec.width > 1_000_000 || spec.precision.unwrap_or(0) > 100_000 {
            return Err(raised(crate::error::ErrorKind::Limit, "the formatted text is too large"));
        }
        let kind = chars.next().ok_or_else(|| value_error("incomplete format"))?;
        if kind == '%' && format_is_plain(&spec) {
            out.push('%');
            continue;
        }
        let value = arguments.next(spec.key.as_deref())?;
        out.push_str(&spec.convert(kind, &value, out.chars().count())?);
    }
    arguments.finish()?;
    Ok(out)
}

/// `%%` stands for a percent sign only without anything between.
fn format_is_plain(spec: &Spec) -> bool {
    spec.key.is_none() && spec.flags.is_empty() && spec.width == 0 && spec.precision.is_none()
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    if text.is_empty() { None } else { Some(text.parse().unwrap_or(usize::MAX)) }
}

struct Arguments {
    values: Vec<Value>,
    mapping: Option<Value>,
    used: usize,
    keyed: bool,
}

impl Arguments {
    fn new(values: &Value) -> Result<Self, Error> {
        if values.is_undefined() {
            return Err(undefined(values));
        }
        let mapping = (values.kind() == ValueKind::Map).then(|| values.clone());
        let list = if values.is_tuple() { values.try_iter()?.collect() } else { vec![values.clone()] };
        Ok(Self { values: list, mapping, used: 0, keyed: false })
    }

    fn next(&mut self, key: Option<&str>) -> Result<Value, Error> {
        if let Some(key) = key {
            let mapping = self.mapping.as_ref().ok_or_else(|| type_error("format requires a mapping"))?;
            self.keyed = true;
            let value = mapping.get_item(&Value::from(key))?;
            return if value.is_undefined() {
                Err(raised(crate::error::ErrorKind::Key, format!("'{key}'")))
            } else {
                Ok(value)
            };
        }
        let value =
            self.values.get(self.used).cloned().ok_or_else(|| type_error("not enough arguments for format string"))?;
        self.used += 1;
        Ok(value)
    }

    fn integer(&mut self) -> Result<i64, Error> {
        self.next(None)?.as_i64().ok_or_else(|| type_error("* wants int"))
    }

    fn finish(&self) -> Result<(), Error> {
        let rest = self.used < self.values.len() && self.mapping.is_none();
        // A list counts as a mapping for Python here and may stay unused.
        let lenient = self.used == 0
            && self.values.len() == 1
            && self.values[0].kind() == ValueKind::Seq
            && !self.values[0].is_tuple();
        if rest && !self.keyed && !lenient {
            Err(type_error("not all arguments converted during string formatting"))
        } else {
            Ok(())
        }
    }
}

#[derive(Default)]
struct Spec {
    key: Option<String>,
    flags: String,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn convert(&self, kind: char, value: &Value, position: usize) -> Result<String, Error> {
        if value.is_undefined() {
            return Err(undefined(value));
        }
        match kind {
            's' => Ok(self.pad_text(&py_str(value))),
            'r' => Ok(self.pad_text(&py_repr(value))),
            'a' => Ok(self.pad_text(&ascii(&py_repr(value)))),
            'c' => self.character(value),
            'd' | 'i' | 'u' => self.decimal(kind, value),
            'x' | 'X' | 'o' => self.radix(kind, value),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.float(kind, value),
            kind => Err(value_error(format!(
                "unsupported format character '{kind}' (0x{:x}) at index {position}",
                u32::from(kind)
            ))),
        }
    }

    fn pad_text(&self, text: &str) -> String {
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        self.pad(&text)
    }

    fn pad(&self, text: &str) -> String {
        let blanks = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.has('-') { text.to_owned() + &blanks } else { blanks + text }
    }

    fn character(&self, value: &Value) -> Result<String, Error> {
        let wrong = || type_error("%c requires int or char");
        match (value.as_str(), value.as_i64()) {
            (Some(text), _) if text.chars().count() == 1 => Ok(self.pad(text)),
            (None, Some(code)) => {
                let c = u32::try_from(code).ok().and_then(char::from_u32);
                c.map(|c| self.pad(&c.to_string()))
                    .ok_or_else(|| raised(crate::error::ErrorKind::Overflow, "%c arg not in range(0x110000)"))
            }
            _ => Err(wrong()),
        }
    }

    /// Sign, prefix and digits, filled up to the width.
    fn number(&self, negative: bool, prefix: &str, digits: &str) -> String {
        let sign = match negative {
            true => "-",
            false if self.has('+') => "+",
            false if self.has(' ') => " ",
            false => "",
        };
        let length = sign.len() + prefix.len() + digits.len();
        if self.has('0') && !self.has('-') {
            return format!("{sign}{prefix}{}{digits}", "0".repeat(self.width.saturating_sub(length)));
        }
        self.pad(&format!("{sign}{prefix}{digits}"))
    }

    fn decimal(&self, kind: char, value: &Value) -> Result<String, Error> {
        let number = match number_of(value) {
            Some(Number::Int(number)) => number,
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            Some(Number::Float(number)) if number.is_finite() => number.trunc() as i128,
            Some(Number::Float(_)) => return Err(value_error("cannot convert float NaN to integer")),
            None => {
                return Err(type_error(format!("%{kind} format: a real number is required, not {}", type_name(value))));
            }
        };
        let digits = format!("{:0>1$}", number.unsigned_abs(), self.precision.unwrap_or(0));
        Ok(self.number(number < 0, "", &digits))
    }

    fn radix(&self, kind: char, value: &Value) -> Result<String, Error> {
        let Some(Number::Int(number)) = number_of(value) else {
            return Err(type_error(format!("%{kind} format: an integer is required, not {}", type_name(value))));
        };
        let magnitude = number.unsigned_abs();
        let (digits, prefix) = match kind {
            'x' => (format!("{magnitude:x}"), "0x"),
            'X' => (format!("{magnitude:X}"), "0X"),
            _ => (format!("{magnitude:o}"), "0o"),
        };
        let digits = format!("{digits:0>0$}", self.precision.unwrap_or(0));
        Ok(self.number(number < 0, if self.has('#') { prefix } else { "" }, &digits))
    }

    #[expect(clippy::cast_precision_loss, reason = "as Python does")]
    fn float(&self, kind: char, value: &Value) -> Result<String, Error> {
        let number = match number_of(value) {
            Some(Number::Int(number)) => number as f64,
            Some(Number::Float(number)) => number,
            None => return Err(type_error(format!("must be real number, not {}", type_name(value)))),
        };
        let text = float_format(number.abs(), kind, self.precision.unwrap_or(6), self.has('#'));
        Ok(self.number(number.is_sign_negative() && !number.is_nan(), "", &text))
    }
}

/// A non-negative float in the form `e`, `f` or `g` (capitals likewise).
pub(crate) fn float_format(number: f64, kind: char, precision: usize, alternate: bool) -> String {
    let text = if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'f' => format!("{number:.precision$}"),
            'e' => exponent_form(number, precision),
            _ => general_form(number, precision.max(1), alternate),
        }
    };
    let text = if alternate && !text.contains('.') && number.is_finite() { with_point(&text) } else { text };
    if kind.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

/// The decimal point that `#` asks for.
fn with_point(text: &str) -> String {
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{mantissa}.e{exponent}"),
        None => format!("{text}."),
    }
}

/// `ascii()` of Python, from `repr()`.
pub(crate) fn ascii(repr: &str) -> String {
    let mut out = String::new();
    for c in repr.chars() {
        if c.is_ascii() { out.push(c) } else { crate::value::write_escape(c, &mut out) }
    }
    out
}

fn exponent_form(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn general_form(number: f64, precision: usize, alternate: bool) -> String {
    let scientific = exponent_form(number, precision - 1);
    let exponent: i64 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let wide = i64::try_from(precision).unwrap_or(i64::MAX);
    let strip = |text: &str| match text.contains('.') && !alternate {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if number != 0.0 && (exponent < -4 || exponent >= wide) {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
        return format!("{}e{exponent}", strip(mantissa));
    }
    let decimals = usize::try_from(wide - 1 - exponent).unwrap_or(0);
    strip(&format!("{number:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Tuple;

    fn format(text: &str, values: Vec<Value>) -> String {
        let values = Value::from(Tuple::from(values));
        printf(text, &values).unwrap_or_else(|error| error.detail().unwrap_or_default().to_owned())
    }

    #[test]
    fn values_are_formatted() {
        assert_eq!(format("%s-%r %%", vec!["a".into(), "b".into()]), "a-'b' %");
        assert_eq!(
            format("%05d|%-5d|%+d|% d|%x|%#o", [42, 42, 42, 42, 255, 8].map(Value::from).to_vec()),
            "00042|42   |+42| 42|ff|0o10"
        );
        assert_eq!(
            format("%.2f|%8.3f|%e|%g|%g", [1.005, 2.5, 12345.678, 1e-5, 100000.0].map(Value::from).to_vec()),
            "1.00|   2.500|1.234568e+04|1e-05|100000"
        );
        assert_eq!(
            format("%c%c|%.2s|%*d", vec![65.into(), "z".into(), "abc".into(), 4.into(), 7.into()]),
            "Az|ab|   7"
        );
    }

    #[test]
    fn wrong_formats_fail_as_in_python() {
        assert_eq!(format("%s", vec![]), "not enough arguments for format string");
        assert_eq!(format("x", vec![1.into()]), "not all arguments converted during string formatting");
        assert_eq!(format("%d", vec!["a".into()]), "%d format: a real number is required, not str");
        assert_eq!(format("%", vec![]), "incomplete format");
        assert_eq!(format("%(a)s", vec![1.into()]), "format requires a mapping");
        assert_eq!(format("%y", vec![1.into()]), "unsupported format character 'y' (0x79) at index 0");
    }
}
