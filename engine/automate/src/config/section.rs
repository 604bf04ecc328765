//! Puts entries of all files into one index.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use windlass_images::project_policy::{Address, ConfigStep, ProjectPolicies};
use windlass_model::image_automation::{ImageAutomation, PolicyEntry, RepositoryEntry};
use windlass_model::location::Location;
use windlass_yaml::{Document, PathElement};

use super::conditions::Conditions;
use super::error::ConfigError;
use super::update::{Update, UpdateEntry, UpdateOrigin};
use super::{GitSource, Index, Origin, PolicyConfig, Receiver, RepositoryConfig};

/// An entry and the way to its text.
struct Placed<T> {
    entry: T,
    document: Document,
    path: Vec<PathElement>,
    origin: Origin,
}

impl<T> Placed<T> {
    fn at(&self, inner: &[PathElement]) -> Location {
        let path: Vec<_> = self.path.iter().chain(inner).cloned().collect();
        self.document.location(&path)
    }

    /// The place of the name, which is what two equal addresses share.
    fn name(&self) -> Location {
        match self.origin {
            Origin::Native => self.at(&["name".into()]),
            Origin::Flux => self.document.location(&["metadata".into(), "name".into()]),
        }
    }
}

/// Entries on their way into the index.
#[derive(Default)]
pub(super) struct Collector {
    pub(super) namespace: String,
    pub(super) warnings: Vec<String>,
    repositories: Vec<Placed<RepositoryEntry>>,
    policies: Vec<Placed<PolicyEntry>>,
    names: BTreeMap<(&'static str, Address), Location>,
    updates: Vec<Update>,
    git_sources: BTreeMap<Address, GitSource>,
    receivers: BTreeMap<Address, Receiver>,
}

impl Collector {
    /// Adds a section that stands at `base` of a document.
    pub(super) fn section(
        &mut self,
        section: &ImageAutomation,
        document: &Document,
        base: &[PathElement],
    ) -> Result<(), ConfigError> {
        let namespace = if section.namespace.is_empty() { &self.namespace } else { &section.namespace }.clone();
        let path = |key: &str, index: usize| -> Vec<PathElement> {
            base.iter().cloned().chain([key.into(), index.into()]).collect()
        };
        for (index, entry) in section.repositories.iter().enumerate() {
            let mut entry = entry.clone();
            entry.namespace.get_or_insert_with(|| namespace.clone());
            self.repository(entry, document, path("repositories", index), Origin::Native)?;
        }
        for (index, entry) in section.policies.iter().enumerate() {
            let mut entry = entry.clone();
            entry.namespace.get_or_insert_with(|| namespace.clone());
            self.policy(entry, document, path("policies", index), Origin::Native)?;
        }
        for (index, value) in section.updates.iter().enumerate() {
            let path = path("updates", index);
            let entry: UpdateEntry = windlass_yaml::from_value(document, value, &path)?;
            self.native_update(entry, document, &path, &namespace)?;
        }
        Ok(())
    }

    pub(super) fn repository(
        &mut self,
        entry: RepositoryEntry,
        document: &Document,
        path: Vec<PathElement>,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        let address = Address { namespace: entry.namespace.clone().unwrap_or_default(), name: entry.name.clone() };
        let placed = Placed { entry, document: document.clone(), path, origin };
        self.unique("repository", &address, placed.name())?;
        self.repositories.push(placed);
        Ok(())
    }

    pub(super) fn policy(
        &mut self,
        entry: PolicyEntry,
        document: &Document,
        path: Vec<PathElement>,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        let address = Address { namespace: entry.namespace.clone().unwrap_or_default(), name: entry.name.clone() };
        let placed = Placed { entry, document: document.clone(), path, origin };
        self.unique("policy", &address, placed.name())?;
        self.policies.push(placed);
        Ok(())
    }

    pub(super) fn update(&mut self, update: Update) -> Result<(), ConfigError> {
        self.unique("update", &update.address, update.at.clone())?;
        self.updates.push(update);
        Ok(())
    }

    pub(super) fn git_source(&mut self, address: Address, source: GitSource) -> Result<(), ConfigError> {
        self.unique("GitRepository", &address, source.at.clone())?;
        self.git_sources.insert(address, source);
        Ok(())
    }

    pub(super) fn receiver(&mut self, address: Address, receiver: Receiver) -> Result<(), ConfigError> {
        self.unique("Receiver", &address, receiver.at.clone())?;
        self.receivers.insert(address, receiver);
        Ok(())
    }

    fn native_update(
        &mut self,
        entry: UpdateEntry,
        document: &Document,
        path: &[PathElement],
        namespace: &str,
    ) -> Result<(), ConfigError> {
        let at = |key: &'static str| {
            let path: Vec<_> = path.iter().cloned().chain([key.into()]).collect();
            document.location(&path)
        };
        if entry.name.is_empty() {
            return Err(ConfigError::Entry { at: document.location(path), reason: "`name` is missing".into() });
        }
        if let Some(target) = entry.targets.first() {
            let reason = format!("targets without a marker (`{}`) are not available yet", target.file);
            return Err(ConfigError::Entry { at: at("targets"), reason });
        }
        let address = Address { namespace: entry.namespace.unwrap_or_else(|| namespace.to_owned()), name: entry.name };
        self.update(Update {
            address,
            policies: entry.policies,
            only_namespace: None,
            paths: entry.paths,
            match_image: entry.match_image,
            suspend: entry.suspend,
            at: at("name"),
            origin: UpdateOrigin::Native,
        })
    }

    /// The first one keeps the address.
    fn unique(&mut self, what: &'static str, address: &Address, at: Location) -> Result<(), ConfigError> {
        match self.names.get(&(what, address.clone())) {
            // A missing name is reported by what compiles the entries.
            Some(first) if !address.name.is_empty() => {
                Err(ConfigError::Twice { at, first: first.clone(), what, address: address.to_string() })
            }
            _ => {
                self.names.insert((what, address.clone()), at);
                Ok(())
            }
        }
    }

    /// Compiles all entries.
    pub(super) fn finish(self) -> Result<Index, ConfigError> {
        let merged = ImageAutomation {
            namespace: self.namespace.clone(),
            repositories: self.repositories.iter().map(|placed| placed.entry.clone()).collect(),
            policies: self.policies.iter().map(|placed| placed.entry.clone()).collect(),
            ..ImageAutomation::default()
        };
        let compiled = ProjectPolicies::compile(&merged).map_err(|error| self.placed(&error.path, &error.reason))?;
        let mut policies = BTreeMap::new();
        for (index, placed) in self.policies.iter().enumerate() {
            let found = compiled.iter().find(|policy| {
                policy.address.name == placed.entry.name
                    && Some(&policy.address.namespace) == placed.entry.namespace.as_ref()
            });
            let Some(policy) = found else { continue };
            let conditions = Conditions::read(&placed.entry)
                .map_err(|(key, item, reason)| self.condition(index, key, item, reason))?;
            let labels = labels(&placed.entry.labels);
            let (group, at, origin) = (placed.entry.group.clone(), placed.name(), placed.origin);
            let config = PolicyConfig { policy: policy.clone(), conditions, labels, group, at, origin };
            policies.insert(policy.address.clone(), config);
        }
        let repository = |placed: &Placed<RepositoryEntry>| {
            let entry = placed.entry.clone();
            let address = Address { namespace: entry.namespace.clone().unwrap_or_default(), name: entry.name.clone() };
            (address.clone(), RepositoryConfig { address, entry, at: placed.name(), origin: placed.origin })
        };
        Ok(Index {
            repositories: self.repositories.iter().map(repository).collect(),
            policies,
            updates: self.updates,
            git_sources: self.git_sources,
            receivers: self.receivers,
            warnings: self.warnings,
            namespace: self.namespace,
            compiled,
        })
    }

    /// The problem of a merged entry at its own place.
    fn placed(&self, path: &[ConfigStep], reason: &dyn std::fmt::Display) -> ConfigError {
        let inner = |steps: &[ConfigStep]| -> Vec<PathElement> {
            let step = |step: &ConfigStep| match step {
                ConfigStep::Key(key) => PathElement::from(*key),
                ConfigStep::Index(index) => PathElement::from(*index),
            };
            steps.iter().map(step).collect()
        };
        let at = match path {
            [ConfigStep::Key("policies"), ConfigStep::Index(index), rest @ ..] => {
                self.policies.get(*index).map(|placed| placed.at(&inner(rest)))
            }
            [ConfigStep::Key(_), ConfigStep::Index(index), rest @ ..] => {
                self.repositories.get(*index).map(|placed| placed.at(&inner(rest)))
            }
            _ => None,
        };
        let nowhere = || Location::new(windlass_model::location::Source::new("imageAutomation", ""), 0..0);
        ConfigError::Entry { at: at.unwrap_or_else(nowhere), reason: reason.to_string() }
    }

    fn condition(&self, policy: usize, key: &'static str, item: Option<usize>, reason: String) -> ConfigError {
        let mut steps = vec![ConfigStep::Key("policies"), ConfigStep::Index(policy), ConfigStep::Key(key)];
        steps.extend(item.map(ConfigStep::Index));
        self.placed(&steps, &reason)
    }
}

fn labels(labels: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    labels.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}
