//! What templates ask about the cluster while they are rendered.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

/// One call of Helm's `lookup`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LookupQuestion {
    /// As in manifests.
    pub api_version: String,
    /// Of the object, or of all objects of a list.
    pub kind: String,
    /// Empty: all namespaces, or a kind without.
    #[serde(default)]
    pub namespace: String,
    /// Empty: a list.
    #[serde(default)]
    pub name: String,
}

/// Answers [`LookupQuestion`]s. Only reads.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The object, or the list (`kind`, `apiVersion`, `items`); nothing when there is none.
    ///
    /// # Errors
    /// A sentence that the chart's error will show.
    async fn lookup(&self, question: LookupQuestion) -> Result<Option<Value>, String>;
}
