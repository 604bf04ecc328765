//! Why a result could not be stored or read.

use windlass_cluster::ClusterError;
use windlass_model::result::ResultReadError;

use crate::content::ContentError;
use crate::naming::ResultKind;

/// Why a result could not be stored or read. Requests that the server refused show its own
/// message only: scripts match on it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The settings name no namespace.
    #[error("the namespace of the result store must not be empty")]
    NoNamespace,
    /// The cluster's id could not be read, and not for lack of permission.
    #[error("determine the cluster id: {0}")]
    ClusterId(#[source] ClusterError),
    /// The namespace of the store could not be read or created.
    #[error("{source}")]
    Namespace {
        /// The namespace.
        namespace: String,
        /// The server's answer.
        #[source]
        source: ClusterError,
    },
    /// The Secret could not be written.
    #[error("{source}")]
    Write {
        /// Name of the Secret.
        secret: String,
        /// The server's answer.
        #[source]
        source: ClusterError,
    },
    /// Stored results could not be listed.
    #[error("list stored results: {0}")]
    List(#[source] ClusterError),
    /// An id that can not be part of a name.
    #[error("`{id}` can not be the id of a {kind}: it must consist of lower case letters, digits and `-`")]
    Id {
        /// Kind of the result.
        kind: ResultKind,
        /// The id.
        id: String,
    },
    /// More than a Secret can hold.
    #[error("{part} of {kind} {id} needs {size} bytes, but at most {limit} can be stored")]
    TooLarge {
        /// Kind of the result.
        kind: ResultKind,
        /// Id of the result.
        id: String,
        /// `the compressed data` or `the summary`.
        part: &'static str,
        /// What it needs.
        size: usize,
        /// What there is.
        limit: usize,
    },
    /// No such result.
    #[error("{kind} with id {id} not found")]
    NotFound {
        /// Kind of the result.
        kind: ResultKind,
        /// Id of the result.
        id: String,
    },
    /// The Secret lacks a part of the result.
    #[error("Secret `{secret}` has no `{key}`")]
    Missing {
        /// `NAMESPACE/NAME`.
        secret: String,
        /// Key below `data`.
        key: &'static str,
    },
    /// A part of the result does not decode.
    #[error("read `{key}` of Secret `{secret}`: {source}")]
    Content {
        /// `NAMESPACE/NAME`.
        secret: String,
        /// Key below `data`.
        key: &'static str,
        /// Why.
        #[source]
        source: ContentError,
    },
    /// The stored JSON is not a result.
    #[error("Secret `{secret}`: {source}")]
    Shape {
        /// `NAMESPACE/NAME`.
        secret: String,
        /// Why.
        #[source]
        source: ResultReadError,
    },
}

impl StoreError {
    /// Whether credentials are the reason.
    pub fn is_permission(&self) -> bool {
        match self {
            Self::ClusterId(source)
            | Self::Namespace { source, .. }
            | Self::Write { source, .. }
            | Self::List(source) => source.is_permission(),
            Self::NoNamespace
            | Self::Id { .. }
            | Self::TooLarge { .. }
            | Self::NotFound { .. }
            | Self::Missing { .. }
            | Self::Content { .. }
            | Self::Shape { .. } => false,
        }
    }
}
