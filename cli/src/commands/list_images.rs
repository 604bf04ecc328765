//! `list-images`: every image of the target, as a fixed-images file.

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt;
use crate::settings::ListImagesSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: ListImagesSettings) -> Result<(), Failure> {
    let (limit, targets) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let found = interrupt::run(limit, move || async move { wire::list_images(&task, &settings).await })?;
    output::to_all(app, &targets, &windlass_yaml::to_string(&found.document))?;
    if found.unresolved.is_empty() { Ok(()) } else { Err(Failure::Output { text: found.unresolved.join("\n") }) }
}
