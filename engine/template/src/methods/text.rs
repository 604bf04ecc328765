//! Methods of strings.

use minijinja::Error;
use minijinja::value::{Tuple, Value};

use super::{casing, sequence, unknown};
use crate::binder::{signature, split_named};
use crate::budget;
use crate::failure::{type_error, value_error};
use crate::format::str_format;
use crate::text::{is_space, split_lines, split_lines_keep};
use crate::value::{is_printable, is_true, new_list, py_str, type_name};

/// `str.METHOD(..)`.
pub(super) fn call(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(result) = without_arguments(text, method) {
        super::no_args(method, args)?;
        return Ok(result);
    }
    let by_name =
        matches!(method, "format" | "format_map" | "split" | "rsplit" | "splitlines" | "expandtabs" | "encode");
    if !by_name && args.last().is_some_and(Value::is_kwargs) {
        return Err(type_error(format!("str.{method}() takes no keyword arguments")));
    }
    match method {
        "center" => padded(text, method, args, center),
        "ljust" => padded(text, method, args, |text, width, fill| fill_to(text, width, fill, false)),
        "rjust" => padded(text, method, args, |text, width, fill| fill_to(text, width, fill, true)),
        "zfill" => zfill(text, args),
        "count" => count(text, args),
        "find" | "rfind" | "index" | "rindex" => find(text, method, args),
        "startswith" | "endswith" => affix(text, method, args),
        "encode" => encode(text, args),
        "expandtabs" => expand_tabs(text, args),
        "format" => {
            let (positional, named) = split_named(args);
            str_format(text, positional, &named).map(Value::from)
        }
        "format_map" => {
            let slots = signature("format_map", &["mapping"], 1).bind(args)?;
            let pairs = super::pairs_of(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))?;
            let named: Vec<_> = pairs.into_iter().map(|(key, value)| (py_str(&key), value)).collect();
            str_format(text, &[], &named).map(Value::from)
        }
        "join" => join(text, args),
        "strip" | "lstrip" | "rstrip" => strip(text, method, args),
        "partition" | "rpartition" => partition(text, method, args),
        "removeprefix" | "removesuffix" => remove_affix(text, method, args),
        "replace" => {
            let slots = signature("replace", &["old", "new", "count"], 2).bind(args)?;
            let count = slots[2].as_ref().map_or(Ok(-1), integer)?;
            replace(text, &string(&slots[0])?, &string(&slots[1])?, count).map(Value::from)
        }
        "split" | "rsplit" => split(text, method, args),
        "splitlines" => {
            let slots = signature("splitlines", &["keepends"], 0).bind(args)?;
            let keep = slots[0].as_ref().map_or(Ok(false), is_true)?;
            let lines = if keep { split_lines_keep(text) } else { split_lines(text) };
            Ok(new_list(lines.into_iter().map(Value::from).collect()))
        }
        _ => Err(unknown("str object", method)),
    }
}

/// Methods that take nothing.
fn without_arguments(text: &str, method: &str) -> Option<Value> {
    let all = |test: fn(char) -> bool| Value::from(!text.is_empty() && text.chars().all(test));
    Some(match method {
        "upper" => Value::from(text.to_uppercase()),
        "lower" => Value::from(text.to_lowercase()),
        "casefold" => Value::from(casing::folded(text)),
        "capitalize" => Value::from(casing::capitalized(text)),
        "swapcase" => Value::from(casing::swapped(text)),
        "title" => Value::from(casing::words(text, char::is_alphabetic)),
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isdecimal" => all(|c| casing::decimal_value(c).is_some()),
        "isdigit" => all(casing::is_digit),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(is_space),
        "isascii" => Value::from(text.is_ascii()),
        "isprintable" => Value::from(text.chars().all(is_printable)),
        "isidentifier" => {
            let mut chars = text.chars();
            let start = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
            Value::from(start && chars.all(|c| c.is_alphanumeric() || c == '_'))
        }
        "islower" => Value::from(cased(text, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::from(cased(text, char::is_uppercase, char::is_lowercase)),
        "istitle" => {
            Value::from(text.chars().any(char::is_alphabetic) && casing::words(text, char::is_alphabetic) == text)
        }
        _ => return None,
    })
}

/// Whether the letters with case are all of the `wanted` one.
fn cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(|c| other(c) || casing::is_title(c))
}

/// The `title` filter: words start after white space and `-({[<` only.
pub(crate) fn title(text: &str) -> String {
    let separates = |c: char| is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::new();
    for word in text.split_inclusive(separates) {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(&chars.as_str().to_lowercase());
    }
    out
}

fn string(slot: &Option<Value>) -> Result<String, Error> {
    match slot {
        Some(value) if value.is_undefined() => Err(crate::value::undefined(value)),
        Some(value) => value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| type_error(format!("must be str, not {}", type_name(value)))),
        None => Ok(String::new()),
    }
}

fn integer(value: &Value) -> Result<i64, Error> {
    match crate::value::number_of(value) {
        Some(crate::value::Number::Int(number)) => {
            Ok(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
        }
        _ => Err(type_error(format!("'{}' object cannot be interpreted as an integer", type_name(value)))),
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn missing_width(text: &str, width: i64) -> Result<usize, Error> {
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length(text));
    budget::reserve_times(missing, 4)?;
    Ok(missing)
}

/// `str.center`.
pub(crate) fn center(text: &str, width: i64, fill: char) -> Result<String, Error> {
    let missing = missing_width(text, width)?;
    let width = usize::try_from(width).unwrap_or(0);
    let left = missing / 2 + (missing & width & 1);
    Ok(format!("{}{text}{}", fill.to_string().repeat(left), fill.to_string().repeat(missing - left)))
}

fn fill_to(text: &str, width: i64, fill: char, left: bool) -> Result<String, Error> {
    let fill = fill.to_string().repeat(missing_width(text, width)?);
    Ok(if left { fill + text } else { text.to_owned() + &fill })
}

fn padded(
    text: &str,
    method: &str,
    args: &[Value],
    pad: impl Fn(&str, i64, char) -> Result<String, Error>,
) -> Result<Value, Error> {
    let slots = signature("pad", &["width", "fillchar"], 1).bind(args)?;
    let width = integer(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))?;
    let fill = slots[1].as_ref().map_or_else(|| " ".to_owned(), py_str);
    let mut chars = fill.chars();
    match (chars.next(), chars.next()) {
        (Some(fill), None) => pad(text, width, fill).map(Value::from),
        _ => Err(type_error(format!("{method}(): the fill character must be exactly one character long"))),
    }
}

fn zfill(text: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("zfill", &["width"], 1).bind(args)?;
    let missing = missing_width(text, integer(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))?)?;
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
    Ok(Value::from(format!("{sign}{}{digits}", "0".repeat(missing))))
}

/// `str.replace`; a negative count means all.
pub(crate) fn replace(text: &str, old: &str, new: &str, count: i64) -> Result<String, Error> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if new.len() > old.len() {
        let growth = text.matches(old).count().min(most).saturating_mul(new.len() - old.len());
        budget::reserve(growth.saturating_add(text.len()))?;
    }
    Ok(if most == usize::MAX { text.replace(old, new) } else { text.replacen(old, new, most) })
}

/// The parts with `separator` between them.
pub(crate) fn joined(parts: &[String], separator: &str) -> Result<String, Error> {
    budget::reserve_times(parts.len(), separator.len())?;
    Ok(parts.join(separator))
}

/// `[start:end]` of a text, and how many characters come before it.
fn window(text: &str, start: Option<&Value>, end: Option<&Value>) -> Result<Option<(String, usize)>, Error> {
    // The characters are counted and copied.
    crate::scope::charge(text.len())?;
    let size = i64::try_from(length(text)).unwrap_or(i64::MAX);
    let bound = |slot: Option<&Value>, default: i64| -> Result<i64, Error> {
        let value = slot.filter(|value| !value.is_none()).map_or(Ok(default), integer)?;
        Ok(if value < 0 { (value + size).max(0) } else { value })
    };
    let (start, end) = (bound(start, 0)?, bound(end, size)?.min(size));
    if start > end {
        return Ok(None);
    }
    let (start, count) = (usize::try_from(start).unwrap_or(0), usize::try_from(end - start).unwrap_or(0));
    Ok(Some((text.chars().skip(start).take(count).collect(), start)))
}

fn count(text: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("count", &["sub", "start", "end"], 1).bind(args)?;
    let wanted = string(&slots[0])?;
    let Some((part, _)) = window(text, slots[1].as_ref(), slots[2].as_ref())? else { return Ok(Value::from(0)) };
    Ok(Value::from(if wanted.is_empty() { length(&part) + 1 } else { part.matches(&wanted).count() }))
}

fn find(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("find", &["sub", "start", "end"], 1).bind(args)?;
    let wanted = string(&slots[0])?;
    let found = window(text, slots[1].as_ref(), slots[2].as_ref())?.and_then(|(part, before)| {
        let at = if method.starts_with('r') { part.rfind(&wanted) } else { part.find(&wanted) };
        at.map(|at| before + length(&part[..at]))
    });
    match found {
        Some(at) => Ok(Value::from(at)),
        None if method.ends_with("index") => Err(value_error("substring not found")),
        None => Ok(Value::from(-1)),
    }
}

fn affix(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("startswith", &["prefix", "start", "end"], 1).bind(args)?;
    let wanted = slots[0].clone().unwrap_or_default();
    let candidates = match wanted.as_str() {
        Some(_) => vec![wanted],
        None if wanted.is_tuple() => wanted.try_iter()?.collect(),
        None if wanted.is_undefined() => return Err(crate::value::undefined(&wanted)),
        None => {
            return Err(type_error(format!(
                "{method} first arg must be str or a tuple of str, not {}",
                type_name(&wanted)
            )));
        }
    };
    let Some((part, _)) = window(text, slots[1].as_ref(), slots[2].as_ref())? else { return Ok(Value::from(false)) };
    for candidate in &candidates {
        let text = candidate.as_str().ok_or_else(|| {
            type_error(format!("tuple for {method} must only contain str, not {}", type_name(candidate)))
        })?;
        if if method == "startswith" { part.starts_with(text) } else { part.ends_with(text) } {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

fn encode(text: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("encode", &["encoding", "errors"], 0).bind(args)?;
    let encoding = slots[0].as_ref().map_or_else(|| "utf-8".to_owned(), py_str).to_lowercase().replace('_', "-");
    match encoding.as_str() {
        "utf-8" | "utf8" => Ok(Value::from_bytes(text.as_bytes().to_vec())),
        "ascii" | "us-ascii" if text.is_ascii() => Ok(Value::from_bytes(text.as_bytes().to_vec())),
        "latin-1" | "latin1" | "iso-8859-1" if text.chars().all(|c| u32::from(c) < 256) => {
            Ok(Value::from_bytes(text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()))
        }
        "ascii" | "us-ascii" | "latin-1" | "latin1" | "iso-8859-1" => {
            Err(value_error(format!("'{encoding}' codec can't encode the text")))
        }
        _ => Err(value_error(format!("unknown encoding: {encoding}"))),
    }
}

fn expand_tabs(text: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("expandtabs", &["tabsize"], 0).bind(args)?;
    let size = usize::try_from(slots[0].as_ref().map_or(Ok(8), integer)?).unwrap_or(0);
    budget::reserve_times(text.matches('\t').count(), size)?;
    let (mut out, mut column) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\t' => {
                let blanks = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    Ok(Value::from(out))
}

fn join(text: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("join", &["iterable"], 1).bind(args)?;
    let mut parts = Vec::new();
    for (index, item) in sequence(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))?.iter().enumerate() {
        let part = item.as_str().map(str::to_owned);
        budget::reserve(part.as_ref().map_or(0, String::len))?;
        parts.push(part.ok_or_else(|| {
            type_error(format!("sequence item {index}: expected str instance, {} found", type_name(item)))
        })?);
    }
    joined(&parts, text).map(Value::from)
}

fn strip(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("strip", &["chars"], 0).bind(args)?;
    let given = slots[0].as_ref().filter(|chars| !chars.is_none());
    let chars = given.map(|chars| string(&Some(chars.clone()))).transpose()?;
    let cut = |c: char| chars.as_ref().map_or_else(|| is_space(c), |chars| chars.contains(c));
    Ok(Value::from(match method {
        "lstrip" => text.trim_start_matches(cut),
        "rstrip" => text.trim_end_matches(cut),
        _ => text.trim_matches(cut),
    }))
}

fn partition(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("partition", &["sep"], 1).bind(args)?;
    let separator = string(&slots[0])?;
    if separator.is_empty() {
        return Err(value_error("empty separator"));
    }
    let parts = match method {
        "partition" => text.split_once(&separator).map_or([text, "", ""], |(head, tail)| [head, &separator, tail]),
        _ => text.rsplit_once(&separator).map_or(["", "", text], |(head, tail)| [head, &separator, tail]),
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn remove_affix(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("removeprefix", &["affix"], 1).bind(args)?;
    let affix = string(&slots[0])?;
    let rest = if method == "removeprefix" { text.strip_prefix(&affix) } else { text.strip_suffix(&affix) };
    Ok(Value::from(rest.unwrap_or(text)))
}

fn split(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("split", &["sep", "maxsplit"], 0).bind(args)?;
    let most = usize::try_from(slots[1].as_ref().map_or(Ok(-1), integer)?).ok();
    let separator =
        slots[0].as_ref().filter(|value| !value.is_none()).map(|value| string(&Some(value.clone()))).transpose()?;
    // Parts may be one byte each.
    budget::reserve_times(text.len(), 8)?;
    let parts: Vec<Value> = match separator {
        Some(separator) if separator.is_empty() => return Err(value_error("empty separator")),
        Some(separator) => split_at(text, &separator, most, method == "rsplit"),
        None => split_words(text, most, method == "rsplit"),
    };
    Ok(new_list(parts))
}

fn split_at(text: &str, separator: &str, most: Option<usize>, from_end: bool) -> Vec<Value> {
    let limit = most.map_or(usize::MAX, |most| most.saturating_add(1));
    if from_end {
        let mut parts: Vec<Value> = text.rsplitn(limit, separator).map(Value::from).collect();
        parts.reverse();
        return parts;
    }
    text.splitn(limit, separator).map(Value::from).collect()
}

fn split_words(text: &str, most: Option<usize>, from_end: bool) -> Vec<Value> {
    let most = most.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = if from_end { text.trim_end_matches(is_space) } else { text.trim_start_matches(is_space) };
    while !rest.is_empty() {
        let cut = if from_end { rest.rfind(is_space) } else { rest.find(is_space) };
        let Some(at) = cut.filter(|_| parts.len() < most) else {
            parts.push(Value::from(rest));
            break;
        };
        let (head, tail) = rest.split_at(at);
        if from_end {
            parts.push(Value::from(tail.trim_start_matches(is_space)));
            rest = head.trim_end_matches(is_space);
        } else {
            parts.push(Value::from(head));
            rest = tail.trim_start_matches(is_space);
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}
