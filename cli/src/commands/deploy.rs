//! `deploy`: preview, question, apply.

use windlass_model::result::CommandResult;

use super::result;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::{DeploySettings, OutputSettings};
use crate::{prompts, wire};

pub(super) fn run(app: &App, settings: DeploySettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let (task, preview_output) = (app.clone(), output.clone());
    let done = interrupt::run(limit, Stopping::BetweenWrites, move |stop| async move {
        wire::deploy(&task, &settings, &stop, &|preview| confirm(&task, preview, &preview_output)).await
    })?;
    result::conclude(app, done, &output)
}

/// A preview that cannot be shown is not confirmed.
fn confirm(app: &App, preview: &CommandResult, output: &OutputSettings) -> bool {
    let question = if preview.errors.is_empty() {
        "The diff succeeded, do you want to proceed?"
    } else {
        "The diff resulted in errors, do you still want to proceed?"
    };
    result::write_preview(app, preview, output).is_ok() && prompts::confirm(&app.printer, question)
}
