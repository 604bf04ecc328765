//! Jinja2's own globals.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::add;
use crate::binder::{signature, split_named};
use crate::budget::reserve_items;
use crate::failure::{raised, type_error, value_error};
use crate::methods::{no_args, pairs_of};
use crate::value::{Number, new_dict, number_of, py_str, type_name};

/// A list of so many elements of a range still fits.
const MAX_COLLECTED: i64 = 10_000_000;

pub(super) fn register(environment: &mut Environment<'static>) {
    add(environment, "dict", |_, args| dict(args));
    add(environment, "namespace", |_, args| match args {
        [] => minijinja::functions::namespace(None),
        args => minijinja::functions::namespace(Some(dict(args)?.into())),
    });
    add(environment, "__namespace", |_, _| minijinja::functions::namespace(None));
    add(environment, "range", |_, args| range(args));
    add(environment, "cycler", |_, args| cycler(args));
    add(environment, "joiner", |_, args| {
        let slots = signature("Joiner.__init__", &["sep"], 0).bind(args)?;
        let separator = slots[0].as_ref().map_or_else(|| ", ".to_owned(), py_str);
        Ok(Value::from_object(Joiner { separator, used: AtomicBool::new(false) }))
    });
}

fn dict(args: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split_named(args);
    let mut entries = match positional {
        [] => Vec::new(),
        [pairs] => pairs_of(super::super::filters::defined(Some(pairs))?)?,
        more => return Err(type_error(format!("dict expected at most 1 argument, got {}", more.len()))),
    };
    entries.extend(named.into_iter().map(|(name, value)| (Value::from(name), value)));
    Ok(new_dict(entries.into_iter().collect()))
}

fn range(args: &[Value]) -> Result<Value, Error> {
    let numbers = args
        .iter()
        .map(|value| match number_of(value) {
            Some(Number::Int(number)) => {
                i64::try_from(number).map_err(|_| raised(crate::error::ErrorKind::Overflow, "range is too large"))
            }
            _ => Err(type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                type_name(super::super::filters::defined(Some(value))?)
            ))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (start, stop, step) = match numbers.as_slice() {
        [stop] => (0, *stop, 1),
        [start, stop] => (*start, *stop, 1),
        [start, stop, step] => (*start, *stop, *step),
        [] => return Err(type_error("range expected at least 1 argument, got 0")),
        more => return Err(type_error(format!("range expected at most 3 arguments, got {}", more.len()))),
    };
    if step == 0 {
        return Err(value_error("range() arg 3 must not be zero"));
    }
    spanning(start, stop, step).map(Value::from_object)
}

/// The range with these numbers; `step` is not zero.
fn spanning(start: i64, stop: i64, step: i64) -> Result<Range, Error> {
    let span = if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let stride = i128::from(step).abs();
    let length = i64::try_from((span.max(0) + stride - 1) / stride)
        .map_err(|_| raised(crate::error::ErrorKind::Overflow, "Python int too large to convert to C ssize_t"))?;
    Ok(Range { start, stop, step, length })
}

#[derive(Debug)]
struct Range {
    start: i64,
    stop: i64,
    step: i64,
    length: i64,
}

impl Range {
    fn at(&self, index: i64) -> Option<Value> {
        let index = if index < 0 { index + self.length } else { index };
        let place = i128::from(self.start) + i128::from(index) * i128::from(self.step);
        (0..self.length).contains(&index).then(|| Value::from(place))
    }

    fn contains(&self, number: i128) -> bool {
        let distance = number - i128::from(self.start);
        let step = i128::from(self.step);
        distance % step == 0 && (0..i128::from(self.length)).contains(&(distance / step))
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = key.as_i64().and_then(|index| self.at(index));
        if found.is_none() {
            crate::scope::note_miss("range object", key);
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let range = self.clone();
        let items = (0..self.length).map(move |index| range.at(index).unwrap_or_default());
        match self.length {
            0..=MAX_COLLECTED => Enumerator::Iter(Box::new(items)),
            // No room is set aside for its length. Who collects it is stopped, and the render fails.
            _ => Enumerator::Iter(Box::new(items.take_while(|_| reserve_items(10).is_ok()))),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        usize::try_from(self.length).ok()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            1 => write!(f, "range({}, {})", self.start, self.stop),
            step => write!(f, "range({}, {}, {step})", self.start, self.stop),
        }
    }
}

/// The part of a range between two of its positions, which is a range too.
pub(super) fn sliced(value: &Value, first: i64, end: i64, step: i64) -> Value {
    let part = value.downcast_object_ref::<Range>().and_then(|range| {
        let place = |index: i64| index.checked_mul(range.step)?.checked_add(range.start);
        spanning(place(first)?, place(end)?, range.step.checked_mul(step)?).ok()
    });
    part.map_or(Value::UNDEFINED, Value::from_object)
}

/// Whether a range has the number; `None` for other values.
pub(crate) fn range_contains(value: &Value, needle: &Value) -> Option<bool> {
    let range = value.downcast_object_ref::<Range>()?;
    match number_of(needle)? {
        Number::Int(number) => Some(range.contains(number)),
        Number::Float(_) => None,
    }
}

/// Whether a value is a `range`, which prints as one.
pub(crate) fn is_range(value: &Value) -> bool {
    value.downcast_object_ref::<Range>().is_some()
}

#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    position: AtomicUsize,
}

fn cycler(args: &[Value]) -> Result<Value, Error> {
    if args.is_empty() {
        return Err(raised(crate::error::ErrorKind::Runtime, "at least one item has to be provided"));
    }
    Ok(Value::from_object(Cycler { items: args.to_vec(), position: AtomicUsize::new(0) }))
}

impl Cycler {
    fn current(&self) -> Value {
        self.items[self.position.load(Ordering::Relaxed) % self.items.len()].clone()
    }
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("current")).then(|| self.current())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "next" => {
                no_args(method, args)?;
                let current = self.current();
                self.position.fetch_add(1, Ordering::Relaxed);
                Ok(current)
            }
            "reset" => {
                no_args(method, args)?;
                self.position.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }
}

#[derive(Debug)]
struct Joiner {
    separator: String,
    used: AtomicBool,
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        no_args("joiner", args)?;
        let used = self.used.swap(true, Ordering::Relaxed);
        Ok(Value::from(if used { self.separator.as_str() } else { "" }))
    }
}
