//! What `keys()`, `values()` and `items()` of a mapping return.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::{new_list, py_repr};

/// The items at the time of the call, printed with the name of the view.
#[derive(Debug)]
pub(crate) struct View {
    name: &'static str,
    items: Vec<Value>,
}

/// A view called `name`, as `dict_keys`.
pub(crate) fn new_view(name: &'static str, items: Vec<Value>) -> Value {
    Value::from_object(View { name, items })
}

impl View {
    /// `dict.values()`: equal to nothing but itself.
    pub(crate) fn is_values(&self) -> bool {
        self.name == "dict_values"
    }

    /// Python's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        self.name
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, py_repr(&new_list(self.items.clone())))
    }
}
