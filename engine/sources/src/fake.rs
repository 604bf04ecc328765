//! Sources for stage tests: directories that the test made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use windlass_model::source::{GitSource, GitUrl, OciSource};

use crate::{CheckedOut, Refs, RemoteRef, SourceError, SourceState, Sources};

/// Knows what it was told and nothing else.
#[derive(Debug, Clone, Default)]
pub struct FakeSources {
    git: BTreeMap<(String, String), PathBuf>,
    oci: BTreeMap<String, PathBuf>,
}

const DEFAULT_BRANCH: &str = "refs/heads/main";

impl FakeSources {
    /// A directory for a repository's default branch, `refs/heads/main`.
    #[must_use]
    pub fn with_git(self, url: &str, dir: impl Into<PathBuf>) -> Self {
        self.with_git_ref(url, DEFAULT_BRANCH, dir)
    }

    /// A directory for a full reference of a repository; its commit is the reference's name.
    #[must_use]
    pub fn with_git_ref(mut self, url: &str, reference: &str, dir: impl Into<PathBuf>) -> Self {
        self.git.insert((url.to_owned(), reference.to_owned()), dir.into());
        self
    }

    /// A directory for every reference of an OCI repository (`oci://…`).
    #[must_use]
    pub fn with_oci(mut self, url: &str, dir: impl Into<PathBuf>) -> Self {
        self.oci.insert(url.to_owned(), dir.into());
        self
    }
}

#[async_trait]
impl Sources for FakeSources {
    async fn git(&self, source: &GitSource) -> Result<Arc<CheckedOut>, SourceError> {
        use windlass_model::source::GitReference::{Branch, Commit, Tag};
        let name = match &source.reference {
            None => DEFAULT_BRANCH.to_owned(),
            Some(Branch(name)) => format!("refs/heads/{name}"),
            Some(Tag(name)) => format!("refs/tags/{name}"),
            Some(Commit(name)) => name.clone(),
        };
        let found = self.git.get(&(source.url.as_str().to_owned(), name.clone()));
        let root = found.cloned().ok_or_else(|| SourceError::NoReference {
            reference: source.reference.as_ref().map(ToString::to_string).unwrap_or_default(),
            url: source.url.to_string(),
        })?;
        let state = SourceState::Commit { reference: Some(name.clone()), commit: name };
        Ok(Arc::new(CheckedOut { root, state }))
    }

    fn is_overridden(&self, _url: &GitUrl) -> Result<bool, SourceError> {
        Ok(false)
    }

    async fn git_refs(&self, url: &GitUrl) -> Result<Refs, SourceError> {
        let of_url = self.git.keys().filter(|(known, _)| known == url.as_str());
        Ok(Refs::Remote(of_url.map(|(_, name)| RemoteRef { name: name.clone(), commit: name.clone() }).collect()))
    }

    async fn oci(&self, source: &OciSource) -> Result<Arc<CheckedOut>, SourceError> {
        let url = source.url.to_string();
        let root = self.oci.get(&url).cloned().ok_or_else(|| SourceError::NoReference {
            reference: source.reference.tag.clone().unwrap_or_default(),
            url,
        })?;
        Ok(Arc::new(CheckedOut { root, state: SourceState::Artifact { digest: "sha256:0".into() } }))
    }
}
