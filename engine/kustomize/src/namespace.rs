//! The `namespace` field of a kustomization: sets the namespace of every object that has one.
//!
//! Kustomize also renames Namespace objects and follows references to what it has moved. Objects for which that
//! could make a difference are left to the helper.

use serde_json::Value;

use crate::identity::is_cluster_scoped;
use crate::manifest::Manifest;

/// Kinds that hold references with a namespace, or are renamed themselves.
const REFERRING: &[&str] = &[
    "APIService",
    "ClusterRoleBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "RoleBinding",
    "ValidatingWebhookConfiguration",
];

/// Sets the namespace everywhere; `false` when the helper must do it.
pub(crate) fn set(manifests: &mut [Manifest], namespace: &str) -> bool {
    if !manifests.iter().all(is_covered) {
        return false;
    }
    for manifest in manifests {
        if is_cluster_scoped(manifest.api_version(), manifest.kind()) {
            continue;
        }
        if let Some(Value::Object(metadata)) = manifest.object.get_mut("metadata") {
            metadata.insert("namespace".to_owned(), Value::String(namespace.to_owned()));
        }
    }
    true
}

pub(crate) fn is_covered(manifest: &Manifest) -> bool {
    if REFERRING.contains(&manifest.kind()) {
        return false;
    }
    let converts = || manifest.object.get("spec").is_some_and(|spec| spec.get("conversion").is_some());
    manifest.kind() != "CustomResourceDefinition" || !converts()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn manifest(object: Value) -> Manifest {
        match object {
            Value::Object(object) => Manifest { object },
            _ => unreachable!("a test passes mappings"),
        }
    }

    #[test]
    fn every_namespaced_object_gets_it() {
        let mut manifests = [
            manifest(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "old"}})),
            manifest(json!({"apiVersion": "x/v1", "kind": "Unknown", "metadata": {"name": "u"}})),
            manifest(
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "c"}}),
            ),
        ];
        assert!(set(&mut manifests, "n"));
        let namespaces: Vec<&str> = manifests.iter().map(Manifest::namespace).collect();
        assert_eq!(namespaces, ["n", "n", ""]);
    }

    #[test]
    fn referring_kinds_change_nothing_and_go_to_the_helper() {
        let mut manifests = [
            manifest(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})),
            manifest(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})),
        ];
        assert!(!set(&mut manifests, "n"));
        assert_eq!(manifests[0].namespace(), "");
    }

    #[test]
    fn only_a_definition_with_conversion_goes_to_the_helper() {
        let definition = |spec: Value| {
            [manifest(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                             "metadata": {"name": "a"}, "spec": spec}))]
        };
        assert!(set(&mut definition(json!({})), "n"));
        assert!(!set(&mut definition(json!({"conversion": {}})), "n"));
    }
}
