//! What [`crate::translate`] turns operators and literals into.

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Environment, Error, State};

use super::add;
use super::builtins::{is_range, sliced};
use crate::error::ErrorKind;
use crate::failure::{raised, type_error, value_error};
use crate::methods::sequence;
use crate::operators;
use crate::value::{
    Dict, List, Number, hashable, new_dict, new_list, number_of, parent_name, py_repr, py_str, type_name, undefined,
};
use crate::value::{nests_too_deep, watched};

type Binary = fn(&Value, &Value) -> Result<Value, Error>;

const BINARY: &[(&str, Binary)] = &[
    ("__add", operators::add),
    ("__sub", operators::subtract),
    ("__mul", operators::multiply),
    ("__div", operators::divide),
    ("__floordiv", operators::floor_divide),
    ("__mod", operators::modulo),
    ("__pow", operators::power),
    ("__eq", |left, right| operators::equal(left, right).map(Value::from)),
    ("__ne", |left, right| operators::equal(left, right).map(|equal| Value::from(!equal))),
    ("__lt", |left, right| ordered(left, right, "<", std::cmp::Ordering::is_lt)),
    ("__le", |left, right| ordered(left, right, "<=", std::cmp::Ordering::is_le)),
    ("__gt", |left, right| ordered(left, right, ">", std::cmp::Ordering::is_gt)),
    ("__ge", |left, right| ordered(left, right, ">=", std::cmp::Ordering::is_ge)),
    ("__in", |needle, container| operators::contains(container, needle).map(Value::from)),
];

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, operator) in BINARY {
        let operator = *operator;
        add(environment, name, move |_, args| {
            let Some((first, rest)) = args.split_first() else { return Err(type_error("an operator needs values")) };
            rest.iter().try_fold(first.clone(), |left, right| operator(&left, right))
        });
    }
    add(environment, "__concat", concat);
    add(environment, "__neg", |_, args| signed(args.first(), "-"));
    add(environment, "__pos", |_, args| signed(args.first(), "+"));
    add(environment, "__tuple", |_, args| tuple(args.first()));
    add(environment, "__list", |_, args| Ok(new_list(args.to_vec())));
    add(environment, "__dict", |_, args| dict(args));
    add(environment, "__thaw", |_, args| thaw(args.first()));
    add(environment, "__slice", |_, args| slice(args));
    add(environment, "__iter", |_, args| {
        if let [value, text] = args {
            // The text of a body is written without asking.
            let times = if value.is_undefined() { 0 } else { value.len().unwrap_or(0) };
            crate::budget::effort(times, text.as_usize().unwrap_or(0))?;
        }
        iterable(args.first())
    });
    add(environment, "__template", |_, args| template_name(args));
    add(environment, "__item", |_, args| item(args));
    add(environment, "__owner", |_, args| owner(args));
    add(environment, "__unpack", |_, args| unpack(args.first()));
    add(environment, "__export", |state, args| export(state, args));
}

fn ordered(left: &Value, right: &Value, operator: &str, holds: fn(std::cmp::Ordering) -> bool) -> Result<Value, Error> {
    operators::ordered(left, right, operator).map(|order| Value::from(order.is_some_and(holds)))
}

fn concat(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let escapes = state.auto_escape() != &minijinja::AutoEscape::None;
    let escapes = escapes && args.iter().any(Value::is_safe);
    let mut text = String::new();
    for value in args {
        if value.is_undefined() {
            // Only the engine can tell the lenient one of `x if c`, which is the empty text.
            text.push_str(&state.format(value.clone()).map_err(|_| undefined(value))?);
        } else if escapes && !value.is_safe() {
            text.push_str(&crate::filters::escaped(&py_str(value)));
        } else {
            let piece = py_str(value);
            crate::budget::reserve(piece.len())?;
            text.push_str(&piece);
        }
    }
    Ok(if escapes { Value::from_safe_string(text) } else { Value::from(text) })
}

/// Anything but a strict undefined; the lenient one of `x if c` is not printed as one.
fn printable(value: &Value) -> Result<&Value, Error> {
    if value.is_undefined() { Err(undefined(value)) } else { Ok(value) }
}

fn signed(value: Option<&Value>, operator: &str) -> Result<Value, Error> {
    let value = printable(value.unwrap_or(&Value::UNDEFINED))?;
    match (number_of(value), operator) {
        (Some(_), "-") if value.is_integer() || value.kind() == ValueKind::Bool => {
            operators::subtract(&Value::from(0), value)
        }
        (Some(Number::Float(number)), "-") => Ok(Value::from(-number)),
        (Some(_), _) => operators::add(&Value::from(0), value),
        (None, _) => Err(type_error(format!("bad operand type for unary {operator}: '{}'", type_name(value)))),
    }
}

/// A tuple that holds no tuple nested too deep.
fn tuple(value: Option<&Value>) -> Result<Value, Error> {
    let value = value.cloned().unwrap_or_default();
    if nests_too_deep(&value) {
        return Err(raised(ErrorKind::Limit, "tuples are nested too deep"));
    }
    Ok(value)
}

fn dict(args: &[Value]) -> Result<Value, Error> {
    let mut entries = indexmap::IndexMap::with_capacity(args.len() / 2);
    for pair in args.chunks_exact(2) {
        hashable(&pair[0])?;
        let key = printable(&pair[0])?;
        let known = known_key(&entries, key);
        entries.insert(known.unwrap_or_else(|| key.clone()), pair[1].clone());
    }
    Ok(new_dict(entries))
}

/// The key of `entries` that is the same as `key` in Python: `1`, `1.0` and `true` are one.
fn known_key(entries: &indexmap::IndexMap<Value, Value>, key: &Value) -> Option<Value> {
    let ambiguous = match number_of(key)? {
        Number::Int(number) => number == 0 || number == 1,
        Number::Float(number) => number == 0.0 || number == 1.0,
    };
    let same = |known: &&Value| operators::equal(known, key).unwrap_or(false);
    entries.keys().find(|known| ambiguous && same(known)).cloned()
}

/// A literal too long for a call, as a container that can change.
fn thaw(value: Option<&Value>) -> Result<Value, Error> {
    let value = value.unwrap_or(&Value::UNDEFINED);
    match value.kind() {
        ValueKind::Map => Ok(new_dict(crate::methods::pairs_of(value)?.into_iter().collect())),
        _ => sequence(value).map(new_list),
    }
}

/// `value[start:stop:step]`.
fn slice(args: &[Value]) -> Result<Value, Error> {
    let [value, start, stop, step] = args else { return Err(type_error("a slice needs four values")) };
    let value = printable(value)?;
    if is_range(value) {
        let (first, end, step) = bounds(value.len().unwrap_or(0), bound(start)?, bound(stop)?, bound(step)?)?;
        return Ok(sliced(value, first, end, step));
    }
    let items = match value.kind() {
        ValueKind::String | ValueKind::Seq => sequence(value)?,
        ValueKind::Iterable => sequence(value)?,
        _ => return Err(type_error(format!("'{}' object is not subscriptable", type_name(value)))),
    };
    let kept: Vec<Value> = indexes(items.len(), bound(start)?, bound(stop)?, bound(step)?)?
        .into_iter()
        .map(|index| items[index].clone())
        .collect();
    Ok(match value.kind() {
        ValueKind::String => Value::from(kept.iter().filter_map(Value::as_str).collect::<String>()),
        _ if value.is_tuple() => Value::from(Tuple::from(kept)),
        _ => new_list(kept),
    })
}

fn bound(value: &Value) -> Result<Option<i64>, Error> {
    if value.is_none() {
        return Ok(None);
    }
    let number = number_of(printable(value)?).filter(|number| matches!(number, Number::Int(_)));
    match number {
        Some(Number::Int(number)) => {
            Ok(Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })))
        }
        _ => Err(type_error("slice indices must be integers or None or have an __index__ method")),
    }
}

/// Where `[start:stop:step]` starts and ends in a sequence of `length`, and its step.
fn bounds(length: usize, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Result<(i64, i64, i64), Error> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(value_error("slice step cannot be zero"));
    }
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let clamp = |bound: i64| (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(lowest, highest);
    let (first, last) = if step < 0 { (highest, lowest) } else { (lowest, highest) };
    Ok((start.map_or(first, clamp), stop.map_or(last, clamp), step))
}

/// The positions that `[start:stop:step]` selects out of `length`.
fn indexes(length: usize, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Result<Vec<usize>, Error> {
    let (mut at, end, step) = bounds(length, start, stop, step)?;
    let mut found = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        found.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    Ok(found)
}

/// What a `for` loop runs over.
fn iterable(value: Option<&Value>) -> Result<Value, Error> {
    let value = printable(value.unwrap_or(&Value::UNDEFINED))?;
    if value.as_str().is_some() {
        return sequence(value).map(new_list); // for `loop.length`
    }
    if value.downcast_object_ref::<List>().is_some() || value.downcast_object_ref::<Dict>().is_some() {
        return Ok(watched(value));
    }
    let can = !value.is_none() && value.try_iter().is_ok();
    if can { Ok(value.clone()) } else { Err(type_error(format!("'{}' object is not iterable", type_name(value)))) }
}

/// A computed name in `include`, `import` or `extends`. Only `include` takes several.
fn template_name(args: &[Value]) -> Result<Value, Error> {
    let [name, several, ignore_missing] = args else { return Err(type_error("not a template name")) };
    let none = name.is_none() || (name.kind() == ValueKind::Seq && name.len() == Some(0));
    let missing = |what: &str| Err(raised(ErrorKind::NotFound, format!("template {what} not found")));
    match printable(name)?.kind() {
        ValueKind::String => Ok(name.clone()),
        _ if !several.is_true() => missing(&py_str(name)),
        _ if none && ignore_missing.is_true() => Ok(new_list(Vec::new())),
        _ if none => missing("Tried to select from an empty list of templates."),
        _ => Ok(name.clone()),
    }
}

/// `value[key]` with Python's rules for keys; what is not there is undefined.
fn item(args: &[Value]) -> Result<Value, Error> {
    let [value, key] = args else { return Err(type_error("a subscript needs two values")) };
    let value = printable(value)?;
    let key = if value.kind() == ValueKind::Map { printable(key)? } else { key };
    let index = match value.kind() {
        ValueKind::Map | ValueKind::Plain => true,
        ValueKind::Seq | ValueKind::String => matches!(number_of(key), Some(Number::Int(_))),
        ValueKind::Iterable => is_range(value) && matches!(number_of(key), Some(Number::Int(_))),
        _ => false,
    };
    if value.as_object().is_some_and(|object| object.is::<crate::filters::Group>()) || !index {
        let found = value.get_item(key).ok().filter(|found| index && !found.is_undefined());
        return Ok(found.unwrap_or_else(|| missing(value, key)));
    }
    if value.kind() == ValueKind::Map && hashable(key).is_err() {
        return Ok(missing(value, key));
    }
    // `true` is 1, and a key that is a whole number finds that integer.
    let key = match number_of(key) {
        Some(Number::Int(number)) if value.kind() != ValueKind::Map => &Value::from(number),
        _ => key,
    };
    // An undefined value may be stored there.
    let number = number_of(key).filter(|_| key.kind() == ValueKind::Bool);
    let number =
        number.and_then(|number| if let Number::Int(number) = number { Some(Value::from(number)) } else { None });
    let stored = value
        .as_object()
        .and_then(|object| object.get_value(key).or_else(|| number.and_then(|number| object.get_value(&number))));
    Ok(match stored.or_else(|| value.get_item(key).ok().filter(|found| !found.is_undefined())) {
        Some(found) => found,
        None => missing(value, key),
    })
}

fn missing(value: &Value, key: &Value) -> Value {
    crate::scope::note_miss(parent_name(value), key);
    Value::UNDEFINED
}

/// The value itself, after a note if it has no `key`; see [`crate::translate::Purpose::Explain`].
fn owner(args: &[Value]) -> Result<Value, Error> {
    let [value, key, method] = args else { return Err(type_error("an owner needs three values")) };
    if !value.is_undefined() {
        let found = match key.as_str() {
            Some(name) => value.get_attr(name),
            None => value.get_item(key),
        };
        if method.is_true() || found.is_ok_and(|found| found.is_undefined()) {
            crate::scope::note_miss(parent_name(value), key);
        }
    }
    Ok(value.clone())
}

/// What is assigned to several names: a text gives its characters.
fn unpack(value: Option<&Value>) -> Result<Value, Error> {
    let value = printable(value.unwrap_or(&Value::UNDEFINED))?;
    match value.kind() {
        ValueKind::String | ValueKind::Map | ValueKind::Iterable => sequence(value).map(new_list),
        _ => Ok(value.clone()),
    }
}

/// A name of an imported template: module, name, template, line, name here.
fn export(state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let [module, name, template, line, alias] = args else { return Err(type_error("not an import")) };
    let found = module.get_attr(name.as_str().unwrap_or_default())?;
    if found.is_undefined() {
        let place = if state.name().starts_with('<') { String::new() } else { format!(" in '{}'", state.name()) };
        crate::scope::note_name(
            alias.as_str().unwrap_or_default(),
            format!(
                "the template {} (imported on line {line}{place}) does not export the requested name {}",
                py_repr(template),
                py_repr(name)
            ),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_select_like_python() {
        let select = |start, stop, step| indexes(4, start, stop, step).unwrap();
        assert_eq!(select(None, None, Some(-1)), [3, 2, 1, 0]);
        assert_eq!(select(Some(2), Some(0), Some(-1)), [2, 1]);
        assert_eq!(select(Some(-2), None, None), [2, 3]);
        assert_eq!(select(Some(99), Some(-99), Some(-3)), [3, 0]);
        assert_eq!(select(Some(3), Some(1), None), Vec::<usize>::new());
        assert!(indexes(4, None, None, Some(0)).is_err());
        assert!(indexes(0, None, None, Some(-1)).unwrap().is_empty());
    }
}
