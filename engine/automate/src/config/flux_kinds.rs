//! Shapes of Flux's resources, all versions in one: a field that a version lacks is simply absent.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_model::location::Location;

/// A name with an optional namespace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) api_version: Option<String>,
}

/// `spec` of an ImageRepository.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RepositorySpec {
    pub(super) image: String,
    pub(super) interval: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) secret_ref: Option<Reference>,
    pub(super) proxy_secret_ref: Option<Reference>,
    pub(super) service_account_name: Option<String>,
    pub(super) cert_secret_ref: Option<Reference>,
    pub(super) suspend: bool,
    pub(super) access_from: Option<Value>,
    pub(super) exclusion_list: Option<Vec<String>>,
    pub(super) provider: Option<String>,
    pub(super) insecure: bool,
}

/// `spec` of an ImagePolicy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PolicySpec {
    pub(super) image_repository_ref: Reference,
    pub(super) policy: PolicyChoice,
    pub(super) filter_tags: Option<FilterTags>,
    pub(super) digest_reflection_policy: Option<String>,
    pub(super) interval: Option<String>,
    pub(super) suspend: bool,
}

/// `spec.policy`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PolicyChoice {
    pub(super) semver: Option<Range>,
    pub(super) alphabetical: Option<Order>,
    pub(super) numerical: Option<Order>,
}

/// `semver`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Range {
    pub(super) range: String,
}

/// `alphabetical`, `numerical`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Order {
    pub(super) order: String,
}

/// `filterTags`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FilterTags {
    pub(super) pattern: String,
    pub(super) extract: String,
}

/// `spec` of an ImageUpdateAutomation, the flat form of v1alpha1 included.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct AutomationSpec {
    pub(super) source_ref: Option<Reference>,
    pub(super) git: Option<Map<String, Value>>,
    pub(super) checkout: Option<Map<String, Value>>,
    pub(super) commit: Option<Map<String, Value>>,
    pub(super) push: Option<Map<String, Value>>,
    pub(super) interval: Option<String>,
    pub(super) policy_selector: Option<LabelSelector>,
    pub(super) update: Option<Strategy>,
    pub(super) suspend: bool,
}

/// `policySelector`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct LabelSelector {
    pub(super) match_labels: BTreeMap<String, String>,
    pub(super) match_expressions: Vec<Value>,
}

/// `update`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Strategy {
    pub(super) strategy: Option<String>,
    pub(super) path: String,
}

/// A branch, tag or commit of a repository.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GitReference {
    /// `branch`.
    pub branch: Option<String>,
    /// `tag`.
    pub tag: Option<String>,
    /// `semver`.
    pub semver: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `commit`.
    pub commit: Option<String>,
}

/// A GitRepository.
#[derive(Debug, Clone)]
pub struct GitSource {
    /// `url`.
    pub url: String,
    /// `ref`.
    pub reference: GitReference,
    /// All of `spec`.
    pub spec: Map<String, Value>,
    /// Where it is defined.
    pub at: Location,
}

/// A Receiver.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// `type`.
    pub kind: String,
    /// `events`.
    pub events: Vec<String>,
    /// `secretRef.name`.
    pub secret: Option<String>,
    /// `resources`.
    pub resources: Vec<ReceiverResource>,
    /// Answers nobody.
    pub suspend: bool,
    /// Where it is defined.
    pub at: Location,
}

/// `spec` of a Receiver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ReceiverSpec {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) events: Vec<String>,
    pub(super) secret_ref: Option<Reference>,
    pub(super) resources: Vec<ReceiverResource>,
    pub(super) suspend: bool,
    pub(super) interval: Option<String>,
    pub(super) resource_filter: Option<String>,
}

/// One entry of `resources`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReceiverResource {
    /// `apiVersion`.
    pub api_version: Option<String>,
    /// `kind`.
    pub kind: String,
    /// `name`, or `*`.
    pub name: String,
    /// `namespace`.
    pub namespace: Option<String>,
    /// `matchLabels`.
    pub match_labels: BTreeMap<String, String>,
}
