//! A mapping that can change, in insertion order.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::{FrozenDict, py_repr};
use crate::{methods, scope};

pub(crate) type Entries = IndexMap<Value, Value>;

pub(crate) struct Dict {
    content: Mutex<Content>,
}

enum Content {
    Shared(Arc<FrozenDict>),
    Own(Entries),
}

/// A new mapping.
pub(crate) fn new_dict(entries: Entries) -> Value {
    Value::from_object(Dict { content: Mutex::new(Content::Own(entries)) })
}

impl Dict {
    pub(super) fn shared(entries: Arc<FrozenDict>) -> Self {
        Self { content: Mutex::new(Content::Shared(entries)) }
    }

    /// Removes the values, for dropping.
    pub(super) fn take(&mut self) -> Vec<Value> {
        match self.content.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Content::Own(entries) => std::mem::take(entries).into_values().collect(),
            Content::Shared(_) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the entries. `change` must not call back into templates.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut Entries) -> R) -> R {
        let mut content = self.lock();
        change(content.own())
    }

    /// A copy of the entries; the values are shared.
    pub(crate) fn entries(&self) -> Entries {
        self.with(|entries| entries.clone())
    }
}

impl Content {
    fn get(&mut self, key: &Value) -> Option<Value> {
        if let Self::Shared(shared) = self {
            let value = shared.get(key.as_str()?)?;
            if let Some(scalar) = value.scalar() {
                return Some(scalar.clone());
            }
        }
        self.own().get(key).cloned()
    }

    fn own(&mut self) -> &mut Entries {
        if let Self::Shared(shared) = self {
            let own = shared.iter().map(|(key, value)| (Value::from(key), value.thaw())).collect();
            *self = Self::Own(own);
        }
        match self {
            Self::Own(entries) => entries,
            Self::Shared(_) => unreachable!("replaced above"),
        }
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        super::release(self.take());
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dict")
    }
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = self.lock().get(key);
        if found.is_none() {
            scope::note_miss("dict object", key);
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(match &*self.lock() {
            Content::Shared(shared) => shared.keys().map(Value::from).collect(),
            Content::Own(entries) => entries.keys().cloned().collect(),
        })
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(match &*self.lock() {
            Content::Shared(shared) => shared.len(),
            Content::Own(entries) => entries.len(),
        })
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        methods::call_dict(self, state, method, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&py_repr(&Value::from_dyn_object(self.clone())))
    }
}
