//! Build times of images, for the placeholders that choose by them: one question per tag.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use windlass_images::policy::{Facts, TagReport, undated};
use windlass_images::resolve::{Decision, Election, RegistryNeed};
use windlass_registry::{Registry, Repository};

use super::tags::Answers;

/// Questions on their way at the same time; the registry client bounds each host further.
const CONCURRENCY: usize = 32;

/// Above this a prefix must narrow the tags: every tag costs two requests.
const MOST_TAGS: usize = 2000;

/// What is known by image.
#[derive(Debug, Default)]
pub(super) struct BuildTimes {
    known: BTreeMap<String, Facts>,
    failed: BTreeMap<String, String>,
}

impl BuildTimes {
    /// The facts about an image's tags.
    pub(super) fn facts(&self, image: &str) -> &Facts {
        static NOTHING: std::sync::LazyLock<Facts> = std::sync::LazyLock::new(Facts::default);
        self.known.get(image).unwrap_or(&NOTHING)
    }

    /// Why `need` can not be answered: one tag whose time is unknown could be the newest.
    pub(super) fn failure(&self, need: &RegistryNeed) -> Option<&str> {
        let reason = self.failed.get(need.image())?;
        need.election().policy.wants_build_times().then_some(reason)
    }
}

/// Asks for all tags that decide; a placeholder that goes by the tags alone asks nothing.
pub(super) async fn fetch(steps: &[Vec<Option<Decision>>], answers: &Answers, registry: &dyn Registry) -> BuildTimes {
    let mut times = BuildTimes::default();
    for (image, tags) in wanted(steps, answers) {
        if tags.len() > MOST_TAGS {
            times.failed.insert(image, too_many(tags.len()));
            continue;
        }
        match ask(&image, tags, registry).await {
            Ok(facts) => times.known.insert(image, facts).is_none(),
            Err(reason) => times.failed.insert(image, reason).is_none(),
        };
    }
    times
}

fn wanted<'a>(steps: &[Vec<Option<Decision>>], answers: &'a Answers) -> BTreeMap<String, BTreeSet<&'a str>> {
    let mut wanted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for decision in steps.iter().flatten().flatten() {
        let Decision::NeedsRegistry(need) = decision else { continue };
        let Some(Ok(tags)) = answers.get(need.image()) else { continue };
        let undated = need.undated(tags.tags());
        if !undated.is_empty() {
            wanted.entry(need.image().to_owned()).or_default().extend(undated);
        }
    }
    wanted
}

async fn ask(image: &str, tags: BTreeSet<&str>, registry: &dyn Registry) -> Result<Facts, String> {
    let repository = &Repository::parse(image).map_err(|e| e.to_string())?;
    let ask = |tag: String| async move {
        let time = registry.created(repository, &tag, None).await;
        time.map(|time| (tag, time.map(|time| time.as_nanosecond()))).map_err(|e| e.to_string())
    };
    let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
    let times: Vec<Result<_, String>> = stream::iter(tags).map(ask).buffered(CONCURRENCY).collect().await;
    let times = times.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Facts::built(times.into_iter().filter_map(|(tag, time)| Some((tag, time?)))))
}

/// What became of every tag of an image; the registry client gives the list that the decision was made from.
///
/// # Errors
/// The registry's answer, in words.
pub async fn explain_tags(image: &str, election: &Election, registry: &dyn Registry) -> Result<TagReport, String> {
    let repository = Repository::parse(image).map_err(|e| e.to_string())?;
    let tags = registry.list_tags(&repository).await.map_err(|e| e.to_string())?;
    let undated: BTreeSet<&str> = undated(tags.tags(), &election.filter, &election.policy).into_iter().collect();
    let facts = match undated.len() {
        0 => Facts::default(),
        count if count > MOST_TAGS => return Err(too_many(count)),
        _ => ask(image, undated, registry).await?,
    };
    Ok(TagReport::new(tags.tags(), &election.filter, &election.policy, &facts))
}

fn too_many(count: usize) -> String {
    format!(
        "{count} tags would have to be looked at one by one, more than {MOST_TAGS}: narrow them with \
         prefix('…', suffix=newest_build())"
    )
}
