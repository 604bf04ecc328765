//! Filters on text.

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Error, State};

use super::{Function, defined};
use crate::binder::signature;
use crate::budget;
use crate::failure::{raised, type_error};
use crate::json::{self, Layout};
use crate::methods::title;
use crate::text::split_lines;
use crate::value::{is_true, py_str, type_name};

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("capitalize", |_, args| with_text("do_capitalize", args, |text| crate::methods::capitalized(&text))),
    ("lower", |_, args| with_text("do_lower", args, |text| text.to_lowercase())),
    ("upper", |_, args| with_text("do_upper", args, |text| text.to_uppercase())),
    ("string", |_, args| with_text("soft_str", args, |text| text)),
    ("title", |_, args| with_text("do_title", args, |text| title(&text))),
    ("center", |_, args| center(args)),
    ("e", |state, args| escape(state, args)),
    ("escape", |state, args| escape(state, args)),
    ("forceescape", |_, args| {
        signature("do_forceescape", &["value"], 1)
            .bind(args)
            .and_then(|slots| Ok(Value::from_safe_string(escaped(&py_str(defined(slots[0].as_ref())?)))))
    }),
    ("indent", |_, args| indent(args)),
    ("replace", |state, args| replace(state, args)),
    ("trim", |_, args| trim(args)),
    ("truncate", |_, args| truncate(args)),
    ("tojson", |_, args| tojson(args)),
    ("urlencode", |_, args| urlencode(args)),
    ("wordcount", |_, args| wordcount(args)),
    ("format", |_, args| format(args)),
    ("striptags", |_, args| {
        signature("do_striptags", &["value"], 1)
            .bind(args)
            .and_then(|slots| Ok(Value::from(striptags(&py_str(defined(slots[0].as_ref())?)))))
    }),
];

/// A filter without parameters on the text form of anything; what is escaped stays so.
fn with_text(name: &'static str, args: &[Value], change: impl FnOnce(String) -> String) -> Result<Value, Error> {
    let slots = signature(name, &["s"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    Ok(like(value, change(py_str(value))))
}

/// A text that counts as escaped if `value` does.
pub(crate) fn like(value: &Value, text: String) -> Value {
    if value.is_safe() { Value::from_safe_string(text) } else { Value::from(text) }
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
    crate::methods::center(&py_str(defined(slots[0].as_ref())?), width, ' ').map(Value::from)
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
        width => {
            let width = usize::try_from(integer(width.as_ref(), 4)?).unwrap_or(0);
            budget::reserve(width)?;
            " ".repeat(width)
        }
    };
    let (first, blank) = (slots[2].as_ref().map_or(Ok(false), is_true)?, slots[3].as_ref().map_or(Ok(false), is_true)?);
    // Upstream appends a newline, so that a final one is kept.
    let text = format!("{text}\n");
    let lines = split_lines(&text);
    budget::reserve(text.len().saturating_add(lines.len().saturating_mul(indentation.len())))?;
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

fn replace(state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_replace", &["s", "old", "new", "count"], 3).bind(args)?;
    let text = py_str(defined(slots[0].as_ref())?);
    let (old, new) = (py_str(defined(slots[1].as_ref())?), py_str(defined(slots[2].as_ref())?));
    let count = slots[3].as_ref().filter(|count| !count.is_none()).map(|count| integer(Some(count), -1)).transpose()?;
    let count = count.unwrap_or(-1);
    let safe = |index: usize| slots[index].as_ref().is_some_and(Value::is_safe);
    if state.auto_escape() == &AutoEscape::None || !(safe(0) || safe(1) || safe(2)) {
        return crate::methods::replace(&text, &old, &new, count).map(Value::from);
    }
    let text = if safe(0) { text } else { escaped(&text) };
    let new = if safe(2) { new } else { escaped(&new) };
    crate::methods::replace(&text, &old, &new, count).map(Value::from_safe_string)
}

fn trim(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_trim", &["value", "chars"], 1).bind(args)?;
    let text = py_str(defined(slots[0].as_ref())?);
    let chars = slots[1].as_ref().filter(|chars| !chars.is_none()).map(py_str);
    let kept = match chars {
        Some(chars) => text.trim_matches(|c| chars.contains(c)),
        None => text.trim_matches(crate::text::is_space),
    };
    Ok(like(slots[0].as_ref().unwrap_or(&Value::UNDEFINED), kept.to_owned()))
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
    let indent = match slots[1].as_ref().filter(|indent| !indent.is_none()) {
        None => None,
        Some(indent) if indent.as_str().is_some() => Some(py_str(indent)),
        Some(indent) => {
            let count = usize::try_from(integer(Some(indent), 0)?).unwrap_or(0);
            if count > 1000 {
                return Err(raised(crate::error::ErrorKind::Limit, "the indentation is too large"));
            }
            Some(" ".repeat(count))
        }
    };
    let text = json::to_json(value, &Layout { sort_keys: true, indent })?;
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
    crate::printf::printf(&text, &crate::operators::escaped_for(positional.first(), &values)?)
        .map(|text| like(positional.first().unwrap_or(&Value::UNDEFINED), text))
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
