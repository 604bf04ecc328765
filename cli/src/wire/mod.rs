//! Builds the engine's requests and ports from settings, and calls its flows.

use std::error::Error;
use std::path::PathBuf;

use windlass_deploy::config_file::ConfigError;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{CommandResult, ImageEntry, ValidateResult};
use windlass_template::{Engine, EngineOptions, Ports};

use crate::app::App;
use crate::diagnostics::{EngineFailure, Failure};
use crate::settings::{
    DeploySettings, DiffSettings, ListImagesSettings, PokeImagesSettings, ProjectSettings, RemoveSettings,
    RenderSettings, ValidateSettings,
};

/// What `render` leaves.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Where the files are.
    pub(crate) dir: PathBuf,
    /// All objects in item order.
    pub(crate) objects: Vec<serde_json::Value>,
}

/// Project directory as an absolute path.
pub(crate) fn project_dir(settings: &ProjectSettings) -> Result<PathBuf, Failure> {
    let dir = settings.dir.as_ref().map_or_else(|| PathBuf::from("."), |dir| dir.value.clone());
    let absolute = std::path::absolute(&dir).and_then(std::fs::canonicalize);
    absolute.map_err(|error| Failure::Output { text: crate::files::open_error(&dir.display().to_string(), &error) })
}

/// An engine for texts that need neither images nor git.
pub(crate) fn plain_engine() -> Engine {
    Engine::new(EngineOptions::default(), Ports::default())
}

/// An engine error as it is shown.
pub(crate) fn failure(error: impl Error + 'static) -> Failure {
    let text = error.to_string();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    let mut at = None;
    while let Some(current) = cause {
        if let Some(ConfigError::Yaml(yaml)) = current.downcast_ref::<ConfigError>() {
            at = Some(yaml.location().clone());
        }
        if let Some(yaml) = current.downcast_ref::<windlass_yaml::YamlError>() {
            at = Some(yaml.location().clone());
        }
        cause = current.source();
    }
    Failure::Engine(EngineFailure { text, at, hint: None })
}

fn unconnected<T>(name: &str) -> Result<T, Failure> {
    Err(Failure::NotYet { command: name.to_owned() })
}

pub(crate) async fn render(_app: &App, _settings: &RenderSettings) -> Result<Rendered, Failure> {
    unconnected("render")
}

pub(crate) async fn list_images(_app: &App, _settings: &ListImagesSettings) -> Result<Vec<ImageEntry>, Failure> {
    unconnected("list-images")
}

pub(crate) async fn diff(_app: &App, _settings: &DiffSettings) -> Result<CommandResult, Failure> {
    unconnected("diff")
}

/// `confirm` gets the preview.
pub(crate) async fn deploy(
    _app: &App,
    _settings: &DeploySettings,
    _confirm: impl Fn(&CommandResult) -> Result<bool, Failure> + Send + Sync,
) -> Result<CommandResult, Failure> {
    unconnected("deploy")
}

/// `confirm` gets what will be deleted; not called when there is nothing.
pub(crate) async fn prune(
    _app: &App,
    _settings: &RemoveSettings,
    _confirm: impl Fn(&[ObjectRef]) -> bool + Send + Sync,
) -> Result<CommandResult, Failure> {
    unconnected("prune")
}

/// As [`prune`].
pub(crate) async fn delete(
    _app: &App,
    _settings: &RemoveSettings,
    _confirm: impl Fn(&[ObjectRef]) -> bool + Send + Sync,
) -> Result<CommandResult, Failure> {
    unconnected("delete")
}

/// `confirm` gets the context's name.
pub(crate) async fn poke_images(
    _app: &App,
    _settings: &PokeImagesSettings,
    _confirm: impl Fn(&str) -> bool + Send + Sync,
) -> Result<CommandResult, Failure> {
    unconnected("poke-images")
}

pub(crate) async fn validate(_app: &App, _settings: &ValidateSettings) -> Result<ValidateResult, Failure> {
    unconnected("validate")
}
