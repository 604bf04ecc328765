//! `delete`: deletes everything that carries the discriminator.

use super::{removal, result};
use crate::app::App;
use crate::diagnostics::Failure;
use crate::settings::RemoveSettings;
use crate::{interrupt, wire};

pub(super) fn run(app: &App, settings: RemoveSettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let done = interrupt::run(limit, move || async move {
        wire::delete(&task, &settings, |objects| removal::confirm(&task, settings.caution, objects)).await
    })?;
    result::write(app, &done, &output)?;
    result::check(&done)
}
