//! Methods of mappings.

use std::sync::Arc;

use minijinja::value::{Tuple, Value};
use minijinja::{Error, ErrorKind, State};

use crate::binder::{signature, split_named};
use crate::budget;
use crate::error::ErrorKind as Kind;
use crate::failure::{raised, type_error, value_error};
use crate::value::{Dict, hashable, new_dict, new_view, py_repr, type_name};

/// `dict.METHOD(..)`; a stored callable of another name is left to the engine.
pub(crate) fn call_dict(
    dict: &Arc<Dict>,
    _state: &mut State<'_, '_>,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match method {
        "get" | "pop" | "setdefault" if args.last().is_some_and(Value::is_kwargs) => {
            Err(type_error(format!("dict.{method}() takes no keyword arguments")))
        }
        "fromkeys" => {
            let slots = signature("fromkeys", &["iterable", "value"], 1).bind(args)?;
            let value = slots[1].clone().unwrap_or_else(none);
            let keys = super::sequence(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))?;
            keys.iter().try_for_each(hashable)?;
            Ok(new_dict(keys.into_iter().map(|key| (key, value.clone())).collect()))
        }
        "get" => {
            let slots = signature("get", &["key", "default"], 1).bind(args)?;
            let key = slots[0].clone().unwrap_or_else(none);
            hashable(&key)?;
            let found = dict.with(|entries| entries.get(&key).cloned());
            Ok(found.or_else(|| slots[1].clone()).unwrap_or_else(none))
        }
        "keys" => no_args(method, args).map(|()| view("dict_keys", dict, |(key, _)| key.clone())),
        "values" => no_args(method, args).map(|()| view("dict_values", dict, |(_, value)| value.clone())),
        "items" => no_args(method, args)
            .map(|()| view("dict_items", dict, |(key, value)| Value::from(Tuple::from([key.clone(), value.clone()])))),
        "copy" => {
            no_args(method, args)?;
            budget::reserve_items(3 * dict.with(|entries| entries.len()))?;
            Ok(new_dict(dict.entries()))
        }
        "update" => update(dict, args),
        "pop" => pop(dict, args),
        "popitem" => {
            let last = dict
                .with(indexmap::IndexMap::pop)
                .ok_or_else(|| raised(Kind::Key, "'popitem(): dictionary is empty'"))?;
            Ok(Value::from(Tuple::from([last.0, last.1])))
        }
        "setdefault" => {
            let mut slots = signature("setdefault", &["key", "default"], 1).bind(args)?.into_iter();
            let key = slots.next().flatten().unwrap_or_else(none);
            let default = slots.next().flatten().unwrap_or_else(none);
            hashable(&key)?;
            budget::reserve_items(4)?;
            Ok(dict.with(|entries| entries.entry(key).or_insert(default).clone()))
        }
        "clear" => no_args(method, args).map(|()| {
            dict.with(indexmap::IndexMap::clear);
            none()
        }),
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}

fn view(name: &'static str, dict: &Arc<Dict>, item: impl Fn((&Value, &Value)) -> Value) -> Value {
    new_view(name, dict.with(|entries| entries.iter().map(item).collect()))
}

fn update(dict: &Arc<Dict>, args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_named(args);
    if positional.len() > 1 {
        return Err(type_error(format!("update expected at most 1 argument, got {}", positional.len())));
    }
    let mut pairs = Vec::new();
    if let Some(other) = positional.first() {
        pairs = pairs_of(other)?;
    }
    pairs.extend(named.into_iter().map(|(key, value)| (Value::from(key), value)));
    dict.with(|entries| entries.extend(pairs));
    Ok(none())
}

/// The entries of a mapping or of a list of pairs.
pub(crate) fn pairs_of(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() == minijinja::value::ValueKind::Map {
        return value.try_iter()?.map(|key| value.get_item(&key).map(|item| (key, item))).collect();
    }
    let not_iterable = || type_error(format!("'{}' object is not iterable", type_name(value)));
    if value.is_none() {
        return Err(not_iterable());
    }
    let mut pairs = Vec::new();
    for (index, pair) in value.try_iter().map_err(|_| not_iterable())?.enumerate() {
        let parts: Vec<Value> = pair
            .try_iter()
            .map_err(|_| {
                type_error(format!("cannot convert dictionary update sequence element #{index} to a sequence"))
            })?
            .collect();
        let Ok([key, value]) = <[Value; 2]>::try_from(parts.clone()) else {
            let length = parts.len();
            return Err(value_error(format!(
                "dictionary update sequence element #{index} has length {length}; 2 is required"
            )));
        };
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn pop(dict: &Arc<Dict>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("pop", &["key", "default"], 1).bind(args)?;
    let key = slots[0].clone().unwrap_or_else(none);
    dict.with(|entries| entries.shift_remove(&key))
        .or_else(|| slots[1].clone())
        .ok_or_else(|| raised(Kind::Key, py_repr(&key)))
}

fn none() -> Value {
    Value::from(())
}

pub(crate) fn no_args(method: &str, args: &[Value]) -> Result<(), Error> {
    if args.is_empty() {
        Ok(())
    } else {
        Err(type_error(format!("{method}() takes no arguments ({} given)", args.len())))
    }
}
