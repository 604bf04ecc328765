//! Python methods on values.

mod casing;
mod dict;
mod list;
mod text;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

pub(crate) use casing::{capitalized, decimal_value};
pub(crate) use dict::{call_dict, no_args, pairs_of};
pub(crate) use list::{call_list, sequence, sort_keyed};
pub(crate) use text::{center, joined, replace, title};

use crate::budget;
use crate::failure::{raised, type_error};
use crate::filters::escaped;
use crate::value::{Number, new_list, number_of, type_name};

/// Methods of strings, numbers, tuples and the engine's own containers.
pub(crate) fn call_builtin(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if value.is_safe() {
                return safe_text(text, method, args);
            }
            budget::metered(Some(text), args, || text::call(text, method, args))
        }
        ValueKind::Bytes => bytes_method(value.as_bytes().unwrap_or_default(), method, args),
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

/// A text that is escaped stays so; what is put into it gets escaped.
fn safe_text(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let escape = |value: &Value| match value.as_str() {
        Some(text) if !value.is_safe() => Value::from_safe_string(escaped(text)),
        _ => value.clone(),
    };
    let inserts = matches!(method, "replace" | "format" | "format_map" | "join" | "center" | "ljust" | "rjust");
    let args: Vec<Value> = match method {
        _ if !inserts || args.iter().any(Value::is_kwargs) => args.to_vec(),
        "replace" => {
            args.iter().enumerate().map(|(index, arg)| if index == 1 { escape(arg) } else { arg.clone() }).collect()
        }
        "join" => args
            .iter()
            .map(|arg| Ok(new_list(sequence(arg)?.iter().map(escape).collect())))
            .collect::<Result<_, Error>>()?,
        _ => args.iter().map(escape).collect(),
    };
    let result = budget::metered(Some(text), &args, || text::call(text, method, &args))?;
    let safe =
        |value: &Value| value.as_str().map_or_else(|| value.clone(), |text| Value::from_safe_string(text.to_owned()));
    Ok(match result.kind() {
        ValueKind::Seq if result.is_tuple() => {
            Value::from(minijinja::value::Tuple::from(result.try_iter()?.map(|part| safe(&part)).collect::<Vec<_>>()))
        }
        ValueKind::Seq => new_list(result.try_iter()?.map(|part| safe(&part)).collect()),
        _ => safe(&result),
    })
}

fn bytes_method(bytes: &[u8], method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "decode" => {
            let slots = crate::binder::signature("decode", &["encoding", "errors"], 0).bind(args)?;
            let encoding = slots[0].as_ref().map_or_else(|| "utf-8".to_owned(), crate::value::py_str);
            if !matches!(encoding.to_lowercase().as_str(), "utf-8" | "utf8" | "ascii") {
                return Err(crate::failure::value_error(format!("unknown encoding: {encoding}")));
            }
            let text = std::str::from_utf8(bytes)
                .map_err(|_| raised(crate::error::ErrorKind::Decode, "'utf-8' codec can't decode the bytes"))?;
            Ok(Value::from(text))
        }
        "hex" => no_args(method, args)
            .map(|()| Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
        _ => Err(unknown("bytes object", method)),
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
