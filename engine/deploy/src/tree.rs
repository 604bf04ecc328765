//! Stage 3: loads the tree of deployment projects (spec 01 section 6) and flattens it to items.

mod flatten;
mod load;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use windlass_model::deployment::{ConflictResolution, DeploymentConfig, IgnoreForDiff, ItemConfig};
use windlass_model::source::OciUrlError;
use windlass_sources::SourceError;
use windlass_template::{TemplateError, Vars};

use crate::args::ArgsError;
use crate::config_file::ConfigError;
use crate::multi_error::Errors;
use crate::source_tree::{OutsideSource, SourceTree};
use crate::traceback::Traceback;
use crate::vars::{ConditionError, VarsError};

pub use flatten::flatten;
pub use load::{TreeRequest, load};

/// A deployment project with everything it inherits.
#[derive(Debug)]
pub struct ProjectNode {
    /// Absolute directory.
    pub dir: PathBuf,
    /// The source it lies in.
    pub source: Arc<SourceTree>,
    /// `deployment.yaml` as rendered and decoded.
    pub config: DeploymentConfig,
    /// Variables after the project's own `vars`.
    pub vars: Vars,
    /// What its items inherit.
    pub inherited: Arc<Inherited>,
    /// Included projects by index into `config.deployments`.
    pub includes: BTreeMap<usize, ProjectNode>,
}

/// Properties of a project combined with those of its ancestors (spec 01 section 6.7).
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    /// Inner projects win.
    pub common_labels: BTreeMap<String, String>,
    /// Inner projects win.
    pub common_annotations: BTreeMap<String, String>,
    /// Of the innermost project that sets it.
    pub override_namespace: Option<String>,
    /// Tags of the project, its include item, its parent, … without duplicates.
    pub tags: Vec<String>,
    /// Innermost project first.
    pub ignore_for_diff: Arc<[IgnoreForDiff]>,
    /// Innermost project first.
    pub conflict_resolution: Arc<[ConflictResolution]>,
    /// Template search directories: own, then ancestors of the same source.
    pub search_dirs: Vec<PathBuf>,
}

/// One deployment item in flattened order.
#[derive(Debug, Clone)]
pub struct ItemNode {
    /// The entry of `deployments` with the flags of the includes around it; for an include with `barrier` or
    /// `waitReadinessObjects` also bare items with these.
    pub config: ItemConfig,
    /// The source of its project.
    pub source: Arc<SourceTree>,
    /// Absolute directory; `None` for items without `path`.
    pub dir: Option<PathBuf>,
    /// Directory relative to the source root: annotation and filters use this text.
    pub source_dir: Option<String>,
    /// Directory relative to the project, for progress lines.
    pub project_dir: Option<String>,
    /// Where it is rendered, relative to the render directory.
    pub render_dir: Option<PathBuf>,
    /// Variables including the item's own.
    pub vars: Vars,
    /// Effective tags in label order.
    pub tags: Vec<String>,
    /// What it inherits.
    pub inherited: Arc<Inherited>,
    /// Position of the entry: indexes into `deployments`, root first; `None` for the bare items of an include.
    pub position: Option<Vec<usize>>,
}

/// Why the tree cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A project's own configuration.
    #[error("failed to load deployment config for {}: {source}", dir.display())]
    Project {
        /// The project.
        dir: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ProjectError,
    },
    /// Something inside an include.
    #[error("failed to load includes for {}: {source}", dir.display())]
    Includes {
        /// The including project.
        dir: PathBuf,
        /// The inner error.
        #[source]
        source: Box<TreeError>,
    },
    /// An included directory is missing.
    #[error("{} does not exist or is not a directory", dir.display())]
    NoDirectory {
        /// The directory.
        dir: PathBuf,
    },
    /// `include` leaves the source.
    #[error(transparent)]
    Outside(#[from] OutsideSource),
    /// `when` at the root.
    #[error("the root deployment project can not contain 'when'")]
    RootCondition,
    /// A condition of an item.
    #[error(transparent)]
    Condition(#[from] Errors<ConditionError>),
    /// Variables of an item or include.
    #[error(transparent)]
    Vars(#[from] VarsError),
    /// Args of a library.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// A library marker that cannot be used.
    #[error("unmarshalling {} failed: {source}", file.display())]
    Library {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// Includes that never end.
    #[error("`{}` is included {turns} times inside of itself; do the projects include each other? {}",
            chain.last().map_or("", String::as_str), chain.join(" -> "))]
    Cycle {
        /// How often.
        turns: usize,
        /// One turn of the cycle.
        chain: Vec<String>,
    },
    /// More includes in each other than anybody needs.
    #[error("includes are nested more than {limit} deep: {}", chain.join(" -> "))]
    TooDeep {
        /// The limit.
        limit: usize,
        /// The innermost projects.
        chain: Vec<String>,
    },
    /// A git or OCI include that cannot be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The address of an OCI include.
    #[error(transparent)]
    OciUrl(#[from] OciUrlError),
}

/// What is wrong with one project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no `deployment.yaml`.
    #[error("{}/deployment.yml not found", dir.display())]
    NoDeployment {
        /// The directory.
        dir: PathBuf,
    },
    /// A kustomize directory was included instead of used as `path`.
    #[error("deployment.yml not found but folder {} contains a kustomization.yml", dir.display())]
    IsKustomization {
        /// The directory.
        dir: PathBuf,
    },
    /// Text or fields.
    #[error("failed to load deployment.yml: {0}")]
    Config(#[source] ConfigError),
    /// Templates in the text.
    #[error("failed to load deployment.yml: {}", Traceback(.0))]
    Template(#[source] TemplateError),
    /// An output-only field is set.
    #[error("{field} is not allowed here")]
    OutputOnly {
        /// The field.
        field: &'static str,
    },
    /// The project's variables.
    #[error("failed to load deployment.yml vars: {0}")]
    Vars(#[source] VarsError),
    /// An item's directory is missing.
    #[error("deployment directory does not exist: {path}")]
    NoItemDirectory {
        /// The path as written.
        path: String,
    },
    /// An item's path is a file.
    #[error("deployment path is not a directory: {path}")]
    ItemIsFile {
        /// The path as written.
        path: String,
    },
    /// An item's path leaves the source.
    #[error(transparent)]
    Outside(OutsideSource),
    /// A condition.
    #[error(transparent)]
    Condition(Errors<ConditionError>),
}
