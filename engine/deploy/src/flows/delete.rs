//! `delete`: deletes everything that carries the discriminator.

use std::collections::BTreeSet;

use windlass_model::object_ref::ObjectRef;
use windlass_model::result::CommandInfo;

use super::removal::{Left, Removal};
use super::{Consent, Outcome, Run, run};
use crate::delete::candidates;
use crate::error::Error;
use crate::images::ImageMode;
use crate::observe::RemoteState;
use crate::prepare::Request;
use crate::prune::{DELETE_NEEDS_DISCRIMINATOR, ORPHANS_NEED_CLUSTER};

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
    let none = BTreeSet::new();
    let dry_run = run::dry_run(options.consent.is_dry_run());
    let removal = Removal {
        command: CommandInfo { no_wait: !options.wait, ..run::command("delete", request, &prepared, dry_run) },
        discriminator: options.discriminator.filter(|d| !d.is_empty()).unwrap_or(own),
        without_discriminator: DELETE_NEEDS_DISCRIMINATOR,
        consent: options.consent,
        wait: options.wait,
        left: Left::Unmarked,
    };
    let choose = |remote: &RemoteState| candidates(remote, &none, &request.inclusion, &cluster.discovery());
    Ok(removal.carry_out(&prepared, cluster.as_ref(), choose, run).await)
}
