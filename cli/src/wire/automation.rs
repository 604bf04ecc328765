//! Image automation with the real registry and the files of the project.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_automate::config::{ConfigError, ConfigRequest, Index, load};
use windlass_automate::scan::TagInventory;
use windlass_automate::select::Selection;
use windlass_automate::set;
use windlass_automate::set::{EditSet, PlanOptions, Scope, files};
use windlass_automate::update::{self, UpdateError, UpdatePlan, UpdateRequest};
use windlass_deploy::config_file::find_project_config;
use windlass_deploy::source_tree::find_repository_root;
use windlass_registry::{OciRegistry, Registry, Repository, Timestamp};

use super::{project_dir, registry};
use crate::app::App;
use crate::diagnostics::{EngineFailure, Failure};
use crate::settings::AutomationSettings;

/// What a command works on.
pub(crate) struct Automation {
    pub(crate) index: Index,
    /// The work tree: the repository around the project, or the project's folder.
    pub(crate) root: PathBuf,
}

/// Reads the configuration; asks nobody.
pub(crate) fn index(settings: &AutomationSettings) -> Result<Automation, Failure> {
    let dir = project_dir(&settings.project)?;
    let root = find_repository_root(&dir).unwrap_or_else(|| dir.clone());
    let named = settings.project.config.as_ref().map(|file| file.value.clone());
    let project_file = named.or_else(|| find_project_config(&dir));
    let request = ConfigRequest { project_file, root: root.clone(), resources: settings.resources.clone() };
    Ok(Automation { index: load(&request).map_err(of_config)?, root })
}

fn of_config(error: ConfigError) -> Failure {
    Failure::Engine(EngineFailure {
        text: error.to_string(),
        at: error.location().cloned(),
        hint: None,
        way: Vec::new(),
    })
}

fn of_update(error: UpdateError) -> Failure {
    Failure::Output { text: error.to_string() }
}

fn open(app: &App, settings: &AutomationSettings) -> Result<Arc<OciRegistry>, Failure> {
    app.printer.hide(settings.credentials.secrets());
    registry::open(&settings.credentials, &app.environment, &app.printer)
}

/// The tags of one image.
pub(crate) async fn tags(app: &App, settings: &AutomationSettings, image: &str) -> Result<Vec<String>, Failure> {
    let registry = open(app, settings)?;
    let repository = Repository::parse(image).map_err(|error| Failure::Output { text: error.to_string() })?;
    let found = registry.list_tags(&repository).await.map_err(|error| Failure::Output { text: error.to_string() })?;
    Ok(found.tags().to_vec())
}

/// The tags of the policies' repositories.
pub(crate) async fn scan(
    app: &App,
    settings: &AutomationSettings,
    found: &Automation,
) -> Result<TagInventory, Failure> {
    let registry = open(app, settings)?;
    let policies = update::policies(&found.index, &settings.names).map_err(of_update)?;
    let images = policies.iter().map(|config| config.policy.image.clone());
    let named = found.index.repositories.values().filter(|entry| settings.names.is_empty() && !entry.entry.suspend);
    let images = images.chain(named.map(|entry| entry.entry.image.clone())).collect();
    Ok(windlass_automate::scan::scan(images, &*registry).await)
}

/// The elections of policies.
pub(crate) async fn elect(
    app: &App,
    settings: &AutomationSettings,
    found: &Automation,
    names: &[String],
) -> Result<Vec<Selection>, Failure> {
    let registry = open(app, settings)?;
    let policies = update::policies(&found.index, names).map_err(of_update)?;
    Ok(update::elect(policies, &*registry, Timestamp::now()).await.1)
}

/// Every marker below a path, against the elections.
pub(crate) fn markers(found: &Automation, selections: &[Selection], path: Option<&String>) -> Result<EditSet, Failure> {
    let scope = path.map_or_else(Scope::default, |path| Scope::Below(path.into()));
    let works = files(&found.root, &scope).map_err(|error| Failure::Output { text: error.to_string() })?;
    let elections = update::elections(&found.index, None, selections);
    Ok(set::plan(&works, &elections, &PlanOptions::default()))
}

/// The plan of an update.
pub(crate) async fn plan(app: &App, settings: &AutomationSettings, found: &Automation) -> Result<UpdatePlan, Failure> {
    let registry = open(app, settings)?;
    let request = UpdateRequest {
        names: settings.names.clone(),
        policies: settings.policies.clone(),
        scope: settings.path.as_ref().map(|path| Scope::Below(path.into())),
        only: settings.only.clone(),
        ignore_suspend: settings.ignore_suspend,
    };
    update::plan(&found.index, &found.root, &request, &*registry, Timestamp::now()).await.map_err(of_update)
}
