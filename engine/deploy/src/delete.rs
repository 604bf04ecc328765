//! Which live objects may be deleted, in which order, and the deletion itself (spec 03 section 10).

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use windlass_cluster::{Cluster, ClusterError, DeleteOptions, Discovery, DryRun, FIELD_MANAGER, Scope};
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use crate::inclusion::Inclusion;
use crate::observe::RemoteState;
use crate::problems::Problems;
use crate::stop::StopSignal;

const SKIP_DELETE: &str = "kluctl.io/skip-delete";
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
const SKIP_DELETE_IF_TAGS: &str = "kluctl.io/skip-delete-if-tags";
const FORCE_MANAGED: &str = "kluctl.io/force-managed";
const PARALLEL: usize = 8;
const FIRST_POLL: Duration = Duration::from_millis(50);
const POLL: Duration = Duration::from_millis(500);

const LATER_GROUPS: [&str; 7] = [
    "monitoring.coreos.com",
    "kafka.strimzi.io",
    "zookeeper.pravega.io",
    "elasticsearch.k8s.elastic.co",
    "cert-manager.io",
    "bitnami.com",
    "acid.zalan.do",
];
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Service", "Ingress"];

/// Never deleted by delete, prune or recreation.
pub fn has_skip_delete(object: &Object) -> bool {
    object.bool_annotation(SKIP_DELETE) == Some(true) || object.annotation(RESOURCE_POLICY) == Some("keep")
}

/// Deployed by us: not copied by a controller, not somebody else's.
pub fn is_managed(object: &Object) -> bool {
    if object.bool_annotation(FORCE_MANAGED) == Some(true) {
        return true;
    }
    let metadata = &object.0["metadata"];
    let owned = metadata["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty());
    let writers = metadata["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    !owned && writers.iter().any(|entry| entry["manager"] == FIELD_MANAGER)
}

/// The objects that a deletion would concern, in its order. `excluded` stay.
pub fn candidates(
    remote: &RemoteState,
    excluded: &BTreeSet<ObjectRef>,
    inclusion: &Inclusion,
    discovery: &Discovery,
) -> Vec<ObjectRef> {
    let excluded: BTreeSet<_> = excluded.iter().map(|object| comparable(object, discovery)).collect();
    let mut found: Vec<_> = remote
        .iter()
        .filter(|(object, live)| {
            discovery.preferred_of(&object.group_kind()).is_some()
                && inclusion.includes_object(live)
                && !has_skip_delete(live)
                && is_managed(live)
                && !excluded.contains(&comparable(object, discovery))
                && !(inclusion.has_tags() && live.bool_annotation(SKIP_DELETE_IF_TAGS) == Some(true))
        })
        .map(|(object, _)| object.clone())
        .collect();
    found.sort_by(|a, b| (pass(a), a.sort_key()).cmp(&(pass(b), b.sort_key())));
    // One object seen through two versions is deleted once.
    let mut seen = BTreeSet::new();
    found.retain(|object| seen.insert(comparable(object, discovery)));
    found
}

/// The identity that does not change with the API version or with how a namespace is written.
fn comparable(object: &ObjectRef, discovery: &Discovery) -> ObjectRef {
    let scope = discovery
        .scope(&object.gvk())
        .or_else(|| discovery.preferred_of(&object.group_kind()).map(|resource| resource.scope));
    let Some(scope) = scope else { return object.clone() };
    let mut plain = object.without_version();
    match scope {
        Scope::Namespaced if plain.namespace.is_empty() => plain.namespace = "default".into(),
        Scope::Namespaced => {}
        Scope::Cluster => plain.namespace.clear(),
    }
    plain
}

fn pass(object: &ObjectRef) -> u8 {
    if is_namespace(object) {
        0
    } else if LATER_GROUPS.contains(&object.group.as_str()) {
        1
    } else if WORKLOADS.contains(&object.kind.as_str()) {
        2
    } else {
        3
    }
}

fn is_namespace(object: &ObjectRef) -> bool {
    object.group.is_empty() && object.kind == "Namespace"
}

/// How objects are deleted.
#[derive(Debug, Clone)]
pub struct DeleteRequest {
    /// Simulate only.
    pub dry_run: DryRun,
    /// Wait until each object is gone.
    pub wait: bool,
    /// Ends the run early.
    pub stop: StopSignal,
}

/// What a deletion did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Deleted by request.
    pub objects: BTreeSet<ObjectRef>,
    /// Gone with their namespace.
    pub with_namespace: BTreeSet<ObjectRef>,
}

/// Deletes: namespaces first, then everything that does not live in one of them.
pub async fn delete(
    objects: &[ObjectRef],
    remote: &RemoteState,
    cluster: &dyn Cluster,
    request: &DeleteRequest,
    problems: &Problems,
) -> Deleted {
    let (namespaces, others): (Vec<_>, Vec<_>) = objects.iter().partition(|object| is_namespace(object));
    let mut deleted = Deleted::default();
    deleted.objects.extend(delete_all(&namespaces, remote, cluster, request, problems).await);
    let (inside, others): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|object| deleted.objects.iter().any(|namespace| namespace.name == object.namespace));
    deleted.with_namespace.extend(inside.into_iter().cloned());
    deleted.objects.extend(delete_all(&others, remote, cluster, request, problems).await);
    deleted
}

async fn delete_all(
    objects: &[&ObjectRef],
    remote: &RemoteState,
    cluster: &dyn Cluster,
    request: &DeleteRequest,
    problems: &Problems,
) -> Vec<ObjectRef> {
    let runs = objects.iter().map(|object| async move {
        if request.stop.is_stopped() {
            problems.error(object, "not deleted: the command was stopped before");
            return None;
        }
        let uid = remote.get(object).and_then(|live| live.0["metadata"]["uid"].as_str());
        let target = uid.map_or(Target::ByName, Target::ByUid);
        match delete_object(object, target, cluster, request, problems).await {
            Ok(_) => Some((*object).clone()),
            Err(error) => {
                problems.error(object, error.to_string());
                None
            }
        }
    });
    futures::stream::iter(runs).buffered(PARALLEL).filter_map(std::future::ready).collect().await
}

/// What became of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It existed.
    Deleted,
    /// It did not.
    Missing,
}

/// Why an object is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The server refused.
    #[error(transparent)]
    Refused(ClusterError),
    /// Looking whether it is gone failed.
    #[error("failed waiting for deletion of {object}: {source}")]
    Wait {
        /// The object.
        object: ObjectRef,
        /// Why.
        source: ClusterError,
    },
    /// The command ended first, perhaps because of a finalizer.
    #[error("failed waiting for deletion of {object}: {}", reason(finalizers))]
    Stopped {
        /// The object.
        object: ObjectRef,
        /// What still holds it.
        finalizers: Vec<String>,
    },
}

fn reason(finalizers: &[String]) -> String {
    if finalizers.is_empty() {
        return "the command was stopped before it was gone".into();
    }
    format!("the command was stopped while finalizers hold it: {}", finalizers.join(", "))
}

/// Which object of that name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Whatever has the name now.
    ByName,
    /// The one with this UID; another one, created meanwhile, is somebody else's and stays.
    ByUid(&'a str),
}

/// Deletes one object in the background and waits for its disappearance, if that is wanted.
///
/// # Errors
/// The server refuses, or the object is still there when the command has to end.
pub async fn delete_object(
    object: &ObjectRef,
    target: Target<'_>,
    cluster: &dyn Cluster,
    request: &DeleteRequest,
    problems: &Problems,
) -> Result<Gone, DeleteError> {
    let uid = match target {
        Target::ByName => None,
        Target::ByUid(uid) => Some(uid),
    };
    let options = DeleteOptions { dry_run: request.dry_run, uid, ..DeleteOptions::default() };
    let deletion = match cluster.delete(object, options).await {
        Ok(answer) => {
            problems.api_warnings(object, &answer.warnings);
            answer.value
        }
        Err(ClusterError::NotFound(_)) => return Ok(Gone::Missing),
        Err(error) => return Err(DeleteError::Refused(error)),
    };
    if request.wait && request.dry_run == DryRun::No {
        wait_gone(object, deletion.uid.as_deref(), cluster, &request.stop).await?;
    }
    Ok(Gone::Deleted)
}

/// An object of the same name with another UID is a new one: somebody re-created it at once.
async fn wait_gone(
    object: &ObjectRef,
    uid: Option<&str>,
    cluster: &dyn Cluster,
    stop: &StopSignal,
) -> Result<(), DeleteError> {
    let mut pause = FIRST_POLL;
    loop {
        let live = match cluster.get(object).await {
            Ok(answer) => answer.value,
            Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => return Ok(()),
            Err(source) => return Err(DeleteError::Wait { object: object.clone(), source }),
        };
        if uid.is_some_and(|uid| live.0["metadata"]["uid"] != uid) {
            return Ok(());
        }
        if !stop.sleep(pause).await {
            let finalizers = live.0["metadata"]["finalizers"].as_array().into_iter().flatten();
            let finalizers = finalizers.filter_map(|name| name.as_str().map(str::to_owned)).collect();
            return Err(DeleteError::Stopped { object: object.clone(), finalizers });
        }
        pause = (pause * 2).min(POLL);
    }
}

#[cfg(test)]
#[path = "delete_tests.rs"]
mod tests;
