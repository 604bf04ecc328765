//! What commands with a result have in common: writing it, and failing when it has errors.

use windlass_deploy::flows::Outcome;
use windlass_model::result::CommandResult;
use windlass_report::{TextOptions, TextStyle};

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::Finished;
use crate::printer::width;
use crate::settings::{OutputFormat, OutputSettings};

/// Writes the result in all wanted forms.
fn write(app: &App, result: &CommandResult, settings: &OutputSettings) -> Result<(), Failure> {
    let columns = width(app.environment.columns());
    output::copies(app, settings, |format| match format {
        OutputFormat::Text => Ok(text(result, settings.short, columns)),
        OutputFormat::Yaml => Ok(windlass_report::yaml(result)),
    })
}

/// The preview of a deployment: always text, always on stdout.
pub(super) fn write_preview(app: &App, result: &CommandResult, settings: &OutputSettings) -> Result<(), Failure> {
    output::stdout(app, &text(result, settings.short, width(app.environment.columns())))
}

fn text(result: &CommandResult, short: bool, columns: usize) -> String {
    let style = if short { TextStyle::Short } else { TextStyle::Full };
    windlass_report::text(result, TextOptions { style, width: columns })
}

/// Writes the result of a command that changes something; then fails when the run was stopped, the result could
/// not be stored, or it has errors.
pub(super) fn conclude(app: &App, done: Finished<Outcome>, settings: &OutputSettings) -> Result<(), Failure> {
    let Finished { value: Outcome { result, not_stored }, stopped } = done;
    write(app, &result, settings)?;
    stopped.map_or(Ok(()), Err)?;
    match not_stored {
        Some(error) => Err(Failure::Output { text: error.to_string() }),
        None => check(&result),
    }
}

/// Writes a result that is only shown, then fails when the run was stopped or the result has errors.
pub(super) fn show(app: &App, done: Finished<CommandResult>, settings: &OutputSettings) -> Result<(), Failure> {
    write(app, &done.value, settings)?;
    done.stopped.map_or(Ok(()), Err)?;
    check(&done.value)
}

/// A result with errors is a failed command.
fn check(result: &CommandResult) -> Result<(), Failure> {
    if result.errors.is_empty() { Ok(()) } else { Err(Failure::ResultHasErrors) }
}
