//! Filters on mappings, and the rest.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Error, State};

use super::sequences::{attribute, folded, items};
use super::{Function, defined, pretty};
use crate::binder::signature;
use crate::failure::{raised, type_error};
use crate::methods::{pairs_of, sort_keyed};
use crate::value::{is_true, new_list, py_repr, py_str};

pub(super) const FILTERS: &[(&str, Function)] = &[
    ("default", |_, args| default(args)),
    ("d", |_, args| default(args)),
    ("dictsort", |_, args| dictsort(args)),
    ("items", |_, args| pairs(args)),
    ("groupby", |_, args| groupby(args)),
    ("attr", |_, args| attr(args)),
    ("random", |_, args| random(args)),
    ("xmlattr", |state, args| xmlattr(state, args)),
    ("pprint", |_, args| {
        let slots = signature("do_pprint", &["value"], 1).bind(args)?;
        Ok(Value::from(pretty::pretty(slots[0].as_ref().unwrap_or(&Value::UNDEFINED))))
    }),
];

fn default(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_default", &["value", "default_value", "boolean"], 1).bind(args)?;
    let value = slots[0].clone().unwrap_or_default();
    let boolean = slots[2].as_ref().map_or(Ok(false), is_true)?;
    if value.is_undefined() || (boolean && !is_true(&value)?) {
        return Ok(slots[1].clone().unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn dictsort(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_dictsort", &["value", "case_sensitive", "by", "reverse"], 1).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    if value.kind() != ValueKind::Map {
        return Err(type_error(format!("'{} object' has no attribute 'items'", crate::value::type_name(value))));
    }
    let case_sensitive = slots[1].as_ref().map_or(Ok(false), is_true)?;
    let by_value = match slots[2].as_ref().map_or_else(|| "key".to_owned(), py_str).as_str() {
        "key" => false,
        "value" => true,
        _ => {
            return Err(raised(crate::error::ErrorKind::Assertion, "You can only sort by either \"key\" or \"value\""));
        }
    };
    let mut keyed: Vec<(Value, Value)> = pairs_of(value)?
        .into_iter()
        .map(|(key, value)| {
            let by = if by_value { value.clone() } else { key.clone() };
            (folded(by, case_sensitive), Value::from(Tuple::from([key, value])))
        })
        .collect();
    sort_keyed(&mut keyed, slots[3].as_ref().map_or(Ok(false), is_true)?)?;
    Ok(new_list(keyed.into_iter().map(|(_, pair)| pair).collect()))
}

fn pairs(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_items", &["value"], 1).bind(args)?;
    match slots[0].as_ref() {
        Some(value) if value.kind() == ValueKind::Map => Ok(new_list(
            pairs_of(value)?.into_iter().map(|(key, value)| Value::from(Tuple::from([key, value]))).collect(),
        )),
        Some(value) if value.is_undefined() => Ok(new_list(Vec::new())),
        _ => Err(type_error("Can only get item pairs from a mapping.")),
    }
}

fn groupby(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_groupby", &["value", "attribute", "default", "case_sensitive"], 2).bind(args)?;
    let (path, fallback) = (slots[1].clone().unwrap_or_default(), slots[2].as_ref().filter(|value| !value.is_none()));
    let case_sensitive = slots[3].as_ref().map_or(Ok(false), is_true)?;
    let mut keyed = Vec::new();
    for item in items(slots[0].as_ref())? {
        let key = attribute(&item, &path, fallback)?;
        keyed.push((folded(key, case_sensitive), item));
    }
    sort_keyed(&mut keyed, false)?;
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        let same = match groups.last() {
            Some((known, _)) => crate::operators::equal(known, &key)?,
            None => false,
        };
        match groups.last_mut().filter(|_| same) {
            Some(group) => group.1.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    let mut result = Vec::new();
    for (_, list) in groups {
        let grouper = attribute(&list[0], &path, fallback)?;
        result.push(Value::from_object(Group { grouper, list: new_list(list) }));
    }
    Ok(new_list(result))
}

/// A group unpacks like a pair and has named parts.
#[derive(Debug)]
pub(crate) struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_i64()) {
            (Some("grouper"), _) | (None, Some(0 | -2)) => Some(self.grouper.clone()),
            (Some("list"), _) | (None, Some(1 | -1)) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(vec![self.grouper.clone(), self.list.clone()])
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", py_repr(&self.grouper), py_repr(&self.list))
    }
}

/// Python attributes only; mappings and lists have none that are not methods.
fn attr(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_attr", &["obj", "name"], 2).bind(args)?;
    let value = defined(slots[0].as_ref())?;
    let name = slots[1].as_ref().map(py_str).unwrap_or_default();
    let plain = matches!(
        value.kind(),
        ValueKind::Map
            | ValueKind::Seq
            | ValueKind::Iterable
            | ValueKind::String
            | ValueKind::Number
            | ValueKind::Bool
            | ValueKind::None
    );
    if plain
        && !crate::value::is_namespace(value)
        && value.as_object().is_none_or(|object| object.downcast_ref::<Group>().is_none())
    {
        crate::scope::note_message(format!("'{}' has no attribute '{name}'", crate::value::parent_name(value)));
        return Ok(Value::UNDEFINED);
    }
    value.get_attr(&name)
}

/// Any element; the first one, because two runs must give the same output.
fn random(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_random", &["seq"], 1).bind(args)?;
    Ok(items(slots[0].as_ref())?.into_iter().next().unwrap_or_else(|| {
        crate::scope::note_message("No random item, sequence was empty.".to_owned());
        Value::UNDEFINED
    }))
}

fn xmlattr(state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let slots = signature("do_xmlattr", &["d", "autospace"], 1).bind(args)?;
    let mut parts = Vec::new();
    let attributes = defined(slots[0].as_ref())?;
    if attributes.kind() != ValueKind::Map {
        let kind = crate::value::type_name(attributes);
        return Err(crate::failure::type_error(format!("'{kind}' object has no attribute 'items'")));
    }
    for (key, value) in pairs_of(attributes)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let Some(key) = key.as_str().map(str::to_owned) else {
            return Err(type_error(format!(
                "expected string or bytes-like object, got '{}'",
                crate::value::type_name(&key)
            )));
        };
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(crate::failure::value_error(format!("Invalid character in attribute name: {key:?}")));
        }
        parts.push(format!("{}=\"{}\"", super::strings::escaped(&key), super::strings::escaped(&py_str(&value))));
    }
    let text = parts.join(" ");
    let space = slots[1].as_ref().map_or(Ok(true), is_true)? && !text.is_empty();
    let text = if space { format!(" {text}") } else { text };
    let escapes = state.auto_escape() != &minijinja::AutoEscape::None;
    Ok(if escapes { Value::from_safe_string(text) } else { Value::from(text) })
}
