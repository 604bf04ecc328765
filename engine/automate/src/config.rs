//! What is automated: one index of native entries and Flux resources.
//!
//! Files are read strictly. Every entry keeps its place, so that each error
//! names file, line and column; the same address twice is an error that names
//! both. Spec 06 14.2 and 14.3.

mod conditions;
mod error;
mod flux;
mod flux_kinds;
mod read;
mod section;
mod update;

use std::collections::BTreeMap;

use windlass_images::project_policy::{Address, ProjectPolicies, ProjectPolicy};
use windlass_model::image_automation::RepositoryEntry;
use windlass_model::location::Location;

pub use conditions::{Conditions, Downgrade, UnknownAge, parse_age};
pub use error::ConfigError;
pub use flux_kinds::{GitReference, GitSource, Receiver, ReceiverResource};
pub use read::{ConfigRequest, load};
pub use update::{FluxUpdate, Paths, PolicySelector, Update, UpdateOrigin};

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The section `imageAutomation`.
    Native,
    /// A Flux resource.
    Flux,
}

/// A repository whose tags are scanned.
#[derive(Debug, Clone)]
pub struct RepositoryConfig {
    /// Its address; that of its policy for an implicit one.
    pub address: Address,
    /// As written.
    pub entry: RepositoryEntry,
    /// Where it is defined.
    pub at: Location,
    /// By whom.
    pub origin: Origin,
}

/// A policy with all that decides.
#[derive(Debug, Clone)]
pub struct PolicyConfig {
    /// Filter, rule and image.
    pub policy: ProjectPolicy,
    /// What is asked beyond the tags.
    pub conditions: Conditions,
    /// Labels for selectors.
    pub labels: BTreeMap<String, String>,
    /// For pull requests.
    pub group: Option<String>,
    /// Where it is defined.
    pub at: Location,
    /// By whom.
    pub origin: Origin,
}

/// Everything that was found.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Namespace of addresses without one.
    pub namespace: String,
    /// Repositories that are named.
    pub repositories: BTreeMap<Address, RepositoryConfig>,
    /// Policies.
    pub policies: BTreeMap<Address, PolicyConfig>,
    /// Updates, native ones first, in the order of their definition.
    pub updates: Vec<Update>,
    /// Git repositories of Flux.
    pub git_sources: BTreeMap<Address, GitSource>,
    /// Receivers of Flux.
    pub receivers: BTreeMap<Address, Receiver>,
    /// What a person should know.
    pub warnings: Vec<String>,
    compiled: ProjectPolicies,
}

impl Index {
    /// The policy that `name` or `namespace:name` means.
    pub fn policy(&self, name: &str) -> Option<&PolicyConfig> {
        self.compiled.find(name).ok().and_then(|found| self.policies.get(&found.address))
    }

    /// `namespace:name`, or a name in the default namespace.
    pub fn address(&self, name: &str) -> Address {
        match name.split_once(':') {
            Some((namespace, name)) => Address { namespace: namespace.to_owned(), name: name.to_owned() },
            None => Address { namespace: self.namespace.clone(), name: name.to_owned() },
        }
    }

    /// Nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.repositories.is_empty() && self.policies.is_empty() && self.updates.is_empty()
    }
}
