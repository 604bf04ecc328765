//! What an evaluation says.

/// How "not ready yet" is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// Waiting: it may still come.
    Warning,
    /// Validation: it should have been there.
    Error,
}

/// One `validate-result.kluctl.io/…` annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateAnnotation {
    /// Whole key.
    pub annotation: String,
    /// Value.
    pub message: String,
}

/// The outcome for one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Nothing is missing and nothing has failed.
    pub ready: bool,
    /// Failures.
    pub errors: Vec<String>,
    /// Hints.
    pub warnings: Vec<String>,
    /// Annotations to report.
    pub results: Vec<ValidateAnnotation>,
}

/// An outcome in the making: starts as ready.
#[derive(Debug)]
pub(crate) struct Verdict {
    outcome: Readiness,
    not_ready: NotReady,
}

impl Verdict {
    pub(crate) fn new(not_ready: NotReady) -> Self {
        Self { outcome: Readiness { ready: true, ..Readiness::default() }, not_ready }
    }

    pub(crate) fn not_ready(&mut self, message: impl Into<String>) {
        self.outcome.ready = false;
        match self.not_ready {
            NotReady::Warning => self.outcome.warnings.push(message.into()),
            NotReady::Error => self.outcome.errors.push(message.into()),
        }
    }

    pub(crate) fn error(&mut self, message: impl Into<String>) {
        self.outcome.ready = false;
        self.outcome.errors.push(message.into());
    }

    pub(crate) fn warning(&mut self, message: impl Into<String>) {
        self.outcome.warnings.push(message.into());
    }

    pub(crate) fn report(&mut self, annotation: &str, message: &str) {
        self.outcome.results.push(ValidateAnnotation { annotation: annotation.into(), message: message.into() });
    }

    pub(crate) fn finish(self) -> Readiness {
        self.outcome
    }
}
