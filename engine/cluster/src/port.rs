//! The door to a cluster: everything the flows ask of an API server.
//!
//! Without a cluster ("offline") a flow holds no implementation at all:
//! stages take `Option<&dyn Cluster>`.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use crate::discovery::Discovery;
use crate::error::ClusterError;

/// Field manager of everything that a deployment writes.
pub const FIELD_MANAGER: &str = "kluctl";
/// Field manager of result secrets.
pub const RESULTS_FIELD_MANAGER: &str = "kluctl-results";

/// What the server answered, with the texts of its `Warning` headers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer<T> {
    /// The answer itself.
    pub value: T,
    /// Warning texts in the order of the headers, without code and agent.
    pub warnings: Vec<String>,
}

impl<T> Answer<T> {
    /// An answer without warnings.
    pub fn new(value: T) -> Self {
        Self { value, warnings: Vec::new() }
    }
}

/// Whether a write may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DryRun {
    /// The server stores the outcome.
    #[default]
    No,
    /// The server computes the outcome and stores nothing (`dryRun=All`).
    All,
}

/// How one write is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions<'a> {
    /// Field manager.
    pub manager: &'a str,
    /// Take conflicting fields from other managers; only looked at by server-side apply.
    pub force: bool,
    /// Simulate only.
    pub dry_run: DryRun,
}

impl WriteOptions<'static> {
    /// Field manager `kluctl`, not forced.
    pub fn deployment(dry_run: DryRun) -> Self {
        Self { manager: FIELD_MANAGER, force: false, dry_run }
    }
}

/// What happens to the dependents of a deleted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// The garbage collector removes them afterwards.
    #[default]
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

impl Propagation {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
            Self::Orphan => "Orphan",
        }
    }
}

/// How one object is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeleteOptions<'a> {
    /// Fate of the dependents.
    pub propagation: Propagation,
    /// Simulate only.
    pub dry_run: DryRun,
    /// Delete only the object with this UID.
    pub uid: Option<&'a str>,
}

/// An accepted deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletion {
    /// UID of the object, as far as the server told it.
    pub uid: Option<String>,
}

/// A patch that is not a server-side apply.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// JSON merge patch.
    Merge(Value),
    /// JSON patch: a list of operations.
    Json(Value),
}

/// Which objects to list, and how much of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Kind in one version.
    pub gvk: Gvk,
    /// One namespace, or all when empty.
    pub namespace: String,
    /// Label selector, everything when empty.
    pub label_selector: String,
    /// How much of each object.
    pub content: ListContent,
}

/// How much of each object a list returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListContent {
    /// Whole objects.
    #[default]
    Full,
    /// `apiVersion`, `kind` and `metadata` only.
    Metadata,
}

impl ListRequest {
    /// Every object of a kind in all namespaces.
    pub fn all(gvk: Gvk) -> Self {
        Self { gvk, namespace: String::new(), label_selector: String::new(), content: ListContent::Full }
    }

    /// Restricts to objects whose label `key` has this value.
    #[must_use]
    pub fn with_label(mut self, key: &str, value: &str) -> Self {
        self.label_selector = format!("{key}={value}");
        self
    }

    /// Restricts to one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Asks for metadata only.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.content = ListContent::Metadata;
        self
    }
}

/// What `/version` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerVersion {
    /// Such as `v1.35.4`.
    pub git_version: String,
    /// Major number as text.
    pub major: String,
    /// Minor number as text, possibly with a suffix such as `31+`.
    pub minor: String,
}

/// A Kubernetes API server.
///
/// Calls may run in parallel without a bound: an implementation limits what it
/// sends by what the server bears. Transient failures have been retried when
/// an error comes back.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Name of the kubeconfig context; empty inside a cluster.
    fn context(&self) -> &str;

    /// The server's version, read while connecting.
    fn server_version(&self) -> &ServerVersion;

    /// What the server serves, as known now.
    fn discovery(&self) -> Arc<Discovery>;

    /// Asks the server again what it serves.
    async fn refresh_discovery(&self) -> Result<Arc<Discovery>, ClusterError>;

    /// Reads one object.
    async fn get(&self, object: &ObjectRef) -> Result<Answer<Object>, ClusterError>;

    /// Reads a sub-resource such as `status` of one object.
    async fn get_subresource(&self, object: &ObjectRef, name: &str) -> Result<Answer<Value>, ClusterError>;

    /// Creates a sub-resource such as `token` of one object; the answer may be secret.
    async fn create_subresource(
        &self,
        object: &ObjectRef,
        name: &str,
        body: &Value,
    ) -> Result<Answer<Value>, ClusterError>;

    /// Lists objects: all that match or an error, never a part.
    async fn list(&self, request: &ListRequest) -> Result<Answer<Vec<Object>>, ClusterError>;

    /// Server-side apply.
    async fn apply(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError>;

    /// Replaces an object (PUT); `metadata.resourceVersion` guards against lost updates.
    async fn replace(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError>;

    /// Patches an object.
    async fn patch(
        &self,
        object: &ObjectRef,
        patch: &Patch,
        options: WriteOptions<'_>,
    ) -> Result<Answer<Object>, ClusterError>;

    /// Deletes an object; answers when the server accepted, not when the object is gone.
    async fn delete(&self, object: &ObjectRef, options: DeleteOptions<'_>) -> Result<Answer<Deletion>, ClusterError>;
}

/// The UID of namespace `kube-system`, which names a cluster (spec 03 section 1.4).
pub async fn cluster_id(cluster: &dyn Cluster) -> Result<String, ClusterError> {
    let namespace = Gvk::from_api_version("v1", "Namespace");
    let found = match cluster.get(&ObjectRef::new(&namespace, "", "kube-system")).await {
        Ok(answer) => Some(answer.value),
        Err(error) if error.is_forbidden() => {
            let all = cluster.list(&ListRequest::all(namespace).metadata_only()).await?;
            all.value.into_iter().find(|object| object.name() == "kube-system")
        }
        Err(error) => return Err(error),
    };
    let uid = found.and_then(|object| object.0["metadata"]["uid"].as_str().map(str::to_owned)).unwrap_or_default();
    if uid.is_empty() { Err(ClusterError::NoClusterId) } else { Ok(uid) }
}
