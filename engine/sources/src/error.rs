//! Why there is no directory for a source.

use std::path::PathBuf;
use std::sync::Arc;

/// Shared by all who wait for the same source.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SourceError {
    /// The branch, tag or commit does not exist.
    #[error("ref {reference} not found")]
    NoReference {
        /// In upstream's form: `{branch tag commit}`.
        reference: String,
        /// The repository.
        url: String,
    },
    /// An override that is no directory.
    #[error("can not override repo {key}. {} is not a directory", dir.display())]
    OverrideNotADirectory {
        /// The repository's key.
        key: String,
        /// What is there instead.
        dir: PathBuf,
    },
    /// The directory of an override for one repository does not exist.
    #[error("can not override repo {key}. {} does not exist", dir.display())]
    OverrideMissing {
        /// The repository's key.
        key: String,
        /// The directory.
        dir: PathBuf,
    },
    /// An override of a group leads out of its directory.
    #[error("can not override repo {key}. {} is outside of the override's directory", dir.display())]
    OverrideOutside {
        /// The repository's key.
        key: String,
        /// Where it leads.
        dir: PathBuf,
    },
    /// No folder for the files of this run.
    #[error("create a folder in `{}`: {source}", dir.display())]
    Folder {
        /// Where.
        dir: PathBuf,
        /// The system's answer.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A capability's own error.
    #[error("{0}")]
    Other(Arc<dyn std::error::Error + Send + Sync>),
}

impl SourceError {
    /// Wraps a capability's error.
    pub fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Arc::new(error))
    }
}
