//! Stage 1: finds and reads the project (spec 01 sections 2 and 3.1).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use windlass_images::project_policy::{ConfigStep, ProjectPolicies, ProjectPolicyError};
use windlass_model::event::Events;
use windlass_model::location::Location;
use windlass_model::project::ProjectConfig;
use windlass_yaml::{Dialect, PathElement};

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
    /// The policies of its section `imageAutomation`.
    pub policies: Arc<ProjectPolicies>,
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
    /// An entry of `imageAutomation` cannot be used.
    #[error("{}: {source}", place(file, at.as_ref()))]
    Policies {
        /// The file.
        file: PathBuf,
        /// The entry.
        at: Option<Location>,
        /// What is wrong.
        #[source]
        source: Box<ProjectPolicyError>,
    },
}

fn place(file: &Path, at: Option<&Location>) -> String {
    at.map_or_else(|| file.display().to_string(), ToString::to_string)
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
    let file = request.config_file.clone().or_else(|| config_file::find_project_config(&dir));
    let (config, policies) = match file {
        Some(file) => {
            let config = read_config(&file)?;
            let policies = policies(&file, &config)?;
            (config, policies)
        }
        None => (ProjectConfig::default(), ProjectPolicies::default()),
    };
    let (source, external_args) = (SourceTree { id: 0, root }, request.external_args.clone());
    Ok(Project { dir, source, config, external_args, policies: Arc::new(policies) })
}

fn policies(file: &Path, config: &ProjectConfig) -> Result<ProjectPolicies, LoadError> {
    let Some(section) = &config.image_automation else { return Ok(ProjectPolicies::default()) };
    ProjectPolicies::compile(section).map_err(|source| {
        let at = location(file, &source.path);
        LoadError::Policies { file: file.into(), at, source: Box::new(source) }
    })
}

/// Where an entry stands; the file is read again, as this happens once and only for an error.
fn location(file: &Path, path: &[ConfigStep]) -> Option<Location> {
    let text = config_file::read_text(file).ok()?;
    let document = windlass_yaml::parse_first(&text, Dialect::GoV2).ok()?;
    let steps = path.iter().map(|step| match step {
        ConfigStep::Key(key) => PathElement::from(*key),
        ConfigStep::Index(index) => PathElement::from(*index),
    });
    Some(document.location(&std::iter::once("imageAutomation".into()).chain(steps).collect::<Vec<_>>()))
}

fn read_config(file: &Path) -> Result<ProjectConfig, LoadError> {
    let read = || {
        let config = config_file::read::<ProjectConfig>(file)?;
        validation::check_project(&config)?;
        Ok(config)
    };
    read().map_err(|source| LoadError::Config { file: file.into(), source })
}
