//! `diff`: what a deployment would change.

use std::collections::BTreeSet;

use windlass_cluster::DryRun;
use windlass_diff::IgnoreFlags;
use windlass_model::result::{CommandInfo, CommandResult};

use super::{Run, run};
use crate::apply::{APPLY_NEEDS_CLUSTER, ApplyMode, ApplyOptions, OnError, apply};
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, observe};
use crate::prepare::Request;
use crate::problems::Problems;
use crate::prune::{local_refs, orphans};
use crate::report::ObjectFacts;

/// Flags of `diff`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiffOptions {
    /// Overwrite all conflicting fields.
    pub force_apply: bool,
    /// What happens when a patch is refused.
    pub on_error: OnError,
    /// What the diff leaves out.
    pub ignore: IgnoreFlags,
}

/// Applies everything as a dry run and compares.
///
/// # Errors
/// Whatever ends the run before objects are compared.
pub async fn diff(request: &Request, options: DiffOptions, run: Run<'_>) -> Result<CommandResult, Error> {
    let (prepared, cluster) = run::prepare_connected(request, ImageMode::Normal, APPLY_NEEDS_CLUSTER, run).await?;
    let problems = Problems::new();
    run::warn_without_discriminator(&prepared, run, &problems);
    let discriminator = prepared.target.target.discriminator.as_str();
    let local = local_refs(&prepared.objects);
    let lookup = Lookup::ByDiscriminator(discriminator);
    let observed = ObserveRequest { discriminator: lookup, local: &local, kinds: ListedKinds::All };
    let (facts, remote) = tokio::join!(
        run::facts(&prepared, run, &problems),
        observe(observed, Some(cluster.as_ref()), run.events, &problems)
    );
    let apply_options = ApplyOptions {
        force_apply: options.force_apply,
        on_error: options.on_error,
        stop: run.stop.clone(),
        ..ApplyOptions::new(ApplyMode::DryRun)
    };
    let applied =
        apply(&prepared.objects, &remote, Some(cluster.as_ref()), &apply_options, run.events, &problems).await;
    let changes = crate::diff::diff(&prepared.objects, &remote, &applied.applied, options.ignore);
    changes.errors.into_iter().for_each(|e| problems.error(&e.object_ref, e.message));
    let orphans = orphans(&remote, &prepared.objects, discriminator, &request.inclusion, &cluster.discovery());
    let command = CommandInfo {
        force_apply: options.force_apply,
        replace_on_error: options.on_error.is_replace_given(),
        force_replace_on_error: options.on_error.recreates(),
        ..run::command("diff", request, &prepared, DryRun::All)
    };
    let objects = ObjectFacts {
        remote: Some(&remote),
        applied: Some(&applied.applied),
        hooks: applied.hooks.clone(),
        new: applied.new.clone(),
        changes: changes.changes,
        deleted: applied.deleted.clone(),
        orphans: orphans.into_iter().collect::<BTreeSet<_>>(),
    };
    Ok(run::finish(&prepared, facts, command, objects, &problems))
}
