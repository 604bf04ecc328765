//! Serialised reports of commands (spec 03 sections 15 to 18).
//!
//! Field presence follows the predecessor to the letter, because existing readers refuse unknown keys.
//! Building results is the flows' work, rendering them as text or YAML is `windlass-report`'s.

mod compact;
mod compact_json;
mod delta;
mod summary;
mod validate;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::object::Object;
use crate::object_ref::ObjectRef;

pub use compact::{CompactedObject, CompactionError, CompactionErrorKind, compact, expand};
pub use compact_json::compact_json;
pub use delta::{DeltaError, apply_delta, encode_delta};
pub use summary::{CommandResultSummary, ValidateResultSummary};
pub use validate::{ValidateResult, ValidateResultEntry};

/// What one command did or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandResult {
    /// Random UUID of the run.
    pub id: String,
    /// Reconciliation of the controller; empty for the command line.
    #[serde(default)]
    pub reconcile_id: String,
    /// Project the command ran on.
    #[serde(default)]
    pub project_key: ProjectKey,
    /// Target the command ran on.
    #[serde(default)]
    pub target_key: TargetKey,
    /// The target as resolved.
    #[serde(default)]
    pub target: ResultTarget,
    /// The command and its options.
    #[serde(default)]
    pub command: CommandInfo,
    /// Controller only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kluctl_deployment: Option<KluctlDeploymentInfo>,
    /// Controller only: merge patch of a manual request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides_patch: Option<Value>,
    /// Git state of the project.
    #[serde(default)]
    pub git_info: GitInfo,
    /// Cluster the command ran against.
    #[serde(default)]
    pub cluster_info: ClusterInfo,
    /// Root `deployment.yaml` with the result-only keys per item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Value>,
    /// Controller only.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rendered_objects_hash: String,
    /// Objects in result order; the YAML form carries them compacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ResultObject>,
    /// Errors, each with the object it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<DeploymentError>,
    /// Warnings, each with the object it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<DeploymentError>,
    /// Images that templates asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_images: Vec<ImageEntry>,
}

impl CommandResult {
    /// Brings every list into its documented order and drops repeated messages.
    pub fn sort(&mut self) {
        self.objects.sort_by(|a, b| a.object_ref.sort_key().cmp(&b.object_ref.sort_key()));
        sort_messages(&mut self.errors);
        sort_messages(&mut self.warnings);
        self.seen_images.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    }

    /// The JSON form of `-o yaml`: `compactedObjects` in place of `objects`.
    pub fn to_compacted_value(&self) -> Value {
        let mut value = self.value_without_objects();
        let compacted = compact(&self.objects);
        if let (Some(map), false) = (value.as_object_mut(), compacted.is_empty()) {
            map.insert("compactedObjects".into(), to_value(&compacted));
        }
        value
    }

    /// The JSON form stored as `reducedResult`: full objects cut down to identity, labels and annotations.
    pub fn to_reduced_value(&self) -> Value {
        let mut value = self.value_without_objects();
        let reduced: Vec<ResultObject> = self.objects.iter().map(ResultObject::reduced).collect();
        if let (Some(map), false) = (value.as_object_mut(), reduced.is_empty()) {
            map.insert("objects".into(), to_value(&reduced));
        }
        value
    }

    /// Reads the JSON form of `-o yaml` or of a stored result.
    pub fn from_value(mut value: Value) -> Result<Self, ResultReadError> {
        let compacted = value.as_object_mut().and_then(|map| map.remove("compactedObjects"));
        let mut result: Self = serde_json::from_value(value)?;
        if let Some(compacted) = compacted {
            let compacted: Vec<CompactedObject> = serde_json::from_value(compacted)?;
            result.objects = expand(&compacted)?;
        }
        Ok(result)
    }

    fn value_without_objects(&self) -> Value {
        // Cloning the objects only to drop them again would double the memory of large results.
        let Self {
            id,
            reconcile_id,
            project_key,
            target_key,
            target,
            command,
            kluctl_deployment,
            overrides_patch,
            git_info,
            cluster_info,
            deployment,
            rendered_objects_hash,
            objects: _,
            errors,
            warnings,
            seen_images,
        } = self;
        to_value(&Self {
            id: id.clone(),
            reconcile_id: reconcile_id.clone(),
            project_key: project_key.clone(),
            target_key: target_key.clone(),
            target: target.clone(),
            command: command.clone(),
            kluctl_deployment: kluctl_deployment.clone(),
            overrides_patch: overrides_patch.clone(),
            git_info: git_info.clone(),
            cluster_info: cluster_info.clone(),
            deployment: deployment.clone(),
            rendered_objects_hash: rendered_objects_hash.clone(),
            objects: Vec::new(),
            errors: errors.clone(),
            warnings: warnings.clone(),
            seen_images: seen_images.clone(),
        })
    }
}

/// Sorts messages by object, then text, and drops repeated ones.
pub fn sort_messages(messages: &mut Vec<DeploymentError>) {
    messages.sort_by(|a, b| (a.object_ref.sort_key(), &a.message).cmp(&(b.object_ref.sort_key(), &b.message)));
    messages.dedup();
}

/// A stored result could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ResultReadError {
    /// Not the documented shape.
    #[error("read command result: {0}")]
    Shape(#[from] serde_json::Error),
    /// An object's compacted text does not decode.
    #[error(transparent)]
    Compaction(#[from] CompactionError),
}

/// Identifies a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectKey {
    /// `git://HOST/PATH`, `oci://HOST/PATH` or empty.
    pub repo_key: String,
    /// Directory below the repository root.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sub_dir: String,
}

/// Identifies a target; all three fields together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetKey {
    /// Name, empty in no-target mode.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_name: String,
    /// Cluster id.
    pub cluster_id: String,
    /// Discriminator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub discriminator: String,
}

/// The final target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResultTarget {
    /// Name; always present.
    pub name: String,
    /// Kubernetes context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Args of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Map<String, Value>>,
    /// AWS settings; `{}` when unset.
    pub aws: Value,
    /// Fixed images of the target, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Value>,
    /// Discriminator, rendered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub discriminator: String,
}

impl Default for ResultTarget {
    fn default() -> Self {
        Self {
            name: String::new(),
            context: None,
            args: None,
            aws: Value::Object(Map::new()),
            images: Vec::new(),
            discriminator: String::new(),
        }
    }
}

/// Who started a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initiator {
    /// A person or a script.
    #[default]
    CommandLine,
    /// The controller.
    KluctlDeployment,
}

/// The command and its options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandInfo {
    /// Who started it.
    pub initiator: Initiator,
    /// RFC 3339, UTC, whole seconds.
    pub start_time: Option<String>,
    /// RFC 3339, UTC, whole seconds.
    pub end_time: Option<String>,
    /// `deploy`, `diff`, `prune`, `delete`, `poke-images`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Never filled; kept for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Value>,
    /// `--target-name-override`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_name_override: String,
    /// `--context`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context_override: String,
    /// External args.
    pub args: Map<String, Value>,
    /// Fixed images of flags and target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageEntry>,
    /// `--dry-run`; true for every diff.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// `--no-wait`.
    #[serde(skip_serializing_if = "is_false")]
    pub no_wait: bool,
    /// `--force-apply`.
    #[serde(skip_serializing_if = "is_false")]
    pub force_apply: bool,
    /// `--replace-on-error`.
    #[serde(skip_serializing_if = "is_false")]
    pub replace_on_error: bool,
    /// `--force-replace-on-error`.
    #[serde(skip_serializing_if = "is_false")]
    pub force_replace_on_error: bool,
    /// `--abort-on-error`.
    #[serde(skip_serializing_if = "is_false")]
    pub abort_on_error: bool,
    /// Tag filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include_tags: Vec<String>,
    /// Tag filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_tags: Vec<String>,
    /// Directory filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include_deployment_dirs: Vec<String>,
    /// Directory filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_deployment_dirs: Vec<String>,
}

/// The KluctlDeployment that a controller's result belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KluctlDeploymentInfo {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Cluster the controller runs in.
    pub cluster_id: String,
}

/// Branch or tag that is checked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GitRef {
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
}

/// Git state; all keys always present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitInfo {
    /// URL of the remote `origin`.
    pub url: Option<String>,
    /// `None` for a detached head.
    #[serde(rename = "ref")]
    pub git_ref: Option<GitRef>,
    /// Project directory below the repository root.
    pub sub_dir: String,
    /// Commit hash.
    pub commit: String,
    /// Whether the work tree differs from the commit.
    pub dirty: bool,
}

/// The cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterInfo {
    /// UID of the namespace `kube-system`.
    pub cluster_id: String,
}

/// An error or warning and the object it concerns (possibly none).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentError {
    /// The object; empty when none is concerned.
    #[serde(rename = "ref")]
    pub object_ref: ObjectRef,
    /// What happened.
    pub message: String,
}

impl DeploymentError {
    /// A message about an object.
    pub fn new(object_ref: ObjectRef, message: impl Into<String>) -> Self {
        Self { object_ref, message: message.into() }
    }

    /// A message about no object in particular.
    pub fn general(message: impl Into<String>) -> Self {
        Self { object_ref: ObjectRef::default(), message: message.into() }
    }
}

/// One object of a result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResultObject {
    /// The diff ref, or the real one for orphans and deleted objects.
    #[serde(rename = "ref")]
    pub object_ref: ObjectRef,
    /// What changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Did not exist before.
    #[serde(skip_serializing_if = "is_false")]
    pub new: bool,
    /// Carries the discriminator but is not part of the project any more.
    #[serde(skip_serializing_if = "is_false")]
    pub orphan: bool,
    /// Was deleted by this command.
    #[serde(skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// Was applied as a hook.
    #[serde(skip_serializing_if = "is_false")]
    pub hook: bool,
    /// Local object after post-processing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered: Option<Object>,
    /// Live object before the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Object>,
    /// The server's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Object>,
}

impl ResultObject {
    fn reduced(&self) -> Self {
        let Self { object_ref, changes, new, orphan, deleted, hook, rendered, remote, applied } = self;
        Self {
            object_ref: object_ref.clone(),
            changes: changes.clone(),
            new: *new,
            orphan: *orphan,
            deleted: *deleted,
            hook: *hook,
            rendered: rendered.as_ref().map(reduce),
            remote: remote.as_ref().map(reduce),
            applied: applied.as_ref().map(reduce),
        }
    }
}

/// `apiVersion`, `kind`, and of the metadata name, namespace, labels, annotations.
fn reduce(object: &Object) -> Object {
    let pick = |from: &Value, keys: &[&str]| -> Map<String, Value> {
        keys.iter().filter_map(|&key| Some((key.to_owned(), from.get(key)?.clone()))).collect()
    };
    let mut reduced = pick(&object.0, &["apiVersion", "kind"]);
    if let Some(metadata) = object.0.get("metadata") {
        let metadata = pick(metadata, &["name", "namespace", "labels", "annotations"]);
        reduced.insert("metadata".into(), Value::Object(metadata));
    }
    Object(Value::Object(reduced))
}

/// Kind of a [`Change`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    /// Only in the new object.
    Insert,
    /// Only in the old object.
    Delete,
    /// In both with different values.
    #[default]
    Update,
}

/// One changed field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Kind of change.
    #[serde(rename = "type")]
    pub change_type: ChangeType,
    /// Path in output form (spec 03 section 2.4).
    pub json_path: String,
    /// Absent for an insert.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub old_value: Option<Value>,
    /// Absent for a delete.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub new_value: Option<Value>,
    /// The change as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unified_diff: String,
}

/// An image that a template asked for, or a fixed image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImageEntry {
    /// Image without tag; or `image_regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Regex over image names; or `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_regex: Option<String>,
    /// The image to use.
    pub result_image: String,
    /// Image in the live object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed_image: Option<String>,
    /// Namespace of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// `KIND/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Container name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Tags of the item.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deploy_tags: Vec<String>,
    /// Directory of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_dir: Option<String>,
}

impl ImageEntry {
    /// Image name first, the rest only to make the order total.
    pub fn sort_key(&self) -> impl Ord + '_ {
        let name = self.image.as_deref().or(self.image_regex.as_deref()).unwrap_or_default();
        (name, &self.deployment_dir, &self.object, &self.deployment, &self.container)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Keeps an explicit `null` apart from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Result types contain only text keys and finite numbers, which always serialise.
fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests;
