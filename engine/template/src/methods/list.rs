//! Methods of lists.

use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Error, State};

use super::dict::no_args;
use super::unknown;
use crate::binder::{signature, split_named};
use crate::budget;
use crate::error::ErrorKind as Kind;
use crate::failure::{raised, type_error, value_error};
use crate::value::{List, compare, is_true, new_list, py_repr, type_name};

/// `list.METHOD(..)`.
pub(crate) fn call_list(
    list: &Arc<List>,
    state: &mut State<'_, '_>,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match method {
        "append" => {
            let item = one(method, args)?;
            budget::reserve_items(1)?;
            list.with(|items| items.push(item));
        }
        "extend" => {
            let more = sequence(&one(method, args)?)?;
            list.with(|items| items.extend(more));
        }
        "insert" => {
            let mut slots = signature("insert", &["index", "object"], 2).bind(args)?.into_iter().flatten();
            let (index, item) = (integer(&slots.next().unwrap_or_default())?, slots.next().unwrap_or_default());
            list.with(|items| {
                let at = position(index, items.len());
                crate::scope::charge(items.len() - at)?;
                items.insert(at, item);
                Ok::<_, Error>(())
            })?;
        }
        "remove" => {
            let item = one(method, args)?;
            let found = position_of(&list.items(), &item)?;
            let at = found.ok_or_else(|| value_error("list.remove(x): x not in list"))?;
            list.with(|items| items.remove(at));
        }
        "pop" => return pop(list, args),
        "index" => {
            let slots = signature("index", &["value", "start", "stop"], 1).bind(args)?;
            let item = slots[0].clone().unwrap_or_default();
            let items = list.items();
            let bound = |slot: &Option<Value>, default: usize| {
                slot.as_ref().map_or(Ok(default), |value| Ok::<_, Error>(position(integer(value)?, items.len())))
            };
            let (start, stop) = (bound(&slots[1], 0)?, bound(&slots[2], items.len())?);
            let part = items.get(start..stop.max(start)).unwrap_or_default();
            let found = position_of(part, &item)?.map(|at| at + start);
            return found.map(Value::from).ok_or_else(|| value_error(format!("{} is not in list", py_repr(&item))));
        }
        "count" => {
            let item = one(method, args)?;
            return count_of(&list.items(), &item).map(Value::from);
        }
        "sort" => sort(list, state, args)?,
        "reverse" => {
            no_args(method, args)?;
            list.with(|items| {
                crate::scope::charge(items.len())?;
                items.reverse();
                Ok::<_, Error>(())
            })?;
        }
        "copy" => {
            no_args(method, args)?;
            return copied(list);
        }
        "clear" => {
            no_args(method, args)?;
            list.with(Vec::clear);
        }
        _ => return Err(unknown("list object", method)),
    }
    Ok(Value::from(()))
}

fn copied(list: &List) -> Result<Value, Error> {
    budget::reserve_items(list.with(|items| items.len()))?;
    Ok(new_list(list.items()))
}

fn position_of(items: &[Value], wanted: &Value) -> Result<Option<usize>, Error> {
    budget::visit(items.len())?;
    for (index, item) in items.iter().enumerate() {
        if crate::operators::equal(item, wanted)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn count_of(items: &[Value], wanted: &Value) -> Result<usize, Error> {
    budget::visit(items.len())?;
    let mut count = 0;
    for item in items {
        count += usize::from(crate::operators::equal(item, wanted)?);
    }
    Ok(count)
}

fn one(method: &str, args: &[Value]) -> Result<Value, Error> {
    match args {
        [value] if !value.is_kwargs() => Ok(value.clone()),
        _ => Err(type_error(format!("list.{method}() takes exactly one argument ({} given)", args.len()))),
    }
}

fn integer(value: &Value) -> Result<i64, Error> {
    let wrong = || type_error(format!("'{}' object cannot be interpreted as an integer", type_name(value)));
    if !value.is_integer() {
        return Err(wrong());
    }
    value.as_i64().ok_or_else(wrong)
}

/// The items of anything iterable; of a mapping its keys, of a string its characters.
pub(crate) fn sequence(value: &Value) -> Result<Vec<Value>, Error> {
    if let Some(text) = value.as_str() {
        budget::reserve_items(text.len())?;
        return Ok(text.chars().map(Value::from).collect());
    }
    if value.is_undefined() {
        return Err(crate::value::undefined(value));
    }
    let not_iterable = || type_error(format!("'{}' object is not iterable", type_name(value)));
    if value.is_none() {
        return Err(not_iterable());
    }
    budget::reserve_items(value.len().unwrap_or(1))?;
    Ok(value.try_iter().map_err(|_| not_iterable())?.collect())
}

fn position(index: i64, length: usize) -> usize {
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { length.saturating_sub(distance) } else { distance.min(length) }
}

fn pop(list: &Arc<List>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("pop", &["index"], 0).bind(args)?;
    let index = slots[0].as_ref().map_or(Ok(-1), integer)?;
    list.with(|items| {
        if items.is_empty() {
            return Err(raised(Kind::Index, "pop from empty list"));
        }
        let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        let at = if index < 0 { items.len().checked_sub(distance) } else { Some(distance) };
        match at.filter(|at| *at < items.len()) {
            Some(at) => {
                crate::scope::charge(items.len() - at)?;
                Ok(items.remove(at))
            }
            None => Err(raised(Kind::Index, "pop index out of range")),
        }
    })
}

fn sort(list: &Arc<List>, state: &mut State<'_, '_>, args: &[Value]) -> Result<(), Error> {
    let (positional, named) = split_named(args);
    if !positional.is_empty() {
        return Err(type_error("sort() takes no positional arguments"));
    }
    let (mut reverse, mut key) = (false, None);
    for (name, value) in named {
        match name.as_str() {
            "reverse" => reverse = is_true(&value)?,
            "key" => key = Some(value).filter(|value| !value.is_none()),
            name => return Err(type_error(format!("sort() got an unexpected keyword argument '{name}'"))),
        }
    }
    let mut keyed = Vec::new();
    for item in list.items() {
        let by = match &key {
            Some(key) => key.call(state, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        keyed.push((by, item));
    }
    sort_keyed(&mut keyed, reverse)?;
    list.with(|items| *items = keyed.into_iter().map(|(_, item)| item).collect());
    Ok(())
}

/// A stable sort by key, like Python's; the first failed comparison is the error.
pub(crate) fn sort_keyed(keyed: &mut [(Value, Value)], reverse: bool) -> Result<(), Error> {
    let comparisons = keyed.len().saturating_mul(keyed.len().checked_ilog2().unwrap_or(0) as usize);
    crate::scope::charge(comparisons)?;
    let mut failure = None;
    keyed.sort_by(|left, right| {
        let (left, right) = if reverse { (&right.0, &left.0) } else { (&left.0, &right.0) };
        compare(left, right).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            std::cmp::Ordering::Equal
        })
    });
    failure.map_or(Ok(()), Err)
}
