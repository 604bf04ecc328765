//! `diff`: what a deployment would change.

use super::result;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::DiffSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: DiffSettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let found =
        interrupt::run(limit, Stopping::AtOnce, move |stop| async move { wire::diff(&task, &settings, &stop).await })?;
    result::show(app, found, &output)
}
