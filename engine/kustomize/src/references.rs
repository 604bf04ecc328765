//! Fields in which objects name other objects.
//!
//! Kustomize walks through them in every build, also when no name has changed, and refuses an object in which the
//! way is blocked by a value of the wrong type. Such an object is left to the helper, which words the error.

use serde_json::{Map, Value};

/// Where the pod template of a kind has its specification.
const POD_SPECS: &[(&str, &[&str])] = &[
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("Pod", &["spec"]),
    ("PodTemplate", &["template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("Service", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
];

const POD_FIELDS: &[&[&str]] = &[
    &["containers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["containers", "env", "valueFrom", "secretKeyRef", "name"],
    &["containers", "envFrom", "configMapRef", "name"],
    &["containers", "envFrom", "secretRef", "name"],
    &["imagePullSecrets", "name"],
    &["initContainers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["initContainers", "env", "valueFrom", "secretKeyRef", "name"],
    &["initContainers", "envFrom", "configMapRef", "name"],
    &["initContainers", "envFrom", "secretRef", "name"],
    &["priorityClassName"],
    &["serviceAccountName"],
    &["volumes", "configMap", "name"],
    &["volumes", "persistentVolumeClaim", "claimName"],
    &["volumes", "projected", "sources", "configMap", "name"],
    &["volumes", "projected", "sources", "secret", "name"],
    &["volumes", "secret", "secretName"],
];

/// Fields of single kinds. Annotations are strings anyway.
const OTHER_FIELDS: &[(&str, &[&str])] = &[
    ("APIService", &["spec", "service", "name"]),
    ("ClusterRole", &["rules", "resourceNames"]),
    ("ClusterRoleBinding", &["roleRef", "name"]),
    ("ClusterRoleBinding", &["subjects"]),
    ("HorizontalPodAutoscaler", &["spec", "scaleTargetRef", "name"]),
    ("Ingress", &["spec", "backend", "serviceName"]),
    ("Ingress", &["spec", "defaultBackend", "service", "name"]),
    ("Ingress", &["spec", "ingressClassName"]),
    ("Ingress", &["spec", "rules", "http", "paths", "backend", "service", "name"]),
    ("Ingress", &["spec", "rules", "http", "paths", "backend", "serviceName"]),
    ("Ingress", &["spec", "tls", "secretName"]),
    ("MutatingWebhookConfiguration", &["webhooks", "clientConfig", "service"]),
    ("Node", &["spec", "configSource", "configMap"]),
    ("PersistentVolume", &["spec", "azureFile", "secretName"]),
    ("PersistentVolume", &["spec", "storageClassName"]),
    ("PersistentVolumeClaim", &["spec", "storageClassName"]),
    ("PersistentVolumeClaim", &["spec", "volumeName"]),
    ("Role", &["rules", "resourceNames"]),
    ("RoleBinding", &["roleRef", "name"]),
    ("RoleBinding", &["subjects"]),
    ("ServiceAccount", &["imagePullSecrets", "name"]),
    ("StatefulSet", &["spec", "serviceName"]),
    ("StatefulSet", &["spec", "volumeClaimTemplates", "spec", "storageClassName"]),
    ("StorageClass", &["parameters", "adminSecretName"]),
    ("StorageClass", &["parameters", "secretName"]),
    ("StorageClass", &["parameters", "secretRef"]),
    ("StorageClass", &["parameters", "userSecretName"]),
    ("ValidatingAdmissionPolicyBinding", &["spec", "policyName"]),
    ("ValidatingWebhookConfiguration", &["webhooks", "clientConfig", "service"]),
];

/// Whether every such field of the object can be reached, or is absent.
pub(crate) fn are_reachable(object: &Map<String, Value>, kind: &str) -> bool {
    let own = OTHER_FIELDS.iter().filter(|(of, _)| *of == kind);
    own.map(|(_, path)| path).all(|path| in_mapping(object, path))
        && POD_SPECS.iter().filter(|(of, _)| *of == kind).all(|(_, spec)| pod_is_reachable(object, spec))
}

fn pod_is_reachable(object: &Map<String, Value>, spec: &[&str]) -> bool {
    let mut current = object;
    for field in spec {
        match current.get(*field) {
            None | Some(Value::Null) => return true,
            Some(Value::Object(next)) => current = next,
            Some(_) => return false,
        }
    }
    POD_FIELDS.iter().all(|path| in_mapping(current, path))
}

fn in_mapping(mapping: &Map<String, Value>, path: &[&str]) -> bool {
    match path {
        [] => mapping.contains_key("name"),
        [field, rest @ ..] => mapping.get(*field).is_none_or(|value| in_value(value, rest)),
    }
}

fn in_value(value: &Value, path: &[&str]) -> bool {
    match value {
        Value::Null => true,
        Value::Object(mapping) => in_mapping(mapping, path),
        Value::Array(items) => items.iter().all(|item| !item.is_array() && in_value(item, path)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => path.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reachable(kind: &str, object: Value) -> bool {
        are_reachable(object.as_object().unwrap(), kind)
    }

    fn deployment(pod: Value) -> bool {
        reachable("Deployment", json!({"spec": {"template": {"spec": pod}}}))
    }

    #[test]
    fn ordinary_objects_are() {
        assert!(deployment(
            json!({"containers": [{"name": "a", "env": [{"name": "x", "value": "y"}]}], "volumes": null})
        ));
        assert!(reachable("Deployment", json!({"spec": {}})));
        assert!(reachable("RoleBinding", json!({"subjects": [{"kind": "User", "name": "u"}]})));
        assert!(reachable("Unknown", json!({"spec": "text"})));
    }

    #[test]
    fn wrong_types_on_the_way_are_not() {
        assert!(!deployment(json!({"containers": "text"})));
        assert!(!deployment(json!({"containers": ["text"]})));
        assert!(!deployment(json!({"imagePullSecrets": [{"name": {"a": "b"}}]})));
        assert!(!reachable("Deployment", json!({"spec": {"template": "text"}})));
        assert!(!reachable("RoleBinding", json!({"subjects": [{"kind": "User"}]})));
    }
}
