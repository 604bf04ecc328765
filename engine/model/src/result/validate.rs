//! Result of `validate` (spec 03 section 17).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeploymentError, KluctlDeploymentInfo, ProjectKey, TargetKey, sort_messages};
use crate::object_ref::ObjectRef;

/// Whether the objects of a target are ready.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ValidateResult {
    /// Random UUID of the run.
    pub id: String,
    /// Reconciliation of the controller; empty for the command line.
    pub reconcile_id: String,
    /// Project.
    pub project_key: ProjectKey,
    /// Target.
    pub target_key: TargetKey,
    /// Controller only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kluctl_deployment: Option<KluctlDeploymentInfo>,
    /// Controller only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides_patch: Option<Value>,
    /// Controller only.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rendered_objects_hash: String,
    /// RFC 3339, UTC, whole seconds.
    pub start_time: Option<String>,
    /// RFC 3339, UTC, whole seconds.
    pub end_time: Option<String>,
    /// Whether every object is ready.
    pub ready: bool,
    /// Warnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<DeploymentError>,
    /// Errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<DeploymentError>,
    /// One entry per `validate-result.kluctl.io/…` annotation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ValidateResultEntry>,
}

impl ValidateResult {
    /// Brings every list into its documented order and drops repeated messages.
    pub fn sort(&mut self) {
        sort_messages(&mut self.errors);
        sort_messages(&mut self.warnings);
        self.results.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }
}

/// Value of one `validate-result.kluctl.io/…` annotation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidateResultEntry {
    /// The object.
    #[serde(rename = "ref")]
    pub object_ref: ObjectRef,
    /// Key of the annotation.
    pub annotation: String,
    /// Value of the annotation.
    pub message: String,
}

impl ValidateResultEntry {
    fn sort_key(&self) -> impl Ord + '_ {
        (self.object_ref.sort_key(), &self.annotation, &self.message)
    }
}
