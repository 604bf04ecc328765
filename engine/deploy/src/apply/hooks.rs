//! Runs the hooks of an item (spec 03 section 8.2).

use std::sync::Arc;

use windlass_cluster::DryRun;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use super::item::ItemPlan;
use super::object::Role;
use super::{ReadinessWait, Run};
use crate::delete::{DeleteError, Target, delete_object};
use crate::hooks::{DeletePolicy, HookSettings, HookStage};

/// A hook of an item.
pub(super) struct Hook<'a> {
    pub(super) object: &'a Arc<Object>,
    pub(super) reference: ObjectRef,
    pub(super) settings: HookSettings,
}

/// How a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Succeeded,
    Failed,
}

impl Ending {
    fn policy(self) -> DeletePolicy {
        match self {
            Self::Succeeded => DeletePolicy::HookSucceeded,
            Self::Failed => DeletePolicy::HookFailed,
        }
    }
}

impl Run<'_> {
    pub(super) async fn run_hooks(&self, plan: &ItemPlan<'_>, stage: HookStage) {
        let hooks: Vec<_> = plan.hooks_of(stage).collect();
        if hooks.is_empty() || self.is_aborted() {
            return;
        }
        let before = |hook: &&&Hook<'_>| hook.settings.delete_policies.contains(&DeletePolicy::BeforeHookCreation);
        let obsolete: Vec<_> = hooks.iter().filter(before).copied().collect();
        self.delete_hooks(plan, &obsolete, "before").await;
        self.tell(plan.label, format!("Applying {} hooks", hooks.len()));
        let mut ended = Vec::new();
        for (index, hook) in hooks.iter().enumerate() {
            if self.is_aborted() {
                break;
            }
            let position = format!("({} of {})", index + 1, hooks.len());
            self.tell(plan.label, format!("Applying hook {} {position}", hook.reference));
            if let Some(ending) = self.run_hook(plan, hook).await {
                ended.push((*hook, ending));
            }
        }
        let finished: Vec<_> = ended
            .iter()
            .rev()
            .filter(|(hook, ending)| hook.settings.delete_policies.contains(&ending.policy()))
            .map(|(hook, _)| *hook)
            .collect();
        self.delete_hooks(plan, &finished, "after").await;
    }

    /// `None`: nothing is known about its end.
    async fn run_hook(&self, plan: &ItemPlan<'_>, hook: &Hook<'_>) -> Option<Ending> {
        let recreated = hook.settings.delete_policies.contains(&DeletePolicy::BeforeHookCreation);
        let applied = self.apply_object(plan.item, hook.object, Role::Hook { recreated }).await;
        if !applied || self.problems.had_error(&hook.reference) {
            return None;
        }
        let limit = match self.options.readiness {
            ReadinessWait::UpTo(limit) if hook.settings.wait => hook.settings.timeout.unwrap_or(limit),
            _ => {
                self.warn_about_kept(hook);
                return None;
            }
        };
        let ready = self.wait_for(plan.label, &hook.reference, limit).await;
        Some(if ready { Ending::Succeeded } else { Ending::Failed })
    }

    /// Without waiting nobody learns how the hook ends, and deleting it now could cut it short.
    fn warn_about_kept(&self, hook: &Hook<'_>) {
        if self.is_real() && hook.settings.delete_policies.contains(&DeletePolicy::HookSucceeded) {
            self.events.warn(format!(
                "hook {} stays although it has the policy {}: its success is not waited for",
                hook.reference,
                DeletePolicy::HookSucceeded.as_str()
            ));
        }
    }

    async fn delete_hooks(&self, plan: &ItemPlan<'_>, hooks: &[&Hook<'_>], when: &str) {
        if hooks.is_empty() {
            return;
        }
        self.tell(plan.label, format!("Deleting {} hooks {when} hook execution", hooks.len()));
        for (index, hook) in hooks.iter().enumerate() {
            let (reference, policies) = (&hook.reference, hook.settings.policy_names());
            let position = format!("({} of {})", index + 1, hooks.len());
            self.tell(plan.label, format!("Deleting hook {reference} due to hook-delete-policy {policies} {position}"));
            self.delete_hook(reference).await;
        }
    }

    async fn delete_hook(&self, hook: &ObjectRef) {
        let request = self.delete_request();
        // A simulated hook never existed under its own name, so a simulated deletion does not find it.
        if request.dry_run == DryRun::All && self.remote.get(hook).is_none() {
            return;
        }
        match delete_object(hook, Target::ByName, self.cluster, &request, self.problems).await {
            Ok(_) => {}
            Err(DeleteError::Refused(error)) if error.is_unknown_kind() => {}
            Err(error) => self.fail(hook, error.to_string()),
        }
    }
}
