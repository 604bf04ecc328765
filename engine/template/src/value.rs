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
mod view;
mod watched;

pub(crate) use convert::to_json;
pub(crate) use date::Date;
pub(crate) use dict::{Dict, new_dict};
pub(crate) use frozen::{Frozen, FrozenDict, Root};
pub(crate) use list::{List, new_list};
pub(crate) use number::{Number, float_text, number_of};
pub(crate) use order::compare;
pub(crate) use text::{is_printable, py_repr, py_str, write_escape};
pub(crate) use view::{View, new_view};
pub(crate) use watched::watched;

use minijinja::value::{Tuple, Value, ValueKind};

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
        ValueKind::Iterable if crate::functions::is_range(value) => "range",
        ValueKind::Iterable => value.downcast_object_ref::<View>().map_or("generator", View::type_name),
        _ => "object",
    }
}

/// The type as undefined messages name it: `'dict object'`, but `'None'`.
pub(crate) fn parent_name(value: &Value) -> String {
    if let Some(kind) = engine_type(value) {
        return format!("{kind} object");
    }
    if value.is_safe() {
        return "markupsafe.Markup object".to_owned();
    }
    match type_name(value) {
        "NoneType" => "None".to_owned(),
        name => format!("{name} object"),
    }
}

/// Jinja's name for the type of an object that the engine made.
fn engine_type(value: &Value) -> Option<&'static str> {
    match value.as_object()?.type_name().rsplit("::").next()? {
        "Macro" => Some("jinja2.runtime.Macro"),
        "Loop" => Some("jinja2.runtime.LoopContext"),
        "Module" => Some("jinja2.environment.TemplateModule"),
        "Namespace" => Some("jinja2.utils.Namespace"),
        "Cycler" => Some("jinja2.utils.Cycler"),
        "Joiner" => Some("jinja2.utils.Joiner"),
        _ => None,
    }
}

/// Whether a value is a macro of a template.
pub(crate) fn is_macro(value: &Value) -> bool {
    engine_type(value) == Some("jinja2.runtime.Macro")
}

/// Whether a value is the `loop` of a `for`.
pub(crate) fn is_loop(value: &Value) -> bool {
    engine_type(value) == Some("jinja2.runtime.LoopContext")
}

/// Whether a value is an imported template.
pub(crate) fn is_module(value: &Value) -> bool {
    engine_type(value) == Some("jinja2.environment.TemplateModule")
}

/// Whether a value is a `namespace()`.
pub(crate) fn is_namespace(value: &Value) -> bool {
    engine_type(value) == Some("jinja2.utils.Namespace")
}

/// Whether tuples are nested too deep for the engine, which drops them by recursion.
///
/// Looks into the last items first and gives up in wide tuples: depth is
/// reached by wrapping one in another, again and again.
pub(crate) fn nests_too_deep(value: &Value) -> bool {
    const MAX_VISITS: usize = 10_000;
    let mut pending = vec![(value.clone(), 0)];
    let mut visits = 0;
    while let Some((value, depth)) = pending.pop() {
        visits += 1;
        if depth > MAX_KEY_DEPTH || visits > MAX_VISITS {
            return depth > MAX_KEY_DEPTH;
        }
        if let Some(tuple) = value.downcast_object_ref::<Tuple>() {
            pending.extend(tuple.iter().filter(|item| item.is_tuple()).map(|item| (item.clone(), depth + 1)));
        }
    }
    false
}

/// Tuples in a key nest no deeper.
const MAX_KEY_DEPTH: usize = 100;

/// Fails for what cannot be a key.
pub(crate) fn hashable(value: &Value) -> Result<(), minijinja::Error> {
    hashable_at(value, 0)
}

fn hashable_at(value: &Value, depth: usize) -> Result<(), minijinja::Error> {
    if depth > MAX_KEY_DEPTH {
        let kind = crate::error::ErrorKind::Limit;
        return Err(crate::failure::raised(kind, "maximum recursion depth exceeded in a key"));
    }
    let view = value.downcast_object_ref::<View>().is_some_and(|view| view.type_name() != "dict_values");
    let changes =
        value.downcast_object_ref::<List>().is_some() || value.downcast_object_ref::<Dict>().is_some() || view;
    crate::scope::charge(16 + value.as_str().map_or(0, str::len))?;
    if value.is_tuple() {
        return value.try_iter()?.try_for_each(|item| hashable_at(&item, depth + 1));
    }
    if changes { Err(crate::failure::type_error(format!("unhashable type: '{}'", type_name(value)))) } else { Ok(()) }
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
        } else if let Some(tuple) = value.downcast_object::<Tuple>() {
            drop(value);
            pending.extend(std::sync::Arc::into_inner(tuple).map(Tuple::into_vec).unwrap_or_default());
        }
    }
}
