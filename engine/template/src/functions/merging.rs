//! `merge_dict` and `update_dict`.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::binder::signature;
use crate::budget;
use crate::error::ErrorKind;
use crate::failure::{raised, type_error};
use crate::value::{Dict, is_true, new_dict, new_list, type_name, undefined};

const MAX_DEPTH: usize = 200;

/// A copy of `a` with `b` merged over it.
pub(super) fn merge_dict(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("merge_dict", &["a", "b", "clone"], 2).bind(args)?;
    let clone = slots[2].as_ref().map_or(Ok(true), is_true)?;
    let base = slots[0].clone().unwrap_or_default();
    let base = if clone { deep_copy(&base, 0)? } else { base };
    merge_into(&base, slots[1].as_ref(), 0)?;
    Ok(base)
}

/// Merges `b` into `a` itself; prints nothing.
pub(super) fn update_dict(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("update_dict", &["a", "b"], 2).bind(args)?;
    merge_into(slots[0].as_ref().unwrap_or(&Value::UNDEFINED), slots[1].as_ref(), 0)?;
    Ok(Value::from(""))
}

/// A copy that shares no container with `value`; all sequences become lists.
pub(super) fn deep_copy(value: &Value, depth: usize) -> Result<Value, Error> {
    check_depth(depth)?;
    budget::reserve_items(4)?;
    Ok(match value.kind() {
        ValueKind::Map => {
            let keys = value.try_iter()?;
            new_dict(
                keys.map(|key| Ok((key.clone(), deep_copy(&value.get_item(&key)?, depth + 1)?)))
                    .collect::<Result<_, Error>>()?,
            )
        }
        ValueKind::Seq | ValueKind::Iterable => {
            new_list(value.try_iter()?.map(|item| deep_copy(&item, depth + 1)).collect::<Result<_, _>>()?)
        }
        _ => value.clone(),
    })
}

/// Merges in place; only our own mappings can change.
pub(super) fn merge_into(base: &Value, other: Option<&Value>, depth: usize) -> Result<(), Error> {
    check_depth(depth)?;
    if base.is_undefined() {
        return Err(undefined(base));
    }
    let nothing = other.is_none_or(|other| other.is_none() || other.len() == Some(0));
    if nothing && !base.is_none() {
        return Ok(());
    }
    let Some(dict) = base.downcast_object_ref::<Dict>() else {
        return Err(type_error(format!("'{}' object does not support item assignment", type_name(base))));
    };
    let other = match other {
        None => return Ok(()),
        Some(other) if other.is_none() => return Ok(()),
        Some(other) if other.is_undefined() => return Err(undefined(other)),
        Some(other) if other.kind() == ValueKind::Map => other,
        Some(other) => return Err(type_error(format!("'{}' object is not a mapping", type_name(other)))),
    };
    for key in other.try_iter()? {
        let value = other.get_item(&key)?;
        let existing = dict.with(|entries| entries.get(&key).cloned());
        match existing {
            Some(existing) if existing.kind() == ValueKind::Map && value.kind() == ValueKind::Map => {
                merge_into(&existing, Some(&value), depth + 1)?;
            }
            _ => dict.with(|entries| drop(entries.insert(key, value))),
        }
    }
    Ok(())
}

fn check_depth(depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH { Err(raised(ErrorKind::Limit, "maximum recursion depth exceeded")) } else { Ok(()) }
}
