//! Stage 2: elects one tag per policy.
//!
//! The order of tags decides first; what costs a request (age, platforms) is
//! asked of the best candidate only, then of the next one. Spec 06 14.5.

mod platforms;

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use windlass_images::policy::{Facts, Policy, SelectError, select_with, undated};
use windlass_images::project_policy::{Address, DigestReflection};
use windlass_registry::{Artifacts, Registry, Repository, Timestamp};

use crate::config::{PolicyConfig, UnknownAge};
use crate::scan::TagInventory;
use crate::set::Elected;

/// Questions on their way at the same time.
const CONCURRENCY: usize = 16;

/// Above this a pattern must narrow the tags: each costs two requests.
const MOST_TAGS: usize = 2000;

/// What became of a policy.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The policy.
    pub address: Address,
    /// Its image.
    pub image: String,
    /// Its choice.
    pub outcome: Outcome,
    /// Candidates that were passed over, with the reason.
    pub passed_over: Vec<(String, String)>,
}

/// The choice of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A tag.
    Elected(Elected),
    /// The policy is suspended.
    Suspended,
    /// No tag fits.
    NoCandidate(String),
    /// A candidate waits: too young, or of unknown age.
    Held(String),
    /// It could not be found out.
    Failed(String),
}

/// Elects for all policies, in their order; one that fails does not stop the others.
pub async fn select<R: Registry + Artifacts>(
    policies: Vec<&PolicyConfig>,
    inventory: &TagInventory,
    registry: &R,
    now: Timestamp,
) -> Vec<Selection> {
    let elect = |config| elect(config, inventory, registry, now);
    stream::iter(policies).map(elect).buffered(CONCURRENCY).collect().await
}

async fn elect<R: Registry + Artifacts>(
    config: &PolicyConfig,
    inventory: &TagInventory,
    registry: &R,
    now: Timestamp,
) -> Selection {
    let mut passed_over = Vec::new();
    let outcome = if config.policy.suspend {
        Outcome::Suspended
    } else {
        chosen(config, inventory, registry, now, &mut passed_over).await.unwrap_or_else(Outcome::Failed)
    };
    let (address, image) = (config.policy.address.clone(), config.policy.image.clone());
    Selection { address, image, outcome, passed_over }
}

async fn chosen<R: Registry + Artifacts>(
    config: &PolicyConfig,
    inventory: &TagInventory,
    registry: &R,
    now: Timestamp,
    passed_over: &mut Vec<(String, String)>,
) -> Result<Outcome, String> {
    let policy = &config.policy;
    if config.conditions.verify {
        return Err("`verify` is not available yet: signatures cannot be checked".into());
    }
    let repository = Repository::parse(&policy.image).map_err(|error| error.to_string())?;
    let mut tags: Vec<&str> = inventory.tags(&policy.image)?.iter().map(String::as_str).collect();
    let facts = facts(&tags, config, &repository, registry).await?;
    let mut held = None;
    loop {
        let tag = match select_with(&tags, &policy.filter, &policy.policy, &facts) {
            Ok(selection) => selection.tag,
            Err(error) => {
                return match (held, error) {
                    (Some(reason), _) => Ok(Outcome::Held(reason)),
                    (None, error @ SelectError::NotANumber(_)) => Err(error.to_string()),
                    (None, error) => Ok(Outcome::NoCandidate(no_candidate(&error, passed_over))),
                };
            }
        };
        match objection(config, &repository, &tag, registry, now).await? {
            None => return elected(config, &repository, tag, registry).await.map(Outcome::Elected),
            Some(Objection { reason, waits }) => {
                if waits && held.is_none() {
                    held = Some(format!("{tag}: {reason}"));
                }
                passed_over.push((tag.clone(), reason));
            }
        }
        tags.retain(|other| *other != tag);
    }
}

fn no_candidate(error: &SelectError, passed_over: &[(String, String)]) -> String {
    match passed_over {
        [] => error.to_string(),
        [(tag, reason), ..] => format!("no candidate is left; the best one, {tag}: {reason}"),
    }
}

/// Why a candidate is not taken.
struct Objection {
    reason: String,
    /// Time alone may remove it.
    waits: bool,
}

async fn objection<R: Registry + Artifacts>(
    config: &PolicyConfig,
    repository: &Repository,
    tag: &str,
    registry: &R,
    now: Timestamp,
) -> Result<Option<Objection>, String> {
    let conditions = &config.conditions;
    if !conditions.platforms.is_empty() {
        let offered = platforms::of(repository, tag, registry).await?;
        let missing: Vec<String> = conditions
            .platforms
            .iter()
            .filter(|wanted| !offered.iter().any(|own| wanted.covers(own)))
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() {
            let reason = format!("not built for {}", missing.join(", "));
            return Ok(Some(Objection { reason, waits: false }));
        }
    }
    let Some(minimum) = conditions.minimum_age else { return Ok(None) };
    let platform = conditions.platforms.first();
    let created = registry.created(repository, tag, platform).await.map_err(|error| error.to_string())?;
    let Some(created) = created.filter(|created| *created <= now) else {
        let allowed = conditions.unknown_age == UnknownAge::Allow;
        let reason = "its age is not known".to_owned();
        return Ok((!allowed).then_some(Objection { reason, waits: true }));
    };
    let age = now.as_second() - created.as_second();
    let wanted = i64::try_from(minimum.as_secs()).unwrap_or(i64::MAX);
    let reason = || format!("created at {created}, younger than the minimum age");
    Ok((age < wanted).then(|| Objection { reason: reason(), waits: true }))
}

async fn elected<R: Registry + Artifacts>(
    config: &PolicyConfig,
    repository: &Repository,
    tag: String,
    registry: &R,
) -> Result<Elected, String> {
    let policy = &config.policy;
    let digest = if policy.digest == DigestReflection::Never {
        None
    } else {
        Some(registry.manifest(repository, &tag).await.map_err(|error| error.to_string())?.digest)
    };
    let version = version(config, &tag);
    Ok(Elected { image: policy.image.clone(), tag, digest, version })
}

/// The part of the tag that was compared; of a version without what stands around it.
fn version(config: &PolicyConfig, tag: &str) -> Option<String> {
    let compared = config.policy.filter.compared(tag)?;
    match &config.policy.policy {
        Policy::Semver(selection) => {
            let version = selection.version(&compared)?;
            let pre = if version.pre.is_empty() { String::new() } else { format!("-{}", version.pre) };
            Some(format!("{}.{}.{}{pre}", version.major, version.minor, version.patch))
        }
        _ => Some(compared.into_owned()),
    }
}

/// Build times, for a policy that chooses by them.
async fn facts(
    tags: &[&str],
    config: &PolicyConfig,
    repository: &Repository,
    registry: &dyn Registry,
) -> Result<Facts, String> {
    let wanted: BTreeSet<&str> = undated(tags, &config.policy.filter, &config.policy.policy).into_iter().collect();
    if wanted.len() > MOST_TAGS {
        let count = wanted.len();
        return Err(format!(
            "{count} tags would have to be looked at one by one, more than {MOST_TAGS}: narrow them with `filter`"
        ));
    }
    let platform = config.conditions.platforms.first();
    let ask = |tag: String| async move {
        let time = registry.created(repository, &tag, platform).await;
        time.map(|time| (tag, time.map(|time| time.as_nanosecond()))).map_err(|error| error.to_string())
    };
    let tags: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    let times: Vec<Result<_, String>> = stream::iter(tags).map(ask).buffered(CONCURRENCY).collect().await;
    let times = times.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Facts::built(times.into_iter().filter_map(|(tag, time)| Some((tag, time?)))))
}
