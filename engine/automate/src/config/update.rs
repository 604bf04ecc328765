//! Entries of `updates`: which policies go into which files.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_images::project_policy::Address;
use windlass_model::location::Location;

/// `policies` of an update; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicySelector {
    /// Labels that a policy must have.
    pub match_labels: BTreeMap<String, String>,
    /// Names or addresses.
    pub names: Vec<String>,
    /// Namespaces.
    pub namespaces: Vec<String>,
}

/// `paths` of an update.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Paths {
    /// Globs of files.
    pub include: Vec<String>,
    /// Globs of files to leave out.
    pub exclude: Vec<String>,
}

/// One entry as written. What belongs to git and forges is kept for those stages.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct UpdateEntry {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) policies: PolicySelector,
    pub(super) paths: Paths,
    pub(super) targets: Vec<TargetEntry>,
    pub(super) match_image: bool,
    pub(super) suspend: bool,
    pub(super) git: Map<String, Value>,
    pub(super) base: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) allow_direct_push: bool,
    pub(super) strategy: Option<String>,
    pub(super) grouping: Option<String>,
    pub(super) commit: Map<String, Value>,
    pub(super) push: Value,
    pub(super) pull_request: Option<Map<String, Value>>,
    pub(super) schedule: Option<Map<String, Value>>,
    pub(super) limits: Option<Map<String, Value>>,
    pub(super) write: Option<String>,
}

/// One entry of `targets`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct TargetEntry {
    pub(super) file: String,
    pub(super) policy: String,
    pub(super) field: Option<String>,
    pub(super) path: Option<String>,
    pub(super) regex: Option<String>,
}

/// What an update is made from.
#[derive(Debug, Clone)]
pub enum UpdateOrigin {
    /// An entry of `updates`.
    Native,
    /// An ImageUpdateAutomation.
    Flux(Box<FluxUpdate>),
}

/// The parts of an ImageUpdateAutomation that later stages need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FluxUpdate {
    /// `update.path`; empty means the root.
    pub path: String,
    /// The GitRepository.
    pub source: Option<Address>,
    /// `git`, in the newest form.
    pub git: Map<String, Value>,
}

/// One update.
#[derive(Debug, Clone)]
pub struct Update {
    /// Name for messages.
    pub address: Address,
    /// Its policies.
    pub policies: PolicySelector,
    /// Only policies of this namespace, as Flux does.
    pub only_namespace: Option<String>,
    /// Its files.
    pub paths: Paths,
    /// Refuse values of other images.
    pub match_image: bool,
    /// Not run.
    pub suspend: bool,
    /// Where it is defined.
    pub at: Location,
    /// By whom.
    pub origin: UpdateOrigin,
}

impl Update {
    /// Whether a policy belongs to the update.
    pub fn takes(&self, address: &Address, labels: &BTreeMap<String, String>) -> bool {
        let PolicySelector { match_labels, names, namespaces } = &self.policies;
        let named = |name: &String| *name == address.name || *name == format!("{}:{}", address.namespace, address.name);
        self.only_namespace.as_ref().is_none_or(|own| *own == address.namespace)
            && (names.is_empty() || names.iter().any(named))
            && (namespaces.is_empty() || namespaces.contains(&address.namespace))
            && match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}
