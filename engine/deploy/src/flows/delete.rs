//! `delete`: deletes everything that carries the discriminator.

use std::collections::BTreeSet;

use windlass_model::object_ref::ObjectRef;
use windlass_model::result::CommandInfo;

use super::{ABORTED, Consent, Outcome, Run, run};
use crate::delete::{self, DeleteRequest};
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::{ListedKinds, Lookup, ObserveRequest, observe};
use crate::prepare::Request;
use crate::problems::Problems;
use crate::prune::{DELETE_NEEDS_DISCRIMINATOR, ORPHANS_NEED_CLUSTER, refusal};
use crate::report::ObjectFacts;

/// Flags of `delete`.
#[derive(Clone, Copy)]
pub struct DeleteOptions<'a> {
    /// Whether to ask, with the objects in the order of deletion.
    pub consent: Consent<'a, [ObjectRef]>,
    /// Finds objects in place of the target's discriminator.
    pub discriminator: Option<&'a str>,
    /// Wait until everything is gone.
    pub wait: bool,
}

/// Deletes all managed objects of the deployment, whether or not the project still has them.
///
/// # Errors
/// Whatever ends the run before anything is deleted.
pub async fn delete(request: &Request, options: DeleteOptions<'_>, run: Run<'_>) -> Result<Outcome, Error> {
    let (prepared, cluster) = run::prepare_connected(request, ImageMode::Identities, ORPHANS_NEED_CLUSTER, run).await?;
    let own = prepared.target.target.discriminator.as_str();
    let discriminator = options.discriminator.filter(|d| !d.is_empty()).unwrap_or(own);
    let dry_run = run::dry_run(options.consent.is_dry_run());
    let command = CommandInfo { no_wait: !options.wait, ..run::command("delete", request, &prepared, dry_run) };
    let problems = Problems::new();
    if discriminator.is_empty() {
        problems.general_error(DELETE_NEEDS_DISCRIMINATOR);
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
    let found = delete::candidates(&remote, &none, &request.inclusion, &cluster.discovery());
    if !found.is_empty() && !options.consent.allows(&found) {
        problems.general_error(ABORTED);
        let result = run::finish(&prepared, facts, command, ObjectFacts::default(), &problems);
        return Ok(run::keep(&prepared, result, run).await);
    }
    let deletion = DeleteRequest { dry_run, wait: options.wait, stop: run.stop.clone() };
    let gone = delete::delete(&found, &remote, cluster.as_ref(), &deletion, &problems).await;
    let objects = ObjectFacts { remote: Some(&remote), deleted: gone.objects, ..ObjectFacts::default() };
    let result = run::finish(&prepared, facts, command, objects, &problems);
    Ok(run::keep(&prepared, result, run).await)
}
