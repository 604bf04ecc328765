//! Stage 11: are the objects of the project there, and ready? (spec 03 section 14.5)

use jiff::Timestamp;
use windlass_cluster::Cluster;
use windlass_model::event::Events;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::ValidateResultEntry;
use windlass_readiness::{NotReady, Readiness, evaluate};

use crate::collect::PinnedObjects;
use crate::hooks::HookSettings;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, RemoteState, observe};
use crate::problems::Problems;
use crate::prune::local_refs;
use crate::status_expectation::StatusExpectations;

const DELETE: &str = "kluctl.io/delete";
const NOT_FOUND: &str = "object not found";
const STILL_EXISTS: &str = "object is marked for deletion but still exists on the target cluster";

/// One attempt. Errors and warnings went to [`Problems`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Validation {
    /// Everything is there and ready.
    pub ready: bool,
    /// What annotations of live objects report.
    pub results: Vec<ValidateResultEntry>,
}

/// Looks at the cluster and judges.
pub async fn validate(
    objects: &PinnedObjects,
    discriminator: &str,
    cluster: Option<&dyn Cluster>,
    events: &dyn Events,
    problems: &Problems,
) -> Validation {
    let local = local_refs(objects);
    let discriminator = Lookup::ByDiscriminator(discriminator);
    let request = ObserveRequest { discriminator, local: &local, kinds: ListedKinds::Used };
    let remote = observe(request, cluster, events, problems).await;
    judge(objects, &remote, cluster, problems).await
}

async fn judge(
    objects: &PinnedObjects,
    remote: &RemoteState,
    cluster: Option<&dyn Cluster>,
    problems: &Problems,
) -> Validation {
    let expectations = cluster.map_or_else(StatusExpectations::offline, StatusExpectations::new);
    let mut validation = Validation { ready: true, results: Vec::new() };
    for object in objects.items.iter().flat_map(|item| &item.objects) {
        let reference = object.object_ref();
        let hook = HookSettings::of(object);
        hook.errors.iter().for_each(|message| problems.error(&reference, message.as_str()));
        hook.warnings.iter().for_each(|message| problems.warning(&reference, message.as_str()));
        let found = judge_object(object, &hook, remote.get(&reference).map(AsRef::as_ref), &expectations).await;
        let Some(Readiness { ready, errors, warnings, results }) = found else { continue };
        validation.ready &= ready;
        errors.into_iter().for_each(|message| problems.error(&reference, message));
        warnings.into_iter().for_each(|message| problems.warning(&reference, message));
        validation.results.extend(results.into_iter().map(|result| entry(&reference, result)));
    }
    validation
}

fn entry(reference: &ObjectRef, result: windlass_readiness::ValidateAnnotation) -> ValidateResultEntry {
    let windlass_readiness::ValidateAnnotation { annotation, message } = result;
    ValidateResultEntry { object_ref: reference.clone(), annotation, message }
}

/// `None`: nothing is expected of the object.
async fn judge_object(
    local: &Object,
    hook: &HookSettings,
    live: Option<&Object>,
    expectations: &StatusExpectations<'_>,
) -> Option<Readiness> {
    let marked = local.bool_annotation(DELETE) == Some(true);
    match live {
        Some(_) if marked => Some(failed(STILL_EXISTS)),
        None if marked => None,
        _ if !hook.is_expected() => None,
        None => Some(failed(NOT_FOUND)),
        Some(live) => Some(evaluate(live, NotReady::Error, &expectations.of(live).await, Timestamp::now())),
    }
}

fn failed(message: &str) -> Readiness {
    Readiness { ready: false, errors: vec![message.into()], ..Readiness::default() }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
