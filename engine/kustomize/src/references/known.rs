//! The objects of a build as references see them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::Target;
use crate::field_path::FieldSpec;
use crate::identity::{group_version, is_cluster_scoped, or_default};
use crate::manifest::Manifest;
use crate::trail::Trail;
use crate::unsure::{Certain, ensure};

/// One object.
pub(super) struct Known {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// As it is written.
    pub(super) namespace: String,
    is_cluster_scoped: bool,
    trail: Trail,
    /// Group and kind, of role bindings.
    role: Option<(String, String)>,
    /// Where the accounts of a role binding are.
    account_namespaces: BTreeSet<String>,
}

/// All of them, by what they were called before.
pub(super) struct Names {
    known: Vec<Known>,
    by_previous_name: BTreeMap<String, Vec<usize>>,
    names_changed: bool,
}

impl Known {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let role = manifest.object.get("roleRef").and_then(Value::as_object);
        let role = role.filter(|role| ["apiGroup", "kind"].iter().all(|field| role.contains_key(*field)));
        Self {
            api_version: manifest.api_version().to_owned(),
            kind: manifest.kind().to_owned(),
            name: manifest.name().to_owned(),
            namespace: manifest.namespace().to_owned(),
            is_cluster_scoped: is_cluster_scoped(manifest.api_version(), manifest.kind()),
            trail: manifest.trail.clone(),
            role: role.map(|role| (text(role.get("apiGroup")), text(role.get("kind")))),
            account_namespaces: account_namespaces(manifest),
        }
    }

    pub(super) fn is_of(&self, spec: &FieldSpec<'_>) -> bool {
        let (group, version) = group_version(&self.api_version);
        (spec.group.is_empty() || spec.group == group) && (spec.version.is_empty() || spec.version == version)
    }

    fn effective_namespace(&self) -> &str {
        or_default(&self.namespace)
    }

    fn shares_namespace(&self, other: &Self) -> bool {
        !self.is_cluster_scoped && !other.is_cluster_scoped && self.effective_namespace() == other.effective_namespace()
    }

    fn was(&self, group: &str, version: &str, kind: &str) -> bool {
        let (own_group, own_version) = group_version(&self.api_version);
        (group.is_empty() || group == own_group)
            && (version.is_empty() || version == own_version)
            && self.trail.previous.iter().any(|id| kind.is_empty() || id.kind == kind)
    }

    /// Whether the kustomization of the referrer may know an object at all.
    fn is_visible_to(&self, referrer: &Self) -> bool {
        referrer.is_cluster_scoped
            || self.is_cluster_scoped
            || self.shares_namespace(referrer)
            || referrer.account_namespaces.contains(&self.namespace)
    }

    fn has_affixes_of(&self, other: &Self, empty: EmptyAffixes) -> bool {
        let same = |own: &[String], other: &[String]| match (own.is_empty(), other.is_empty()) {
            (true, true) => true,
            (false, false) => own.iter().rev().zip(other.iter().rev()).all(|(own, other)| own == other),
            _ => empty == EmptyAffixes::Fit,
        };
        same(&self.trail.prefixes, &other.trail.prefixes) && same(&self.trail.suffixes, &other.trail.suffixes)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EmptyAffixes {
    Fit,
    Differ,
}

fn account_namespaces(manifest: &Manifest) -> BTreeSet<String> {
    if manifest.kind() != "RoleBinding" {
        return BTreeSet::new();
    }
    let subjects = manifest.object.get("subjects").and_then(Value::as_array);
    let accounts = subjects
        .into_iter()
        .flatten()
        .filter(|subject| subject.get("kind").is_some_and(|kind| kind == "ServiceAccount"));
    accounts.filter_map(|account| account.get("namespace")?.as_str().map(str::to_owned)).collect()
}

impl Names {
    pub(super) fn of(manifests: &[Manifest]) -> Self {
        let mut names = Self { known: Vec::new(), by_previous_name: BTreeMap::new(), names_changed: false };
        if manifests.iter().all(|manifest| manifest.trail.previous.is_empty()) {
            return names;
        }
        names.known = manifests.iter().map(Known::of).collect();
        for (index, object) in names.known.iter().enumerate() {
            let previous: BTreeSet<&str> = object.trail.previous.iter().map(|id| id.name.as_str()).collect();
            for name in previous {
                names.names_changed |= name != object.name;
                names.by_previous_name.entry(name.to_owned()).or_default().push(index);
            }
        }
        names
    }

    pub(super) fn nothing_changed(&self) -> bool {
        self.by_previous_name.is_empty()
    }

    pub(super) fn names_changed(&self) -> bool {
        self.names_changed
    }

    /// The object that a reference means, if it is one of those that have changed.
    pub(super) fn meant(
        &self,
        name: &str,
        namespace: Option<&str>,
        referrer: &Known,
        target: &Target,
        path: &str,
    ) -> Certain<Option<&Known>> {
        let Some(indices) = self.by_previous_name.get(name) else { return Ok(None) };
        let visible: Vec<&Known> =
            indices.iter().map(|index| &self.known[*index]).filter(|object| object.is_visible_to(referrer)).collect();
        let named: Vec<&Known> = match namespace {
            None => visible,
            Some(namespace) => self.in_namespace(visible, namespace, referrer),
        };
        let is_role = path.ends_with("roleRef/name");
        let mut candidates: Vec<&Known> = named
            .into_iter()
            .filter(|object| object.was(target.group, target.version, target.kind))
            .filter(|object| match &referrer.role {
                Some((group, kind)) if is_role => object.was(group, "", kind),
                _ => true,
            })
            .filter(|object| {
                referrer.is_cluster_scoped
                    || object.is_cluster_scoped
                    || object.kind == "ServiceAccount"
                    || object.shares_namespace(referrer)
            })
            .collect();
        if candidates.len() > 1 {
            candidates.retain(|object| object.has_affixes_of(referrer, EmptyAffixes::Fit));
            if candidates.len() > 1 {
                candidates.retain(|object| object.has_affixes_of(referrer, EmptyAffixes::Differ));
            }
        }
        match candidates.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            [first, others @ ..] => {
                let same = |object: &&Known| object.name == first.name && object.namespace == first.namespace;
                ensure(others.iter().all(same), "a reference to many objects")?;
                Ok(Some(first))
            }
        }
    }

    /// Objects that came from a namespace; if none did, those that are in it now.
    fn in_namespace<'k>(&'k self, visible: Vec<&'k Known>, namespace: &str, referrer: &Known) -> Vec<&'k Known> {
        let original = |object: &Known| {
            let first = object.trail.previous.first();
            first.map_or_else(|| object.effective_namespace().to_owned(), |id| id.namespace.clone())
        };
        let all = self.known.iter().filter(|object| object.is_visible_to(referrer) && !object.is_cluster_scoped);
        let is_original = all.into_iter().any(|object| original(object) == namespace);
        let fits = |object: &&Known| {
            let own = if is_original { original(object) } else { object.effective_namespace().to_owned() };
            !object.is_cluster_scoped && own == namespace
        };
        visible.into_iter().filter(fits).collect()
    }
}
