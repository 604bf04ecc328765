//! `deploy`: preview, question, apply, compare, prune.

use std::collections::BTreeSet;

use windlass_cluster::{Cluster, DryRun};
use windlass_diff::IgnoreFlags;
use windlass_model::result::{CommandInfo, CommandResult};

use super::{ABORTED, Consent, Outcome, Run, run};
use crate::apply::{APPLY_NEEDS_CLUSTER, ApplyMode, ApplyOptions, OnError, ReadinessWait, apply};
use crate::delete::{self, DeleteRequest};
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, RemoteState, observe};
use crate::prepare::{Prepared, Request};
use crate::problems::Problems;
use crate::prune::{PRUNE_NEEDS_DISCRIMINATOR, local_refs, orphans, refusal};
use crate::report::{ObjectFacts, RunFacts};

/// Flags of `deploy`.
#[derive(Clone, Copy)]
pub struct DeployOptions<'a> {
    /// Whether to ask, with the preview.
    pub consent: Consent<'a, CommandResult>,
    /// Overwrite all conflicting fields.
    pub force_apply: bool,
    /// What happens when a patch is refused.
    pub on_error: OnError,
    /// The first error ends the run.
    pub abort_on_error: bool,
    /// Whether to wait for readiness, hooks and deletions.
    pub readiness: ReadinessWait,
    /// Delete orphans at the end.
    pub prune: bool,
}

/// Deploys.
///
/// # Errors
/// Whatever ends the run before anything is applied; later errors are part of the result.
pub async fn deploy(request: &Request, options: DeployOptions<'_>, run: Run<'_>) -> Result<Outcome, Error> {
    let (prepared, cluster) = run::prepare_connected(request, ImageMode::Normal, APPLY_NEEDS_CLUSTER, run).await?;
    let discriminator = prepared.target.target.discriminator.clone();
    let problems = Problems::new();
    run::warn_without_discriminator(&prepared, run, &problems);
    if options.prune && discriminator.is_empty() {
        return Ok(refused(request, options, run, &prepared, &problems).await);
    }
    let local = local_refs(&prepared.objects);
    let lookup = Lookup::ByDiscriminator(&discriminator);
    let observed = ObserveRequest { discriminator: lookup, local: &local, kinds: ListedKinds::All };
    let (facts, remote) = tokio::join!(
        run::facts(&prepared, run, &problems),
        observe(observed, Some(cluster.as_ref()), run.events, &problems)
    );
    let deployment =
        Deployment { request, options, run, prepared: &prepared, cluster: cluster.as_ref(), remote: &remote };
    if let Consent::Ask(confirm) = options.consent {
        let preview = deployment.attempt(ApplyMode::DryRun, facts.clone(), &Problems::with_errors_of(&problems)).await;
        if !confirm(&preview) {
            problems.general_error(ABORTED);
            let command = options.command(DryRun::No, request, &prepared);
            let result = run::finish(&prepared, facts, command, ObjectFacts::default(), &problems);
            return Ok(nothing_done(result));
        }
    }
    let mode = if options.consent.is_dry_run() { ApplyMode::DryRun } else { ApplyMode::Real };
    let result = deployment.attempt(mode, facts, &problems).await;
    Ok(run::keep(&prepared, result, run).await)
}

/// Upstream applies everything before it notices that it cannot prune.
async fn refused(
    request: &Request,
    options: DeployOptions<'_>,
    run: Run<'_>,
    prepared: &Prepared,
    problems: &Problems,
) -> Outcome {
    problems.general_error(PRUNE_NEEDS_DISCRIMINATOR);
    let command = options.command(run::dry_run(options.consent.is_dry_run()), request, prepared);
    nothing_done(run::refuse(prepared, command, run, problems).await)
}

/// A deployment that did not begin has no objects to tell about, and is not worth keeping.
fn nothing_done(result: CommandResult) -> Outcome {
    Outcome { result: CommandResult { objects: Vec::new(), ..result }, not_stored: None }
}

/// One deployment, attempted once or twice: the preview is the same as a dry run.
struct Deployment<'a> {
    request: &'a Request,
    options: DeployOptions<'a>,
    run: Run<'a>,
    prepared: &'a Prepared,
    cluster: &'a dyn Cluster,
    remote: &'a RemoteState,
}

impl Deployment<'_> {
    async fn attempt(&self, mode: ApplyMode, facts: RunFacts, problems: &Problems) -> CommandResult {
        let is_preview = mode == ApplyMode::DryRun && !self.options.consent.is_dry_run();
        let options = self.apply_options(mode, is_preview);
        let objects = &self.prepared.objects;
        let applied = apply(objects, self.remote, Some(self.cluster), &options, self.run.events, problems).await;
        let changes = crate::diff::diff(objects, self.remote, &applied.applied, IgnoreFlags::default());
        changes.errors.into_iter().for_each(|e| problems.error(&e.object_ref, e.message));
        let mut deleted = applied.deleted.clone();
        let orphans = self.orphans(is_preview, mode, &mut deleted, problems).await;
        let facts_of_objects = ObjectFacts {
            remote: Some(self.remote),
            applied: Some(&applied.applied),
            hooks: applied.hooks.clone(),
            new: applied.new.clone(),
            changes: changes.changes,
            deleted,
            orphans,
        };
        let command = self.options.command(dry_run_of(mode), self.request, self.prepared);
        run::finish(self.prepared, facts, command, facts_of_objects, problems)
    }

    /// Orphans that stay; with `prune` the others are deleted.
    async fn orphans(
        &self,
        is_preview: bool,
        mode: ApplyMode,
        deleted: &mut BTreeSet<windlass_model::object_ref::ObjectRef>,
        problems: &Problems,
    ) -> BTreeSet<windlass_model::object_ref::ObjectRef> {
        let discriminator = &self.prepared.target.target.discriminator;
        let discovery = self.cluster.discovery();
        let found = orphans(self.remote, &self.prepared.objects, discriminator, &self.request.inclusion, &discovery);
        if !self.options.prune || is_preview {
            return found.into_iter().collect();
        }
        if let Some(reason) = refusal(self.remote) {
            problems.general_error(reason);
            return found.into_iter().collect();
        }
        let request = DeleteRequest {
            dry_run: dry_run_of(mode),
            wait: self.options.readiness != ReadinessWait::No,
            stop: self.run.stop.clone(),
        };
        let gone = delete::delete(&found, self.remote, self.cluster, &request, problems).await;
        let stays = |object: &windlass_model::object_ref::ObjectRef| {
            !gone.objects.contains(object) && !gone.with_namespace.contains(object)
        };
        let left = found.iter().filter(|object| stays(object)).cloned().collect();
        deleted.extend(gone.objects);
        left
    }

    fn apply_options(&self, mode: ApplyMode, is_preview: bool) -> ApplyOptions {
        ApplyOptions {
            force_apply: self.options.force_apply,
            on_error: self.options.on_error,
            abort_on_error: self.options.abort_on_error && !is_preview,
            readiness: self.options.readiness,
            stop: self.run.stop.clone(),
            ..ApplyOptions::new(mode)
        }
    }
}

impl DeployOptions<'_> {
    fn command(&self, dry_run: DryRun, request: &Request, prepared: &Prepared) -> CommandInfo {
        let Self { force_apply, on_error, abort_on_error, readiness, consent: _, prune: _ } = *self;
        CommandInfo {
            no_wait: readiness == ReadinessWait::No,
            force_apply,
            replace_on_error: on_error.is_replace_given(),
            force_replace_on_error: on_error.recreates(),
            abort_on_error,
            ..run::command("deploy", request, prepared, dry_run)
        }
    }
}

fn dry_run_of(mode: ApplyMode) -> DryRun {
    run::dry_run(mode == ApplyMode::DryRun)
}
