//! `prune`: deletes what the project no longer has.

use windlass_model::object_ref::ObjectRef;

use super::removal::{Left, Removal};
use super::{Consent, Outcome, Run, run};
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::RemoteState;
use crate::prepare::Request;
use crate::prune::{ORPHANS_NEED_CLUSTER, PRUNE_NEEDS_DISCRIMINATOR, orphans};

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
    let removal = Removal {
        command: run::command("prune", request, &prepared, dry_run),
        discriminator,
        without_discriminator: PRUNE_NEEDS_DISCRIMINATOR,
        consent: options.consent,
        wait: true,
        left: Left::Orphans,
    };
    let (objects, inclusion) = (&prepared.objects, &request.inclusion);
    let choose = |remote: &RemoteState| orphans(remote, objects, discriminator, inclusion, &cluster.discovery());
    Ok(removal.carry_out(&prepared, cluster.as_ref(), choose, run).await)
}
