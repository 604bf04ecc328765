//! Objects without a status (spec 03 section 9.2).

use jiff::{SignedDuration, Timestamp};
use windlass_model::object::Object;

use crate::builtin::builtin_expects_status;
use crate::outcome::Verdict;
use crate::{IS_READY, VALIDATE_IGNORE};

/// A controller gets this long to write the first status.
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);
const UNDECIDED: &str = "unable to determine if a status is expected. This usually happens when you don't have \
    permission to list CRDs or status sub-resources";

/// Whether an object of this kind gets a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusExpectation {
    /// Somebody writes one.
    Expected,
    /// Nobody does.
    NotExpected,
    /// The cluster did not tell.
    Undecided,
    /// Finding out failed.
    Failed(String),
}

/// Whether the evaluation of this object depends on what the cluster says about its kind.
pub fn needs_expectation(object: &Object) -> bool {
    !object.0["status"].is_object()
        && object.bool_annotation(VALIDATE_IGNORE) != Some(true)
        && object.bool_annotation(IS_READY).is_none()
        && builtin_expects_status(&object.gvk().group_kind()).is_none()
}

pub(crate) fn judge(object: &Object, expectation: &StatusExpectation, now: Timestamp, verdict: &mut Verdict) {
    let expected = match builtin_expects_status(&object.gvk().group_kind()) {
        Some(true) => &StatusExpectation::Expected,
        Some(false) => &StatusExpectation::NotExpected,
        None => expectation,
    };
    match expected {
        StatusExpectation::Expected if is_young(object, now) => verdict.not_ready("no status available yet"),
        StatusExpectation::Expected | StatusExpectation::NotExpected => {}
        StatusExpectation::Undecided => verdict.warning(UNDECIDED),
        StatusExpectation::Failed(message) => verdict.error(message.clone()),
    }
}

/// An object without a readable creation time counts as old.
fn is_young(object: &Object, now: Timestamp) -> bool {
    let created = object.0["metadata"]["creationTimestamp"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    created.is_some_and(|created| now.duration_since(created) <= PATIENCE)
}
