//! `poke-images`: replaces only the images of live objects.

use super::result;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::{Caution, PokeImagesSettings};
use crate::{prompts, wire};

pub(super) fn run(app: &App, settings: PokeImagesSettings) -> Result<(), Failure> {
    let (limit, output) = (settings.common.project.timeout, settings.output.clone());
    let task = app.clone();
    let done = interrupt::run(limit, Stopping::BetweenWrites, move |stop| async move {
        wire::poke_images(&task, &settings, &stop, &|context| confirm(&task, settings.caution, context)).await
    })?;
    result::conclude(app, done, &output)
}

fn confirm(app: &App, caution: Caution, context: &str) -> bool {
    let question = format!("Do you really want to poke images to the context/cluster {context}?");
    !caution.asks() || prompts::confirm(&app.printer, &question)
}
