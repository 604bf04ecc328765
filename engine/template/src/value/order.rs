//! Python's `<`: numbers, strings, sequences; anything else is an error.

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::{Number, number_of, type_name, undefined};
use crate::error::ErrorKind;
use crate::failure::{raised, type_error};
use crate::operators;

/// Compares two values the way Python's `sort` does.
pub(crate) fn compare(left: &Value, right: &Value) -> Result<Ordering, Error> {
    compare_nested(left, right, 0)
}

fn compare_nested(left: &Value, right: &Value, depth: usize) -> Result<Ordering, Error> {
    if depth > 200 {
        return Err(raised(ErrorKind::Limit, "maximum recursion depth exceeded in comparison"));
    }
    crate::scope::charge(4)?;
    for value in [left, right] {
        if value.is_undefined() {
            return Err(undefined(value));
        }
    }
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return Ok(compare_numbers(left, right));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        crate::scope::charge(left.len().min(right.len()) / 8)?;
        return Ok(left.cmp(right));
    }
    if left.kind() == ValueKind::Seq && right.kind() == ValueKind::Seq && left.is_tuple() == right.is_tuple() {
        return compare_sequences(left, right, depth);
    }
    let (left, right) = (type_name(left), type_name(right));
    Err(type_error(format!("'<' not supported between instances of '{left}' and '{right}'")))
}

#[expect(clippy::cast_precision_loss, reason = "as Python does for huge integers")]
fn compare_numbers(left: Number, right: Number) -> Ordering {
    let float = |number| match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
    };
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => left.cmp(&right),
        (left, right) => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

fn compare_sequences(left: &Value, right: &Value, depth: usize) -> Result<Ordering, Error> {
    let (mut left, mut right) = (left.try_iter()?, right.try_iter()?);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ok(Ordering::Equal),
            (None, Some(_)) => return Ok(Ordering::Less),
            (Some(_), None) => return Ok(Ordering::Greater),
            (Some(left), Some(right)) if operators::equal(&left, &right)? => {}
            (Some(left), Some(right)) => return compare_nested(&left, &right, depth + 1),
        }
    }
}
