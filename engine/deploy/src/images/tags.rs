//! Asks registries: once per repository, only for images that need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use windlass_images::resolve::{Decision, ImageDecision, RegistryAnswer, RegistryNeed};
use windlass_model::event::Events;
use windlass_registry::{Registry, Repository, TagList};

use super::{Failures, ImageFailure, ImageMode, ImageRequest, Site};

/// Repositories asked at the same time; the registry client bounds each host further.
const CONCURRENCY: usize = 16;

type Answers = BTreeMap<String, Result<Arc<TagList>, String>>;

/// Finishes the decisions that need a registry; in full lists the others are completed for information.
pub(super) async fn ask(
    sites: &[Site],
    steps: Vec<Vec<Option<Decision>>>,
    request: ImageRequest<'_>,
    registry: &dyn Registry,
    events: &dyn Events,
    failures: &mut Failures,
) -> Vec<Vec<Option<ImageDecision>>> {
    let informs = request.mode == ImageMode::List && !request.options.offline;
    let answers = fetch(wanted(&steps, informs, request), registry).await;
    let mut asker = Asker { request, registry, answers, events, informs };
    let mut finished = Vec::with_capacity(sites.len());
    for (site, decisions) in sites.iter().zip(steps) {
        let mut row = Vec::with_capacity(decisions.len());
        for (decision, occurrence) in decisions.into_iter().zip(&site.found) {
            row.push(match decision {
                None => None,
                Some(Decision::Resolved(decision)) => Some(asker.inform(decision, occurrence).await),
                Some(Decision::NeedsRegistry(need)) => match asker.choose(need).await {
                    Ok(decision) => Some(decision),
                    Err(failure) => {
                        failures.push((site.item, failure));
                        None
                    }
                },
            });
        }
        finished.push(row);
    }
    finished
}

fn wanted(steps: &[Vec<Option<Decision>>], informs: bool, request: ImageRequest<'_>) -> BTreeSet<String> {
    if request.options.offline {
        return BTreeSet::new();
    }
    let images = steps.iter().flatten().flatten().filter_map(|decision| match decision {
        Decision::NeedsRegistry(need) => Some(need.image().to_owned()),
        Decision::Resolved(decision) if informs => Some(decision.image.clone()),
        Decision::Resolved(_) => None,
    });
    images.collect()
}

async fn fetch(images: BTreeSet<String>, registry: &dyn Registry) -> Answers {
    stream::iter(images)
        .map(|image| async move {
            let answer = list(&image, registry).await;
            (image, answer)
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await
}

async fn list(image: &str, registry: &dyn Registry) -> Result<Arc<TagList>, String> {
    let repository = Repository::parse(image).map_err(|e| e.to_string())?;
    registry.list_tags(&repository).await.map_err(|e| e.to_string())
}

struct Asker<'a> {
    request: ImageRequest<'a>,
    registry: &'a dyn Registry,
    answers: Answers,
    events: &'a dyn Events,
    informs: bool,
}

impl Asker<'_> {
    fn answer(&self, image: &str) -> RegistryAnswer<'_, String> {
        match self.answers.get(image) {
            _ if self.request.options.offline => RegistryAnswer::Offline,
            Some(Ok(tags)) => RegistryAnswer::Tags(tags.tags()),
            Some(Err(reason)) => RegistryAnswer::Failed(reason),
            None => RegistryAnswer::Offline,
        }
    }

    async fn choose(&self, need: RegistryNeed) -> Result<ImageDecision, ImageFailure> {
        let image = need.image().to_owned();
        let retry = need.clone();
        let choice = need.choose(self.answer(&image))?;
        if !choice.wants_digest() {
            return Ok(choice.finish(None));
        }
        match self.digest(&image, &choice.selection().tag).await {
            Ok(digest) => Ok(choice.finish(Some(&digest))),
            Err(reason) => match retry.choose::<String>(RegistryAnswer::Failed(&reason)) {
                Err(unresolved) => Err(unresolved.into()),
                Ok(choice) => Ok(choice.finish(None)),
            },
        }
    }

    async fn digest(&self, image: &str, tag: &str) -> Result<String, String> {
        let repository = Repository::parse(image).map_err(|e| e.to_string())?;
        let manifest = self.registry.manifest(&repository, tag).await.map_err(|e| e.to_string())?;
        Ok(manifest.digest)
    }

    /// Fills in `registryImage` of a decided image; failures are warnings.
    async fn inform(
        &mut self,
        decision: ImageDecision,
        occurrence: &windlass_images::placeholder::Occurrence,
    ) -> ImageDecision {
        if !self.informs {
            return decision;
        }
        let Ok(need) = RegistryNeed::for_information(&decision, occurrence) else { return decision };
        match need.choose(self.answer(&decision.image)) {
            Ok(choice) => choice.inform(None),
            Err(unresolved) => {
                let reason = unresolved.reasons.last().cloned().unwrap_or_default();
                self.events.warn(format!("{}: newest image is not known: {reason}", decision.image));
                decision
            }
        }
    }
}
