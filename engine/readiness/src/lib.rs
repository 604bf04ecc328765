//! Tells whether a live object is ready (spec 03 section 9).
//!
//! Pure: what only the server knows, whether a `status` is to be expected of a
//! custom resource, is handed over as [`StatusExpectation`] by the caller, who asks
//! only when [`needs_expectation`] says so. Waiting and its timeouts are `windlass-deploy`'s work.

mod builtin;
mod conditions;
mod expectation;
mod kinds;
mod outcome;

pub use builtin::builtin_expects_status;
pub use expectation::{StatusExpectation, needs_expectation};
pub use outcome::{NotReady, Readiness, ValidateAnnotation};

use jiff::Timestamp;
use windlass_model::object::Object;

use outcome::Verdict;

/// Prefix of annotations that validation reports.
pub const RESULT_ANNOTATION_PREFIX: &str = "validate-result.kluctl.io/";
const VALIDATE_IGNORE: &str = "kluctl.io/validate-ignore";
const IS_READY: &str = "kluctl.io/is-ready";

/// Evaluates one live object at the time `now`.
///
/// `expectation` matters only for an object without status. Objects seen by the
/// API version of their manifest and by another one give the same answer: rules look at group and kind.
pub fn evaluate(object: &Object, not_ready: NotReady, expectation: &StatusExpectation, now: Timestamp) -> Readiness {
    let mut verdict = Verdict::new(not_ready);
    if object.bool_annotation(VALIDATE_IGNORE) == Some(true) {
        return verdict.finish();
    }
    for (key, message) in object.annotations().filter(|(key, _)| key.starts_with(RESULT_ANNOTATION_PREFIX)) {
        verdict.report(key, message);
    }
    match object.bool_annotation(IS_READY) {
        Some(false) => verdict.not_ready("kluctl.io/is-ready annotation is set to false"),
        Some(true) => {}
        None if !object.0["status"].is_object() => expectation::judge(object, expectation, now, &mut verdict),
        None if is_outdated(object) => verdict.not_ready("Waiting for reconciliation"),
        None => kinds::judge(object, &mut verdict),
    }
    verdict.finish()
}

/// The controller has not seen the current spec yet.
fn is_outdated(object: &Object) -> bool {
    let Some(observed) = object.0["status"]["observedGeneration"].as_i64() else { return false };
    observed != object.0["metadata"]["generation"].as_i64().unwrap_or(-1)
}

#[cfg(test)]
mod tests;
