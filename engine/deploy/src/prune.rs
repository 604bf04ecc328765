//! Orphans: live objects of this deployment that the project no longer has (spec 03 section 10).

use std::collections::BTreeSet;

use windlass_cluster::Discovery;
use windlass_model::object_ref::ObjectRef;

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
