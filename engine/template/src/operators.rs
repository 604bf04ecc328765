//! Python's operators.

use std::cmp::Ordering;

use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use crate::budget;
use crate::error::ErrorKind;
use crate::failure::{raised, type_error};
use crate::filters::{escaped, like};
use crate::printf::printf;
use crate::value::{Number, compare, new_list, number_of, type_name, undefined};

fn both_defined(left: &Value, right: &Value) -> Result<(), Error> {
    for value in [left, right] {
        if value.is_undefined() {
            return Err(undefined(value));
        }
    }
    Ok(())
}

fn unsupported(operator: &str, left: &Value, right: &Value) -> Error {
    type_error(format!("unsupported operand type(s) for {operator}: '{}' and '{}'", type_name(left), type_name(right)))
}

fn zero(message: &str) -> Error {
    raised(ErrorKind::ZeroDivision, message)
}

fn overflow() -> Error {
    raised(ErrorKind::Overflow, "integer too large")
}

fn int(number: Option<i128>) -> Result<Value, Error> {
    let number = number.ok_or_else(overflow)?;
    Ok(i64::try_from(number).map_or_else(|_| Value::from(number), Value::from))
}

#[expect(clippy::cast_precision_loss, reason = "as Python does")]
fn float(number: Number) -> f64 {
    match number {
        Number::Int(number) => number as f64,
        Number::Float(number) => number,
    }
}

/// `left + right`.
pub(crate) fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    if let (Some(left_text), Some(right_text)) = (left.as_str(), right.as_str()) {
        budget::reserve(left_text.len().saturating_add(right_text.len()))?;
        return Ok(if left.is_safe() || right.is_safe() {
            Value::from_safe_string(escaped_text(left) + &escaped_text(right))
        } else {
            Value::from([left_text, right_text].concat())
        });
    }
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return match (left, right) {
            (Number::Int(left), Number::Int(right)) => int(left.checked_add(right)),
            (left, right) => Ok(Value::from(float(left) + float(right))),
        };
    }
    let sequences = left.kind() == ValueKind::Seq && right.kind() == ValueKind::Seq;
    if sequences && left.is_tuple() == right.is_tuple() {
        budget::reserve_items(left.len().unwrap_or(0).saturating_add(right.len().unwrap_or(0)))?;
        let items: Vec<Value> = left.try_iter()?.chain(right.try_iter()?).collect();
        return Ok(if left.is_tuple() { Value::from(Tuple::from(items)) } else { new_list(items) });
    }
    if let Some(time) = left.downcast_object_ref::<crate::functions::Time>() {
        let span = number_of(right).ok_or_else(|| unsupported("+", left, right))?;
        return time.shifted(float(span));
    }
    Err(match (left.kind(), right.kind()) {
        (ValueKind::String, _) => type_error(format!("can only concatenate str (not \"{}\") to str", type_name(right))),
        (ValueKind::Seq, _) => {
            let kind = type_name(left);
            type_error(format!("can only concatenate {kind} (not \"{}\") to {kind}", type_name(right)))
        }
        _ => unsupported("+", left, right),
    })
}

/// `left - right`.
pub(crate) fn subtract(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    if let (Some(time), Some(span)) = (left.downcast_object_ref::<crate::functions::Time>(), number_of(right)) {
        return time.shifted(-float(span));
    }
    match (number_of(left), number_of(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => int(left.checked_sub(right)),
        (Some(left), Some(right)) => Ok(Value::from(float(left) - float(right))),
        _ => Err(unsupported("-", left, right)),
    }
}

/// `left * right`.
pub(crate) fn multiply(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    match (number_of(left), number_of(right)) {
        (Some(Number::Int(left)), Some(Number::Int(right))) => int(left.checked_mul(right)),
        (Some(left), Some(right)) => Ok(Value::from(float(left) * float(right))),
        (None, Some(Number::Int(count))) => repeat(left, count).unwrap_or_else(|| Err(unsupported("*", left, right))),
        (Some(Number::Int(count)), None) => repeat(right, count).unwrap_or_else(|| Err(unsupported("*", left, right))),
        _ => match (left.kind(), right.kind()) {
            (ValueKind::String | ValueKind::Seq, _) => {
                Err(type_error(format!("can't multiply sequence by non-int of type '{}'", type_name(right))))
            }
            (_, ValueKind::String | ValueKind::Seq) => {
                Err(type_error(format!("can't multiply sequence by non-int of type '{}'", type_name(left))))
            }
            _ => Err(unsupported("*", left, right)),
        },
    }
}

fn escaped_text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if value.is_safe() { text.to_owned() } else { escaped(text) }
}

/// What is filled into an escaped text gets escaped.
pub(crate) fn escaped_for(format: Option<&Value>, values: &Value) -> Result<Value, Error> {
    if !format.is_some_and(Value::is_safe) {
        return Ok(values.clone());
    }
    let one = |value: &Value| match value.as_str() {
        Some(text) if !value.is_safe() => Value::from_safe_string(escaped(text)),
        _ => value.clone(),
    };
    Ok(match values.kind() {
        ValueKind::Seq if values.is_tuple() => {
            Value::from(Tuple::from(values.try_iter()?.map(|value| one(&value)).collect::<Vec<_>>()))
        }
        ValueKind::Map => crate::value::new_dict(
            crate::methods::pairs_of(values)?.into_iter().map(|(key, value)| (key, one(&value))).collect(),
        ),
        _ => one(values),
    })
}

fn repeat(value: &Value, count: i128) -> Option<Result<Value, Error>> {
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    let reserved = match value.as_str() {
        Some(text) => budget::reserve_times(count, text.len()),
        None => budget::reserve_items(count.saturating_mul(value.len()?)),
    };
    if let Err(error) = reserved {
        return Some(Err(error));
    }
    if let Some(text) = value.as_str() {
        return Some(Ok(like(value, text.repeat(count))));
    }
    if value.kind() != ValueKind::Seq {
        return None;
    }
    let items: Vec<Value> = value.try_iter().ok()?.collect();
    let repeated = std::iter::repeat_n(items, count).flatten().collect::<Vec<_>>();
    Some(Ok(if value.is_tuple() { Value::from(Tuple::from(repeated)) } else { new_list(repeated) }))
}

/// `left / right`: always a float.
pub(crate) fn divide(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    let (Some(dividend), Some(divisor)) = (number_of(left), number_of(right)) else {
        return Err(unsupported("/", left, right));
    };
    if float(divisor) == 0.0 {
        let both_int = matches!((dividend, divisor), (Number::Int(_), Number::Int(_)));
        return Err(zero(if both_int { "division by zero" } else { "float division by zero" }));
    }
    Ok(Value::from(float(dividend) / float(divisor)))
}

/// `left // right`: rounded down.
pub(crate) fn floor_divide(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    match (number_of(left), number_of(right)) {
        (Some(Number::Int(_)), Some(Number::Int(0))) => Err(zero("integer division or modulo by zero")),
        (Some(Number::Int(left)), Some(Number::Int(right))) => int(floor_parts(left, right).map(|parts| parts.0)),
        (Some(dividend), Some(divisor)) if float(divisor) != 0.0 => {
            Ok(Value::from(float_parts(float(dividend), float(divisor)).0))
        }
        (Some(_), Some(_)) => Err(zero("float floor division by zero")),
        _ => Err(unsupported("//", left, right)),
    }
}

/// `left % right`: remainder with the divisor's sign, or printf formatting.
pub(crate) fn modulo(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    if let Some(format) = left.as_str() {
        return printf(format, &escaped_for(Some(left), right)?).map(|text| like(left, text));
    }
    match (number_of(left), number_of(right)) {
        (Some(Number::Int(_)), Some(Number::Int(0))) => Err(zero("integer modulo by zero")),
        (Some(Number::Int(left)), Some(Number::Int(right))) => int(floor_parts(left, right).map(|parts| parts.1)),
        (Some(dividend), Some(divisor)) if float(divisor) != 0.0 => {
            Ok(Value::from(float_parts(float(dividend), float(divisor)).1))
        }
        (Some(_), Some(_)) => Err(zero("float modulo")),
        _ => Err(unsupported("%", left, right)),
    }
}

fn floor_parts(left: i128, right: i128) -> Option<(i128, i128)> {
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    let adjust = rest != 0 && (rest < 0) != (right < 0);
    Some(if adjust { (quotient - 1, rest + right) } else { (quotient, rest) })
}

fn float_parts(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(right);
    } else if (rest < 0.0) != (right < 0.0) {
        rest += right;
    }
    let quotient = ((left - rest) / right).round();
    (if quotient == 0.0 { 0.0_f64.copysign(left / right) } else { quotient }, rest)
}

/// `left ** right`.
pub(crate) fn power(left: &Value, right: &Value) -> Result<Value, Error> {
    both_defined(left, right)?;
    let (Some(base), Some(exponent)) = (number_of(left), number_of(right)) else {
        return Err(unsupported("** or pow()", left, right));
    };
    if let (Number::Int(base), Number::Int(exponent)) = (base, exponent)
        && exponent >= 0
    {
        let exponent = u32::try_from(exponent).map_err(|_| overflow())?;
        return int(base.checked_pow(exponent));
    }
    if float(base) == 0.0 && float(exponent) < 0.0 {
        return Err(zero("0.0 cannot be raised to a negative power"));
    }
    let result = float(base).powf(float(exponent));
    if result.is_nan() && !float(base).is_nan() && !float(exponent).is_nan() {
        return Err(type_error("complex numbers are not supported"));
    }
    if result.is_infinite() && float(base).is_finite() && float(exponent).is_finite() {
        return Err(raised(ErrorKind::Overflow, "(34, 'Numerical result out of range')"));
    }
    Ok(Value::from(result))
}

/// `left == right`.
pub(crate) fn equal(left: &Value, right: &Value) -> Result<bool, Error> {
    both_defined(left, right)?;
    same_value(left, right, 0)
}

fn address(value: &Value) -> *const () {
    value.as_object().map_or(std::ptr::null(), |object| std::ptr::from_ref(object).cast())
}

/// Deep equality; a container may contain itself, so the depth is limited.
fn same_value(left: &Value, right: &Value, depth: usize) -> Result<bool, Error> {
    const MAX_DEPTH: usize = 200;
    if depth > MAX_DEPTH {
        return Err(raised(ErrorKind::Limit, "maximum recursion depth exceeded in comparison"));
    }
    both_defined(left, right)?;
    let views =
        |value: &Value| value.downcast_object_ref::<crate::value::View>().is_some_and(crate::value::View::is_values);
    if views(left) || views(right) {
        return Ok(std::ptr::eq(address(left), address(right)));
    }
    if super::value::is_namespace(left) || super::value::is_namespace(right) {
        return Ok(left == right && std::ptr::eq(address(left), address(right)));
    }
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return Ok(match (left, right) {
            (Number::Int(left), Number::Int(right)) => left == right,
            #[expect(clippy::float_cmp, reason = "as Python does")]
            (left, right) => float(left) == float(right),
        });
    }
    match (left.kind(), right.kind()) {
        (ValueKind::Seq, ValueKind::Seq) => {
            budget::visit(left.len().unwrap_or(0).min(right.len().unwrap_or(0)))?;
            if left.is_tuple() != right.is_tuple() || left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.try_iter()?.zip(right.try_iter()?) {
                if !same_value(&left, &right, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (ValueKind::Map, ValueKind::Map) => {
            budget::visit(left.len().unwrap_or(0).min(right.len().unwrap_or(0)))?;
            if left.len() != right.len() {
                return Ok(false);
            }
            for key in left.try_iter()? {
                let (left, right) = (left.get_item(&key)?, right.get_item(&key)?);
                if right.is_undefined() || !same_value(&left, &right, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (ValueKind::Seq | ValueKind::Map, _) | (_, ValueKind::Seq | ValueKind::Map) => Ok(false),
        (ValueKind::String, ValueKind::String) => {
            crate::scope::charge(left.as_str().map_or(0, str::len) / 8)?;
            Ok(left == right)
        }
        _ => Ok(left == right),
    }
}

/// `left < right` and its relatives; `None` where nothing holds (NaN).
pub(crate) fn ordered(left: &Value, right: &Value, operator: &str) -> Result<Option<Ordering>, Error> {
    both_defined(left, right)?;
    if let (Some(left), Some(right)) = (number_of(left), number_of(right))
        && matches!((left, right), (Number::Float(_), _) | (_, Number::Float(_)))
    {
        return Ok(float(left).partial_cmp(&float(right)));
    }
    if let (Some(left), Some(right)) =
        (left.downcast_object_ref::<crate::functions::Time>(), right.downcast_object_ref::<crate::functions::Time>())
    {
        return left.compare(right).map(Some);
    }
    compare(left, right).map(Some).map_err(|_| {
        type_error(format!(
            "'{operator}' not supported between instances of '{}' and '{}'",
            type_name(left),
            type_name(right)
        ))
    })
}

/// `needle in container`.
pub(crate) fn contains(container: &Value, needle: &Value) -> Result<bool, Error> {
    if container.is_undefined() {
        return Err(undefined(container));
    }
    if let Some(text) = container.as_str() {
        if needle.is_undefined() {
            return Err(undefined(needle));
        }
        let needle = needle.as_str().ok_or_else(|| {
            type_error(format!("'in <string>' requires string as left operand, not {}", type_name(needle)))
        })?;
        crate::scope::charge(text.len() / 8)?;
        return Ok(text.contains(needle));
    }
    match container.kind() {
        ValueKind::Map => {
            if needle.is_undefined() {
                return Err(undefined(needle));
            }
            crate::value::hashable(needle)?;
            if !container.get_item(needle)?.is_undefined() {
                return Ok(true);
            }
            // The value of the key may be undefined itself.
            budget::visit(container.len().unwrap_or(0))?;
            Ok(container.try_iter()?.any(|key| key == *needle))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            if let Some(found) = crate::functions::range_contains(container, needle) {
                return Ok(found);
            }
            budget::visit(container.len().unwrap_or(0))?;
            for item in container.try_iter()? {
                if equal(needle, &item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(type_error(format!("argument of type '{}' is not iterable", type_name(container)))),
    }
}
