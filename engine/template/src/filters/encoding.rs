//! kluctl's filters: base64, YAML, JSON, hashes, slugs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{Function, defined};
use crate::binder::{Signature, signature};
use crate::error::ErrorKind;
use crate::failure::{raised, type_error, value_error};
use crate::functions::loads::{cut_digest, hex_sha256};
use crate::json::{self, Layout};
use crate::value::type_name;
use crate::yaml;

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("b64encode", |_, args| b64encode(args)),
    ("b64decode", |_, args| b64decode(args)),
    ("to_yaml", |_, args| yaml::to_yaml(one("to_yaml", args)?).map(Value::from)),
    ("to_json", |_, args| to_json(one("to_json", args)?)),
    ("from_yaml", |_, args| from_yaml(one("from_yaml", args)?)),
    ("sha256", |_, args| sha256(args)),
    ("slugify", |_, args| super::slug::slugify(args)),
    ("render", |state, args| crate::functions::render(state, args)),
];

/// The only argument of a filter without parameters.
fn one<'a>(name: &'static str, args: &'a [Value]) -> Result<&'a Value, Error> {
    Signature { function: name, parameters: &["value"], required: 1 }.bind(args)?;
    args.first().ok_or_else(|| type_error("a filter needs a value"))
}

/// The text of a string argument.
pub(super) fn text<'a>(value: &'a Value, wanted: &str) -> Result<&'a str, Error> {
    let value = defined(Some(value))?;
    value.as_str().ok_or_else(|| type_error(format!("'{}' object {wanted}", type_name(value))))
}

fn b64encode(args: &[Value]) -> Result<Value, Error> {
    let text = text(one("b64encode", args)?, "has no attribute 'encode'")?;
    Ok(Value::from(STANDARD.encode(text)))
}

fn b64decode(args: &[Value]) -> Result<Value, Error> {
    let text = text(one("b64decode", args)?, "has no attribute 'encode'")?;
    let kept: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')).collect();
    let bytes = STANDARD.decode(kept).map_err(|_| value_error("Incorrect padding"))?;
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| raised(ErrorKind::Decode, "'utf-8' codec can't decode the bytes"))
}

fn to_json(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(type_error("Object of type StrictUndefined is not JSON serializable"));
    }
    json::to_json(value, &Layout::default()).map(Value::from)
}

fn from_yaml(value: &Value) -> Result<Value, Error> {
    yaml::from_yaml(text(value, "is not a YAML text")?)
}

fn sha256(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("sha256", &["s", "digest_len"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let digest = match (value.kind(), value.as_str()) {
        (_, Some(text)) => hex_sha256(text.as_bytes()),
        (ValueKind::Bytes, None) => hex_sha256(value.as_bytes().unwrap_or_default()),
        _ => return Err(type_error(format!("object supporting the buffer API required, not '{}'", type_name(value)))),
    };
    cut_digest(digest, slots[1].as_ref())
}
