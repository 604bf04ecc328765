//! Values as templates see them: Python's kinds on top of the engine's.
//!
//! The engine's own lists and mappings cannot change. Ours can, and they are
//! shared: `{% set b = a %}` makes two names for one list.

mod convert;
mod date;
mod dict;
mod frozen;
mod list;
mod number;
mod order;
mod text;

pub(crate) use convert::to_json;
pub(crate) use date::Date;
pub(crate) use dict::{Dict, new_dict};
pub(crate) use frozen::{Frozen, FrozenDict, Root};
pub(crate) use list::{List, new_list};
pub(crate) use number::{Number, float_text, number_of};
pub(crate) use order::compare;
pub(crate) use text::{is_printable, py_repr, py_str};

use minijinja::value::{Value, ValueKind};

/// Python's name for the type of a value.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "StrictUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if value.is_tuple() => "tuple",
        ValueKind::Seq => "list",
        ValueKind::Map => "dict",
        ValueKind::Iterable => "generator",
        _ => "object",
    }
}

/// The type as undefined messages name it: `'dict object'`, but `'None'`.
pub(crate) fn parent_name(value: &Value) -> String {
    match type_name(value) {
        "NoneType" => "None".to_owned(),
        name => format!("{name} object"),
    }
}

/// Truth as Python sees it; an undefined value has none.
pub(crate) fn is_true(value: &Value) -> Result<bool, minijinja::Error> {
    if value.is_undefined() {
        return Err(undefined(value));
    }
    Ok(match number_of(value) {
        Some(Number::Int(number)) => number != 0,
        Some(Number::Float(number)) => number != 0.0,
        None => value.is_true(),
    })
}

/// The error of using `value`, which is undefined; the engine adds the name.
pub(crate) fn undefined(value: &Value) -> minijinja::Error {
    // Only the engine can attach where the value came from, and it does so for
    // its own conversions.
    i64::try_from(value.clone()).err().unwrap_or_else(|| minijinja::ErrorKind::UndefinedError.into())
}

/// Drops values without recursion: a list may be nested a million levels deep.
fn release(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        if let Some(list) = value.downcast_object::<List>() {
            drop(value);
            pending.extend(std::sync::Arc::into_inner(list).map(|mut list| list.take()).unwrap_or_default());
        } else if let Some(dict) = value.downcast_object::<Dict>() {
            drop(value);
            pending.extend(std::sync::Arc::into_inner(dict).map(|mut dict| dict.take()).unwrap_or_default());
        }
    }
}
