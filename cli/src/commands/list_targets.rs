//! `list-targets`: the targets of a project that can be used.

use windlass_deploy::load::{self, LoadRequest};
use windlass_deploy::target;
use windlass_model::project::TargetConfig;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::progress::Progress;
use crate::settings::{ListTargetsSettings, ProjectSettings};
use crate::wire;

pub(super) fn run(app: &App, settings: ListTargetsSettings) -> Result<(), Failure> {
    let ListTargetsSettings { project, only_names, output: targets } = settings;
    let found = find(app, &project)?;
    let text = if only_names { names(&found) } else { list(&found)? };
    output::to_all(app, &targets, &text)
}

fn find(app: &App, settings: &ProjectSettings) -> Result<Vec<TargetConfig>, Failure> {
    let progress = Progress::new(app.printer.clone());
    let request = LoadRequest {
        project_dir: wire::project_dir(settings)?,
        config_file: settings.config.as_ref().map(|file| file.value.clone()),
        external_args: serde_json::Map::new(),
    };
    let project = load::load(&request, &progress).map_err(wire::failure)?;
    Ok(target::render_all(&project, &wire::plain_engine(), &progress))
}

fn names(targets: &[TargetConfig]) -> String {
    targets.iter().map(|target| target.name.clone() + "\n").collect()
}

fn list(targets: &[TargetConfig]) -> Result<String, Failure> {
    let value = serde_json::to_value(targets).map_err(|error| Failure::Output { text: error.to_string() })?;
    Ok(windlass_yaml::to_string(&value))
}
