//! What `prune` and `delete` do alike: find by label, show the plan, ask, delete.

use std::collections::BTreeSet;

use windlass_cluster::Cluster;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{CommandInfo, CommandResult};

use super::{ABORTED, Consent, Outcome, Run, run};
use crate::delete::{self, DeleteRequest};
use crate::observe::{ListedKinds, Lookup, ObserveRequest, RemoteState, observe};
use crate::prepare::Prepared;
use crate::problems::Problems;
use crate::prune::refusal;
use crate::report::{ObjectFacts, RunFacts};

/// One removal, decided but not started.
pub(super) struct Removal<'a> {
    /// The `command` part of the result.
    pub command: CommandInfo,
    /// Finds the objects.
    pub discriminator: &'a str,
    /// The error when that is empty.
    pub without_discriminator: &'static str,
    /// Whether to ask, with the objects in the order of deletion.
    pub consent: Consent<'a, [ObjectRef]>,
    /// Wait until everything is gone.
    pub wait: bool,
    /// What candidates are called that stay.
    pub left: Left,
}

/// What candidates are called that could not be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// They are orphans still.
    Orphans,
    /// They are part of the project.
    Unmarked,
}

impl Removal<'_> {
    /// Deletes what `choose` picks of the live objects; the result is stored when that is wanted.
    pub(super) async fn carry_out(
        self,
        prepared: &Prepared,
        cluster: &dyn Cluster,
        choose: impl FnOnce(&RemoteState) -> Vec<ObjectRef>,
        run: Run<'_>,
    ) -> Outcome {
        let result = self.result(prepared, cluster, choose, run).await;
        run::keep(prepared, result, run).await
    }

    async fn result(
        self,
        prepared: &Prepared,
        cluster: &dyn Cluster,
        choose: impl FnOnce(&RemoteState) -> Vec<ObjectRef>,
        run: Run<'_>,
    ) -> CommandResult {
        let problems = Problems::new();
        if self.discriminator.is_empty() {
            problems.general_error(self.without_discriminator);
            return run::refuse(prepared, self.command, run, &problems).await;
        }
        let none = BTreeSet::new();
        let lookup = Lookup::ByDiscriminator(self.discriminator);
        let observed = ObserveRequest { discriminator: lookup, local: &none, kinds: ListedKinds::All };
        let (facts, remote) =
            tokio::join!(run::facts(prepared, run, &problems), observe(observed, Some(cluster), run.events, &problems));
        let found = match refusal(&remote) {
            Some(reason) => Err(reason),
            None => Ok(choose(&remote)),
        };
        match found {
            Ok(found) if found.is_empty() || self.consent.allows(&found) => {
                self.delete(prepared, cluster, &found, &remote, facts, run, &problems).await
            }
            refused => {
                problems.general_error(refused.err().unwrap_or_else(|| ABORTED.into()));
                run::finish(prepared, facts, self.command, ObjectFacts::default(), &problems)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the stages' results, each used once")]
    async fn delete(
        self,
        prepared: &Prepared,
        cluster: &dyn Cluster,
        found: &[ObjectRef],
        remote: &RemoteState,
        facts: RunFacts,
        run: Run<'_>,
        problems: &Problems,
    ) -> CommandResult {
        let dry_run = run::dry_run(self.consent.is_dry_run());
        let request = DeleteRequest { dry_run, wait: self.wait, stop: run.stop.clone() };
        let gone = delete::delete(found, remote, cluster, &request, problems).await;
        let stays = |object: &&ObjectRef| !gone.objects.contains(*object) && !gone.with_namespace.contains(*object);
        let orphans = match self.left {
            Left::Orphans => found.iter().filter(stays).cloned().collect(),
            Left::Unmarked => BTreeSet::new(),
        };
        let objects =
            ObjectFacts { remote: Some(remote), deleted: gone.objects.clone(), orphans, ..ObjectFacts::default() };
        run::finish(prepared, facts, self.command, objects, problems)
    }
}
