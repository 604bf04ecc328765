//! `image explain`: why an image is what it is, and what became of every tag.

use windlass_images::placeholder::ImageCall;
use windlass_images::policy::TagReport;
use windlass_images::resolve::{Election, ImageDecision};

use super::Run;
use crate::error::Error;
use crate::images::{ImageFailure, ImageMode, explain_tags};
use crate::prepare::{Request, prepare};

/// Which images are explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExplainWhat {
    /// All of them.
    Every,
    /// Those of one `get_image` argument.
    Image(String),
}

/// One placeholder of the project.
#[derive(Debug)]
pub struct ExplainedImage {
    /// How it was decided.
    pub decision: ImageDecision,
    /// Every tag, or why there is no list.
    pub tags: Result<TagReport, String>,
}

/// The explained images of a project.
#[derive(Debug)]
pub struct ExplainedImages {
    /// In item, object and field order.
    pub images: Vec<ExplainedImage>,
    /// Those without result; they say what was tried.
    pub unresolved: Vec<ImageFailure>,
    /// The images that the project asks for, to help with a name that none has.
    pub known: Vec<String>,
}

/// Explains the images of a project.
///
/// # Errors
/// The first stage that fails; images without result are part of the answer instead.
pub async fn explain_images(request: &Request, what: &ExplainWhat, run: Run<'_>) -> Result<ExplainedImages, Error> {
    let prepared = prepare(request, ImageMode::List, run.ports, run.events).await?;
    let mut known: Vec<String> = prepared.images.decisions.iter().map(|decision| decision.image.clone()).collect();
    known.sort();
    known.dedup();
    let wanted = |image: &str| match what {
        ExplainWhat::Every => true,
        ExplainWhat::Image(wanted) => wanted == image,
    };
    let policies = &prepared.target.project.policies;
    let mut images = Vec::new();
    for decision in prepared.images.decisions.into_iter().filter(|decision| wanted(&decision.image)) {
        let filter = decision.filter_given.then(|| decision.version_filter.clone());
        let call = ImageCall { latest_version: filter, ..ImageCall::new(&decision.image) };
        let tags = match Election::of(&call, policies) {
            Err(error) => Err(error.to_string()),
            Ok(_) if request.images.offline => Err("registry lookups are disabled".to_owned()),
            Ok(election) => explain_tags(&decision.image, &election, run.ports.registry).await,
        };
        images.push(ExplainedImage { decision, tags });
    }
    let of_wanted = |failure: &ImageFailure| match failure {
        ImageFailure::Unresolved(unresolved) => wanted(&unresolved.image),
        _ => true,
    };
    let unresolved = prepared.images.unresolved.into_iter().filter(of_wanted).collect();
    Ok(ExplainedImages { images, unresolved, known })
}
