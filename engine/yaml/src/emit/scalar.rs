//! How a single scalar may be written.

use crate::dialect::Dialect;
use crate::resolve::{Resolved, is_base60, resolve};
use crate::timestamp;

/// Notation of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Where a string stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A key on one line with its value.
    SimpleKey,
    /// Anywhere else.
    Value,
}

/// The style of `text` at `place`.
pub(super) fn style(text: &str, place: Place) -> Style {
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if reads_as_string(text) {
        Style::Plain
    } else {
        Style::Double
    };
    let shape = Shape::of(text);
    match wanted {
        Style::Literal if place == Place::Value && shape.block => Style::Literal,
        Style::Plain if shape.plain => Style::Plain,
        Style::Plain if shape.single => Style::Single,
        _ => Style::Double,
    }
}

/// Whether `text` without quotes is a string for every reader of YAML 1.1 and 1.2.
pub fn is_plain_string(text: &str) -> bool {
    style(text, Place::Value) == Style::Plain
}

/// Whether every reader takes the plain text for a string.
fn reads_as_string(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return false;
    };
    if first == b'<' {
        return text != "<<";
    }
    if resolve(text, Dialect::GoV2) != Resolved::Text {
        return false;
    }
    if !matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return true;
    }
    resolve(text, Dialect::Yaml12) == Resolved::Text
        && resolve(text, Dialect::Python) == Resolved::Text
        && !is_base60(text)
        && !looks_like_python_number(text)
        && timestamp::to_rfc3339(text).is_none()
        && !looks_like_date(text)
}

/// Prefixed numbers beyond 64 bits, or without a digit (there Python fails).
fn looks_like_python_number(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |digits: &str, radix: u32| !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix));
    body.strip_prefix("0x").is_some_and(|digits| all(digits, 16))
        || body.strip_prefix("0b").is_some_and(|digits| all(digits, 2))
}

/// `YYYY-MM-DD`, or a shorter date before a time: Python reads or refuses what
/// Go leaves alone, such as `2024-02-30` or `2024-01-02T03:04:05`.
fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    if digits(0) != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let month = digits(5);
    if !(1..=2).contains(&month) || bytes.get(5 + month) != Some(&b'-') {
        return false;
    }
    let day = digits(6 + month);
    if !(1..=2).contains(&day) {
        return false;
    }
    match &bytes[6 + month + day..] {
        [] => (month, day) == (2, 2),
        [b'T' | b't' | b' ' | b'\t', time @ ..] => time.iter().filter(|b| **b == b':').count() >= 2,
        _ => false,
    }
}

/// Which notations the characters of a text allow in block context.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain: false, single: true, block: false };
        }
        let seen = Seen::scan(text);
        let edge = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
        let marker = text.starts_with("---") || text.starts_with("...");
        let escapes = seen.special || seen.blank_before_break;
        Self {
            plain: !(escapes || edge || marker || seen.line_break || seen.indicator || seen.blank_after_break),
            single: !(escapes || seen.blank_after_break),
            block: !(escapes || text.ends_with(' ')),
        }
    }
}

#[derive(Default)]
struct Seen {
    special: bool,
    line_break: bool,
    blank_before_break: bool,
    blank_after_break: bool,
    indicator: bool,
}

impl Seen {
    fn scan(text: &str) -> Self {
        let mut seen = Self::default();
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let next_blank = chars.peek().is_none_or(|next| is_blank_or_break(*next));
            seen.indicator |= match previous {
                None => starts_indicator(c, next_blank),
                Some(before) => (c == ':' && next_blank) || (c == '#' && is_blank_or_break(before)),
            };
            seen.special |= !is_printable(c);
            if c == '\n' {
                seen.line_break = true;
                seen.blank_before_break |= previous == Some(' ');
            }
            seen.blank_after_break |= c == ' ' && previous == Some('\n');
            previous = Some(c);
        }
        seen
    }
}

fn starts_indicator(c: char, next_blank: bool) -> bool {
    match c {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => true,
        '-' | '?' | ':' => next_blank,
        _ => false,
    }
}

fn is_blank_or_break(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_break(c)
}

/// Characters that need no escape. Go's yaml knows none beyond the basic
/// plane; line breaks other than `\n` would be changed by some readers.
pub(crate) fn is_printable(c: char) -> bool {
    match c {
        '\n' | ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' => false,
        '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' => true,
        _ => false,
    }
}

/// Line breaks of YAML 1.1.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`: the shortest digits that read
/// back, with an exponent when it is below -4 or at least 6.
pub fn format_float(value: f64) -> String {
    general(format!("{value:e}"), || value.to_string())
}

/// The same with 32 bits, as Go prints keys that are floats.
pub(crate) fn format_float32(value: f32) -> String {
    general(format!("{value:e}"), || value.to_string())
}

fn general(scientific: String, decimal: impl FnOnce() -> String) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..GENERAL_LIMIT).contains(&exponent) {
        return decimal();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The exponent from which Go's `g` form has one.
const GENERAL_LIMIT: i32 = 6;
