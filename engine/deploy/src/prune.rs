//! Orphans: live objects of this deployment that the project no longer has (spec 03 section 10).

use std::collections::BTreeSet;

use windlass_cluster::Discovery;
use windlass_model::object_ref::{GroupKind, ObjectRef};

use crate::collect::PinnedObjects;
use crate::delete::candidates;
use crate::inclusion::Inclusion;
use crate::observe::RemoteState;

/// Error of `prune` and `deploy --prune` without discriminator.
pub const PRUNE_NEEDS_DISCRIMINATOR: &str = "pruning without a discriminator is not supported";
/// Error of `delete` without discriminator.
pub const DELETE_NEEDS_DISCRIMINATOR: &str = "deletion without a discriminator is not supported";
/// Error of an orphan search without cluster.
pub const ORPHANS_NEED_CLUSTER: &str = "can not determine orphan objects without a Kubernetes API client";

/// Why nothing may be deleted: the work would look finished although objects that nobody saw are left.
pub fn refusal(remote: &RemoteState) -> Option<String> {
    const NAMED: usize = 5;
    let kinds: Vec<_> = remote.unlisted().iter().map(name).collect();
    if kinds.is_empty() {
        return None;
    }
    let more = if kinds.len() > NAMED { " and others" } else { "" };
    let named = kinds[..kinds.len().min(NAMED)].join(", ");
    Some(format!(
        "nothing was deleted, because these kinds could not be listed: {named}{more}. Deleting needs complete lists; \
         the account may lack permission to list them in all namespaces"
    ))
}

fn name(kind: &GroupKind) -> String {
    if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) }
}

/// The orphans in the order of their deletion. Without discriminator nothing tells whose an object is, so there are none.
pub fn orphans(
    remote: &RemoteState,
    objects: &PinnedObjects,
    discriminator: &str,
    inclusion: &Inclusion,
    discovery: &Discovery,
) -> Vec<ObjectRef> {
    if discriminator.is_empty() {
        return Vec::new();
    }
    candidates(remote, &local_refs(objects), inclusion, discovery)
}

/// References of all local objects.
pub fn local_refs(objects: &PinnedObjects) -> BTreeSet<ObjectRef> {
    objects.items.iter().flat_map(|item| &item.objects).map(|object| object.object_ref()).collect()
}
