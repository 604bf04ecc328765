//! Between template values and plain data.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};
use serde_json::{Map, Value as Json};

use super::{Number, number_of, py_str, type_name};
use crate::failure::type_error;

/// A value as data, for the ports; keys become text.
pub(crate) fn to_json(value: &Value) -> Result<Json, Error> {
    Ok(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match number_of(value) {
            Some(Number::Int(value)) => {
                i64::try_from(value).map(Json::from).unwrap_or_else(|_| Json::from(value.to_string()))
            }
            Some(Number::Float(value)) => Json::from(value),
            None => Json::Null,
        },
        ValueKind::String => Json::String(py_str(value)),
        ValueKind::Seq | ValueKind::Iterable => {
            Json::Array(value.try_iter()?.map(|item| to_json(&item)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()? {
                map.insert(py_str(&key), to_json(&value.get_item(&key)?)?);
            }
            Json::Object(map)
        }
        _ => return Err(type_error(format!("a value of type {} cannot be passed here", type_name(value)))),
    })
}
