//! Stage 8: brings the objects to the cluster, for real or as a dry run (spec 03 sections 7 and 8).
//!
//! A preview and a deployment are the same code: [`ApplyMode`] decides what the
//! server stores, and where the server cannot know the outcome of something that was only
//! simulated, `simulation` answers.
//!
//! Items between two barriers run in parallel, and so do the objects inside an item, in waves: namespaces and
//! custom resource definitions, then what admission looks up (accounts, quotas, classes, roles), then everything else,
//! then what intercepts requests (webhooks, API services).

mod definitions;
mod fallback;
mod fixups;
mod hooks;
mod item;
mod object;
mod simulation;
mod waves;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use windlass_cluster::{Cluster, ClusterError, DryRun};
use windlass_model::event::{Event, Events};
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use crate::collect::{PinnedItem, PinnedObjects};
use crate::observe::RemoteState;
use crate::problems::Problems;
use crate::status_expectation::StatusExpectations;
use crate::stop::StopSignal;
use item::ItemPlan;
use simulation::Simulation;

/// Error of applying without a cluster.
pub const APPLY_NEEDS_CLUSTER: &str = "can not apply objects without a Kubernetes API client";

/// More than the cluster ever sends at once.
const QUEUE: usize = 256;

/// Error of a run that had to end before its work was done.
pub const STOPPED: &str =
    "the command was stopped before everything was applied; running it again continues where it ended";

/// Whether anything is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyMode {
    /// The server computes the outcome and stores nothing.
    DryRun,
    /// The server stores the outcome.
    Real,
}

impl ApplyMode {
    fn dry_run(self) -> DryRun {
        match self {
            Self::DryRun => DryRun::All,
            Self::Real => DryRun::No,
        }
    }
}

/// What happens when the server does not accept a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The error is recorded.
    #[default]
    Report,
    /// The object is replaced (`--replace-on-error`).
    Replace,
    /// The object is replaced, and if that fails deleted and created again (`--force-replace-on-error`).
    Recreate,
    /// The same with both flags given, which only results tell apart.
    ReplaceOrRecreate,
}

impl OnError {
    /// Whether an object may be deleted and created again.
    pub fn recreates(self) -> bool {
        matches!(self, Self::Recreate | Self::ReplaceOrRecreate)
    }

    /// Whether `--replace-on-error` was given.
    pub fn is_replace_given(self) -> bool {
        matches!(self, Self::Replace | Self::ReplaceOrRecreate)
    }
}

/// Whether to wait for readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadinessWait {
    /// Never (`--no-wait`).
    No,
    /// Up to this long per object.
    UpTo(Duration),
}

/// How to apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// For real or not.
    pub mode: ApplyMode,
    /// Overwrite all conflicting fields.
    pub force_apply: bool,
    /// What happens when a patch is refused.
    pub on_error: OnError,
    /// The first error ends the run.
    pub abort_on_error: bool,
    /// Whether to wait for readiness.
    pub readiness: ReadinessWait,
    /// Objects that are known to be unchanged at this resource version.
    pub skip_versions: BTreeMap<ObjectRef, String>,
    /// Ends the run early.
    pub stop: StopSignal,
}

impl ApplyOptions {
    /// Plain options of a mode: no force, no waiting.
    pub fn new(mode: ApplyMode) -> Self {
        Self {
            mode,
            force_apply: false,
            on_error: OnError::Report,
            abort_on_error: false,
            readiness: ReadinessWait::No,
            skip_versions: BTreeMap::new(),
            stop: StopSignal::never(),
        }
    }
}

/// What was applied. Errors and warnings went to [`Problems`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AppliedState {
    /// The server's answers.
    pub applied: BTreeMap<ObjectRef, Arc<Object>>,
    /// Applied objects that did not exist before; no hooks.
    pub new: BTreeSet<ObjectRef>,
    /// Objects applied as hooks.
    pub hooks: BTreeSet<ObjectRef>,
    /// Deleted by `deleteObjects`, `kluctl.io/delete`, or for being created again; no hooks.
    pub deleted: BTreeSet<ObjectRef>,
}

/// Applies everything. Goes on after errors, unless the options say otherwise; the outcome does not
/// depend on which request was faster.
pub async fn apply(
    objects: &PinnedObjects,
    remote: &RemoteState,
    cluster: Option<&dyn Cluster>,
    options: &ApplyOptions,
    events: &dyn Events,
    problems: &Problems,
) -> AppliedState {
    let Some(cluster) = cluster else {
        problems.general_error(APPLY_NEEDS_CLUSTER);
        return AppliedState::default();
    };
    let run = Run {
        cluster,
        remote,
        options,
        events,
        problems,
        aborted: AtomicBool::new(false),
        ledger: Mutex::default(),
        simulation: Simulation::default(),
        expectations: StatusExpectations::new(cluster),
        queue: Semaphore::new(QUEUE),
    };
    for batch in batches(&objects.items) {
        if run.is_aborted() {
            break;
        }
        run.batch(batch).await;
    }
    if options.stop.is_stopped() {
        problems.general_error(STOPPED);
    }
    run.ledger.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Items up to and including the next barrier.
fn batches(items: &[PinnedItem]) -> impl Iterator<Item = &[PinnedItem]> {
    items.split_inclusive(|item| item.barrier)
}

/// Everything that one application of objects shares.
struct Run<'a> {
    cluster: &'a dyn Cluster,
    remote: &'a RemoteState,
    options: &'a ApplyOptions,
    events: &'a dyn Events,
    problems: &'a Problems,
    aborted: AtomicBool,
    ledger: Mutex<AppliedState>,
    simulation: Simulation,
    expectations: StatusExpectations<'a>,
    /// Bounds the requests that are written out and wait for the cluster's own limit.
    queue: Semaphore,
}

impl Run<'_> {
    async fn batch(&self, items: &[PinnedItem]) {
        let mut plans: Vec<_> = items.iter().map(|item| ItemPlan::new(item, self)).collect();
        item::drop_superseded(&mut plans);
        plans.iter().for_each(|plan| self.begin(plan));
        let work = async {
            self.foundations(&plans).await;
            join_all(plans.iter().map(|plan| self.item(plan))).await;
        };
        match items.last().filter(|item| item.barrier) {
            Some(barrier) if items.len() > 1 => self.at_barrier(barrier, work).await,
            _ => work.await,
        }
    }

    /// Namespaces and definitions of all items that have nothing to do before them: items of one batch
    /// run at the same time, and must not depend on who is first.
    async fn foundations(&self, plans: &[ItemPlan<'_>]) {
        let early = plans.iter().filter(|plan| plan.starts_with_objects());
        join_all(early.map(|plan| self.wave(plan, &plan.waves.foundations))).await;
    }

    async fn at_barrier(&self, barrier: &PinnedItem, work: impl Future<Output = ()>) {
        let text = match barrier.message.as_deref().filter(|message| !message.is_empty()) {
            Some(message) => format!("Waiting on barrier: {message}"),
            None => "Waiting on barrier...".to_owned(),
        };
        self.tell("", text);
        work.await;
        self.tell("", "Finished waiting".to_owned());
    }

    fn is_real(&self) -> bool {
        self.options.mode == ApplyMode::Real
    }

    fn ledger(&self) -> MutexGuard<'_, AppliedState> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No new work. A run that has to stop aborts as well.
    fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire) || self.options.stop.is_stopped()
    }

    /// Records an error of applying, of a hook or of waiting.
    fn fail(&self, object: &ObjectRef, message: impl Into<String>) {
        self.problems.error(object, message);
        if self.options.abort_on_error {
            self.aborted.store(true, Ordering::Release);
        }
    }

    fn tell(&self, item: &str, text: String) {
        self.events.emit(Event::Item { item: item.to_owned(), text });
    }
}

/// `failed to patch REF: …`
fn failed_to_patch(object: &ObjectRef, error: &ClusterError) -> String {
    format!("failed to patch {object}: {error}")
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
