//! Entries of `vars` lists (spec 01 section 13).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::nullable;
use crate::source::{GitFilesVars, GitVars};

mod remote;

pub use remote::{AwsSecretSource, AzureSecretSource, GoogleSecretSource, HttpSource, VaultSource};

/// One `vars` entry as written: exactly one of the source fields is set, see [`VarsSource::kind`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VarsSource {
    /// Condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Tolerate absence.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub ignore_missing: bool,
    /// Existing variables win.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub no_override: bool,
    /// Overrides the source's default sensitivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// Parse as YAML stream; the value is a list.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub multidoc: bool,
    /// Simple JSON path under which the value is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_path: Option<String>,
    /// Inline values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Map<String, Value>>,
    /// File in the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Process environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_env_vars: Option<Map<String, Value>>,
    /// File in a git repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitVars>,
    /// Files of several git refs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_files: Option<GitFilesVars>,
    /// Key of a ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_config_map: Option<ClusterKeySource>,
    /// Key of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_secret: Option<ClusterKeySource>,
    /// Part of any object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_object: Option<ClusterObjectSource>,
    /// HTTP response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSource>,
    /// AWS Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_secrets_manager: Option<AwsSecretSource>,
    /// Google Secret Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gcp_secret_manager: Option<GoogleSecretSource>,
    /// Azure Key Vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure_key_vault: Option<AzureSecretSource>,
    /// HashiCorp Vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultSource>,
    /// Output only; refused in user files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_vars: Option<Value>,
    /// Output only; refused in user files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_sensitive: Option<Value>,
}

/// `clusterConfigMap` and `clusterSecret`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterKeySource {
    /// Object name; exactly one of name and labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels that select exactly one object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Namespace.
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    /// Key under `data`.
    #[serde(deserialize_with = "nullable")]
    pub key: String,
    /// Deprecated place of the common `targetPath`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_path: Option<String>,
}

/// `clusterObject`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterObjectSource {
    /// Kind.
    #[serde(deserialize_with = "nullable")]
    pub kind: String,
    /// Group and version; without it the kind must be unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Object name; exactly one of name and labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels that select objects.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Namespace; empty with labels means all.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "nullable")]
    pub namespace: String,
    /// Several objects are fine, the value is a list.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub list: bool,
    /// JSON path of the wanted part.
    #[serde(deserialize_with = "nullable")]
    pub path: String,
    /// Texts in the value are templates.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub render: bool,
    /// The value is the YAML text of the wanted value.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub parse_yaml: bool,
}

/// The source field that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the names of the fields above")]
pub enum VarsKind {
    Values,
    File,
    SystemEnvVars,
    Git,
    GitFiles,
    ClusterConfigMap,
    ClusterSecret,
    ClusterObject,
    Http,
    AwsSecretsManager,
    GcpSecretManager,
    AzureKeyVault,
    Vault,
}

impl VarsKind {
    /// The field's name in YAML.
    pub fn field(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::File => "file",
            Self::SystemEnvVars => "systemEnvVars",
            Self::Git => "git",
            Self::GitFiles => "gitFiles",
            Self::ClusterConfigMap => "clusterConfigMap",
            Self::ClusterSecret => "clusterSecret",
            Self::ClusterObject => "clusterObject",
            Self::Http => "http",
            Self::AwsSecretsManager => "awsSecretsManager",
            Self::GcpSecretManager => "gcpSecretManager",
            Self::AzureKeyVault => "azureKeyVault",
            Self::Vault => "vault",
        }
    }
}

impl VarsSource {
    /// Every source field that is set; a valid entry has exactly one.
    pub fn kinds(&self) -> Vec<VarsKind> {
        [
            (VarsKind::Values, self.values.is_some()),
            (VarsKind::File, self.file.is_some()),
            (VarsKind::SystemEnvVars, self.system_env_vars.is_some()),
            (VarsKind::Git, self.git.is_some()),
            (VarsKind::GitFiles, self.git_files.is_some()),
            (VarsKind::ClusterConfigMap, self.cluster_config_map.is_some()),
            (VarsKind::ClusterSecret, self.cluster_secret.is_some()),
            (VarsKind::ClusterObject, self.cluster_object.is_some()),
            (VarsKind::Http, self.http.is_some()),
            (VarsKind::AwsSecretsManager, self.aws_secrets_manager.is_some()),
            (VarsKind::GcpSecretManager, self.gcp_secret_manager.is_some()),
            (VarsKind::AzureKeyVault, self.azure_key_vault.is_some()),
            (VarsKind::Vault, self.vault.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, set)| set.then_some(kind))
        .collect()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
