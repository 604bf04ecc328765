//! Commands that only read: `render`, `list-images`, `list-targets`.

use serde_json::Value;
use windlass_images::listing;
use windlass_model::project::TargetConfig;
use windlass_template::{Engine, EngineOptions};

use super::Run;
use crate::error::Error;
use crate::images::{ImageFailure, ImageMode};
use crate::load::{self, LoadRequest};
use crate::prepare::{Prepared, Request, prepare};
use crate::target;

/// Renders everything; the objects are in the result.
///
/// # Errors
/// The first stage that fails.
pub async fn render(request: &Request, run: Run<'_>) -> Result<Prepared, Error> {
    prepare(request, ImageMode::Normal, run.ports, run.events).await
}

/// How much `list-images` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// Everything that is known.
    Full,
    /// Image and result only.
    Simple,
}

/// The images of a project, and those that nothing was found for.
#[derive(Debug)]
pub struct ImageList {
    /// The document to print.
    pub document: Value,
    /// What is missing in it; not empty means failure.
    pub unresolved: Vec<ImageFailure>,
}

/// Finds every image.
///
/// # Errors
/// The first stage that fails; images without result are part of the list instead.
pub async fn list_images(request: &Request, form: ListForm, run: Run<'_>) -> Result<ImageList, Error> {
    let mode = match form {
        ListForm::Full => ImageMode::List,
        ListForm::Simple => ImageMode::ListSimple,
    };
    let prepared = prepare(request, mode, run.ports, run.events).await?;
    let decisions = &prepared.images.decisions;
    let document = match form {
        ListForm::Full => listing::full(decisions),
        ListForm::Simple => listing::simple(decisions),
    };
    Ok(ImageList { document, unresolved: prepared.images.unresolved })
}

/// All usable targets, sorted by name.
///
/// # Errors
/// The project cannot be loaded.
pub fn list_targets(request: &LoadRequest, run: Run<'_>) -> Result<Vec<TargetConfig>, Error> {
    let engine = Engine::new(EngineOptions::default(), windlass_template::Ports::default());
    let project = load::load(request, run.events)?;
    Ok(target::render_all(&project, &engine, run.events))
}
