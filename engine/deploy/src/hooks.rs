//! Which objects are hooks, when they run and when they go (spec 03 sections 8.1 and 8.3).
//!
//! Pure: reading annotations. `apply::hooks` runs them.

use std::collections::BTreeSet;
use std::num::IntErrorKind;
use std::time::Duration;

use windlass_model::object::{Object, parse_go_bool};

use crate::duration::parse_go_duration;

const HOOK: &str = "kluctl.io/hook";
const WEIGHT: &str = "kluctl.io/hook-weight";
const DELETE_POLICY: &str = "kluctl.io/hook-delete-policy";
const WAIT: &str = "kluctl.io/hook-wait";
const TIMEOUT: &str = "kluctl.io/hook-timeout";
const HELM_HOOK: &str = "helm.sh/hook";
const HELM_WEIGHT: &str = "helm.sh/hook-weight";
const HELM_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const DELETE: &str = "kluctl.io/delete";

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookPoint {
    /// Before the objects.
    PreDeploy,
    /// After the objects.
    PostDeploy,
    /// Before the objects, in the first deployment of the item.
    PreDeployInitial,
    /// After the objects, in the first deployment of the item.
    PostDeployInitial,
    /// Before the objects, in every later deployment.
    PreDeployUpgrade,
    /// After the objects, in every later deployment.
    PostDeployUpgrade,
}

impl HookPoint {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pre-deploy" => Self::PreDeploy,
            "post-deploy" => Self::PostDeploy,
            "pre-deploy-initial" => Self::PreDeployInitial,
            "post-deploy-initial" => Self::PostDeployInitial,
            "pre-deploy-upgrade" => Self::PreDeployUpgrade,
            "post-deploy-upgrade" => Self::PostDeployUpgrade,
            _ => return None,
        })
    }
}

/// Before or after the item's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookStage {
    /// Before.
    Pre,
    /// After.
    Post,
}

impl HookStage {
    /// The points of this stage.
    fn points(self, initial: bool) -> [HookPoint; 2] {
        match (self, initial) {
            (Self::Pre, true) => [HookPoint::PreDeployInitial, HookPoint::PreDeploy],
            (Self::Pre, false) => [HookPoint::PreDeployUpgrade, HookPoint::PreDeploy],
            (Self::Post, true) => [HookPoint::PostDeployInitial, HookPoint::PostDeploy],
            (Self::Post, false) => [HookPoint::PostDeployUpgrade, HookPoint::PostDeploy],
        }
    }
}

/// When a hook object is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletePolicy {
    /// Before it runs again.
    BeforeHookCreation,
    /// After it failed.
    HookFailed,
    /// After it succeeded.
    HookSucceeded,
}

impl DeletePolicy {
    /// The annotation's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BeforeHookCreation => "before-hook-creation",
            Self::HookFailed => "hook-failed",
            Self::HookSucceeded => "hook-succeeded",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::BeforeHookCreation, Self::HookFailed, Self::HookSucceeded].into_iter().find(|p| p.as_str() == name)
    }
}

/// What the hook annotations of an object say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookSettings {
    /// The object is a hook, possibly one that never runs.
    pub is_hook: bool,
    /// When it runs.
    pub points: BTreeSet<HookPoint>,
    /// Order inside a stage, ascending.
    pub weight: i32,
    /// When it is deleted.
    pub delete_policies: BTreeSet<DeletePolicy>,
    /// Wait until it is ready.
    pub wait: bool,
    /// Own limit of the wait.
    pub timeout: Option<Duration>,
    /// Hook of Helm's uninstall or rollback only: never expected on the cluster.
    pub never_runs: bool,
    /// Annotations that make no sense; the defaults apply.
    pub errors: Vec<String>,
    /// Helm hooks that have no counterpart.
    pub warnings: Vec<String>,
}

impl HookSettings {
    /// Reads the annotations of a local object. Invalid ones are errors even when it is no hook.
    pub fn of(object: &Object) -> Self {
        let mut settings = Self { wait: true, ..Self::default() };
        if !object.annotations().any(|(key, _)| key.starts_with(HOOK) || key.starts_with(HELM_HOOK)) {
            return settings;
        }
        settings.read_points(object);
        settings.read_weight(object);
        settings.read_policies(object);
        settings.read_wait(object);
        if object.bool_annotation(DELETE) == Some(true) {
            settings.is_hook = false;
        }
        settings
    }

    /// Whether it runs in this stage.
    pub fn runs_in(&self, stage: HookStage, initial: bool) -> bool {
        self.is_hook && stage.points(initial).iter().any(|point| self.points.contains(point))
    }

    /// Whether validation expects the object on the cluster.
    pub fn is_expected(&self) -> bool {
        !self.is_hook || (!self.never_runs && !self.delete_policies.contains(&DeletePolicy::HookSucceeded))
    }

    /// The policies as a comma list, in a fixed order.
    pub fn policy_names(&self) -> String {
        self.delete_policies.iter().map(|policy| policy.as_str()).collect::<Vec<_>>().join(",")
    }

    fn read_points(&mut self, object: &Object) {
        let mut unserved = 0;
        for name in list(object, HOOK) {
            self.is_hook = true;
            match HookPoint::parse(name) {
                Some(point) => drop(self.points.insert(point)),
                None => self.errors.push(format!("unsupported {HOOK} '{name}'")),
            }
        }
        for name in list(object, HELM_HOOK) {
            match name {
                "pre-install" => drop(self.points.insert(HookPoint::PreDeployInitial)),
                "post-install" => drop(self.points.insert(HookPoint::PostDeployInitial)),
                "pre-upgrade" => drop(self.points.insert(HookPoint::PreDeployUpgrade)),
                "post-upgrade" => drop(self.points.insert(HookPoint::PostDeployUpgrade)),
                "pre-delete" | "post-delete" | "pre-rollback" | "post-rollback" => {
                    unserved += 1;
                    self.warnings.push(format!("unsupported {HELM_HOOK} '{name}'"));
                }
                _ => self.warnings.push(format!("unsupported {HELM_HOOK} '{name}'")),
            }
        }
        self.is_hook |= !self.points.is_empty() || unserved > 0;
        self.never_runs = unserved > 0 && self.points.is_empty();
    }

    fn read_weight(&mut self, object: &Object) {
        let Some(text) = object.annotation(WEIGHT).or_else(|| object.annotation(HELM_WEIGHT)) else { return };
        match text.parse() {
            Ok(weight) => self.weight = weight,
            Err(error) => {
                // Scripts know the words of Go's strconv.
                let reason = match error.kind() {
                    IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                    _ => "invalid syntax",
                };
                self.errors.push(format!("failed to parse hook weight: strconv.ParseInt: parsing {text:?}: {reason}"));
            }
        }
    }

    fn read_policies(&mut self, object: &Object) {
        for name in list(object, DELETE_POLICY).chain(list(object, HELM_DELETE_POLICY)) {
            match DeletePolicy::parse(name) {
                Some(policy) => drop(self.delete_policies.insert(policy)),
                None => self.errors.push(format!("unsupported {DELETE_POLICY} '{name}'")),
            }
        }
        if self.delete_policies.is_empty() {
            self.delete_policies.insert(DeletePolicy::BeforeHookCreation);
        }
    }

    fn read_wait(&mut self, object: &Object) {
        if let Some(text) = object.annotation(WAIT) {
            match parse_go_bool(text) {
                Some(wait) => self.wait = wait,
                None => self.errors.push(format!("failed to parse annotation {WAIT}={text} as bool")),
            }
        }
        if let Some(text) = object.annotation(TIMEOUT) {
            match parse_go_duration(text) {
                Ok(timeout) => self.timeout = Some(timeout),
                Err(error) => self.errors.push(format!("failed to parse duration: {error}")),
            }
        }
    }
}

fn list<'a>(object: &'a Object, annotation: &str) -> impl Iterator<Item = &'a str> {
    object.annotation(annotation).unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(annotations: &[(&str, &str)]) -> HookSettings {
        let mut object = Object(json!({"kind": "Job", "metadata": {"name": "a"}}));
        for (key, value) in annotations {
            object.set_annotation(key, value);
        }
        HookSettings::of(&object)
    }

    #[test]
    fn an_object_without_annotations_is_no_hook() {
        let none = settings(&[("a", "b")]);
        assert!(!none.is_hook && none.wait && none.is_expected());
    }

    #[test]
    fn a_hook_runs_in_its_stages() {
        let hook = settings(&[(HOOK, "pre-deploy-initial, post-deploy")]);
        assert!(hook.runs_in(HookStage::Pre, true) && !hook.runs_in(HookStage::Pre, false));
        assert!(hook.runs_in(HookStage::Post, true) && hook.runs_in(HookStage::Post, false));
        assert_eq!(hook.policy_names(), "before-hook-creation");
    }

    #[test]
    fn an_unknown_point_is_an_error_and_still_a_hook() {
        let hook = settings(&[(HOOK, "never")]);
        assert!(hook.is_hook && !hook.runs_in(HookStage::Pre, true));
        assert_eq!(hook.errors, ["unsupported kluctl.io/hook 'never'"]);
    }

    #[test]
    fn helm_hooks_are_mapped() {
        let hook = settings(&[
            (HELM_HOOK, "pre-install,post-upgrade"),
            (HELM_WEIGHT, "-5"),
            (HELM_DELETE_POLICY, "hook-succeeded"),
        ]);
        assert!(hook.runs_in(HookStage::Pre, true) && hook.runs_in(HookStage::Post, false));
        assert_eq!((hook.weight, hook.is_expected(), hook.warnings.len()), (-5, false, 0));
    }

    #[test]
    fn an_uninstall_hook_never_runs_and_warns() {
        let hook = settings(&[(HELM_HOOK, "pre-delete")]);
        assert!(hook.is_hook && hook.never_runs && !hook.is_expected());
        assert_eq!(hook.warnings, ["unsupported helm.sh/hook 'pre-delete'"]);
        let mixed = settings(&[(HELM_HOOK, "pre-delete,post-install")]);
        assert!(!mixed.never_runs && mixed.is_expected());
    }

    #[test]
    fn another_helm_hook_leaves_a_normal_object() {
        let object = settings(&[(HELM_HOOK, "crd-install")]);
        assert!(!object.is_hook && object.is_expected());
        assert_eq!(object.warnings, ["unsupported helm.sh/hook 'crd-install'"]);
    }

    #[test]
    fn own_weight_wins_over_helms() {
        assert_eq!(settings(&[(HOOK, "pre-deploy"), (WEIGHT, "1"), (HELM_WEIGHT, "2")]).weight, 1);
    }

    #[test]
    fn invalid_values_are_errors_even_without_a_hook() {
        let found = settings(&[(WEIGHT, "heavy"), (DELETE_POLICY, "later"), (WAIT, "maybe"), (TIMEOUT, "soon")]);
        assert!(!found.is_hook && found.wait && found.timeout.is_none());
        let wanted = [
            "failed to parse hook weight: strconv.ParseInt: parsing \"heavy\": invalid syntax",
            "unsupported kluctl.io/hook-delete-policy 'later'",
            "failed to parse annotation kluctl.io/hook-wait=maybe as bool",
            "failed to parse duration: time: invalid duration \"soon\"",
        ];
        assert_eq!(found.errors, wanted);
    }

    #[test]
    fn a_weight_has_32_bits() {
        let errors = settings(&[(WEIGHT, "2147483648")]).errors;
        assert_eq!(
            errors,
            ["failed to parse hook weight: strconv.ParseInt: parsing \"2147483648\": value out of range"]
        );
    }

    #[test]
    fn an_object_to_delete_is_no_hook() {
        assert!(!settings(&[(HOOK, "pre-deploy"), (DELETE, "true")]).is_hook);
    }
}
