//! Errors and warnings of a run (spec 03 section 13).
//!
//! Partial failure is a result: stages go on and leave their messages here, from many tasks
//! at once. Identical messages about one object count once; reading gives them in a fixed order.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windlass_model::object_ref::ObjectRef;
use windlass_model::result::DeploymentError;

/// Collects messages.
#[derive(Debug, Default)]
pub struct Problems {
    inner: Mutex<Messages>,
}

#[derive(Debug, Clone, Default)]
struct Messages {
    errors: BTreeSet<(ObjectRef, String)>,
    warnings: BTreeSet<(ObjectRef, String)>,
}

impl Problems {
    /// No messages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with the errors of another collection: how a preview sees what failed before it.
    #[must_use]
    pub fn with_errors_of(other: &Self) -> Self {
        let errors = other.lock().errors.clone();
        Self { inner: Mutex::new(Messages { errors, warnings: BTreeSet::new() }) }
    }

    /// Records an error about an object.
    pub fn error(&self, object: &ObjectRef, message: impl Into<String>) {
        self.lock().errors.insert((object.clone(), message.into()));
    }

    /// Records an error about no object in particular.
    pub fn general_error(&self, message: impl Into<String>) {
        self.error(&ObjectRef::default(), message);
    }

    /// Records a warning about an object.
    pub fn warning(&self, object: &ObjectRef, message: impl Into<String>) {
        self.lock().warnings.insert((object.clone(), message.into()));
    }

    /// Records a warning about no object in particular.
    pub fn general_warning(&self, message: impl Into<String>) {
        self.warning(&ObjectRef::default(), message);
    }

    /// Records what the API warned about.
    pub fn api_warnings(&self, object: &ObjectRef, warnings: &[String]) {
        for warning in warnings {
            self.warning(object, warning.as_str());
        }
    }

    /// Whether anything failed for exactly this object so far.
    pub fn had_error(&self, object: &ObjectRef) -> bool {
        self.lock().errors.iter().any(|(failed, _)| failed == object)
    }

    /// Whether there is any error.
    pub fn has_errors(&self) -> bool {
        !self.lock().errors.is_empty()
    }

    /// Whether there is any warning.
    pub fn has_warnings(&self) -> bool {
        !self.lock().warnings.is_empty()
    }

    /// The errors, ordered by object and text.
    pub fn errors(&self) -> Vec<DeploymentError> {
        listed(&self.lock().errors)
    }

    /// The warnings, ordered by object and text.
    pub fn warnings(&self) -> Vec<DeploymentError> {
        listed(&self.lock().warnings)
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listed(messages: &BTreeSet<(ObjectRef, String)>) -> Vec<DeploymentError> {
    messages.iter().map(|(object, message)| DeploymentError::new(object.clone(), message.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_counts_once() {
        let problems = Problems::new();
        problems.general_error("a");
        problems.general_error("a");
        problems.general_warning("a");
        assert_eq!((problems.errors().len(), problems.warnings().len()), (1, 1));
    }

    #[test]
    fn a_preview_starts_with_errors_and_leaves_none_behind() {
        let before = Problems::new();
        before.general_error("a");
        before.general_warning("w");
        let preview = Problems::with_errors_of(&before);
        preview.general_error("b");
        assert_eq!((preview.errors().len(), preview.warnings().len(), before.errors().len()), (2, 0, 1));
    }

    #[test]
    fn an_error_of_another_version_is_not_this_objects_error() {
        let problems = Problems::new();
        let object = ObjectRef { kind: "A".into(), version: "v1".into(), ..ObjectRef::default() };
        problems.error(&object, "x");
        assert!(problems.had_error(&object) && !problems.had_error(&object.without_version()));
    }
}
