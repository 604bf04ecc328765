//! `poke-images`: new images for live objects, nothing else.

use windlass_diff::IgnoreFlags;

use super::{Consent, Outcome, Run, run};
use crate::apply::APPLY_NEEDS_CLUSTER;
use crate::error::Error;
use crate::flows::ABORTED;
use crate::images::ImageMode;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, observe};
use crate::poke;
use crate::prepare::Request;
use crate::problems::Problems;
use crate::prune::local_refs;
use crate::report::ObjectFacts;

/// Flags of `poke-images`.
#[derive(Clone, Copy)]
pub struct PokeOptions<'a> {
    /// Whether to ask, with the name of the context.
    pub consent: Consent<'a, str>,
}

/// Sets the images of deployed objects.
///
/// # Errors
/// Whatever ends the run before anything is written, a refused question included.
pub async fn poke_images(request: &Request, options: PokeOptions<'_>, run: Run<'_>) -> Result<Outcome, Error> {
    let (prepared, cluster) = run::prepare_connected(request, ImageMode::Poke, APPLY_NEEDS_CLUSTER, run).await?;
    if !options.consent.allows(cluster.context()) {
        return Err(Error::Refused { message: ABORTED });
    }
    let problems = Problems::new();
    let local = local_refs(&prepared.objects);
    let observed = ObserveRequest { discriminator: Lookup::ByReferenceOnly, local: &local, kinds: ListedKinds::Used };
    let (facts, remote) = tokio::join!(
        run::facts(&prepared, run, &problems),
        observe(observed, Some(cluster.as_ref()), run.events, &problems)
    );
    let dry_run = run::dry_run(options.consent.is_dry_run());
    let poke_options = poke::PokeOptions { dry_run, stop: run.stop.clone() };
    let images = &prepared.images.places;
    let poked = poke::poke_images(images, &local, &remote, Some(cluster.as_ref()), &poke_options, &problems).await;
    let changes = crate::diff::diff(&prepared.objects, &remote, &poked.applied, IgnoreFlags::default());
    changes.errors.into_iter().for_each(|e| problems.error(&e.object_ref, e.message));
    let command = run::command("poke-images", request, &prepared, dry_run);
    let objects = ObjectFacts {
        remote: Some(&remote),
        applied: Some(&poked.applied),
        changes: changes.changes,
        ..ObjectFacts::default()
    };
    let result = run::finish(&prepared, facts, command, objects, &problems);
    Ok(run::keep(&prepared, result, run).await)
}
