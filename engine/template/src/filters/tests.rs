//! Tests (`x is odd`) with Python's strictness.

use std::sync::Arc;

use minijinja::value::{Object, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use super::defined;
use crate::failure::type_error;
use crate::operators;
use crate::value::{Dict, List, Number, View, hashable, is_macro, is_namespace, number_of, py_str, type_name};

type Test = fn(&[Value]) -> Result<bool, Error>;

const TESTS: &[(&str, Test)] = &[
    ("defined", |args| Ok(!subject(args).is_undefined())),
    ("undefined", |args| Ok(subject(args).is_undefined())),
    ("none", |args| Ok(subject(args).is_none())),
    ("boolean", |args| Ok(subject(args).kind() == ValueKind::Bool)),
    ("true", |args| Ok(subject(args).kind() == ValueKind::Bool && subject(args).is_true())),
    ("false", |args| Ok(subject(args).kind() == ValueKind::Bool && !subject(args).is_true())),
    ("integer", |args| Ok(subject(args).kind() == ValueKind::Number && subject(args).is_integer())),
    ("float", |args| Ok(subject(args).kind() == ValueKind::Number && !subject(args).is_integer())),
    ("number", |args| Ok(number_of(&subject(args)).is_some())),
    ("string", |args| Ok(subject(args).kind() == ValueKind::String)),
    ("mapping", |args| Ok(subject(args).kind() == ValueKind::Map && !is_namespace(&subject(args)))),
    ("sequence", |args| sequence(&subject(args))),
    ("iterable", |args| iterable(&subject(args))),
    ("callable", |args| Ok(callable(&subject(args)))),
    ("escaped", |args| Ok(subject(args).is_safe())),
    ("odd", |args| remainder(args, 2).map(|rest| rest == Some(1))),
    ("even", |args| remainder(args, 2).map(|rest| rest == Some(0))),
    ("divisibleby", divisible_by),
    ("lower", |args| cased(args, char::is_lowercase, char::is_uppercase)),
    ("upper", |args| cased(args, char::is_uppercase, char::is_lowercase)),
    ("sameas", |args| Ok(same(&subject(args), &operand(args)))),
    ("in", |args| operators::contains(&operand(args), &subject(args))),
    ("eq", |args| equal(args)),
    ("equalto", |args| equal(args)),
    ("==", |args| equal(args)),
    ("ne", |args| equal(args).map(|equal| !equal)),
    ("!=", |args| equal(args).map(|equal| !equal)),
    ("lt", |args| ordered(args, "<", std::cmp::Ordering::is_lt)),
    ("lessthan", |args| ordered(args, "<", std::cmp::Ordering::is_lt)),
    ("<", |args| ordered(args, "<", std::cmp::Ordering::is_lt)),
    ("le", |args| ordered(args, "<=", std::cmp::Ordering::is_le)),
    ("<=", |args| ordered(args, "<=", std::cmp::Ordering::is_le)),
    ("gt", |args| ordered(args, ">", std::cmp::Ordering::is_gt)),
    ("greaterthan", |args| ordered(args, ">", std::cmp::Ordering::is_gt)),
    (">", |args| ordered(args, ">", std::cmp::Ordering::is_gt)),
    ("ge", |args| ordered(args, ">=", std::cmp::Ordering::is_ge)),
    (">=", |args| ordered(args, ">=", std::cmp::Ordering::is_ge)),
];

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, test) in TESTS {
        let test = *test;
        environment.add_test(*name, move |_: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| test(&args.into_values()));
    }
    environment.add_test("filter", |state: &State<'_, '_>, value: &Value| {
        Ok::<_, Error>(name(value)?.is_some_and(|name| minijinja::tests::is_filter(state, name)))
    });
    environment.add_test("test", |state: &State<'_, '_>, value: &Value| {
        Ok::<_, Error>(name(value)?.is_some_and(|name| minijinja::tests::is_test(state, name)))
    });
}

/// A name to look up; other values name nothing, if they could be keys.
fn name(value: &Value) -> Result<Option<&str>, Error> {
    hashable(defined(Some(value))?)?;
    Ok(value.as_str())
}

fn subject(args: &[Value]) -> Value {
    args.first().cloned().unwrap_or_default()
}

fn operand(args: &[Value]) -> Value {
    args.get(1).cloned().unwrap_or_default()
}

fn sequence(value: &Value) -> Result<bool, Error> {
    let view = value.downcast_object_ref::<View>().is_some();
    Ok(matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Bytes)
        && !is_namespace(value)
        || (value.kind() == ValueKind::Iterable && value.len().is_some() && !view))
}

fn iterable(value: &Value) -> Result<bool, Error> {
    let value = defined(Some(value))?;
    Ok(!value.is_none() && (value.as_str().is_some() || value.try_iter().is_ok()))
}

/// Functions and macros; undefined too, as its Python type can be called.
fn callable(value: &Value) -> bool {
    value.is_undefined() || is_macro(value) || (value.kind() == ValueKind::Plain && !value.is_none())
}

fn integer(value: &Value) -> Result<Option<i128>, Error> {
    match number_of(defined(Some(value))?) {
        Some(Number::Int(number)) => Ok(Some(number)),
        Some(Number::Float(number)) if number.fract() == 0.0 => {
            #[expect(clippy::cast_possible_truncation, reason = "integral; saturates far beyond what is tested")]
            let number = number as i128;
            Ok(Some(number))
        }
        Some(Number::Float(_)) => Ok(None),
        None => Err(type_error(format!("unsupported operand type(s) for %: '{}' and 'int'", type_name(value)))),
    }
}

fn remainder(args: &[Value], by: i128) -> Result<Option<i128>, Error> {
    let value = subject(args);
    if value.as_str().is_some() {
        return Err(type_error("not all arguments converted during string formatting"));
    }
    Ok(integer(&value)?.map(|number| number.rem_euclid(by)))
}

fn divisible_by(args: &[Value]) -> Result<bool, Error> {
    let rest = operators::modulo(&subject(args), &operand(args))?;
    Ok(number_of(&rest).is_some_and(|rest| rest == Number::Int(0) || rest == Number::Float(0.0)))
}

fn cased(args: &[Value], wanted: fn(char) -> bool, other: fn(char) -> bool) -> Result<bool, Error> {
    let text = py_str(defined(args.first())?);
    Ok(text.chars().any(wanted) && !text.chars().any(other))
}

/// Identity; small values are themselves.
fn same(left: &Value, right: &Value) -> bool {
    fn shared<T: Object + 'static>(left: &Value, right: &Value) -> bool {
        matches!((left.downcast_object::<T>(), right.downcast_object::<T>()), (Some(left), Some(right)) if Arc::ptr_eq(&left, &right))
    }
    match (left.as_object(), right.as_object()) {
        (Some(_), Some(_)) => shared::<List>(left, right) || shared::<Dict>(left, right),
        (None, None) => same_scalar(left, right),
        _ => false,
    }
}

/// CPython keeps one object for none, booleans, small integers and short constants; other numbers are new each time.
fn same_scalar(left: &Value, right: &Value) -> bool {
    let is_number = |value: &Value| value.kind() == ValueKind::Number;
    let is_small =
        |value: &Value| value.is_integer() && value.as_i64().is_some_and(|number| (-5..=256).contains(&number));
    left.kind() == right.kind()
        && left == right
        && left.is_integer() == right.is_integer()
        && (!is_number(left) || is_small(left))
}

fn equal(args: &[Value]) -> Result<bool, Error> {
    operators::equal(&subject(args), &operand(args))
}

fn ordered(args: &[Value], operator: &str, holds: fn(std::cmp::Ordering) -> bool) -> Result<bool, Error> {
    operators::ordered(&subject(args), &operand(args), operator).map(|order| order.is_some_and(holds))
}
