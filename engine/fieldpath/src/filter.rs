//! Filter expressions `[?(@.name == 'x')]`.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use crate::json_path::JsonPath;

/// A condition on one element.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Comparison, Operand),
    Match(Operand, Box<Regex>),
    /// True for anything there that is neither `false` nor null.
    Exists(Operand),
}

#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Literal(Value),
    /// Relative to the element: `@.x`.
    Element(JsonPath),
    /// Relative to the whole value: `$.x`.
    Root(JsonPath),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Filter {
    pub(crate) fn holds(&self, element: &Value, root: &Value) -> bool {
        match self {
            Self::Or(left, right) => left.holds(element, root) || right.holds(element, root),
            Self::And(left, right) => left.holds(element, root) && right.holds(element, root),
            Self::Not(filter) => !filter.holds(element, root),
            Self::Compare(left, comparison, right) => {
                comparison.holds(left.value(element, root).as_ref(), right.value(element, root).as_ref())
            }
            Self::Match(operand, regex) => operand
                .value(element, root)
                .is_some_and(|value| value.as_str().is_some_and(|text| regex.is_match(text))),
            Self::Exists(operand) => {
                operand.value(element, root).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
            }
        }
    }
}

impl Operand {
    /// The first value found.
    fn value(&self, element: &Value, root: &Value) -> Option<Value> {
        let (path, start) = match self {
            Self::Literal(value) => return Some(value.clone()),
            Self::Element(path) => (path, element),
            Self::Root(path) => (path, root),
        };
        path.locate(start).first()?.get(start).cloned()
    }
}

impl Comparison {
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let null = Value::Null;
        let ordering = order(left.unwrap_or(&null), right.unwrap_or(&null));
        match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::Unequal => ordering != Some(Ordering::Equal),
            Self::Less => ordering == Some(Ordering::Less),
            Self::AtMost => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::AtLeast => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// Order of two scalars of one type; other pairs are equal or not comparable.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => (left == right).then_some(Ordering::Equal),
    }
}
