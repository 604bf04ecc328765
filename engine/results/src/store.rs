//! The store: writes results, reads them back, and removes old ones.

use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use serde_json::json;
use windlass_cluster::{
    Answer, Cluster, ClusterError, DeleteOptions, DryRun, ListRequest, RESULTS_FIELD_MANAGER, WriteOptions, cluster_id,
};
use windlass_model::object::Object;
#[cfg(test)]
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::{
    CommandResult, CommandResultSummary, ProjectKey, TargetKey, ValidateResult, ValidateResultSummary,
};

use crate::catalogue::{Listed, catalogue};
use crate::error::StoreError;
use crate::naming::{DEFAULT_NAMESPACE, RESULT_LABEL, RESULT_LABEL_VALUE, ResultKind, is_id, secret_ref};
use crate::retention::surplus;
use crate::secret::{command_secret, read_command_result, read_validate_result, validate_secret};
use crate::written::{Note, Written};

/// Deletions at a time.
const PARALLEL: usize = 8;

/// A result is stored even when the run itself was simulated: whether it should be is the caller's decision.
const WRITE: WriteOptions<'static> = WriteOptions { manager: RESULTS_FIELD_MANAGER, force: false, dry_run: DryRun::No };

/// Where results go and how many stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Namespace; created when missing.
    pub namespace: String,
    /// Command results per project and target.
    pub keep_command_results: usize,
    /// Validate results per project and target.
    pub keep_validate_results: usize,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { namespace: DEFAULT_NAMESPACE.into(), keep_command_results: 5, keep_validate_results: 2 }
    }
}

/// Where stored results are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// In the namespace of the settings, which needs no cluster-wide access to Secrets.
    #[default]
    Namespace,
    /// In all namespaces.
    Cluster,
}

/// Outcome of [`ResultStore::open`].
#[derive(Debug)]
pub enum Opened {
    /// Results can be written.
    Ready(ResultStore),
    /// The credentials do not permit to identify the cluster: warn with [`crate::NOT_PERMITTED`] and store nothing.
    NotPermitted,
}

/// Results of commands, kept as Secrets in one namespace of a cluster.
pub struct ResultStore {
    cluster: Arc<dyn Cluster>,
    settings: StoreSettings,
    cluster_id: String,
}

impl fmt::Debug for ResultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster: _, settings, cluster_id } = self;
        f.debug_struct("ResultStore")
            .field("settings", settings)
            .field("cluster_id", cluster_id)
            .finish_non_exhaustive()
    }
}

impl ResultStore {
    /// Identifies the cluster; writes nothing yet.
    ///
    /// # Errors
    /// An empty namespace, or a cluster whose id can not be read for any reason but permissions.
    pub async fn open(cluster: Arc<dyn Cluster>, settings: StoreSettings) -> Result<Opened, StoreError> {
        if settings.namespace.is_empty() {
            return Err(StoreError::NoNamespace);
        }
        match cluster_id(cluster.as_ref()).await {
            Ok(cluster_id) => Ok(Opened::Ready(Self { cluster, settings, cluster_id })),
            Err(error) if error.is_forbidden() => Ok(Opened::NotPermitted),
            Err(error) => Err(StoreError::ClusterId(error)),
        }
    }

    /// Id of the cluster, so that it need not be read twice.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Stores a result and removes old ones of the same project and target.
    ///
    /// # Errors
    /// The result does not fit, or namespace or Secret could not be written. What goes wrong
    /// while removing old results is a [`Note`].
    pub async fn write_command_result(&self, result: &CommandResult) -> Result<Written, StoreError> {
        let secret = command_secret(result, &self.settings.namespace)?;
        let CommandResult { project_key: project, target_key: target, .. } = result;
        let keep = self.settings.keep_command_results;
        self.write(&secret, Retention { kind: ResultKind::Command, project, target, keep }).await
    }

    /// Stores a validate result and removes old ones of the same project and target.
    ///
    /// # Errors
    /// As of [`Self::write_command_result`].
    pub async fn write_validate_result(&self, result: &ValidateResult) -> Result<Written, StoreError> {
        let secret = validate_secret(result, &self.settings.namespace)?;
        let ValidateResult { project_key: project, target_key: target, .. } = result;
        let keep = self.settings.keep_validate_results;
        self.write(&secret, Retention { kind: ResultKind::Validate, project, target, keep }).await
    }

    /// Summaries of the command results of a project, newest first; empty fields of the key fit any.
    ///
    /// # Errors
    /// Secrets could not be listed. Those without a readable summary are left out.
    pub async fn list_summaries(
        &self,
        project: &ProjectKey,
        reach: Reach,
    ) -> Result<Vec<CommandResultSummary>, StoreError> {
        let listed = self.catalogue(ResultKind::Command, reach).await.map_err(StoreError::List)?;
        Ok(listed.iter().filter(|listed| listed.is_of(project)).filter_map(Listed::summary).collect())
    }

    /// As [`Self::list_summaries`], of validate results.
    ///
    /// # Errors
    /// Secrets could not be listed.
    pub async fn list_validate_summaries(
        &self,
        project: &ProjectKey,
        reach: Reach,
    ) -> Result<Vec<ValidateResultSummary>, StoreError> {
        let listed = self.catalogue(ResultKind::Validate, reach).await.map_err(StoreError::List)?;
        Ok(listed.iter().filter(|listed| listed.is_of(project)).filter_map(Listed::summary).collect())
    }

    /// Reads a command result with all its objects.
    ///
    /// # Errors
    /// There is none with this id, or it does not decode.
    pub async fn read(&self, id: &str, reach: Reach) -> Result<CommandResult, StoreError> {
        let kind = ResultKind::Command;
        match self.find(kind, id, reach).await? {
            Some(secret) => read_command_result(&secret),
            None => Err(StoreError::NotFound { kind, id: id.to_owned() }),
        }
    }

    /// Reads a validate result, if there is one with this id.
    ///
    /// # Errors
    /// It does not decode.
    pub async fn read_validate(&self, id: &str, reach: Reach) -> Result<Option<ValidateResult>, StoreError> {
        let secret = self.find(ResultKind::Validate, id, reach).await?;
        secret.as_ref().map(read_validate_result).transpose()
    }

    /// Looks for old results while the new one is written, so that a run waits for one answer and not for two.
    async fn write(&self, secret: &Object, retention: Retention<'_>) -> Result<Written, StoreError> {
        let (answer, earlier) = tokio::join!(self.put(secret), self.stored(Reach::Namespace));
        let answer = answer?;
        let reference = secret.object_ref();
        let mut notes: Vec<_> = answer.warnings.into_iter().map(Note::Server).collect();
        match earlier {
            Ok(mut stored) => {
                // The list may or may not have seen the new one already.
                stored.retain(|stored| stored.object_ref() != reference);
                stored.push(answer.value);
                notes.extend(self.clean_up(&stored, retention).await);
            }
            Err(error) if error.is_forbidden() => {}
            // The result is stored already; too many old ones do no harm.
            Err(error) => notes.push(Note::NotListed { kind: retention.kind, message: error.to_string() }),
        }
        Ok(Written { secret: reference, notes })
    }

    /// Writes the Secret. The namespace is there in all runs but the first, so nothing asks for it before.
    async fn put(&self, secret: &Object) -> Result<Answer<Object>, StoreError> {
        let answer = match self.cluster.apply(secret, WRITE).await {
            Err(error) if error.is_not_found() => {
                let namespace = &self.settings.namespace;
                let created = self.create_namespace(namespace).await;
                created.map_err(|source| StoreError::Namespace { namespace: namespace.clone(), source })?;
                self.cluster.apply(secret, WRITE).await
            }
            other => other,
        };
        answer.map_err(|source| StoreError::Write { secret: secret.name().to_owned(), source })
    }

    async fn create_namespace(&self, name: &str) -> Result<(), ClusterError> {
        let namespace = Object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        match self.cluster.apply(&namespace, WRITE).await {
            // Someone else was faster.
            Err(error) if error.failure().is_some_and(|failure| failure.code == 409) => Ok(()),
            other => other.map(drop),
        }
    }

    async fn clean_up(&self, stored: &[Object], retention: Retention<'_>) -> Vec<Note> {
        let Retention { kind, project, target, keep } = retention;
        let old = surplus(catalogue(kind, stored), project, target, keep);
        let deletions = old.into_iter().map(|old| self.delete(kind, old));
        let notes: Vec<_> = futures::stream::iter(deletions).buffered(PARALLEL).collect().await;
        notes.into_iter().flatten().collect()
    }

    async fn delete(&self, kind: ResultKind, old: Listed) -> Option<Note> {
        let Listed { id, secret, .. } = old;
        match self.cluster.delete(&secret, DeleteOptions::default()).await {
            Ok(_) => Some(Note::Deleted { kind, id }),
            // Another run cleans up at the same time.
            Err(error) if error.is_not_found() => None,
            Err(error) => Some(Note::NotDeleted { kind, id, message: error.to_string() }),
        }
    }

    async fn catalogue(&self, kind: ResultKind, reach: Reach) -> Result<Vec<Listed>, ClusterError> {
        Ok(catalogue(kind, &self.stored(reach).await?))
    }

    async fn stored(&self, reach: Reach) -> Result<Vec<Object>, ClusterError> {
        let request = self.secrets(reach).with_label(RESULT_LABEL, RESULT_LABEL_VALUE).metadata_only();
        Ok(self.cluster.list(&request).await?.value)
    }

    async fn find(&self, kind: ResultKind, id: &str, reach: Reach) -> Result<Option<Object>, StoreError> {
        // Nothing is stored under such an id, and a selector must not contain it.
        if !is_id(id) {
            return Ok(None);
        }
        let request = self.secrets(reach).with_label(kind.id_label(), id);
        Ok(self.cluster.list(&request).await.map_err(StoreError::List)?.value.into_iter().next())
    }

    fn secrets(&self, reach: Reach) -> ListRequest {
        let all = ListRequest::all(secret_ref("", "").gvk());
        match reach {
            Reach::Namespace => all.in_namespace(&self.settings.namespace),
            Reach::Cluster => all,
        }
    }
}

/// Which results stay beside a new one.
#[derive(Clone, Copy)]
struct Retention<'a> {
    kind: ResultKind,
    project: &'a ProjectKey,
    target: &'a TargetKey,
    keep: usize,
}

#[cfg(test)]
fn namespace_ref(name: &str) -> ObjectRef {
    ObjectRef::new(&Gvk::from_api_version("v1", "Namespace"), "", name)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
