//! Filters on text.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::{Function, defined};
use crate::binder::signature;
use crate::failure::{raised, type_error};
use crate::json::{self, Layout};
use crate::methods::title;
use crate::text::split_lines;
use crate::value::{is_true, py_str, type_name};

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("capitalize", |_, args| {
        with_text("do_capitalize", args, |text| {
            let lower = text.to_lowercase();
            let mut chars = lower.chars();
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
        })
    }),
    ("lower", |_, args| with_text("do_lower", args, |text| text.to_lowercase())),
    ("upper", |_, args| with_text("do_upper", args, |text| text.to_uppercase())),
    ("string", |_, args| with_text("soft_str", args, |text| text)),
    ("title", |_, args| with_text("do_title", args, |text| title(&text))),
    ("center", |_, args| center(args)),
    ("e", |state, args| escape(state, args)),
    ("escape", |state, args| escape(state, args)),
    ("forceescape", |_, args| with_text("do_forceescape", args, |text| escaped(&text))),
    ("indent", |_, args| indent(args)),
    ("replace", |_, args| replace(args)),
    ("trim", |_, args| trim(args)),
    ("truncate", |_, args| truncate(args)),
    ("tojson", |_, args| tojson(args)),
    ("urlencode", |_, args| urlencode(args)),
    ("wordcount", |_, args| wordcount(args)),
    ("wordwrap", |_, args| wordwrap(args)),
    ("format", |_, args| format(args)),
    ("striptags", |_, args| with_text("do_striptags", args, |text| striptags(&text))),
];

/// A filter without parameters on the text form of anything.
fn with_text(name: &'static str, args: &[Value], change: impl FnOnce(String) -> String) -> Result<Value, Error> {
    let slots = signature(name, &["s"], 1).bind(args)?;
    Ok(Value::from(change(py_str(defined(slots[0].as_ref())?))))
}

/// A slot as an integer.
pub(super) fn integer(slot: Option<&Value>, default: i64) -> Result<i64, Error> {
    match slot {
        None => Ok(default),
        Some(value) => match crate::value::number_of(value) {
            Some(crate::value::Number::Int(number)) => {
                i64::try_from(number).map_err(|_| type_error("integer out of range"))
            }
            _ => Err(type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                type_name(defined(Some(value))?)
            ))),
        },
    }
}

fn center(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_center", &["value", "width"], 1).bind(args)?;
    let width = integer(slots[1].as_ref(), 80)?;
    Ok(Value::from(crate::methods::center(&py_str(defined(slots[0].as_ref())?), width, ' ')))
}

/// `&`, `<`, `>` and quotes as HTML entities.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("escape", &["s"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    if value.is_safe() {
        return Ok(value.clone());
    }
    Ok(Value::from_safe_string(escaped(&py_str(value))))
}

fn indent(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_indent", &["s", "width", "first", "blank"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let Some(text) = value.as_str() else {
        return Err(type_error(format!("unsupported operand type(s) for +=: '{}' and 'str'", type_name(value))));
    };
    let indentation = match &slots[1] {
        Some(width) if width.kind() == ValueKind::String => py_str(width),
        width => " ".repeat(usize::try_from(integer(width.as_ref(), 4)?).unwrap_or(0)),
    };
    let (first, blank) = (slots[2].as_ref().map_or(Ok(false), is_true)?, slots[3].as_ref().map_or(Ok(false), is_true)?);
    // Upstream appends a newline, so that a final one is kept.
    let text = format!("{text}\n");
    let lines = split_lines(&text);
    let body = if blank {
        lines.join(&format!("\n{indentation}"))
    } else {
        let mut body = lines.first().copied().unwrap_or_default().to_owned();
        for line in lines.iter().skip(1) {
            body.push('\n');
            if !line.is_empty() {
                body.push_str(&indentation);
                body.push_str(line);
            }
        }
        body
    };
    Ok(Value::from(if first { indentation + &body } else { body }))
}

fn replace(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_replace", &["s", "old", "new", "count"], 3).bind(args)?;
    let text = py_str(defined(slots[0].as_ref())?);
    let (old, new) = (py_str(defined(slots[1].as_ref())?), py_str(defined(slots[2].as_ref())?));
    let count = slots[3].as_ref().filter(|count| !count.is_none()).map(|count| integer(Some(count), -1)).transpose()?;
    Ok(Value::from(crate::methods::replace(&text, &old, &new, count.unwrap_or(-1))))
}

fn trim(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_trim", &["value", "chars"], 1).bind(args)?;
    let text = py_str(defined(slots[0].as_ref())?);
    let chars = slots[1].as_ref().filter(|chars| !chars.is_none()).map(py_str);
    Ok(Value::from(match chars {
        Some(chars) => text.trim_matches(|c| chars.contains(c)),
        None => text.trim(),
    }))
}

fn truncate(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_truncate", &["s", "length", "killwords", "end", "leeway"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let no_length = || type_error(format!("object of type '{}' has no len()", type_name(value)));
    let end = slots[3].as_ref().map_or_else(|| "...".to_owned(), py_str);
    let (length, leeway) = (integer(slots[1].as_ref(), 255)?, integer(slots[4].as_ref(), 5)?);
    let end_length = i64::try_from(end.chars().count()).unwrap_or(i64::MAX);
    let assertion = |message: String| raised(crate::error::ErrorKind::Assertion, message);
    if length < end_length {
        return Err(assertion(format!("expected length >= {end_length}, got {length}")));
    }
    if leeway < 0 {
        return Err(assertion(format!("expected leeway >= 0, got {leeway}")));
    }
    let Some(text) = value.as_str() else {
        let short = i64::try_from(value.len().ok_or_else(no_length)?).is_ok_and(|count| count <= length + leeway);
        return if short { Ok(value.clone()) } else { Err(type_error("can only truncate text")) };
    };
    let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if count <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let kept: String = text.chars().take(usize::try_from(length - end_length).unwrap_or(0)).collect();
    if slots[2].as_ref().map_or(Ok(false), is_true)? {
        return Ok(Value::from(kept + &end));
    }
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(head, _)| head);
    Ok(Value::from(format!("{kept}{end}")))
}

fn tojson(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_tojson", &["value", "indent"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())
        .map_err(|_| type_error("Object of type StrictUndefined is not JSON serializable"))?;
    let indent =
        slots[1].as_ref().filter(|indent| !indent.is_none()).map(|indent| integer(Some(indent), 0)).transpose()?;
    let indent = indent.map(|indent| usize::try_from(indent).unwrap_or(0));
    let text = json::to_json(value, Layout { sort_keys: true, indent })?;
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::from_safe_string(text))
}

fn urlencode(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_urlencode", &["value"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    if value.kind() != ValueKind::Map && !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(Value::from(quoted(&py_str(value), true)));
    }
    let quote = |value: &Value| quoted(&py_str(value), false).replace("%20", "+");
    let pairs = crate::methods::pairs_of(value)?;
    let parts: Vec<_> = pairs.iter().map(|(key, value)| format!("{}={}", quote(key), quote(value))).collect();
    Ok(Value::from(parts.join("&")))
}

fn quoted(text: &str, keep_slash: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let keep = byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || (keep_slash && byte == b'/');
        if keep { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
    out
}

fn wordcount(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_wordcount", &["s"], 1).bind(args)?;
    let text = py_str(defined(slots[0].as_ref())?);
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    Ok(Value::from(words.count()))
}

fn wordwrap(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_wordwrap", &["s", "width", "break_long_words", "wrapstring", "break_on_hyphens"], 1)
        .bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let text = value.as_str().ok_or_else(|| {
        raised(crate::error::ErrorKind::Type, format!("'{}' object has no attribute 'splitlines'", type_name(value)))
    })?;
    let width = usize::try_from(integer(slots[1].as_ref(), 79)?).unwrap_or(0);
    if width == 0 {
        return Err(crate::failure::value_error("invalid width 0 (must be > 0)"));
    }
    let break_long = slots[2].as_ref().map_or(Ok(true), is_true)?;
    let hyphens = slots[4].as_ref().map_or(Ok(true), is_true)?;
    let wrap_with = slots[3].as_ref().filter(|value| !value.is_none()).map_or_else(|| "\n".to_owned(), py_str);
    let lines: Vec<String> =
        split_lines(text).into_iter().map(|line| wrap(line, width, break_long, hyphens).join(&wrap_with)).collect();
    Ok(Value::from(lines.join(&wrap_with)))
}

/// `textwrap.wrap` of one line, without expanding or replacing white space.
fn wrap(line: &str, width: usize, break_long: bool, hyphens: bool) -> Vec<String> {
    let mut chunks = chunks(line, hyphens);
    chunks.reverse();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let (mut current, mut length) = (Vec::new(), 0);
        if !lines.is_empty() && chunks.last().is_some_and(|chunk: &String| chunk.trim().is_empty()) {
            chunks.pop();
        }
        while let Some(chunk) = chunks.last() {
            let size = chunk.chars().count();
            if length + size > width {
                break;
            }
            length += size;
            current.extend(chunks.pop());
        }
        if let Some(chunk) = chunks.last_mut().filter(|chunk| chunk.chars().count() > width) {
            if break_long {
                let room = (width - length).max(1);
                let head: String = chunk.chars().take(room).collect();
                *chunk = chunk.chars().skip(room).collect();
                current.push(head);
            } else if current.is_empty() {
                current.extend(chunks.pop());
            }
        }
        if current.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Words and the white space between them; words end after a hyphen inside them.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut previous: Option<char> = None;
    let chars: Vec<char> = line.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let boundary = match previous {
            None => true,
            Some(p) if p.is_whitespace() != c.is_whitespace() => true,
            Some('-') if hyphens => index >= 2 && chars[index - 2].is_alphanumeric() && c.is_alphabetic(),
            Some(_) => false,
        };
        match chunks.last_mut() {
            Some(chunk) if !boundary => chunk.push(c),
            _ => chunks.push(c.to_string()),
        }
        previous = Some(c);
    }
    chunks
}

fn format(args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = crate::binder::split_named(args);
    let text = py_str(defined(positional.first())?);
    if positional.len() > 1 && !named.is_empty() {
        return Err(type_error("can't handle positional and keyword arguments at the same time"));
    }
    let values = if named.is_empty() {
        Value::from(minijinja::value::Tuple::from(positional.get(1..).unwrap_or_default()))
    } else {
        crate::value::new_dict(named.into_iter().map(|(name, value)| (Value::from(name), value)).collect())
    };
    crate::printf::printf(&text, &values).map(Value::from)
}

fn striptags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let comment = rest[start..].starts_with("<!--");
        let end = if comment {
            rest[start..].find("-->").map(|end| end + 3)
        } else {
            rest[start..].find('>').map(|end| end + 1)
        };
        let Some(end) = end else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + end..];
    }
    out.push_str(rest);
    let text = out.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (entity, plain)| text.replace(entity, plain))
}
