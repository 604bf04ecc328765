//! `list-images`: every image of the target, as a fixed-images file.

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::ListImagesSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: ListImagesSettings) -> Result<(), Failure> {
    let (limit, targets) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let found = interrupt::run(limit, Stopping::AtOnce, move |stop| async move {
        wire::list_images(&task, &settings, &stop).await
    })?
    .value;
    output::to_all(app, &targets, &windlass_yaml::to_string(&found.document))?;
    let unresolved: Vec<_> = found.unresolved.iter().map(ToString::to_string).collect();
    if unresolved.is_empty() { Ok(()) } else { Err(Failure::Output { text: unresolved.join("\n") }) }
}
