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
    let text = if only_names { names(&found.usable) } else { list(&found)? };
    output::to_all(app, &targets, &text)
}

struct Found {
    usable: Vec<TargetConfig>,
    /// Whether the project has targets at all.
    declares_some: bool,
}

fn find(app: &App, settings: &ProjectSettings) -> Result<Found, Failure> {
    let progress = Progress::new(app.printer.clone());
    let request = LoadRequest {
        project_dir: wire::project_dir(settings)?,
        config_file: settings.config.as_ref().map(|file| file.value.clone()),
        external_args: serde_json::Map::new(),
    };
    let project = load::load(&request, &progress).map_err(wire::failure)?;
    let usable = target::render_all(&project, &wire::plain_engine(), &progress);
    Ok(Found { usable, declares_some: !project.config.targets.is_empty() })
}

fn names(targets: &[TargetConfig]) -> String {
    targets.iter().map(|target| target.name.clone() + "\n").collect()
}

/// When all targets were dropped kluctl prints `null`, which scripts may look for; a project without targets
/// has an empty list.
fn list(found: &Found) -> Result<String, Failure> {
    let targets = (!found.usable.is_empty() || !found.declares_some).then_some(&found.usable);
    let value = serde_json::to_value(targets).map_err(|error| Failure::Output { text: error.to_string() })?;
    Ok(windlass_yaml::to_string(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_targets_and_no_usable_ones_are_told_apart() {
        let listed = |declares_some| list(&Found { usable: Vec::new(), declares_some }).expect("text");
        assert_eq!((listed(false).as_str(), listed(true).as_str()), ("[]\n", "null\n"));
    }
}
