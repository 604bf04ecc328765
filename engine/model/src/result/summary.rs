//! Summaries of results, stored as annotations (spec 03 sections 17 and 18.2).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ClusterInfo, CommandInfo, CommandResult, DeploymentError, GitInfo, KluctlDeploymentInfo, ProjectKey, ResultObject,
    ResultTarget, TargetKey, ValidateResult,
};

/// Counts and messages of a [`CommandResult`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommandResultSummary {
    /// As in the result.
    pub id: String,
    /// As in the result.
    pub reconcile_id: String,
    /// As in the result.
    pub project_key: ProjectKey,
    /// As in the result.
    pub target_key: TargetKey,
    /// As in the result.
    pub target: ResultTarget,
    /// `command` of the result, under another name.
    pub command_info: CommandInfo,
    /// As in the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kluctl_deployment: Option<KluctlDeploymentInfo>,
    /// As in the result.
    pub git_info: GitInfo,
    /// As in the result.
    pub cluster_info: ClusterInfo,
    /// As in the result.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rendered_objects_hash: String,
    /// Objects with `rendered`.
    pub rendered_objects: usize,
    /// Objects with `remote`.
    pub remote_objects: usize,
    /// Objects with `applied`.
    pub applied_objects: usize,
    /// Hooks.
    pub applied_hook_objects: usize,
    /// New objects.
    pub new_objects: usize,
    /// Objects with changes.
    pub changed_objects: usize,
    /// Orphans.
    pub orphan_objects: usize,
    /// Deleted objects.
    pub deleted_objects: usize,
    /// Changes of all objects.
    pub total_changes: usize,
    /// As in the result; `null` when there are none.
    #[serde(serialize_with = "null_when_empty", deserialize_with = "nullable")]
    pub errors: Vec<DeploymentError>,
    /// As in the result; `null` when there are none.
    #[serde(serialize_with = "null_when_empty", deserialize_with = "nullable")]
    pub warnings: Vec<DeploymentError>,
}

impl CommandResult {
    /// Counts and messages.
    pub fn summary(&self) -> CommandResultSummary {
        let count = |wanted: fn(&ResultObject) -> bool| self.objects.iter().filter(|o| wanted(o)).count();
        CommandResultSummary {
            id: self.id.clone(),
            reconcile_id: self.reconcile_id.clone(),
            project_key: self.project_key.clone(),
            target_key: self.target_key.clone(),
            target: self.target.clone(),
            command_info: self.command.clone(),
            kluctl_deployment: self.kluctl_deployment.clone(),
            git_info: self.git_info.clone(),
            cluster_info: self.cluster_info.clone(),
            rendered_objects_hash: self.rendered_objects_hash.clone(),
            rendered_objects: count(|o| o.rendered.is_some()),
            remote_objects: count(|o| o.remote.is_some()),
            applied_objects: count(|o| o.applied.is_some()),
            applied_hook_objects: count(|o| o.hook),
            new_objects: count(|o| o.new),
            changed_objects: count(|o| !o.changes.is_empty()),
            orphan_objects: count(|o| o.orphan),
            deleted_objects: count(|o| o.deleted),
            total_changes: self.objects.iter().map(|o| o.changes.len()).sum(),
            errors: self.errors.clone(),
            warnings: self.warnings.clone(),
        }
    }
}

/// Counts of a [`ValidateResult`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValidateResultSummary {
    /// As in the result.
    pub id: String,
    /// As in the result.
    pub reconcile_id: String,
    /// As in the result.
    pub project_key: ProjectKey,
    /// As in the result.
    pub target_key: TargetKey,
    /// As in the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kluctl_deployment: Option<KluctlDeploymentInfo>,
    /// As in the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides_patch: Option<Value>,
    /// As in the result.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rendered_objects_hash: String,
    /// As in the result.
    pub start_time: Option<String>,
    /// As in the result.
    pub end_time: Option<String>,
    /// As in the result.
    pub ready: bool,
    /// Number of warnings.
    pub warnings: usize,
    /// Number of errors.
    pub errors: usize,
    /// Number of results.
    pub results: usize,
}

impl ValidateResult {
    /// The same with counts in place of lists.
    pub fn summary(&self) -> ValidateResultSummary {
        ValidateResultSummary {
            id: self.id.clone(),
            reconcile_id: self.reconcile_id.clone(),
            project_key: self.project_key.clone(),
            target_key: self.target_key.clone(),
            kluctl_deployment: self.kluctl_deployment.clone(),
            overrides_patch: self.overrides_patch.clone(),
            rendered_objects_hash: self.rendered_objects_hash.clone(),
            start_time: self.start_time.clone(),
            end_time: self.end_time.clone(),
            ready: self.ready,
            warnings: self.warnings.len(),
            errors: self.errors.len(),
            results: self.results.len(),
        }
    }
}

fn null_when_empty<S: serde::Serializer>(list: &[DeploymentError], serializer: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() { serializer.serialize_none() } else { list.serialize(serializer) }
}

fn nullable<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<DeploymentError>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
