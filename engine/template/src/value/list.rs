//! A list that can change.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::{Frozen, py_repr};
use crate::{methods, scope};

pub(crate) struct List {
    content: Mutex<Content>,
}

enum Content {
    Shared(Arc<Vec<Frozen>>),
    Own(Vec<Value>),
}

/// A new list.
pub(crate) fn new_list(items: Vec<Value>) -> Value {
    Value::from_object(List { content: Mutex::new(Content::Own(items)) })
}

impl List {
    pub(super) fn shared(items: Arc<Vec<Frozen>>) -> Self {
        Self { content: Mutex::new(Content::Shared(items)) }
    }

    /// Removes the items, for dropping.
    pub(super) fn take(&mut self) -> Vec<Value> {
        match self.content.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Content::Own(items) => std::mem::take(items),
            Content::Shared(_) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the items. `change` must not call back into templates.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        let mut content = self.lock();
        change(content.own())
    }

    /// The item at `index`; negative ones count from the end.
    fn at(&self, index: i64) -> Option<Value> {
        self.with(|items| {
            let distance = usize::try_from(index.unsigned_abs()).ok()?;
            let index = if index < 0 { items.len().checked_sub(distance)? } else { distance };
            items.get(index).cloned()
        })
    }

    /// A copy of the list; the items are shared.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.with(|items| items.clone())
    }
}

impl Content {
    fn own(&mut self) -> &mut Vec<Value> {
        if let Self::Shared(shared) = self {
            *self = Self::Own(shared.iter().map(Frozen::thaw).collect());
        }
        match self {
            Self::Own(items) => items,
            Self::Shared(_) => unreachable!("replaced above"),
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        super::release(self.take());
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("List")
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = key.is_integer().then(|| key.as_i64()).flatten().and_then(|index| self.at(index));
        if found.is_none() {
            scope::note_miss("list object", key);
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &*self.lock() {
            Content::Shared(shared) => shared.len(),
            Content::Own(items) => items.len(),
        })
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        methods::call_list(self, state, method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&py_repr(&Value::from_dyn_object(self.clone())))
    }
}
