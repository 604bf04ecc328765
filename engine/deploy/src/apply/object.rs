//! One object: patch, and what follows from the answer (spec 03 section 7.4).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_cluster::{Answer, ClusterError, RequestContext, WriteOptions};
use windlass_model::event::Event;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use super::simulation::Disguise;
use super::{Run, failed_to_patch, fixups};
use crate::collect::PinnedItem;

/// How long the kind of a definition of this run may stay unknown, and a webhook unreachable.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a request may still run when the command has to end: its answer tells what is on the cluster.
const GRACE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const PAUSE: Duration = Duration::from_secs(1);

/// Why an object is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It belongs to the deployment.
    Object,
    /// It is a hook; a recreated one has just been deleted, perhaps only in simulation.
    Hook { recreated: bool },
}

/// One object on its way.
pub(super) struct Application<'a> {
    pub(super) item: &'a PinnedItem,
    pub(super) reference: ObjectRef,
    /// As it is sent.
    pub(super) local: Cow<'a, Object>,
    pub(super) remote: Option<&'a Arc<Object>>,
    pub(super) role: Role,
}

/// How sending ended.
pub(super) enum Sent {
    /// The server's answer, under the real name.
    Applied(Object),
    /// The server's refusal.
    Refused(ClusterError),
}

impl Run<'_> {
    /// Whether the object was applied. Errors are recorded.
    pub(super) async fn apply_object(&self, item: &PinnedItem, object: &Arc<Object>, role: Role) -> bool {
        let reference = object.object_ref();
        let remote = self.remote.get(&reference);
        if let Some(unchanged) = remote.filter(|remote| self.is_skipped(&reference, remote)) {
            self.record(&reference, unchanged.clone(), role);
            return true;
        }
        let application = Application { item, reference, local: fixups::complete(object), remote, role };
        let outcome = match self.send(&application).await {
            Sent::Applied(applied) => Some(applied),
            Sent::Refused(error) => self.handle_refusal(&application, error).await,
        };
        let Some(applied) = outcome else { return false };
        let reference = &application.reference;
        if !self.is_real() {
            self.simulation.remember(object, remote.is_some());
        }
        self.record(reference, Arc::new(applied), role);
        true
    }

    fn is_skipped(&self, reference: &ObjectRef, remote: &Object) -> bool {
        self.options.skip_versions.get(reference).is_some_and(|version| version == remote.resource_version())
    }

    fn record(&self, reference: &ObjectRef, applied: Arc<Object>, role: Role) {
        let is_new = role == Role::Object && self.remote.get(reference).is_none();
        let mut ledger = self.ledger();
        ledger.applied.insert(reference.clone(), applied);
        if is_new {
            ledger.new.insert(reference.clone());
        }
        if role != Role::Object {
            ledger.hooks.insert(reference.clone());
        }
        drop(ledger);
        self.events.emit(Event::ObjectApplied { object: reference.clone() });
    }

    /// Applies without force. Kinds that this run brings and webhooks that it starts may need a moment.
    async fn send(&self, application: &Application<'_>) -> Sent {
        let options = WriteOptions::deployment(self.options.mode.dry_run());
        let end = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.patch(application, &application.local, options).await {
                Sent::Refused(error) => error,
                applied => return applied,
            };
            let again = match &error {
                ClusterError::UnknownKind(_) => self.is_real() && self.may_become_known(application, end).await,
                error => self.is_real() && is_webhook_down(error),
            };
            if !again || Instant::now() >= end || !self.options.stop.sleep(pause).await {
                return Sent::Refused(error);
            }
            pause = (pause * 2).min(PAUSE);
        }
    }

    /// Asks the server again what it serves: a definition may have come from this run, from a hook or an operator.
    async fn may_become_known(&self, application: &Application<'_>, end: Instant) -> bool {
        let gvk = application.reference.gvk();
        if self.defines(&gvk) {
            self.await_served(std::slice::from_ref(&gvk), end).await;
            return true;
        }
        let known_before = self.cluster.discovery().resource(&gvk).is_some();
        let known_now = self.cluster.refresh_discovery().await.is_ok_and(|found| found.resource(&gvk).is_some());
        !known_before && known_now
    }

    /// One request, in a disguise where a dry run needs one.
    pub(super) async fn patch(
        &self,
        application: &Application<'_>,
        object: &Object,
        options: WriteOptions<'_>,
    ) -> Sent {
        // Never closed: the place only bounds memory.
        let _place = self.queue.acquire().await;
        let Some((object, disguise)) = self.disguised(application, object) else {
            return match self.apply_in_time(&application.reference, object, options).await {
                Ok(answer) => Sent::Applied(self.heed(&application.reference, answer)),
                Err(error) => Sent::Refused(error),
            };
        };
        match self.apply_in_time(&application.reference, &object, options).await {
            Ok(answer) => Sent::Applied(disguise.take_off(self.heed(&application.reference, answer))),
            Err(error) => Sent::Refused(revealed(error, &disguise)),
        }
    }

    async fn apply_in_time(
        &self,
        reference: &ObjectRef,
        object: &Object,
        options: WriteOptions<'_>,
    ) -> Result<Answer<Object>, ClusterError> {
        let too_late = async {
            self.options.stop.stopped().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            answer = self.cluster.apply(object, options) => answer,
            () = too_late => {
                let request = RequestContext { method: "PATCH", path: reference.to_string() };
                Err(ClusterError::Timeout { request, limit: GRACE })
            }
        }
    }

    fn disguised(&self, application: &Application<'_>, object: &Object) -> Option<(Object, Disguise)> {
        if self.is_real() {
            return None;
        }
        let reference = &application.reference;
        let simulated = !reference.namespace.is_empty() && self.simulation.has_namespace(&reference.namespace);
        let recreated = application.role == (Role::Hook { recreated: true }) && application.remote.is_some();
        (simulated || recreated).then(|| {
            let mut object = object.clone();
            let disguise = Disguise::put_on(&mut object, simulated);
            (object, disguise)
        })
    }

    pub(super) fn heed(&self, reference: &ObjectRef, answer: Answer<Object>) -> Object {
        self.problems.api_warnings(reference, &answer.warnings);
        answer.value
    }

    /// What happens after a refusal; an applied object if it ends well.
    async fn handle_refusal(&self, application: &Application<'_>, error: ClusterError) -> Option<Object> {
        match error {
            ClusterError::UnknownKind(gvk) if !self.is_real() && self.simulation.has_kind(&gvk) => {
                let reference = &application.reference;
                self.problems.warning(reference, not_yet_defined(reference));
                Some(application.local.clone().into_owned())
            }
            error @ ClusterError::UnknownKind(_) => {
                self.fail(&application.reference, failed_to_patch(&application.reference, &error));
                None
            }
            error @ ClusterError::Conflict(_) => self.handle_conflict(application, error).await,
            error => self.replace(application, error).await,
        }
    }
}

fn revealed(error: ClusterError, disguise: &Disguise) -> ClusterError {
    match error.failure().cloned() {
        Some(mut failure) => {
            failure.message = disguise.reveal(&failure.message);
            ClusterError::from_failure(failure)
        }
        None => error,
    }
}

fn not_yet_defined(object: &ObjectRef) -> String {
    format!(
        "the underyling custom resource definition for {object} has not been applied yet as Kluctl is running in \
         dry-run mode. It is not guaranteed that the object will actually sucessfully apply"
    )
}

/// The server could not reach an admission webhook, which this deployment may just be starting.
fn is_webhook_down(error: &ClusterError) -> bool {
    const SIGNS: [&str; 5] =
        ["connection refused", "no endpoints available", "i/o timeout", "no such host", "context deadline exceeded"];
    let Some(failure) = error.failure().filter(|failure| failure.code == 500) else { return false };
    failure.message.contains("failed calling webhook") && SIGNS.iter().any(|sign| failure.message.contains(sign))
}
