//! Directories behind references to git repositories and OCI artifacts.
//!
//! A stage asks the narrow port [`Sources`] for a state of a repository and gets a directory to read from. Local
//! overrides, caches and credentials are behind it; each state is fetched once per run, later callers wait for it.

mod artifact;
mod error;
mod fake;
mod fetched;
mod once;
mod overrides;
mod pack;
mod push;
mod unpack;
mod work_folder;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use windlass_model::source::{GitSource, GitUrl, OciSource};

pub use artifact::ArtifactError;
pub use error::SourceError;
pub use fake::FakeSources;
pub use fetched::{FetchedSources, SourceSettings};
pub use overrides::SourceOverride;
pub use pack::PackError;
pub use push::{PushError, push};
pub use unpack::{UnpackError, UnpackLimits};

/// A directory with the files of a source. Read only, and there as long as the [`Sources`] that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOut {
    /// Root of the repository or artifact.
    pub root: PathBuf,
    /// What it is.
    pub state: SourceState,
}

/// What stands in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// A commit.
    Commit {
        /// Full name of the reference; the default branch's when none was asked for, absent for a commit.
        reference: Option<String>,
        /// Hash of the commit.
        commit: String,
    },
    /// An artifact.
    Artifact {
        /// Digest of its manifest.
        digest: String,
    },
    /// A local directory that stands for the repository.
    Override,
}

/// A branch or tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteRef {
    /// `refs/heads/…` or `refs/tags/…`.
    pub name: String,
    /// Commit it points at, tags peeled.
    pub commit: String,
}

/// Branches and tags of a repository, sorted by full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refs {
    /// Of the server.
    Remote(Vec<RemoteRef>),
    /// A local directory stands for the repository: it matches any reference.
    Override,
}

/// Gives directories for sources.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The files of a git repository.
    ///
    /// # Errors
    /// The repository cannot be reached or read, or the reference does not exist.
    async fn git(&self, source: &GitSource) -> Result<Arc<CheckedOut>, SourceError>;

    /// Whether a local directory stands for a git repository. Asks nobody.
    ///
    /// # Errors
    /// The directory can not be used.
    fn is_overridden(&self, url: &GitUrl) -> Result<bool, SourceError>;

    /// Branches and tags of a git repository.
    ///
    /// # Errors
    /// The repository cannot be reached or read.
    async fn git_refs(&self, url: &GitUrl) -> Result<Refs, SourceError>;

    /// The files of an OCI artifact.
    ///
    /// # Errors
    /// The artifact cannot be fetched or unpacked.
    async fn oci(&self, source: &OciSource) -> Result<Arc<CheckedOut>, SourceError>;

    /// Temporary directories that were given so far, and what they are called in messages: the source and its state.
    fn names(&self) -> Vec<(PathBuf, String)> {
        Vec::new()
    }
}
