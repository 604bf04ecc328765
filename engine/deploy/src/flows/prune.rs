//! `prune`: deletes what the project no longer has.

use std::collections::BTreeSet;

use windlass_model::object_ref::ObjectRef;

use super::{ABORTED, Consent, Outcome, Run, run};
use crate::delete::{self, DeleteRequest};
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, observe};
use crate::prepare::Request;
use crate::problems::Problems;
use crate::prune::{ORPHANS_NEED_CLUSTER, PRUNE_NEEDS_DISCRIMINATOR, orphans, refusal};
use crate::report::ObjectFacts;

/// Flags of `prune`.
#[derive(Clone, Copy)]
pub struct PruneOptions<'a> {
    /// Whether to ask, with the objects in the order of deletion.
    pub consent: Consent<'a, [ObjectRef]>,
}

/// Finds orphans by label and deletes them, waiting until they are gone.
///
/// # Errors
/// Whatever ends the run before anything is deleted.
pub async fn prune(request: &Request, options: PruneOptions<'_>, run: Run<'_>) -> Result<Outcome, Error> {
    let (prepared, cluster) = run::prepare_connected(request, ImageMode::Identities, ORPHANS_NEED_CLUSTER, run).await?;
    let discriminator = prepared.target.target.discriminator.as_str();
    let dry_run = run::dry_run(options.consent.is_dry_run());
    let command = run::command("prune", request, &prepared, dry_run);
    let problems = Problems::new();
    if discriminator.is_empty() {
        problems.general_error(PRUNE_NEEDS_DISCRIMINATOR);
        let result = run::refuse(&prepared, command, run, &problems).await;
        return Ok(run::keep(&prepared, result, run).await);
    }
    let none = BTreeSet::new();
    let lookup = Lookup::ByDiscriminator(discriminator);
    let observed = ObserveRequest { discriminator: lookup, local: &none, kinds: ListedKinds::All };
    let (facts, remote) = tokio::join!(
        run::facts(&prepared, run, &problems),
        observe(observed, Some(cluster.as_ref()), run.events, &problems)
    );
    if let Some(reason) = refusal(&remote) {
        problems.general_error(reason);
        let result = run::finish(&prepared, facts, command, ObjectFacts::default(), &problems);
        return Ok(run::keep(&prepared, result, run).await);
    }
    let found = orphans(&remote, &prepared.objects, discriminator, &request.inclusion, &cluster.discovery());
    if !found.is_empty() && !options.consent.allows(&found) {
        problems.general_error(ABORTED);
        let result = run::finish(&prepared, facts, command, ObjectFacts::default(), &problems);
        return Ok(run::keep(&prepared, result, run).await);
    }
    let deletion = DeleteRequest { dry_run, wait: true, stop: run.stop.clone() };
    let gone = delete::delete(&found, &remote, cluster.as_ref(), &deletion, &problems).await;
    let stays = |object: &&ObjectRef| !gone.objects.contains(*object) && !gone.with_namespace.contains(*object);
    let orphans = found.iter().filter(stays).cloned().collect();
    let objects =
        ObjectFacts { remote: Some(&remote), deleted: gone.objects.clone(), orphans, ..ObjectFacts::default() };
    let result = run::finish(&prepared, facts, command, objects, &problems);
    Ok(run::keep(&prepared, result, run).await)
}
