//! `poke-images`: puts images into live objects and changes nothing else (spec 03 section 14.6).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use windlass_cluster::{Cluster, ClusterError, DryRun, WriteOptions};
use windlass_images::placeholder::{self, FieldPath, Poked};
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use crate::apply::{APPLY_NEEDS_CLUSTER, AppliedState};
use crate::images::ImagePlaces;
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

/// Sets the images that were seen while rendering. `local` are the references of the project's objects.
pub async fn poke_images(
    images: &[ImagePlaces],
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
    for places in images {
        match remote.get(&places.object) {
            _ if !local.contains(&places.object) => problems.error(&places.object, NO_LOCAL),
            None => problems.warning(&places.object, NO_REMOTE),
            Some(live) => pokes.push((places, live)),
        }
    }
    let runs = pokes.iter().map(|(places, live)| poke(places, live, cluster, options, problems));
    let applied = join_all(runs).await;
    let applied = pokes.iter().zip(applied).filter_map(|((places, _), live)| Some((places.object.clone(), live?)));
    AppliedState { applied: applied.collect(), ..AppliedState::default() }
}

/// Repeats while others write the object at the same time.
async fn poke(
    places: &ImagePlaces,
    live: &Arc<Object>,
    cluster: &dyn Cluster,
    options: &PokeOptions,
    problems: &Problems,
) -> Option<Arc<Object>> {
    let reference = &places.object;
    let mut live = live.clone();
    loop {
        let (poked, skipped) = with_images(&live, places);
        if poked == *live {
            tell_skipped(reference, &skipped, problems);
            return Some(live);
        }
        match cluster.replace(&poked, WriteOptions::deployment(options.dry_run)).await {
            Ok(answer) => {
                tell_skipped(reference, &skipped, problems);
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

/// The live object with the images at the places where the placeholders were, and the fields it does not have.
fn with_images(live: &Object, places: &ImagePlaces) -> (Object, Vec<FieldPath>) {
    let ImagePlaces { object: _, rendered, resolved, found } = places;
    let mut object = live.clone();
    let Poked { changed: _, skipped } = placeholder::poke(&rendered.0, &resolved.0, found, &mut object.0);
    (object, skipped)
}

fn tell_skipped(object: &ObjectRef, skipped: &[FieldPath], problems: &Problems) {
    for path in skipped {
        problems
            .warning(object, format!("field {path} of the remote object is another one, skipped image replacement"));
    }
}

#[cfg(test)]
#[path = "poke_tests.rs"]
mod tests;
