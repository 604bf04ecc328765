//! The flow `image update`: scan → select → set, up to the plan.

use std::collections::BTreeSet;
use std::path::Path;

use windlass_images::project_policy::Address;
use windlass_registry::{Artifacts, Registry, Timestamp};

use crate::change_kind::ChangeKind;
use crate::config::{Downgrade, Index, PolicyConfig, Update, UpdateOrigin};
use crate::scan::{self, TagInventory};
use crate::select::{self, Outcome, Selection};
use crate::set::{self, EditSet, Elections, PlanOptions, Scope, WalkError, WorkFile};

/// What an update is asked to do.
#[derive(Debug, Clone, Default)]
pub struct UpdateRequest {
    /// Names of updates; empty means all, or the default one when there is none.
    pub names: Vec<String>,
    /// Only these policies.
    pub policies: Vec<String>,
    /// Instead of the update's files.
    pub scope: Option<Scope>,
    /// Only these kinds of changes.
    pub only: Vec<ChangeKind>,
    /// Also what is suspended.
    pub ignore_suspend: bool,
}

/// What was found and would be written.
#[derive(Debug, Clone, Default)]
pub struct UpdatePlan {
    /// The tags.
    pub inventory: TagInventory,
    /// The elections, by address.
    pub selections: Vec<Selection>,
    /// The edits.
    pub edits: EditSet,
    /// Updates that are suspended.
    pub suspended: Vec<Address>,
}

/// Why nothing can be planned.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// No such update or policy.
    #[error("no {what} `{name}`{}", hint(similar.as_deref(), known))]
    Unknown {
        /// `update` or `policy`.
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest name.
        similar: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// Files of an update.
    #[error(transparent)]
    Walk(#[from] WalkError),
}

fn hint(similar: Option<&str>, known: &[String]) -> String {
    match (similar, known) {
        (Some(similar), _) => format!(", did you mean `{similar}`?"),
        (None, []) => "; none is configured".to_owned(),
        (None, known) => format!("; there is {}", known.join(", ")),
    }
}

/// The policies with these names; all of them without a name.
///
/// # Errors
/// A name that no policy has.
pub fn policies<'i>(index: &'i Index, names: &[String]) -> Result<Vec<&'i PolicyConfig>, UpdateError> {
    if names.is_empty() {
        return Ok(index.policies.values().collect());
    }
    let find = |name: &String| {
        index.policies.get(&index.address(name)).ok_or_else(|| {
            let known: Vec<String> = index.policies.keys().map(ToString::to_string).collect();
            let similar = set::similar(&index.address(name).to_string(), known.iter().cloned());
            UpdateError::Unknown { what: "policy", name: name.clone(), similar, known }
        })
    };
    names.iter().map(find).collect()
}

/// Scans and elects.
pub async fn elect<R: Registry + Artifacts>(
    policies: Vec<&PolicyConfig>,
    registry: &R,
    now: Timestamp,
) -> (TagInventory, Vec<Selection>) {
    let active = policies.iter().filter(|config| !config.policy.suspend);
    let images: BTreeSet<String> = active.map(|config| config.policy.image.clone()).collect();
    let inventory = scan::scan(images, registry).await;
    let selections = select::select(policies, &inventory, registry, now).await;
    (inventory, selections)
}

/// The whole plan; writes nothing.
///
/// # Errors
/// Unknown names, files that cannot be found. What a registry answers is part of the plan.
pub async fn plan<R: Registry + Artifacts>(
    index: &Index,
    root: &Path,
    request: &UpdateRequest,
    registry: &R,
    now: Timestamp,
) -> Result<UpdatePlan, UpdateError> {
    let updates = updates(index, &request.names)?;
    let wanted = policies(index, &request.policies)?;
    // Files first: nothing is asked when they are not there.
    let works = works(root, &updates, request)?;
    let (inventory, selections) = elect(wanted, registry, now).await;
    let mut plan = UpdatePlan { inventory, selections, ..UpdatePlan::default() };
    for (update, files) in works {
        if let Some(update) = update.filter(|update| update.suspend && !request.ignore_suspend) {
            plan.suspended.push(update.address.clone());
            continue;
        }
        let elections = elections(index, update, &plan.selections);
        let options = options(index, update, request, &plan.edits);
        let edits = set::plan(&files, &elections, &options);
        plan.edits.extend(edits);
    }
    Ok(plan)
}

fn updates<'i>(index: &'i Index, names: &[String]) -> Result<Vec<&'i Update>, UpdateError> {
    if names.is_empty() {
        return Ok(index.updates.iter().collect());
    }
    let find = |name: &String| {
        let address = index.address(name);
        index.updates.iter().find(|update| update.address == address).ok_or_else(|| {
            let known: Vec<String> = index.updates.iter().map(|update| update.address.to_string()).collect();
            let similar = set::similar(&address.to_string(), known.iter().cloned());
            UpdateError::Unknown { what: "update", name: name.clone(), similar, known }
        })
    };
    names.iter().map(find).collect()
}

type Work<'i> = (Option<&'i Update>, Vec<WorkFile>);

/// Each update with its files; without an update the default one: all policies, all paths.
fn works<'i>(root: &Path, updates: &[&'i Update], request: &UpdateRequest) -> Result<Vec<Work<'i>>, UpdateError> {
    let scope = |update: &Update| match (&request.scope, &update.origin) {
        (Some(scope), _) => scope.clone(),
        (None, UpdateOrigin::Flux(flux)) => Scope::Below(flux.path.clone().into()),
        (None, UpdateOrigin::Native) => {
            Scope::Globs { include: update.paths.include.clone(), exclude: update.paths.exclude.clone() }
        }
    };
    if updates.is_empty() {
        let files = set::files(root, &request.scope.clone().unwrap_or_default())?;
        return Ok(vec![(None, files)]);
    }
    let mut works = Vec::new();
    for update in updates {
        let below = match &update.origin {
            UpdateOrigin::Flux(flux) if request.scope.is_none() => flux.path.trim_start_matches("./").trim_matches('/'),
            _ => "",
        };
        let mut files = set::files(root, &scope(update))?;
        let single = files.len() == 1 && below.ends_with(&files[0].name);
        if !below.is_empty() {
            // Names are always those below the work tree.
            let base = if single { below.strip_suffix(files[0].name.as_str()).unwrap_or(below) } else { below };
            let base = base.trim_end_matches('/');
            for file in &mut files {
                file.name = if base.is_empty() { file.name.clone() } else { format!("{base}/{}", file.name) };
            }
        }
        works.push((Some(*update), files));
    }
    Ok(works)
}

/// What markers may use: policies of other updates are known, and chose nothing here.
pub fn elections(index: &Index, update: Option<&Update>, selections: &[Selection]) -> Elections {
    let mut elections = Elections::new(index.namespace.clone());
    for address in index.policies.keys() {
        elections.none(address.clone(), "the policy was not elected in this run");
    }
    for Selection { address, outcome, .. } in selections {
        let labels = index.policies.get(address).map(|config| &config.labels);
        if !labels.is_none_or(|labels| update.is_none_or(|update| update.takes(address, labels))) {
            continue;
        }
        match outcome {
            Outcome::Elected(elected) => elections.elect(address.clone(), elected.clone()),
            Outcome::Suspended => elections.none(address.clone(), "the policy is suspended"),
            Outcome::NoCandidate(reason) | Outcome::Held(reason) | Outcome::Failed(reason) => {
                elections.none(address.clone(), reason.clone());
            }
        }
    }
    elections
}

fn options(index: &Index, update: Option<&Update>, request: &UpdateRequest, before: &EditSet) -> PlanOptions {
    let with = |downgrade: Downgrade| -> BTreeSet<Address> {
        let same = |(_, config): &(&Address, &PolicyConfig)| config.conditions.downgrade == downgrade;
        index.policies.iter().filter(same).map(|(address, _)| address.clone()).collect()
    };
    PlanOptions {
        allow_empty_digest: false,
        match_image: update.is_some_and(|update| update.match_image),
        only: request.only.clone(),
        no_downgrade: with(Downgrade::Deny),
        warn_downgrade: with(Downgrade::Warn),
        overlay: before.overlay(),
    }
}
