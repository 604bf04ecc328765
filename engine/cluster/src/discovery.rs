//! What a server serves: kinds, their resource names and scopes (spec 03 section 1.3).
//!
//! Plain data; `kube::discovery` fetches it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use windlass_model::object_ref::{GroupKind, Gvk};

/// Whether objects of a kind live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// Beside all namespaces.
    Cluster,
}

/// One resource in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiResource {
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name in paths, such as `deployments`.
    pub plural: String,
    /// Scope.
    pub scope: Scope,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
    /// Sub-resources such as `status`, sorted.
    pub subresources: Vec<String>,
}

impl ApiResource {
    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }

    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// Whether the server offers this verb.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }
}

/// One API group: its versions in the server's order, the preferred one first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiGroup {
    /// Name, empty for the core group.
    pub name: String,
    /// The version that clients should use.
    pub preferred_version: String,
    /// All versions that could be read.
    pub versions: Vec<ApiGroupVersion>,
}

/// The resources of one group in one version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiGroupVersion {
    /// Version.
    pub version: String,
    /// Resources without sub-resources.
    pub resources: Vec<ApiResource>,
}

/// Everything a server serves, indexed by kind.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    groups: Vec<ApiGroup>,
    by_gvk: HashMap<Gvk, (usize, usize, usize)>,
    preferred: Vec<ApiResource>,
}

impl Discovery {
    /// Indexes the groups. When one version lists a kind twice, the first resource counts.
    pub fn new(groups: Vec<ApiGroup>) -> Self {
        let mut by_gvk = HashMap::new();
        for (g, group) in groups.iter().enumerate() {
            for (v, version) in group.versions.iter().enumerate() {
                for (r, resource) in version.resources.iter().enumerate() {
                    by_gvk.entry(resource.gvk()).or_insert((g, v, r));
                }
            }
        }
        let preferred = preferred(&groups);
        Self { groups, by_gvk, preferred }
    }

    /// The groups as the server listed them.
    pub fn groups(&self) -> &[ApiGroup] {
        &self.groups
    }

    /// The resource of exactly this kind and version.
    pub fn resource(&self, gvk: &Gvk) -> Option<&ApiResource> {
        let (group, version, resource) = *self.by_gvk.get(gvk)?;
        self.groups.get(group)?.versions.get(version)?.resources.get(resource)
    }

    /// Scope of exactly this kind and version.
    pub fn scope(&self, gvk: &Gvk) -> Option<Scope> {
        self.resource(gvk).map(|resource| resource.scope)
    }

    /// One version of each resource, ordered by group and resource name. Left out:
    /// sub-resources, `extensions/ingresses`, core `componentstatuses`.
    pub fn preferred(&self) -> &[ApiResource] {
        &self.preferred
    }

    /// The preferred resource of a kind in any version.
    pub fn preferred_of(&self, kind: &GroupKind) -> Option<&ApiResource> {
        self.preferred.iter().find(|r| r.group == kind.group && r.kind == kind.kind)
    }

    /// Preferred resources with this group and kind; an absent one matches any.
    pub fn matching<'a>(
        &'a self,
        group: Option<&'a str>,
        kind: Option<&'a str>,
    ) -> impl Iterator<Item = &'a ApiResource> {
        self.preferred
            .iter()
            .filter(move |r| group.is_none_or(|group| r.group == group) && kind.is_none_or(|kind| r.kind == kind))
    }

    /// What Helm calls capabilities: every `VERSION` and `VERSION/KIND`, sorted.
    pub fn api_versions(&self) -> Vec<String> {
        let mut names = Vec::new();
        for gvk in self.by_gvk.keys() {
            names.push(gvk.api_version());
            names.push(format!("{}/{}", gvk.api_version(), gvk.kind));
        }
        names.sort();
        names.dedup();
        names
    }
}

fn preferred(groups: &[ApiGroup]) -> Vec<ApiResource> {
    let mut chosen: BTreeMap<(&str, &str), &ApiResource> = BTreeMap::new();
    for group in groups {
        for resource in group.versions.iter().flat_map(|version| &version.resources) {
            let key = (group.name.as_str(), resource.plural.as_str());
            let better = chosen.get(&key).is_none_or(|current| {
                current.version != group.preferred_version
                    && (resource.version == group.preferred_version
                        || compare_versions(&resource.version, &current.version) == Ordering::Greater)
            });
            if better {
                chosen.insert(key, resource);
            }
        }
    }
    chosen.retain(|key, _| !matches!(key, ("extensions", "ingresses") | ("", "componentstatuses")));
    chosen.into_values().cloned().collect()
}

/// Kubernetes order: GA over beta over alpha, then the numbers; anything else comes below, by text.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    match (parse_version(a), parse_version(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => b.cmp(a),
    }
}

/// Stability (2 = GA), major number, number after `alpha` or `beta`.
fn parse_version(text: &str) -> Option<(u8, u64, u64)> {
    let rest = text.strip_prefix('v')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, suffix) = rest.split_at(digits);
    let major = major.parse().ok()?;
    if suffix.is_empty() {
        return Some((2, major, 0));
    }
    let (stability, minor) = match suffix.strip_prefix("beta") {
        Some(minor) => (1, minor),
        None => (0, suffix.strip_prefix("alpha")?),
    };
    Some((stability, major, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
        ApiResource {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            scope: Scope::Namespaced,
            verbs: vec!["list".into()],
            subresources: Vec::new(),
        }
    }

    fn group(name: &str, preferred: &str, versions: &[(&str, &[&str])]) -> ApiGroup {
        let versions = versions.iter().map(|(version, plurals)| ApiGroupVersion {
            version: (*version).into(),
            resources: plurals.iter().map(|plural| resource(name, version, &plural.to_uppercase(), plural)).collect(),
        });
        ApiGroup { name: name.into(), preferred_version: preferred.into(), versions: versions.collect() }
    }

    #[test]
    fn a_resource_missing_from_the_preferred_version_takes_the_highest_other() {
        let found = Discovery::new(vec![group(
            "g",
            "v1",
            &[("v1", &["a"]), ("v2alpha1", &["a", "b"]), ("v1beta2", &["b"]), ("v1beta1", &["b"])],
        )]);
        let versions: Vec<_> = found.preferred().iter().map(|r| (r.plural.as_str(), r.version.as_str())).collect();
        assert_eq!(versions, [("a", "v1"), ("b", "v1beta2")]);
    }

    #[test]
    fn component_statuses_and_old_ingresses_are_left_out() {
        let found = Discovery::new(vec![
            group("", "v1", &[("v1", &["componentstatuses", "pods"])]),
            group("extensions", "v1beta1", &[("v1beta1", &["ingresses"])]),
        ]);
        assert_eq!(found.preferred().len(), 1);
        assert!(found.resource(&Gvk::from_api_version("v1", "COMPONENTSTATUSES")).is_some());
    }

    #[test]
    fn versions_order_by_stability_then_number() {
        let mut versions = ["foo1", "v1", "v10beta3", "v2", "v11alpha2", "v3beta1", "foo10", "v12alpha1", "v1beta"];
        versions.sort_by(|a, b| compare_versions(b, a));
        assert_eq!(versions, ["v2", "v1", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10", "v1beta"]);
    }

    #[test]
    fn an_exact_version_that_is_not_served_is_unknown() {
        let found = Discovery::new(vec![group("g", "v1", &[("v1", &["a"])])]);
        assert!(found.scope(&Gvk::from_api_version("g/v2", "A")).is_none());
        assert_eq!(found.matching(Some("g"), None).count(), 1);
        assert_eq!(found.matching(Some(""), Some("A")).count(), 0);
    }

    #[test]
    fn helm_capabilities_hold_versions_and_kinds() {
        let found = Discovery::new(vec![group("g", "v1", &[("v1", &["a"])])]);
        assert_eq!(found.api_versions(), ["g/v1", "g/v1/A"]);
    }
}
