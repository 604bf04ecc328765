//! `validate`: whether everything deployed is there and ready. With `--wait` only the last attempt is reported.

use windlass_model::result::ValidateResult;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::printer::{Mark, width};
use crate::settings::{OutputFormat, OutputSettings, ValidateSettings};
use crate::wire;

pub(super) fn run(app: &App, settings: ValidateSettings) -> Result<(), Failure> {
    let (limit, copies) = (settings.common.project.timeout, settings.output.clone());
    let warnings_as_errors = settings.warnings_as_errors;
    let task = app.clone();
    let done = interrupt::run(limit, Stopping::AtOnce, move |stop| async move {
        wire::validate(&task, &settings, &stop, |result| passes(result, warnings_as_errors)).await
    })?;
    let result = done.value;
    write(app, &result, &copies)?;
    if !passes(&result, warnings_as_errors) {
        return Err(Failure::ValidationFailed);
    }
    app.printer.line(Mark::Success, "Validation succeeded");
    Ok(())
}

fn passes(result: &ValidateResult, warnings_as_errors: bool) -> bool {
    result.errors.is_empty() && (result.warnings.is_empty() || !warnings_as_errors)
}

fn write(app: &App, result: &ValidateResult, copies: &OutputSettings) -> Result<(), Failure> {
    let columns = width(app.environment.columns());
    output::copies(app, copies, |format| match format {
        OutputFormat::Text => Ok(windlass_report::validate_text(result, columns)),
        OutputFormat::Yaml => Ok(windlass_report::validate_yaml(result)),
    })
}
