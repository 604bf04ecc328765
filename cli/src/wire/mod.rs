//! Builds the engine's requests and ports from settings, and calls its flows.

mod connector;
mod folders;
mod images;
mod registry;
mod repository;
mod run;

use std::error::Error;
use std::path::PathBuf;

use windlass_deploy::config_file::ConfigError;
use windlass_deploy::images::ImageMode;
use windlass_images::listing;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{CommandResult, ValidateResult};
use windlass_template::{Engine, EngineOptions, Ports};

use run::Run;

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

/// What `list-images` found.
#[derive(Debug)]
pub(crate) struct ImageList {
    pub(crate) document: serde_json::Value,
    /// Why images have no result.
    pub(crate) unresolved: Vec<String>,
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

/// Renders and writes the files.
pub(crate) async fn render(app: &App, settings: &RenderSettings) -> Result<Rendered, Failure> {
    let run = Run::new(app, &settings.common)?;
    let keeps = !settings.print_all || settings.common.render_output_dir.is_some();
    let prepared = run.prepare(ImageMode::Normal, keeps).await?;
    let objects = prepared.objects.items.iter().flat_map(|item| item.objects.iter().map(|object| object.0.clone()));
    let objects = objects.collect();
    Ok(Rendered { dir: run.finish(keeps), objects })
}

/// Lists the images; those that could not be found are told beside the document.
pub(crate) async fn list_images(app: &App, settings: &ListImagesSettings) -> Result<ImageList, Failure> {
    let run = Run::new(app, &settings.common)?;
    let mode = if settings.simple { ImageMode::ListSimple } else { ImageMode::List };
    let prepared = run.prepare(mode, false).await?;
    let decisions = &prepared.images.decisions;
    let document = if settings.simple { listing::simple(decisions) } else { listing::full(decisions) };
    let unresolved = prepared.images.unresolved.iter().map(ToString::to_string).collect();
    Ok(ImageList { document, unresolved })
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
