//! `poke-images`: puts images into live objects and changes nothing else (spec 03 section 14.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use windlass_cluster::{Cluster, ClusterError, DryRun, WriteOptions};
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::ImageEntry;

use crate::apply::{APPLY_NEEDS_CLUSTER, AppliedState};
use crate::observe::RemoteState;
use crate::problems::Problems;
use crate::stop::StopSignal;

const NO_LOCAL: &str = "object not found while trying to associate image with deployed object";
const NO_REMOTE: &str = "remote object not found, skipped image replacement";
const PAUSE: Duration = Duration::from_millis(100);

/// How to poke.
#[derive(Debug, Clone)]
pub struct PokeOptions {
    /// Simulate only.
    pub dry_run: DryRun,
    /// Ends the run early.
    pub stop: StopSignal,
}

/// Images of one object, by container name.
type Containers<'a> = BTreeMap<&'a str, &'a str>;

/// Sets the images that were seen while rendering. `local` are the references of the project's objects.
pub async fn poke_images(
    images: &[ImageEntry],
    local: &BTreeSet<ObjectRef>,
    remote: &RemoteState,
    cluster: Option<&dyn Cluster>,
    options: &PokeOptions,
    problems: &Problems,
) -> AppliedState {
    let Some(cluster) = cluster else {
        problems.general_error(APPLY_NEEDS_CLUSTER);
        return AppliedState::default();
    };
    let mut pokes = Vec::new();
    for (object, containers) in by_object(images) {
        match remote.get(object) {
            _ if !local.contains(object) => problems.error(object, NO_LOCAL),
            None => problems.warning(object, NO_REMOTE),
            Some(live) => pokes.push((object, live, containers)),
        }
    }
    let runs =
        pokes.iter().map(|(object, live, containers)| poke(object, live, containers, cluster, options, problems));
    let applied = join_all(runs).await;
    let applied = pokes.iter().zip(applied).filter_map(|((object, ..), live)| Some(((*object).clone(), live?)));
    AppliedState { applied: applied.collect(), ..AppliedState::default() }
}

fn by_object(images: &[ImageEntry]) -> BTreeMap<&ObjectRef, Containers<'_>> {
    let mut objects: BTreeMap<&ObjectRef, Containers<'_>> = BTreeMap::new();
    for image in images {
        if let Some(object) = &image.object {
            objects
                .entry(object)
                .or_default()
                .insert(image.container.as_deref().unwrap_or_default(), image.result_image.as_str());
        }
    }
    objects
}

/// Repeats while others write the object at the same time.
async fn poke(
    reference: &ObjectRef,
    live: &Arc<Object>,
    images: &Containers<'_>,
    cluster: &dyn Cluster,
    options: &PokeOptions,
    problems: &Problems,
) -> Option<Arc<Object>> {
    let mut live = live.clone();
    loop {
        let poked = with_images(&live, images);
        if poked == *live {
            return Some(live);
        }
        match cluster.replace(&poked, WriteOptions::deployment(options.dry_run)).await {
            Ok(answer) => {
                problems.api_warnings(reference, &answer.warnings);
                return Some(Arc::new(answer.value));
            }
            Err(error @ ClusterError::Conflict(_)) => {
                if !options.stop.sleep(PAUSE).await {
                    problems.error(reference, error.to_string());
                    return None;
                }
            }
            Err(error) => {
                problems.error(reference, error.to_string());
                return None;
            }
        }
        live = match cluster.get(reference).await {
            Ok(answer) => Arc::new(answer.value),
            Err(ClusterError::NotFound(_)) => {
                problems.warning(reference, NO_REMOTE);
                return None;
            }
            Err(error) => {
                problems.error(reference, error.to_string());
                return None;
            }
        };
    }
}

fn with_images(live: &Object, images: &Containers<'_>) -> Object {
    let mut object = live.clone();
    for list in ["containers", "initContainers"] {
        let containers = object.0.pointer_mut(&format!("/spec/template/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some(image) = images.get(name) {
                container.insert("image".into(), (*image).into());
            }
        }
    }
    object
}

#[cfg(test)]
#[path = "poke_tests.rs"]
mod tests;
