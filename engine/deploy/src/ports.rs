//! The doors of a run to the outside; a stage receives only those it uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;
use windlass_charts::Charts;
use windlass_cluster::Cluster;
use windlass_kustomize::GoHelper;
use windlass_masking::SecretValues;
use windlass_model::project::AwsConfig;
use windlass_model::vars_source::{AwsSecretSource, AzureSecretSource, GoogleSecretSource, HttpSource, VaultSource};
use windlass_registry::Registry;
use windlass_sops::{KeyServices, KeySettings, NoKeyServices};
use windlass_sources::Sources;

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
    /// Directories of git repositories and OCI artifacts.
    pub sources: &'a Arc<dyn Sources>,
    /// Fetches charts that are pulled while rendering; without it these are refused.
    pub charts: Option<&'a Charts>,
    /// Builds charts and complex kustomizations.
    pub helper: &'a GoHelper,
    /// Facts about the project's repository, and history for templates.
    pub repository: &'a dyn Repository,
    /// Process environment, for `systemEnvVars`.
    pub environment: &'a BTreeMap<String, String>,
    /// Secret stores, for vars sources.
    pub stores: &'a dyn SecretStores,
    /// Addresses, for vars sources.
    pub web: &'a dyn Web,
    /// Keys for encrypted files.
    pub keys: &'a dyn Keys,
    /// What must not be seen in any output: whatever enters the run as a secret is registered here.
    pub secrets: &'a Arc<SecretValues>,
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

/// Reads secrets of stores outside the cluster.
#[async_trait]
pub trait SecretStores: Send + Sync {
    /// AWS Secrets Manager.
    ///
    /// # Errors
    /// The secret does not exist, or may not be read.
    async fn aws(&self, secret: &AwsSecretSource, identity: AwsIdentity<'_>) -> Result<SecretString, StoreFailure>;

    /// Google Secret Manager.
    ///
    /// # Errors
    /// The secret does not exist, or may not be read.
    async fn google(&self, secret: &GoogleSecretSource) -> Result<SecretString, StoreFailure>;

    /// Azure Key Vault.
    ///
    /// # Errors
    /// The secret does not exist, or may not be read.
    async fn azure(&self, secret: &AzureSecretSource) -> Result<SecretString, StoreFailure>;

    /// HashiCorp Vault: the data of a KV secret of either version.
    ///
    /// # Errors
    /// The secret does not exist, or may not be read.
    async fn vault(&self, secret: &VaultSource) -> Result<Value, StoreFailure>;
}

/// Keys for encrypted files, and a place for what was encrypted.
pub trait Keys: Send + Sync {
    /// Where the user's own keys are.
    fn settings(&self) -> KeySettings;

    /// Key services of clouds and of Vault.
    fn services<'a>(&'a self, identity: AwsIdentity<'a>) -> Box<dyn KeyServices + 'a>;

    /// A new folder that only the user can read, removed when dropped.
    ///
    /// # Errors
    /// It cannot be created.
    fn private_folder(&self) -> std::io::Result<Box<dyn PrivateFolder>>;
}

/// A folder that is removed when dropped.
pub trait PrivateFolder: Send + Sync {
    /// Where it is.
    fn path(&self) -> &std::path::Path;
}

/// Whose AWS credentials are used, as far as the project says.
#[derive(Clone, Copy)]
pub struct AwsIdentity<'a> {
    /// Of target and project.
    pub config: &'a AwsConfig,
    /// Gives tokens for the service account of the configuration.
    pub cluster: Option<&'a dyn Cluster>,
}

/// Why a store or an address gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailure {
    /// There is no such secret.
    #[error("{0}")]
    Missing(#[source] ConnectFailure),
    /// Anything else.
    #[error("{0}")]
    Failed(#[source] ConnectFailure),
}

/// Sends requests of users to addresses of users.
#[async_trait]
pub trait Web: Send + Sync {
    /// The answer, whatever its status. Asks for a login when the server wants one.
    ///
    /// # Errors
    /// There is no answer.
    async fn fetch(&self, request: &HttpSource) -> Result<WebAnswer, StoreFailure>;
}

/// An answer of [`Web`].
#[derive(Debug, Clone)]
pub struct WebAnswer {
    /// HTTP status.
    pub status: u16,
    /// The text.
    pub body: SecretString,
    /// Whether it took a login.
    pub login: Login,
}

/// Whether an answer took a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The server did not want one.
    None,
    /// User and password were asked for.
    Used,
}

/// No store and no address: for runs that may read neither.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStores;

impl NoStores {
    fn refuse<T>(what: &str) -> Result<T, StoreFailure> {
        Err(StoreFailure::Failed(format!("this run may not read from {what}").into()))
    }
}

#[async_trait]
impl SecretStores for NoStores {
    async fn aws(&self, _: &AwsSecretSource, _: AwsIdentity<'_>) -> Result<SecretString, StoreFailure> {
        Self::refuse("AWS Secrets Manager")
    }

    async fn google(&self, _: &GoogleSecretSource) -> Result<SecretString, StoreFailure> {
        Self::refuse("Google Secret Manager")
    }

    async fn azure(&self, _: &AzureSecretSource) -> Result<SecretString, StoreFailure> {
        Self::refuse("Azure Key Vault")
    }

    async fn vault(&self, _: &VaultSource) -> Result<Value, StoreFailure> {
        Self::refuse("Vault")
    }
}

impl Keys for NoStores {
    fn settings(&self) -> KeySettings {
        KeySettings::default()
    }

    fn services<'a>(&'a self, _: AwsIdentity<'a>) -> Box<dyn KeyServices + 'a> {
        Box::new(NoKeyServices)
    }

    fn private_folder(&self) -> std::io::Result<Box<dyn PrivateFolder>> {
        Err(std::io::Error::other("this run may not write what was encrypted"))
    }
}

#[async_trait]
impl Web for NoStores {
    async fn fetch(&self, _: &HttpSource) -> Result<WebAnswer, StoreFailure> {
        Self::refuse("addresses")
    }
}
