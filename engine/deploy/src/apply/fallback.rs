//! When a patch is refused: field conflicts, replacing, deleting and creating again (spec 03 sections 7.8 to 7.10).

use serde_json::Value;
use windlass_cluster::{ClusterError, StatusCause, WriteOptions};
use windlass_model::object::Object;
use windlass_ownership::{Cause, ConflictRules, resolve};

use super::object::{Application, Sent};
use super::{ApplyMode, OnError, Run, failed_to_patch};
use crate::delete::{Target, delete_object, has_skip_delete};

impl Run<'_> {
    /// Decides every conflicting field, and sends what is left with force.
    pub(super) async fn handle_conflict(&self, application: &Application<'_>, error: ClusterError) -> Option<Object> {
        let reference = &application.reference;
        let Some(remote) = application.remote else {
            self.fail(reference, failed_to_patch(reference, &error));
            return None;
        };
        let causes = error.failure().map(|failure| failure.causes.as_slice()).unwrap_or_default();
        let decided;
        let object = if self.options.force_apply {
            &*application.local
        } else {
            decided = self.decide(application, remote, causes)?;
            &decided
        };
        let options = WriteOptions { force: true, ..WriteOptions::deployment(self.options.mode.dry_run()) };
        match self.patch(application, object, options).await {
            Sent::Applied(applied) => Some(applied),
            Sent::Refused(error) => self.recreate(application, failed_to_patch(reference, &error)).await,
        }
    }

    /// The object without the fields that others keep; `None` when a conflict cannot be decided.
    fn decide(&self, application: &Application<'_>, remote: &Object, causes: &[StatusCause]) -> Option<Object> {
        let reference = &application.reference;
        // The item's own rules come first in its list, and override those of the projects around it.
        let rules = match ConflictRules::compile(application.item.conflict_resolution.iter().rev()) {
            Ok(rules) => rules,
            Err(error) => {
                self.fail(reference, error.to_string());
                return None;
            }
        };
        let causes: Vec<_> = causes.iter().map(cause).collect();
        let resolution = resolve(&application.local, remote, &causes, &rules);
        resolution.lost.iter().for_each(|lost| self.problems.warning(reference, lost.warning.as_str()));
        resolution.errors.iter().for_each(|error| self.fail(reference, error.to_string()));
        resolution.errors.is_empty().then_some(resolution.object_to_send)
    }

    /// PUT instead of PATCH, if that is wanted and there is something to replace.
    pub(super) async fn replace(&self, application: &Application<'_>, error: ClusterError) -> Option<Object> {
        let reference = &application.reference;
        let message = failed_to_patch(reference, &error);
        let Some(remote) = application.remote.filter(|_| self.options.on_error != OnError::Report) else {
            self.fail(reference, message);
            return None;
        };
        self.announce(application, format!("patching {reference} failed, retrying with replace instead of patch"));
        let mut object = application.local.clone().into_owned();
        if let Some(metadata) = object.0.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".into(), remote.resource_version().into());
        }
        let options = WriteOptions::deployment(self.options.mode.dry_run());
        match self.cluster.replace(&object, options).await {
            Ok(answer) => Some(self.heed(reference, answer)),
            Err(error) => self.recreate(application, error.to_string()).await,
        }
    }

    /// Deletes and applies again, if that is wanted and nothing protects the object.
    async fn recreate(&self, application: &Application<'_>, message: String) -> Option<Object> {
        let reference = &application.reference;
        if !self.options.on_error.recreates() {
            self.fail(reference, message);
            return None;
        }
        if has_skip_delete(&application.local) || application.remote.is_some_and(|remote| has_skip_delete(remote)) {
            self.events.warn(format!("skipped forced replace of {reference}"));
            self.fail(reference, message);
            return None;
        }
        self.announce(application, format!("patching {reference} failed, retrying by deleting and re-applying"));
        let request = self.delete_request();
        if let Err(error) = delete_object(reference, Target::ByName, self.cluster, &request, self.problems).await {
            self.fail(reference, error.to_string());
            return None;
        }
        self.ledger().deleted.insert(reference.clone());
        if self.options.mode == ApplyMode::DryRun {
            return Some(application.local.clone().into_owned());
        }
        match self.patch(application, &application.local, WriteOptions::deployment(self.options.mode.dry_run())).await {
            Sent::Applied(applied) => Some(applied),
            Sent::Refused(error) => {
                self.fail(reference, failed_to_patch(reference, &error));
                None
            }
        }
    }

    /// In the result and while it happens.
    fn announce(&self, application: &Application<'_>, message: String) {
        self.events.warn(message.clone());
        self.problems.warning(&application.reference, message);
    }
}

fn cause(cause: &StatusCause) -> Cause {
    let StatusCause { kind, message, field } = cause.clone();
    Cause { reason: kind, message, field }
}
