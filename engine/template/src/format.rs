//! `str.format` with its mini language.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::error::ErrorKind;
use crate::failure::{raised, type_error, value_error};
use crate::printf::float_format;
use crate::value::{Number, float_text, number_of, py_repr, py_str, type_name, undefined};

/// `text.format(*positional, **named)`.
pub(crate) fn str_format(text: &str, positional: &[Value], named: &[(String, Value)]) -> Result<String, Error> {
    let mut arguments = Arguments { positional, named, next: 0, numbered: None };
    arguments.fill(text, 0)
}

struct Arguments<'a> {
    positional: &'a [Value],
    named: &'a [(String, Value)],
    next: usize,
    /// Whether fields give their number themselves; a text must not mix both.
    numbered: Option<bool>,
}

impl Arguments<'_> {
    fn fill(&mut self, text: &str, depth: usize) -> Result<String, Error> {
        if depth > 2 {
            return Err(value_error("Max string recursion exceeded"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let tail = &rest[at..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                out.push_str(&tail[..1]);
                rest = &tail[2..];
            } else if tail.starts_with('}') {
                return Err(value_error("Single '}' encountered in format string"));
            } else {
                let end = closing(tail)?;
                out.push_str(&self.field(&tail[1..end], depth)?);
                rest = &tail[end + 1..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&mut self, field: &str, depth: usize) -> Result<String, Error> {
        let (head, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match head.split_once('!') {
            Some((name, conversion)) => (name, Some(conversion)),
            None => (head, None),
        };
        let value = self.value(name)?;
        let spec = self.fill(spec, depth + 1)?;
        let value = match conversion {
            None if value.is_undefined() => return Err(undefined(&value)),
            None => value,
            Some("r") => Value::from(py_repr(&value)),
            Some("a") => Value::from(crate::printf::ascii(&py_repr(&value))),
            Some("s") if value.is_undefined() => return Err(undefined(&value)),
            Some("s") => Value::from(py_str(&value)),
            Some(other) => return Err(value_error(format!("Unknown conversion specifier {other}"))),
        };
        format_value(&value, &spec)
    }

    fn value(&mut self, name: &str) -> Result<Value, Error> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let mut value = if first.is_empty() || first.bytes().all(|byte| byte.is_ascii_digit()) {
            let by_number = !first.is_empty();
            if self.numbered.is_some_and(|known| known != by_number) {
                let (from, to) = ("manual field specification", "automatic field numbering");
                let (from, to) = if by_number { (to, from) } else { (from, to) };
                return Err(value_error(format!("cannot switch from {from} to {to}")));
            }
            self.numbered = Some(by_number);
            let index = first.parse().unwrap_or_else(|_| {
                self.next += 1;
                self.next - 1
            });
            let missing = || {
                raised(ErrorKind::Index, format!("Replacement index {index} out of range for positional args tuple"))
            };
            self.positional.get(index).cloned().ok_or_else(missing)?
        } else {
            let found = self.named.iter().find(|(key, _)| key == first);
            found.map(|(_, value)| value.clone()).ok_or_else(|| raised(ErrorKind::Key, format!("'{first}'")))?
        };
        while !path.is_empty() {
            if let Some(rest) = path.strip_prefix('[') {
                let end = rest.find(']').ok_or_else(|| value_error("Missing ']' in format string"))?;
                let key = &rest[..end];
                let key_value = key.parse::<u32>().map_or_else(|_| Value::from(key), Value::from);
                value = value.get_item(&key_value)?;
                if value.is_undefined() {
                    return Err(raised(ErrorKind::Key, format!("'{key}'")));
                }
                path = &rest[end + 1..];
            } else {
                // Python's attributes are not reachable from templates.
                return Err(raised(
                    ErrorKind::Attribute,
                    format!("'{}' object has no attribute '{}'", type_name(&value), path.trim_start_matches('.')),
                ));
            }
        }
        Ok(value)
    }
}

fn closing(text: &str) -> Result<usize, Error> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(value_error(if text.len() == 1 {
        "Single '{' encountered in format string"
    } else {
        "expected '}' before end of string"
    }))
}

#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str) -> Result<Spec, Error> {
    let mut spec = Spec::default();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
    if is_align(chars.get(1)) {
        spec.fill = chars.first().copied();
        spec.align = chars.get(1).copied();
        at = 2;
    } else if is_align(chars.first()) {
        spec.align = chars.first().copied();
        at = 1;
    }
    let take = |at: &mut usize, allowed: &str| {
        let found = chars.get(*at).copied().filter(|c| allowed.contains(*c));
        *at += usize::from(found.is_some());
        found
    };
    spec.sign = take(&mut at, "+- ");
    spec.alternate = take(&mut at, "#").is_some();
    spec.zero = take(&mut at, "0").is_some();
    let digits = |at: &mut usize| {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        chars[start..*at].iter().collect::<String>()
    };
    spec.width = digits(&mut at).parse().unwrap_or(0);
    spec.grouping = take(&mut at, ",_");
    if take(&mut at, ".").is_some() {
        spec.precision = Some(digits(&mut at).parse().map_err(|_| value_error("Format specifier missing precision"))?);
    }
    spec.kind = chars.get(at).copied();
    if at + 1 < chars.len() {
        return Err(value_error("Invalid format specifier"));
    }
    if spec.width > 1_000_000 || spec.precision.unwrap_or(0) > 100_000 {
        return Err(raised(ErrorKind::Limit, "the formatted text is too large"));
    }
    Ok(spec)
}

fn format_value(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return Ok(py_str(value));
    }
    let spec = parse(spec)?;
    match (value.kind(), number_of(value)) {
        (ValueKind::String, _) => text(&spec, &py_str(value)),
        (_, Some(number)) => self::number(&spec, number, type_name(value)),
        _ => Err(type_error(format!("unsupported format string passed to {}.__format__", type_name(value)))),
    }
}

fn unknown_code(spec: &Spec, kind: &str) -> Error {
    value_error(format!("Unknown format code '{}' for object of type '{kind}'", spec.kind.unwrap_or(' ')))
}

fn text(spec: &Spec, text: &str) -> Result<String, Error> {
    if spec.kind.is_some_and(|kind| kind != 's') {
        return Err(unknown_code(spec, "str"));
    }
    if let Some(separator) = spec.grouping {
        return Err(value_error(format!("Cannot specify '{separator}' with 's'.")));
    }
    if spec.sign.is_some() {
        return Err(value_error("Sign not allowed in string format specifier"));
    }
    if spec.align == Some('=') {
        return Err(value_error("'=' alignment not allowed in string format specifier"));
    }
    let cut: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
    Ok(aligned(spec, "", &cut, '<'))
}

fn aligned(spec: &Spec, sign: &str, body: &str, default: char) -> String {
    let zero = spec.zero && spec.align.is_none() && default == '>';
    let align = spec.align.unwrap_or(if zero { '=' } else { default });
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    let missing = spec.width.saturating_sub(sign.chars().count() + body.chars().count());
    let fill = |count: usize| fill.to_string().repeat(count);
    match align {
        '<' => format!("{sign}{body}{}", fill(missing)),
        '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{sign}{}{body}", fill(missing)),
        _ => format!("{}{sign}{body}", fill(missing)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Python does")]
fn number(spec: &Spec, number: Number, kind_name: &str) -> Result<String, Error> {
    let mut prefix = String::new();
    let (negative, body) = match (number, spec.kind) {
        (Number::Int(number), None | Some('d' | 'n')) => {
            if spec.precision.is_some() {
                return Err(value_error("Precision not allowed in integer format specifier"));
            }
            (number < 0, number.unsigned_abs().to_string())
        }
        (Number::Int(number), Some(kind @ ('x' | 'X' | 'o' | 'b'))) => {
            let magnitude = number.unsigned_abs();
            let digits = match kind {
                'x' => format!("{magnitude:x}"),
                'X' => format!("{magnitude:X}"),
                'o' => format!("{magnitude:o}"),
                _ => format!("{magnitude:b}"),
            };
            if spec.grouping == Some(',') {
                return Err(value_error(format!("Cannot specify ',' with '{kind}'.")));
            }
            if spec.alternate {
                prefix = format!("0{kind}");
            }
            (number < 0, digits)
        }
        (Number::Int(number), Some('c')) => {
            let c = u32::try_from(number).ok().and_then(char::from_u32);
            let c = c.ok_or_else(|| raised(ErrorKind::Overflow, "%c arg not in range(0x110000)"))?;
            return Ok(aligned(spec, "", &c.to_string(), '>'));
        }
        (number, Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'n'))) => {
            let kind = if kind == 'n' { 'g' } else { kind };
            let value = match number {
                Number::Int(number) => number as f64,
                Number::Float(number) => number,
            };
            let precision = spec.precision.unwrap_or(6);
            let body = match kind {
                '%' => float_format((value * 100.0).abs(), 'f', precision, spec.alternate) + "%",
                kind => float_format(value.abs(), kind, precision, spec.alternate),
            };
            (value.is_sign_negative() && !value.is_nan(), body)
        }
        (Number::Float(value), None) => {
            let body = match spec.precision {
                None => float_text(value.abs()),
                Some(precision) => {
                    let text = short_float(value.abs(), precision.max(1), spec.alternate);
                    if text.contains(['.', 'e', 'n']) { text } else { text + ".0" }
                }
            };
            (value.is_sign_negative() && !value.is_nan(), body)
        }
        _ => return Err(unknown_code(spec, kind_name)),
    };
    let size = if matches!(spec.kind, Some('x' | 'X' | 'o' | 'b')) { 4 } else { 3 };
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    let sign = format!("{sign}{prefix}");
    let body = match spec.grouping {
        Some(separator) => {
            let zeros = spec.zero && matches!(spec.align, None | Some('='));
            let width = if zeros { spec.width.saturating_sub(sign.len()) } else { 0 };
            grouped(&body, separator, size, width)
        }
        None => body,
    };
    Ok(aligned(spec, &sign, &body, '>'))
}

/// A float with a precision but without a kind: as `g`, but one digit earlier with an exponent.
fn short_float(number: f64, precision: usize, alternate: bool) -> String {
    let scientific = float_format(number, 'e', precision - 1, false);
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i64>().ok()).unwrap_or(0);
    let large = i64::try_from(precision).is_ok_and(|precision| exponent == precision - 1);
    if !large || !number.is_finite() {
        return float_format(number, 'g', precision, alternate);
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "+00"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    format!("{mantissa}e{exponent}")
}

/// The digits before the point in groups of `size`, with zeros before them up to `width`.
fn grouped(body: &str, separator: char, size: usize, width: usize) -> String {
    let end =
        body.find(|c: char| !c.is_ascii_alphanumeric() || (size == 3 && !c.is_ascii_digit())).unwrap_or(body.len());
    let (digits, rest) = body.split_at(end);
    let mut digits = digits.to_owned();
    let length = |count: usize| count + count.saturating_sub(1) / size + rest.len();
    while length(digits.len()) < width {
        digits.insert(0, '0');
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % size == 0 {
            out.push(separator);
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str, values: &[Value]) -> String {
        str_format(text, values, &[("n".to_owned(), Value::from(1))])
            .unwrap_or_else(|error| error.detail().unwrap_or_default().to_owned())
    }

    #[test]
    fn the_mini_language() {
        assert_eq!(format("{0} {n} {{}} {1!r}", &["a".into(), "b".into()]), "a 1 {} 'b'");
        assert_eq!(
            format("{:>5}|{:<5}|{:^5}|{:*^5}", &["a", "b", "c", "d"].map(Value::from)),
            "    a|b    |  c  |**d**"
        );
        assert_eq!(
            format(
                "{:05.1f}|{:,}|{:.1%}|{:x}|{:+d}",
                &[Value::from(2.34), Value::from(1_234_567), Value::from(0.256), Value::from(255), Value::from(3)]
            ),
            "002.3|1,234,567|25.6%|ff|+3"
        );
    }

    #[test]
    fn wrong_formats_are_errors() {
        assert_eq!(format("{}", &[]), "Replacement index 0 out of range for positional args tuple");
        assert_eq!(format("{x}", &[]), "'x'");
        assert_eq!(format("}", &[]), "Single '}' encountered in format string");
        assert_eq!(format("{:d}", &["a".into()]), "Unknown format code 'd' for object of type 'str'");
        assert_eq!(format("{0.__class__}", &["a".into()]), "'str' object has no attribute '__class__'");
    }
}
