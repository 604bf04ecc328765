//! The identity of an object inside one build: kind, version, group, name and effective namespace.

use std::fmt;

/// Kinds without a namespace, as Kustomize's built-in schema has them.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("apiregistration.k8s.io/v1beta1", "APIService"),
    ("certificates.k8s.io/v1", "CertificateSigningRequest"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "PriorityLevelConfiguration"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("networking.k8s.io/v1beta1", "IngressClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("node.k8s.io/v1beta1", "RuntimeClass"),
    ("policy/v1beta1", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("storage.k8s.io/v1", "CSINode"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "VolumeAttachment"),
    ("storage.k8s.io/v1beta1", "CSIDriver"),
    ("storage.k8s.io/v1beta1", "CSINode"),
    ("storage.k8s.io/v1beta1", "StorageClass"),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"),
    ("v1", "ComponentStatus"),
    ("v1", "Namespace"),
    ("v1", "Node"),
    ("v1", "NodeProxyOptions"),
    ("v1", "PersistentVolume"),
];

/// Whether Kustomize is certain that the kind has no namespace.
pub(crate) fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.binary_search(&(api_version, kind)).is_ok()
}

/// The namespace of objects that have none, because their kind has none.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// The namespace that counts: the default one where none is given.
pub(crate) fn effective_namespace<'a>(api_version: &str, kind: &str, namespace: &'a str) -> &'a str {
    if is_cluster_scoped(api_version, kind) { NO_NAMESPACE } else { or_default(namespace) }
}

/// As [`effective_namespace`], of a kind that may have one.
pub(crate) fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() { "default" } else { namespace }
}

/// Group and version of an `apiVersion`.
pub(crate) fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Two objects of one build must not have the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    api_version: String,
    kind: String,
    name: String,
    scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Cluster,
    Namespace(String),
}

impl Identity {
    pub(crate) fn new(api_version: &str, kind: &str, name: &str, namespace: &str) -> Self {
        let scope = if is_cluster_scoped(api_version, kind) {
            Scope::Cluster
        } else if namespace.is_empty() {
            Scope::Namespace("default".to_owned())
        } else {
            Scope::Namespace(namespace.to_owned())
        };
        Self { api_version: api_version.to_owned(), kind: kind.to_owned(), name: name.to_owned(), scope }
    }
}

/// Kustomize's notation, `ConfigMap.v1.[noGrp]/name.[noNs]`, with the namespace as it is written.
pub(crate) struct Notation<'a> {
    pub(crate) api_version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

impl fmt::Display for Notation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (group, version) = group_version(self.api_version);
        write!(
            f,
            "{}.{}.{}/{}.{}",
            self.kind,
            or(version, "[noVer]"),
            or(group, "[noGrp]"),
            self.name,
            or(self.namespace, "[noNs]")
        )
    }
}

fn or<'a>(text: &'a str, placeholder: &'a str) -> &'a str {
    if text.is_empty() { placeholder } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(CLUSTER_SCOPED.is_sorted());
        assert!(is_cluster_scoped("v1", "Namespace"));
        assert!(!is_cluster_scoped("v1", "ConfigMap"));
    }

    #[test]
    fn an_empty_namespace_is_the_default_one() {
        let id = |namespace| Identity::new("v1", "ConfigMap", "a", namespace);
        assert_eq!(id(""), id("default"));
        assert_ne!(id(""), id("other"));
    }

    #[test]
    fn the_namespace_of_a_cluster_scoped_object_does_not_count() {
        let id = |namespace| Identity::new("v1", "Namespace", "a", namespace);
        assert_eq!(id("a"), id("b"));
    }

    #[test]
    fn versions_make_a_difference() {
        assert_ne!(Identity::new("a/v1", "A", "a", ""), Identity::new("a/v2", "A", "a", ""));
    }

    #[test]
    fn the_notation_names_what_is_missing() {
        let notation = Notation { api_version: "", kind: "A", name: "a", namespace: "" };
        assert_eq!(notation.to_string(), "A.[noVer].[noGrp]/a.[noNs]");
        let notation = Notation { api_version: "g/v1", kind: "A", name: "a", namespace: "n" };
        assert_eq!(notation.to_string(), "A.v1.g/a.n");
    }
}
