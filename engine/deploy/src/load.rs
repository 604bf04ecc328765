//! Stage 1: finds and reads the project (spec 01 sections 2 and 3.1).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use windlass_model::event::Events;
use windlass_model::project::ProjectConfig;

use crate::config_file::{self, ConfigError};
use crate::source_tree::{SourceTree, find_repository_root};
use crate::validation;

/// Where the project is and what the caller adds to it.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// Absolute project directory.
    pub project_dir: PathBuf,
    /// `.kluctl.yaml` elsewhere.
    pub config_file: Option<PathBuf>,
    /// `--arg` and `--args-from-file`, merged.
    pub external_args: Map<String, Value>,
}

/// A loaded project: configuration and source tree.
#[derive(Debug, Clone)]
pub struct Project {
    /// Absolute project directory.
    pub dir: PathBuf,
    /// The repository around it.
    pub source: SourceTree,
    /// `.kluctl.yaml`, or its zero value.
    pub config: ProjectConfig,
    /// Args of the caller.
    pub external_args: Map<String, Value>,
}

/// Why a project cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The project directory does not exist.
    #[error("project directory `{}` does not exist or is not a directory", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// `.kluctl.yaml` cannot be used.
    #[error("unmarshalling {} failed: {source}", file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// The cause, with position.
        #[source]
        source: ConfigError,
    },
}

/// Reads `.kluctl.yaml` and finds the repository root.
///
/// # Errors
/// A missing directory, or a configuration that cannot be used.
pub fn load(request: &LoadRequest, events: &dyn Events) -> Result<Project, LoadError> {
    let dir = request.project_dir.clone();
    if !dir.is_dir() {
        return Err(LoadError::NoDirectory { path: dir });
    }
    let root = find_repository_root(&dir).unwrap_or_else(|| {
        events.warn("Failed to detect git project root. This might cause follow-up errors".into());
        dir.clone()
    });
    let config = match request.config_file.clone().or_else(|| config_file::find_project_config(&dir)) {
        Some(file) => read_config(&file)?,
        None => ProjectConfig::default(),
    };
    Ok(Project { dir, source: SourceTree { id: 0, root }, config, external_args: request.external_args.clone() })
}

fn read_config(file: &Path) -> Result<ProjectConfig, LoadError> {
    let read = || {
        let config = config_file::read::<ProjectConfig>(file)?;
        validation::check_project(&config)?;
        Ok(config)
    };
    read().map_err(|source| LoadError::Config { file: file.into(), source })
}
