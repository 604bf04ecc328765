//! Project variables in their shared, unchangeable form.
//!
//! A template gets a view that copies a level only when one of its containers
//! is touched, so 10,000 templates share one conversion and still cannot see
//! each other's changes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, Value};
use serde_json::{Map, Value as Json};

use super::{Dict, List, number::json_number};
use crate::vars::is_reserved;

pub(crate) type FrozenDict = IndexMap<Arc<str>, Frozen>;

/// A variable that nobody can change.
#[derive(Debug, Clone)]
pub(crate) enum Frozen {
    Scalar(Value),
    List(Arc<Vec<Frozen>>),
    Dict(Arc<FrozenDict>),
}

impl Frozen {
    pub(crate) fn from_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::Scalar(Value::from(())),
            Json::Bool(value) => Self::Scalar(Value::from(*value)),
            Json::Number(number) => Self::Scalar(json_number(number)),
            Json::String(text) => Self::Scalar(Value::from(text.as_str())),
            Json::Array(items) => Self::List(Arc::new(items.iter().map(Self::from_json).collect())),
            Json::Object(entries) => Self::Dict(Arc::new(Self::dict(entries))),
        }
    }

    pub(crate) fn dict(entries: &Map<String, Json>) -> FrozenDict {
        entries.iter().map(|(key, value)| (Arc::from(key.as_str()), Self::from_json(value))).collect()
    }

    /// A view that a template may change without changing `self`.
    pub(crate) fn thaw(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => Value::from_object(List::shared(items.clone())),
            Self::Dict(entries) => Value::from_object(Dict::shared(entries.clone())),
        }
    }

    pub(crate) fn scalar(&self) -> Option<&Value> {
        match self {
            Self::Scalar(value) => Some(value),
            _ => None,
        }
    }
}

/// The outermost names of one template run: its extra names, then the project variables.
pub(crate) struct Root {
    vars: Arc<FrozenDict>,
    /// Containers that were touched; kept so that two uses mean one object.
    touched: Mutex<IndexMap<String, Value>>,
}

impl Root {
    pub(crate) fn new(vars: Arc<FrozenDict>) -> Self {
        Self { vars, touched: Mutex::default() }
    }

    /// Names that hide the project variables.
    pub(crate) fn with_names(vars: Arc<FrozenDict>, names: IndexMap<String, Value>) -> Self {
        Self { vars, touched: Mutex::new(names) }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.vars.keys()).finish()
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if is_reserved(key) {
            return None;
        }
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = touched.get(key) {
            return Some(value.clone());
        }
        let frozen = self.vars.get(key)?;
        if let Some(value) = frozen.scalar() {
            return Some(value.clone());
        }
        let value = frozen.thaw();
        touched.insert(key.to_owned(), value.clone());
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<Value> = self.vars.keys().map(Value::from).collect();
        names.extend(touched.keys().filter(|name| !self.vars.contains_key(name.as_str())).map(Value::from));
        Enumerator::Values(names)
    }
}
