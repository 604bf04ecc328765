//! `delete`: deletes everything that carries the discriminator.

use windlass_model::object_ref::ObjectRef;

use super::{removal, result};
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::RemoveSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: RemoveSettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let done = interrupt::run(limit, Stopping::BetweenWrites, move |stop| async move {
        let confirm = |objects: &[ObjectRef]| removal::confirm(&task, settings.caution, objects);
        wire::delete(&task, &settings, &stop, &confirm).await
    })?;
    result::conclude(app, done, &output)
}
