//! Asks registries: once per repository, only for images that need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use windlass_images::policy::Facts;
use windlass_images::resolve::{Decision, DecisionSource, ImageDecision, RegistryAnswer, RegistryNeed};
use windlass_model::event::Events;
use windlass_registry::{Registry, Repository, TagList};

use super::build_times::{self, BuildTimes};
use super::{Failures, ImageFailure, ImageMode, ImageRequest, Site};

/// Repositories asked at the same time; the registry client bounds each host further.
const CONCURRENCY: usize = 16;

/// How long all lookups together may take that only inform: a list must not wait for dead hosts.
const INFORMATION_LIMIT: Duration = Duration::from_secs(5);

pub(super) type Answers = BTreeMap<String, Result<Arc<TagList>, String>>;

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
    let answers = answers(&steps, informs, request, registry).await;
    let built = build_times::fetch(&steps, &answers, registry).await;
    let mut asker = Asker { request, registry, answers, built, events, informs };
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

/// Asks for everything that decides, and for what is only told with a bounded wait.
async fn answers(
    steps: &[Vec<Option<Decision>>],
    informs: bool,
    request: ImageRequest<'_>,
    registry: &dyn Registry,
) -> Answers {
    if request.options.offline {
        return Answers::new();
    }
    let decisions = || steps.iter().flatten().flatten();
    let needed: BTreeSet<String> = decisions()
        .filter_map(|decision| match decision {
            Decision::NeedsRegistry(need) => Some(need.image().to_owned()),
            Decision::Resolved(_) => None,
        })
        .collect();
    let told: BTreeSet<String> = decisions()
        .filter_map(|decision| match decision {
            Decision::Resolved(decision) if informs && is_worth_asking(decision) => Some(decision.image.clone()),
            _ => None,
        })
        .filter(|image| !needed.contains(image))
        .collect();
    let limit = tokio::time::Instant::now() + INFORMATION_LIMIT;
    let (mut answers, information) = futures::join!(
        fetch(needed, |image| list(image, registry)),
        fetch(told, |image| async move {
            let late = || Err(format!("no answer within {INFORMATION_LIMIT:?}"));
            tokio::time::timeout_at(limit, list(image, registry)).await.unwrap_or_else(|_| late())
        })
    );
    answers.extend(information);
    answers
}

/// Whether the newest image says something new about a decided one.
///
/// An image that is fixed for a call without filter was never meant to be looked up: projects of releases
/// without registry lookup look like that, and their lists stay as they are.
fn is_worth_asking(decision: &ImageDecision) -> bool {
    decision.filter_given || matches!(decision.source, DecisionSource::Deployed { .. })
}

async fn fetch<F>(images: BTreeSet<String>, list: impl Fn(String) -> F) -> Answers
where
    F: Future<Output = Result<Arc<TagList>, String>>,
{
    stream::iter(images)
        .map(|image| {
            let answer = list(image.clone());
            async move { (image, answer.await) }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await
}

async fn list(image: String, registry: &dyn Registry) -> Result<Arc<TagList>, String> {
    let repository = Repository::parse(&image).map_err(|e| e.to_string())?;
    registry.list_tags(&repository).await.map_err(|e| e.to_string())
}

struct Asker<'a> {
    request: ImageRequest<'a>,
    registry: &'a dyn Registry,
    answers: Answers,
    built: BuildTimes,
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
        if let Some(reason) = self.built.failure(&need) {
            return Err(unresolved(need, reason));
        }
        let choice = need.choose(self.answer(&image), self.built.facts(&image))?;
        if !choice.wants_digest() {
            return Ok(choice.finish(None));
        }
        match self.digest(&image, &choice.selection().tag).await {
            Ok(digest) => Ok(choice.finish(Some(&digest))),
            Err(reason) => Err(unresolved(retry, &reason)),
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
        if !self.informs || !is_worth_asking(&decision) {
            return decision;
        }
        let policies = self.request.policies;
        let Ok(need) = RegistryNeed::for_information(&decision, occurrence, policies) else { return decision };
        if need.election().policy.wants_build_times() {
            // A question per tag is too much for a line that only informs.
            return decision;
        }
        match need.choose(self.answer(&decision.image), &Facts::default()) {
            Ok(choice) => choice.inform(None),
            Err(unresolved) => {
                let reason = unresolved.reasons.last().cloned().unwrap_or_default();
                self.events.warn(format!("{}: the newest image is not known: {reason}", decision.image));
                decision
            }
        }
    }
}

/// The failure of a question that the registry did not answer well enough.
fn unresolved(need: RegistryNeed, reason: &str) -> ImageFailure {
    ImageFailure::Unresolved(need.fail(reason))
}
