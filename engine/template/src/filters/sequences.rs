//! Filters that take sequences apart or reorder them.

use std::collections::HashSet;

use minijinja::value::Value;
use minijinja::{Error, State};

use super::strings::{escaped, integer};
use super::{Function, defined};
use crate::binder::{signature, split_named};
use crate::budget;
use crate::failure::{raised, type_error};
use crate::methods::{joined, sequence, sort_keyed};
use crate::value::{
    Number, compare, hashable, is_true, new_list, number_of, parent_name, py_str, type_name, undefined,
};

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("count", |_, args| length(args)),
    ("length", |_, args| length(args)),
    ("first", |_, args| first(args)),
    ("last", |_, args| last(args)),
    ("list", |_, args| list(args)),
    ("reverse", |_, args| reverse(args)),
    ("join", |state, args| join(state, args)),
    ("batch", |_, args| batch(args)),
    ("slice", |_, args| slice(args)),
    ("sort", |_, args| sort(args)),
    ("unique", |_, args| unique(args)),
    ("min", |_, args| extreme("do_min", args, std::cmp::Ordering::Less)),
    ("max", |_, args| extreme("do_max", args, std::cmp::Ordering::Greater)),
    ("sum", |_, args| sum(args)),
    ("map", map),
    ("select", |state, args| select(state, args, true)),
    ("reject", |state, args| select(state, args, false)),
    ("selectattr", |state, args| select_attribute(state, args, true)),
    ("rejectattr", |state, args| select_attribute(state, args, false)),
];

/// The items of a filter's first argument.
pub(super) fn items(slot: Option<&Value>) -> Result<Vec<Value>, Error> {
    sequence(defined(slot)?)
}

/// The items of a filter that starts only when its first argument is true in Python.
fn items_if_any(slot: Option<&Value>) -> Result<Vec<Value>, Error> {
    let value = defined(slot)?;
    if is_true(value)? { sequence(value) } else { Ok(Vec::new()) }
}

/// One step of an attribute path; digits are an index.
fn step(value: &Value, part: &str) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(undefined(value));
    }
    match part.parse::<usize>() {
        Ok(index) => at(value, index),
        Err(_) => Ok(noted(value, &Value::from(part), value.get_attr(part)?)),
    }
}

fn at(value: &Value, index: usize) -> Result<Value, Error> {
    Ok(noted(value, &Value::from(index), value.get_item_by_index(index)?))
}

/// Remembers what was looked up where, if it was not there.
fn noted(parent: &Value, key: &Value, found: Value) -> Value {
    if found.is_undefined() {
        crate::scope::note_miss(parent_name(parent), key);
    }
    found
}

/// The value at `a.b.0`; a missing last step is undefined (or the default).
pub(super) fn attribute(value: &Value, path: &Value, default: Option<&Value>) -> Result<Value, Error> {
    if let Some(index) = path.as_usize() {
        return at(value, index);
    }
    let mut current = value.clone();
    for part in py_str(path).split('.') {
        current = step(&current, part)?;
        if let Some(default) = default.filter(|_| current.is_undefined()) {
            current = default.clone();
        }
    }
    Ok(current)
}

/// The sort and group key: strings ignore case unless told otherwise.
pub(super) fn folded(value: Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value,
    }
}

fn given(slot: Option<&Value>) -> Option<&Value> {
    slot.filter(|value| !value.is_none())
}

fn flag(slot: Option<&Value>) -> Result<bool, Error> {
    slot.map_or(Ok(false), is_true)
}

/// A whole number of rows in a float.
fn whole(size: f64) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and small")]
    (size.fract() == 0.0 && (0.0..1e9).contains(&size)).then_some(size as usize)
}

fn length(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("len", &["obj"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    value
        .len()
        .filter(|_| !crate::value::is_namespace(value))
        .map(Value::from)
        .ok_or_else(|| type_error(format!("object of type '{}' has no len()", type_name(value))))
}

fn empty(what: &str) -> Value {
    crate::scope::note_message(format!("No {what} item, sequence was empty."));
    Value::UNDEFINED
}

fn first(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_first", &["seq"], 1).bind(args)?;
    Ok(items(slots[0].as_ref())?.into_iter().next().unwrap_or_else(|| empty("first")))
}

fn last(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_last", &["seq"], 1).bind(args)?;
    Ok(items(slots[0].as_ref())?.pop().unwrap_or_else(|| empty("last")))
}

fn list(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_list", &["value"], 1).bind(args)?;
    items(slots[0].as_ref()).map(new_list)
}

fn reverse(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_reverse", &["value"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut items =
        sequence(value).map_err(|_| raised(crate::error::ErrorKind::Assertion, "argument must be iterable"))?;
    items.reverse();
    Ok(new_list(items))
}

fn join(state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_join", &["value", "d", "attribute"], 1).bind(args)?;
    let separator = slots[1].as_ref().map(|value| defined(Some(value)).map(py_str)).transpose()?.unwrap_or_default();
    let mut parts = Vec::new();
    for item in items(slots[0].as_ref())? {
        let item = given(slots[2].as_ref()).map_or(Ok(item.clone()), |path| attribute(&item, path, None))?;
        let item = defined(Some(&item))?;
        budget::reserve(item.as_str().map_or(0, str::len))?;
        parts.push(item.clone());
    }
    let safe_separator = slots[1].as_ref().is_some_and(Value::is_safe);
    let escapes = state.auto_escape() != &minijinja::AutoEscape::None;
    if !escapes || !(safe_separator || parts.iter().any(Value::is_safe)) {
        let parts: Vec<String> = parts.iter().map(py_str).collect();
        return joined(&parts, &separator).map(Value::from);
    }
    let escape = |part: &Value| if part.is_safe() { py_str(part) } else { escaped(&py_str(part)) };
    let parts: Vec<String> = parts.iter().map(escape).collect();
    let separator = if safe_separator { separator } else { escaped(&separator) };
    joined(&parts, &separator).map(Value::from_safe_string)
}

fn batch(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_batch", &["value", "linecount", "fill_with"], 2).bind(args)?;
    let items = items(slots[0].as_ref())?;
    // A number that no row reaches makes one row; 0 is reached by the empty one.
    let size = match slots[1].as_ref().and_then(number_of) {
        Some(Number::Int(size)) => usize::try_from(size).ok(),
        Some(Number::Float(size)) => whole(size),
        None => None,
    };
    let mut rows: Vec<Vec<Value>> = match size {
        _ if items.is_empty() => Vec::new(),
        Some(0) => vec![Vec::new(), items],
        Some(size) => items.chunks(size).map(<[Value]>::to_vec).collect(),
        None => vec![items],
    };
    if let (Some(fill), Some(row)) = (given(slots[2].as_ref()), rows.last_mut()) {
        let size = usize::try_from(integer(slots[1].as_ref(), 0)?).unwrap_or(0);
        budget::reserve_items(size)?;
        row.resize(size.max(row.len()), fill.clone());
    }
    Ok(new_list(rows.into_iter().map(new_list).collect()))
}

fn slice(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_slice", &["value", "slices", "fill_with"], 2).bind(args)?;
    let items = items(slots[0].as_ref())?;
    let wanted = integer(slots[1].as_ref(), 0)?;
    if wanted < 0 {
        return Ok(new_list(Vec::new()));
    }
    let columns = usize::try_from(wanted).unwrap_or(usize::MAX);
    budget::reserve_items(columns)?;
    if columns == 0 {
        return Err(raised(crate::error::ErrorKind::ZeroDivision, "integer division or modulo by zero"));
    }
    budget::reserve_times(columns, 100)?;
    let (size, extra) = (items.len() / columns, items.len() % columns);
    let mut rest = items.as_slice();
    let mut result = Vec::new();
    for column in 0..columns {
        let (head, tail) = rest.split_at((size + usize::from(column < extra)).min(rest.len()));
        let mut head = head.to_vec();
        if let Some(fill) = given(slots[2].as_ref()).filter(|_| column >= extra) {
            head.push(fill.clone());
        }
        rest = tail;
        result.push(new_list(head));
    }
    Ok(new_list(result))
}

fn sort(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_sort", &["value", "reverse", "case_sensitive", "attribute"], 1).bind(args)?;
    let (reverse, case_sensitive) = (flag(slots[1].as_ref())?, flag(slots[2].as_ref())?);
    let mut keyed = Vec::new();
    for item in items(slots[0].as_ref())? {
        let key = match given(slots[3].as_ref()) {
            None => folded(item.clone(), case_sensitive),
            Some(path) => sort_key(&item, path, case_sensitive)?,
        };
        keyed.push((key, item));
    }
    sort_keyed(&mut keyed, reverse)?;
    Ok(new_list(keyed.into_iter().map(|(_, item)| item).collect()))
}

/// `attribute` may name several, separated by commas.
fn sort_key(item: &Value, path: &Value, case_sensitive: bool) -> Result<Value, Error> {
    if path.as_usize().is_some() {
        return Ok(new_list(vec![folded(attribute(item, path, None)?, case_sensitive)]));
    }
    let paths = py_str(path);
    let mut first_miss = None;
    let mut keys = Vec::new();
    for path in paths.split(',') {
        let key = attribute(item, &Value::from(path), None)?;
        if key.is_undefined() && first_miss.is_none() {
            first_miss = crate::scope::last_miss_message();
        }
        keys.push(folded(key, case_sensitive));
    }
    if let Some(message) = first_miss {
        crate::scope::note_message(message);
    }
    Ok(new_list(keys))
}

fn unique(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_unique", &["value", "case_sensitive", "attribute"], 1).bind(args)?;
    let case_sensitive = flag(slots[1].as_ref())?;
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in items(slots[0].as_ref())? {
        let key = given(slots[2].as_ref()).map_or(Ok(item.clone()), |path| attribute(&item, path, None))?;
        let key = folded(defined(Some(&key))?.clone(), case_sensitive);
        hashable(&key)?;
        if seen.insert(by_number(key)) {
            kept.push(item);
        }
    }
    Ok(new_list(kept))
}

/// The key under which equal numbers of all kinds meet.
fn by_number(key: Value) -> Value {
    match number_of(&key) {
        Some(Number::Int(number)) => Value::from(number),
        Some(Number::Float(number)) if number.fract() == 0.0 && number.abs() < 1e18 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
            Value::from(number as i128)
        }
        _ => key,
    }
}

fn extreme(name: &'static str, args: &[Value], wanted: std::cmp::Ordering) -> Result<Value, Error> {
    let slots = signature(name, &["value", "case_sensitive", "attribute"], 1).bind(args)?;
    let case_sensitive = flag(slots[1].as_ref())?;
    let mut best: Option<(Value, Value)> = None;
    for item in items(slots[0].as_ref())? {
        let key = given(slots[2].as_ref()).map_or(Ok(item.clone()), |path| attribute(&item, path, None))?;
        let key = folded(key, case_sensitive);
        let better = match &best {
            None => true,
            Some((current, _)) => compare(&key, current)? == wanted,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| empty("aggregated"), |(_, item)| item))
}

fn sum(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_sum", &["iterable", "attribute", "start"], 1).bind(args)?;
    let mut total = slots[2].clone().unwrap_or_else(|| Value::from(0));
    if total.as_str().is_some() {
        return Err(type_error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    for item in items(slots[0].as_ref())? {
        let item = given(slots[1].as_ref()).map_or(Ok(item.clone()), |path| attribute(&item, path, None))?;
        total = crate::operators::add(&total, defined(Some(&item))?)?;
    }
    Ok(total)
}

fn map(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_named(args);
    let items = items_if_any(positional.first())?;
    let rest = positional.get(1..).unwrap_or_default();
    let option = |name: &str| named.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let mut mapped = Vec::new();
    if let Some(path) = option("attribute").filter(|_| rest.is_empty()) {
        let unknown = named.iter().find(|(name, _)| !matches!(name.as_str(), "attribute" | "default"));
        // Upstream looks at the arguments when the first item is asked for.
        if let Some((name, _)) = unknown.filter(|_| positional.first().is_some_and(Value::is_true)) {
            return Err(raised(crate::error::ErrorKind::Assertion, format!("Unexpected keyword argument '{name}'")));
        }
        for item in items {
            mapped.push(attribute(&item, path, option("default"))?);
        }
        return Ok(new_list(mapped));
    }
    let Some((name, extra)) = rest.split_first() else {
        return Err(raised(crate::error::ErrorKind::Assertion, "map requires a filter argument"));
    };
    let (name, bundle) = (py_str(name), args.last().filter(|last| last.is_kwargs()));
    for item in items {
        let mut call = vec![item];
        call.extend(extra.iter().cloned());
        call.extend(bundle.cloned());
        mapped.push(state.apply_filter(&name, &call)?);
    }
    Ok(new_list(mapped))
}

/// Whether `value` passes the test named first in `rest`; without one its truth.
fn passes(state: &mut State<'_, '_>, value: &Value, rest: &[Value]) -> Result<bool, Error> {
    let Some((name, extra)) = rest.split_first() else { return is_true(value) };
    let mut call = vec![value.clone()];
    call.extend(extra.iter().cloned());
    state.perform_test(&py_str(name), &call)
}

fn select(state: &mut State<'_, '_>, args: &[Value], wanted: bool) -> Result<Value, Error> {
    let mut kept = Vec::new();
    for item in items_if_any(args.first())? {
        if passes(state, &item, args.get(1..).unwrap_or_default())? == wanted {
            kept.push(item);
        }
    }
    Ok(new_list(kept))
}

fn select_attribute(state: &mut State<'_, '_>, args: &[Value], wanted: bool) -> Result<Value, Error> {
    let Some(path) = args.get(1) else {
        return Err(raised(crate::error::ErrorKind::Assertion, "Missing parameter for attribute name"));
    };
    let mut kept = Vec::new();
    for item in items_if_any(args.first())? {
        let value = attribute(&item, path, None)?;
        if passes(state, &value, args.get(2..).unwrap_or_default())? == wanted {
            kept.push(item);
        }
    }
    Ok(new_list(kept))
}
