//! Loops over containers that may change while they run.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::{Dict, List};
use crate::error::ErrorKind;
use crate::failure::raised;

/// What a loop runs over when its sequence is a list or mapping of ours.
#[derive(Debug)]
enum Watched {
    List(Arc<List>),
    Dict(Arc<Dict>),
}

/// `value` for a loop: items added to a list meanwhile come too, a mapping must keep its size.
pub(crate) fn watched(value: &Value) -> Value {
    if let Some(list) = value.downcast_object::<List>() {
        return Value::from_object(Watched::List(list));
    }
    match value.downcast_object::<Dict>() {
        Some(dict) => Value::from_object(Watched::Dict(dict)),
        None => value.clone(),
    }
}

/// The items of a list as they are when their turn comes.
struct Items {
    list: Arc<List>,
    next: usize,
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let item = self.list.with(|items| items.get(self.next).cloned())?;
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.list.with(|items| items.len()).saturating_sub(self.next);
        (rest, Some(rest))
    }
}

/// The keys of a mapping, or an error when it has grown or shrunk.
struct Keys {
    dict: Arc<Dict>,
    size: usize,
    next: usize,
}

impl Iterator for Keys {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let (size, key) =
            self.dict.with(|entries| (entries.len(), entries.get_index(self.next).map(|(key, _)| key.clone())));
        if size != self.size {
            return Some(Value::from(raised(ErrorKind::Runtime, "dictionary changed size during iteration")));
        }
        self.next += 1;
        key
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.size.saturating_sub(self.next);
        (rest, Some(rest))
    }
}

impl Object for Watched {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Iter(match &**self {
            Self::List(list) => Box::new(Items { list: list.clone(), next: 0 }),
            Self::Dict(dict) => {
                let size = dict.with(|entries| entries.len());
                Box::new(Keys { dict: dict.clone(), size, next: 0 })
            }
        })
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &**self {
            Self::List(list) => list.with(|items| items.len()),
            Self::Dict(dict) => dict.with(|entries| entries.len()),
        })
    }
}
