//! Python methods on values.

mod dict;
mod list;
mod text;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

pub(crate) use dict::{call_dict, no_args, pairs_of};
pub(crate) use list::{call_list, sequence, sort_keyed};
pub(crate) use text::{center, replace, title};

use crate::failure::{raised, type_error};
use crate::value::{Number, new_list, number_of, type_name};

/// Methods of strings, numbers, tuples and the engine's own containers.
pub(crate) fn call_builtin(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => text::call(value.as_str().unwrap_or_default(), method, args),
        ValueKind::Seq if value.is_tuple() && !matches!(method, "count" | "index") => {
            Err(unknown("tuple object", method))
        }
        ValueKind::Iterable if !matches!(method, "count" | "index") => {
            Err(unknown(&format!("{} object", type_name(value)), method))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let list = new_list(value.try_iter()?.collect());
            list.call_method(state, method, args)
        }
        ValueKind::Map => call_other_map(state, value, method, args),
        ValueKind::Number | ValueKind::Bool => number_method(value, method),
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}

/// Keyword bundles and namespaces: the reading methods of mappings.
fn call_other_map(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    // A callable stored under the name (a macro of an imported file) comes first.
    if value.get_attr(method).is_ok_and(|member| !member.is_undefined()) {
        return Err(ErrorKind::UnknownMethod.into());
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

fn number_method(value: &Value, method: &str) -> Result<Value, Error> {
    match method {
        "bit_length" if matches!(number_of(value), Some(Number::Int(_))) => {
            let Some(Number::Int(number)) = number_of(value) else { return Err(type_error("integer out of range")) };
            Ok(Value::from(128 - number.unsigned_abs().leading_zeros()))
        }
        "is_integer" if value.kind() == ValueKind::Number => Ok(Value::from(
            value.is_integer() || f64::try_from(value.clone()).is_ok_and(|number| number.fract() == 0.0),
        )),
        _ => Err(unknown(&format!("{} object", type_name(value)), method)),
    }
}

/// `'str object' has no attribute 'x'`.
fn unknown(parent: &str, method: &str) -> Error {
    raised(crate::error::ErrorKind::Undefined, format!("'{parent}' has no attribute '{method}'"))
}
