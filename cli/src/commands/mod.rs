//! One file per command: settings -> flow -> output.

mod delete;
mod deploy;
mod diff;
mod helm_pull;
mod helm_update;
mod image_automation;
mod image_explain;
mod list_images;
mod list_targets;
mod oci_push;
pub(crate) mod output;
mod poke_images;
mod prune;
mod removal;
mod render;
mod result;
mod validate;

use crate::app::App;
use crate::args::commands::Action;
use crate::args::{Command, Invocation, ROOT, help as help_page};
use crate::completion;
use crate::diagnostics::Failure;
use crate::printer::width;
use crate::settings::{
    AutomationSettings, DeploySettings, DiffSettings, HelmSettings, ImageExplainSettings, Layers, ListImagesSettings,
    ListTargetsSettings, OciPushSettings, PokeImagesSettings, RemoveSettings, RenderSettings, ValidateSettings,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the command of `invocation`.
pub(crate) fn dispatch(app: &App, invocation: &Invocation, layers: &Layers) -> Result<(), Failure> {
    let environment = &app.environment;
    match invocation.command().action {
        Action::Group => help(app, &invocation.path),
        Action::Help => help_about(app, &invocation.operands),
        Action::Version => output::stdout(app, &format!("{VERSION}\n")),
        Action::Completion(shell) => {
            output::stdout(app, &completion::script(shell, &app.program, !layers.switch("no-descriptions")))
        }
        Action::ListTargets => list_targets::run(app, ListTargetsSettings::read(layers)?),
        Action::Render => render::run(app, RenderSettings::read(layers, environment)?),
        Action::ListImages => list_images::run(app, ListImagesSettings::read(layers, environment)?),
        Action::ImageExplain => {
            image_explain::run(app, ImageExplainSettings::read(layers, environment, invocation.operands.first())?)
        }
        Action::ImageMarkers | Action::ImagePolicy | Action::ImageScan | Action::ImageTags | Action::ImageUpdate => {
            let settings = AutomationSettings::read(layers, environment, &invocation.operands)?;
            image_automation::run(app, invocation.command().action, settings)
        }
        Action::Diff => diff::run(app, DiffSettings::read(layers, environment)?),
        Action::Deploy => deploy::run(app, DeploySettings::read(layers, environment)?),
        Action::HelmPull => helm_pull::run(app, HelmSettings::read(layers, environment)?),
        Action::HelmUpdate => helm_update::run(app, HelmSettings::read(layers, environment)?),
        Action::OciPush => oci_push::run(app, OciPushSettings::read(layers, environment)?),
        Action::Prune => prune::run(app, RemoveSettings::read(layers, environment)?),
        Action::Delete => delete::run(app, RemoveSettings::read(layers, environment)?),
        Action::PokeImages => poke_images::run(app, PokeImagesSettings::read(layers, environment)?),
        Action::Validate => validate::run(app, ValidateSettings::read(layers, environment)?),
        Action::NotYet => {
            let names: Vec<_> = invocation.path.iter().map(|command| command.name).collect();
            Err(Failure::NotYet { command: format!("{} {}", app.program, names.join(" ")) })
        }
    }
}

/// Shows the help page of a command.
pub(crate) fn help(app: &App, path: &[&'static Command]) -> Result<(), Failure> {
    output::stdout(app, &help_page::page(&app.program, path, width(app.environment.columns())))
}

/// `help deploy`; an unknown name is an error.
fn help_about(app: &App, names: &[String]) -> Result<(), Failure> {
    let mut path: Vec<&'static Command> = Vec::new();
    for name in names {
        let parent = path.last().copied().unwrap_or(&ROOT);
        let command = parent.subcommand(name).ok_or_else(|| Failure::UnknownHelpTopic { name: names.join(" ") })?;
        path.push(command);
    }
    help(app, &path)
}

/// `--version`.
pub(crate) fn version_line(app: &App) -> Result<(), Failure> {
    output::stdout(app, &format!("{} version {VERSION}\n", app.program))
}
