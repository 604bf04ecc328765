//! Writes finished texts to where the user wants them.

use std::io::ErrorKind;

use crate::app::App;
use crate::diagnostics::Failure;
use crate::files;
use crate::settings::{OutputFormat, OutputSettings, OutputTarget};

/// Writes data to stdout.
pub(crate) fn stdout(app: &App, text: &str) -> Result<(), Failure> {
    app.printer.data(text).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::ClosedPipe,
        _ => Failure::Output { text: format!("write to stdout: {error}") },
    })
}

/// Writes one text to every target.
pub(crate) fn to_all(app: &App, targets: &[OutputTarget], text: &str) -> Result<(), Failure> {
    targets.iter().try_for_each(|target| to_one(app, target, text))
}

/// Writes a result in every wanted format, in order.
pub(crate) fn copies(
    app: &App,
    settings: &OutputSettings,
    render: impl Fn(OutputFormat) -> Result<String, Failure>,
) -> Result<(), Failure> {
    settings.copies.iter().try_for_each(|(format, target)| to_one(app, target, &render(*format)?))
}

fn to_one(app: &App, target: &OutputTarget, text: &str) -> Result<(), Failure> {
    match target {
        OutputTarget::Stdout => stdout(app, text),
        OutputTarget::File(path) => files::write(path, text).map_err(|text| Failure::Output { text }),
    }
}
