//! The doors of a run to the outside; a stage receives only those it uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use windlass_cluster::Cluster;
use windlass_kustomize::GoHelper;
use windlass_registry::Registry;

/// Opens the connection to the cluster once the target, and with it the context, is known.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The cluster of `context` (`None`: the current context), or no cluster when none is configured.
    ///
    /// # Errors
    /// The context does not exist, or its cluster cannot be reached.
    async fn connect(&self, context: Option<&str>) -> Result<Option<Arc<dyn Cluster>>, ConnectFailure>;
}

/// Why there is no connection, as the connector tells it.
pub type ConnectFailure = Box<dyn std::error::Error + Send + Sync>;

/// Everything a run may reach.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Opens the cluster.
    pub connector: &'a dyn Connector,
    /// Lists tags.
    pub registry: &'a dyn Registry,
    /// Builds charts and complex kustomizations.
    pub helper: &'a GoHelper,
    /// Facts about the project's repository, and history for templates.
    pub repository: &'a dyn Repository,
    /// Process environment, for `systemEnvVars`.
    pub environment: &'a BTreeMap<String, String>,
    /// Takes what `debug_print` prints.
    pub debug: &'a Arc<dyn windlass_template::DebugSink>,
}

/// The git repository around a project.
pub trait Repository: Send + Sync {
    /// What results tell about the repository at `root`; `sub_dir` is the project's directory in it.
    ///
    /// # Errors
    /// The repository cannot be read; the run goes on with empty data and a warning.
    fn info(&self, root: &std::path::Path, sub_dir: &str) -> Result<windlass_model::result::GitInfo, ConnectFailure>;

    /// The key that identifies the repository behind a remote URL; `None` for local paths.
    fn key(&self, url: &str) -> Option<String>;

    /// History for `load_latest_git_commit`.
    fn history(&self) -> Option<Arc<dyn windlass_template::GitHistory>>;
}
