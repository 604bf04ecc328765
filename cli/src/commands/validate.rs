//! `validate`: whether everything deployed is there and ready. With `--wait` only the last attempt is reported.

use std::time::Instant;

use windlass_model::result::ValidateResult;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::printer::{Mark, width};
use crate::settings::{OutputFormat, OutputSettings, ValidateSettings};
use crate::{interrupt, wire};

pub(super) fn run(app: &App, settings: ValidateSettings) -> Result<(), Failure> {
    let (limit, copies) = (settings.common.project.timeout, settings.output.clone());
    let warnings_as_errors = settings.warnings_as_errors;
    let task = app.clone();
    let result = interrupt::run(limit, move || async move { attempts(&task, &settings).await })?;
    write(app, &result, &copies)?;
    if !passes(&result, warnings_as_errors) {
        return Err(Failure::ValidationFailed);
    }
    app.printer.line(Mark::Success, "Validation succeeded");
    Ok(())
}

async fn attempts(app: &App, settings: &ValidateSettings) -> Result<ValidateResult, Failure> {
    let start = Instant::now();
    loop {
        let result = wire::validate(app, settings).await?;
        if passes(&result, settings.warnings_as_errors) || start.elapsed() >= settings.wait {
            return Ok(result);
        }
        tokio::time::sleep(settings.sleep).await;
    }
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
