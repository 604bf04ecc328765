//! The git repository around the project, read on demand.

use std::path::Path;
use std::sync::Arc;

use windlass_deploy::{ConnectFailure, Repository};
use windlass_model::result::GitInfo;
use windlass_template::GitHistory;

/// Reads repositories on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalRepository;

impl Repository for LocalRepository {
    fn info(&self, root: &Path, sub_dir: &str) -> Result<GitInfo, ConnectFailure> {
        Ok(windlass_git::read(root, sub_dir)?)
    }

    fn key(&self, url: &str) -> Option<String> {
        windlass_git::repo_key(url)
    }

    fn history(&self) -> Option<Arc<dyn GitHistory>> {
        Some(Arc::new(*self))
    }
}

impl GitHistory for LocalRepository {
    fn latest_commit(&self, file: &Path) -> Result<String, String> {
        windlass_git::latest_commit(file).map_err(|error| error.to_string())
    }
}
