//! `deploy`: preview, question, apply.

use windlass_model::result::CommandResult;

use super::result;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::settings::{DeploySettings, OutputSettings};
use crate::{interrupt, prompts, wire};

pub(super) fn run(app: &App, settings: DeploySettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let (task, preview_output) = (app.clone(), output.clone());
    let done = interrupt::run(limit, move || async move {
        wire::deploy(&task, &settings, |preview| confirm(&task, preview, &preview_output)).await
    })?;
    result::write(app, &done, &output)?;
    result::check(&done)
}

fn confirm(app: &App, preview: &CommandResult, output: &OutputSettings) -> Result<bool, Failure> {
    result::write_preview(app, preview, output)?;
    let question = if preview.errors.is_empty() {
        "The diff succeeded, do you want to proceed?"
    } else {
        "The diff resulted in errors, do you still want to proceed?"
    };
    Ok(prompts::confirm(&app.printer, question))
}
