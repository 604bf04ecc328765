//! Flux's resources as entries of the index. Spec 06 2, 3, 4, 6 and 14.3.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use windlass_images::project_policy::Address;
use windlass_model::image_automation::{
    NumericalSelect, OrderSelect, PolicyEntry, PolicyFilter, PolicySelect, RepositoryEntry, SemverSelect,
};
use windlass_yaml::{Document, PathElement};

use super::error::ConfigError;
use super::flux_kinds::{AutomationSpec, GitReference, PolicySpec, ReceiverSpec, Reference, RepositorySpec};
use super::section::Collector;
use super::update::{FluxUpdate, PolicySelector, Update, UpdateOrigin};
use super::{GitSource, Origin, Receiver};

/// Text that every file with image resources has.
pub(super) const GROUP: &str = "image.toolkit.fluxcd.io/";

const IMAGE_VERSIONS: [&str; 5] = ["v1alpha1", "v1alpha2", "v1beta1", "v1beta2", "v1"];
const SOURCE_VERSIONS: [&str; 3] = ["v1beta1", "v1beta2", "v1"];
const RECEIVER_VERSIONS: [&str; 4] = ["v1beta1", "v1beta2", "v1beta3", "v1"];

/// Flux leaves out signatures of cosign unless told otherwise.
const EXCLUSIONS: &str = r"^.*\.sig$";

struct Resource<'a> {
    document: &'a Document,
    address: Address,
}

/// Adds a document; those of other kinds are nobody's business here.
pub(super) fn add(document: &Document, collector: &mut Collector) -> Result<(), ConfigError> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str).unwrap_or_default();
    let Some((group, version)) = text("apiVersion").split_once('/') else { return Ok(()) };
    let kind = text("kind");
    let versions: &[&str] = match (group, kind) {
        ("image.toolkit.fluxcd.io", "ImageRepository" | "ImagePolicy" | "ImageUpdateAutomation") => &IMAGE_VERSIONS,
        ("image.toolkit.fluxcd.io", _) => return Err(unknown_kind(document, kind)),
        ("source.toolkit.fluxcd.io", "GitRepository") => &SOURCE_VERSIONS,
        ("notification.toolkit.fluxcd.io", "Receiver") => &RECEIVER_VERSIONS,
        _ => return Ok(()),
    };
    if !versions.contains(&version) {
        let reason = format!("{kind} has no version `{version}`; known are {}", versions.join(", "));
        return Err(entry(document, &["apiVersion".into()], reason));
    }
    let resource = Resource { document, address: address(document, &collector.namespace)? };
    match kind {
        "ImageRepository" => resource.repository(collector),
        "ImagePolicy" => resource.policy(collector),
        "ImageUpdateAutomation" => resource.automation(collector),
        "GitRepository" => resource.git_source(collector),
        _ => resource.receiver(collector),
    }
}

fn entry(document: &Document, path: &[PathElement], reason: impl Into<String>) -> ConfigError {
    ConfigError::Entry { at: document.location(path), reason: reason.into() }
}

fn unknown_kind(document: &Document, kind: &str) -> ConfigError {
    let kinds = ["ImageRepository", "ImagePolicy", "ImageUpdateAutomation"];
    let near = crate::set::similar(kind, kinds.iter().map(|kind| (*kind).to_owned()));
    let hint =
        near.map_or_else(|| format!("; known are {}", kinds.join(", ")), |near| format!(", did you mean `{near}`?"));
    entry(document, &["kind".into()], format!("no kind `{kind}`{hint}"))
}

fn address(document: &Document, default: &str) -> Result<Address, ConfigError> {
    let metadata = |key: &str| document.value.pointer(&format!("/metadata/{key}")).and_then(Value::as_str);
    let name = metadata("name").unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(entry(document, &["metadata".into()], "`metadata.name` is missing"));
    }
    Ok(Address { namespace: metadata("namespace").unwrap_or(default).to_owned(), name })
}

impl Resource<'_> {
    fn spec<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let empty = Value::Object(Map::new());
        let spec = self.document.value.get("spec").unwrap_or(&empty);
        Ok(windlass_yaml::from_value(self.document, spec, &["spec".into()])?)
    }

    fn fail(&self, path: &[&str], reason: impl Into<String>) -> ConfigError {
        let path: Vec<PathElement> = path.iter().map(|key| PathElement::from(*key)).collect();
        entry(self.document, &path, reason)
    }

    fn labels(&self) -> Map<String, Value> {
        let labels = self.document.value.pointer("/metadata/labels").and_then(Value::as_object);
        labels.cloned().unwrap_or_default()
    }

    fn repository(self, collector: &mut Collector) -> Result<(), ConfigError> {
        let spec: RepositorySpec = self.spec()?;
        if spec.image.is_empty() {
            return Err(self.fail(&["spec"], "`spec.image` is missing"));
        }
        let exclude = spec.exclusion_list.clone().filter(|list| !list.is_empty());
        let entry = RepositoryEntry {
            name: self.address.name.clone(),
            namespace: Some(self.address.namespace.clone()),
            image: spec.image,
            interval: spec.interval,
            timeout: spec.timeout,
            exclude: Some(exclude.unwrap_or_else(|| vec![EXCLUSIONS.to_owned()])),
            labels: self.labels(),
            suspend: spec.suspend,
            access_from: spec.access_from,
        };
        let secrets = [
            ("secretRef", spec.secret_ref),
            ("certSecretRef", spec.cert_secret_ref),
            ("proxySecretRef", spec.proxy_secret_ref),
        ];
        for (field, secret) in secrets {
            if let Some(Reference { name, .. }) = secret {
                collector.warnings.push(format!(
                    "{}: `{field}` {name}: Secrets are not read; the local docker configuration is used",
                    self.document.location(&["spec".into(), field.into()])
                ));
            }
        }
        collector.repository(entry, self.document, vec!["spec".into()], Origin::Flux)
    }

    fn policy(self, collector: &mut Collector) -> Result<(), ConfigError> {
        let spec: PolicySpec = self.spec()?;
        let Reference { name, namespace, .. } = &spec.image_repository_ref;
        if name.is_empty() {
            return Err(self.fail(&["spec"], "`spec.imageRepositoryRef.name` is missing"));
        }
        let namespace = namespace.as_ref().unwrap_or(&self.address.namespace);
        // The precedence that Flux has when several are set.
        let choice = spec.policy;
        let mut select = PolicySelect::default();
        if let Some(semver) = choice.semver {
            select.semver = Some(SemverSelect { range: Some(semver.range), loose: Some(false), prerelease: false });
        } else if let Some(order) = choice.alphabetical {
            select.alphabetical = Some(OrderSelect { order: order.order });
        } else if let Some(order) = choice.numerical {
            select.numerical = Some(NumericalSelect { order: order.order, on_invalid: Some("fail".into()) });
        } else {
            return Err(self.fail(&["spec", "policy"], "one of semver, alphabetical and numerical must be set"));
        }
        if spec.digest_reflection_policy.as_deref() == Some("Always") && spec.interval.is_none() {
            return Err(self.fail(&["spec"], "`digestReflectionPolicy: Always` needs an `interval`"));
        }
        let filter = spec.filter_tags.map_or_else(PolicyFilter::default, |filter| PolicyFilter {
            pattern: Some(filter.pattern),
            extract: Some(filter.extract),
            ignore: Vec::new(),
        });
        let entry = PolicyEntry {
            name: self.address.name.clone(),
            namespace: Some(self.address.namespace.clone()),
            labels: self.labels(),
            repository: Some(format!("{namespace}:{name}")),
            filter,
            select: Some(select),
            digest: spec.digest_reflection_policy,
            suspend: spec.suspend,
            ..PolicyEntry::default()
        };
        collector.policy(entry, self.document, vec!["spec".into()], Origin::Flux)
    }

    fn automation(self, collector: &mut Collector) -> Result<(), ConfigError> {
        let spec: AutomationSpec = self.spec()?;
        let strategy = spec.update.unwrap_or_default();
        if let Some(other) = strategy.strategy.as_deref().filter(|name| *name != "Setters") {
            let reason = format!("no strategy `{other}`; Flux has `Setters`");
            return Err(self.fail(&["spec", "update", "strategy"], reason));
        }
        let selector = spec.policy_selector.unwrap_or_default();
        if !selector.match_expressions.is_empty() {
            return Err(
                self.fail(&["spec", "policySelector"], "`matchExpressions` is not available yet; use matchLabels")
            );
        }
        let mut git = spec.git.unwrap_or_default();
        for (key, value) in [("checkout", spec.checkout), ("commit", spec.commit), ("push", spec.push)] {
            git.extend(value.map(|value| (key.to_owned(), Value::Object(value))));
        }
        let source = spec.source_ref.map(|source| Address {
            namespace: source.namespace.unwrap_or_else(|| self.address.namespace.clone()),
            name: source.name,
        });
        let update = Update {
            policies: PolicySelector { match_labels: selector.match_labels, ..PolicySelector::default() },
            only_namespace: Some(self.address.namespace.clone()),
            address: self.address,
            paths: super::Paths::default(),
            match_image: false,
            suspend: spec.suspend,
            at: self.document.location(&["metadata".into(), "name".into()]),
            origin: UpdateOrigin::Flux(Box::new(FluxUpdate { path: strategy.path, source, git })),
        };
        collector.update(update)
    }

    fn git_source(self, collector: &mut Collector) -> Result<(), ConfigError> {
        let spec: Map<String, Value> = self.spec()?;
        let reference = match spec.get("ref") {
            Some(value) => windlass_yaml::from_value(self.document, value, &["spec".into(), "ref".into()])?,
            None => GitReference::default(),
        };
        let url = spec.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        if url.is_empty() {
            return Err(self.fail(&["spec"], "`spec.url` is missing"));
        }
        let at = self.document.location(&["metadata".into(), "name".into()]);
        collector.git_source(self.address, GitSource { url, reference, spec, at })
    }

    fn receiver(self, collector: &mut Collector) -> Result<(), ConfigError> {
        let spec: ReceiverSpec = self.spec()?;
        if spec.kind.is_empty() {
            return Err(self.fail(&["spec"], "`spec.type` is missing"));
        }
        let ReceiverSpec { kind, events, secret_ref, resources, suspend, .. } = spec;
        let at = self.document.location(&["metadata".into(), "name".into()]);
        let secret = secret_ref.map(|secret| secret.name);
        collector.receiver(self.address, Receiver { kind, events, secret, resources, suspend, at })
    }
}
