//! Vars sources outside project and cluster: addresses and secret stores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::nullable;

/// `http`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpSource {
    /// Address.
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    /// Default `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Body of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers of the request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub headers: BTreeMap<String, String>,
    /// Place of a text in the response that holds the wanted map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
}

/// `awsSecretsManager`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AwsSecretSource {
    /// Name or ARN.
    #[serde(deserialize_with = "nullable")]
    pub secret_name: String,
    /// Region; without it the name must be an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Profile, in place of the one of target or project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// `gcpSecretManager`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GoogleSecretSource {
    /// `projects/<p>/secrets/<s>/versions/<v>`.
    #[serde(deserialize_with = "nullable")]
    pub secret_name: String,
}

/// `azureKeyVault`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AzureSecretSource {
    /// Address of the vault.
    #[serde(deserialize_with = "nullable")]
    pub vault_uri: String,
    /// Name of the secret; its newest version is read.
    #[serde(deserialize_with = "nullable")]
    pub secret_name: String,
}

/// `vault`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VaultSource {
    /// Address of the server.
    #[serde(deserialize_with = "nullable")]
    pub address: String,
    /// Path of the read API, such as `secret/data/app`.
    #[serde(deserialize_with = "nullable")]
    pub path: String,
}
