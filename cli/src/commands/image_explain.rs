//! `image explain`: why an image is used, and what became of every tag.

mod json;
mod text;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::{ExplainSubject, ImageExplainSettings};
use crate::wire::{self, Explained};

pub(super) fn run(app: &App, settings: ImageExplainSettings) -> Result<(), Failure> {
    let limit = settings.common.project.timeout;
    let (task, asked) = (app.clone(), settings.clone());
    let found =
        interrupt::run(limit, Stopping::AtOnce, move |stop| async move { wire::explain(&task, &asked, &stop).await })?
            .value;
    let found = narrowed(found, &settings)?;
    let text = if settings.json { json::document(&found) } else { text::page(&found, settings.all_tags) };
    output::to_all(app, std::slice::from_ref(&settings.output), &text)?;
    failures(&found)
}

/// With `--tag`, only that tag; one that no list has is an error.
fn narrowed(mut found: Explained, settings: &ImageExplainSettings) -> Result<Explained, Failure> {
    if let (ExplainSubject::Named(name), Explained::Images(images)) = (&settings.subject, &found)
        && images.images.is_empty()
        && images.unresolved.is_empty()
    {
        let known = match images.known.as_slice() {
            [] => "the target asks for no image".to_owned(),
            known => format!("the target asks for {}", known.join(", ")),
        };
        return Err(Failure::Output { text: format!("no policy or image `{name}`; {known}") });
    }
    let Some(tag) = &settings.tag else { return Ok(found) };
    let reports: Vec<_> = match &mut found {
        Explained::Policy { tags, .. } => vec![tags],
        Explained::Images(images) => images.images.iter_mut().map(|image| &mut image.tags).collect(),
    };
    let mut seen = false;
    for report in reports.into_iter().flatten() {
        report.tags.retain(|entry| entry.tag == *tag);
        seen |= !report.tags.is_empty();
    }
    if seen { Ok(found) } else { Err(Failure::Output { text: format!("no repository has the tag `{tag}`") }) }
}

/// What could not be found out fails the command, after all else was shown.
fn failures(found: &Explained) -> Result<(), Failure> {
    let lines: Vec<String> = match found {
        Explained::Policy { image, tags: Err(reason), .. } => vec![format!("{image}: {reason}")],
        Explained::Policy { image, rule, tags: Ok(report), .. } if report.chosen.is_none() => {
            vec![format!("{image}: no tag matched {rule}")]
        }
        Explained::Policy { .. } => Vec::new(),
        Explained::Images(images) => images.unresolved.iter().map(ToString::to_string).collect(),
    };
    if lines.is_empty() { Ok(()) } else { Err(Failure::Output { text: lines.join("\n") }) }
}
