//! The `namespace` field of a kustomization: sets the namespace of every object that has one.
//!
//! Namespace objects are renamed; API services and the webhooks of definitions are redirected; of the subjects of
//! role bindings those named `default` move along. References to what has moved are [`crate::references`]' work.

use serde_json::{Map, Value};

use crate::field_path::{FieldSpec, Missing, visit};
use crate::identity::is_cluster_scoped;
use crate::manifest::Manifest;
use crate::unsure::{Certain, Unsure, ensure};

const SERVICES: [FieldSpec<'static>; 2] = [
    FieldSpec {
        group: "apiregistration.k8s.io",
        version: "",
        kind: "APIService",
        path: "spec/service/namespace",
        create: true,
    },
    FieldSpec {
        group: "apiextensions.k8s.io",
        version: "",
        kind: "CustomResourceDefinition",
        path: "spec/conversion/webhook/clientConfig/service/namespace",
        create: false,
    },
];

/// Sets the namespace everywhere.
pub(crate) fn set(manifests: &mut [Manifest], namespace: &str) -> Certain<()> {
    manifests.iter_mut().try_for_each(|manifest| {
        manifest.remember();
        set_own(manifest, namespace)?;
        rename_namespace(manifest, namespace)?;
        redirect_services(manifest, namespace)?;
        move_default_subjects(manifest, namespace)
    })?;
    ensure(!crate::build::has_duplicates(manifests), "objects clash in the namespace")
}

fn set_own(manifest: &mut Manifest, namespace: &str) -> Certain<()> {
    if is_cluster_scoped(manifest.api_version(), manifest.kind()) {
        return Ok(());
    }
    let metadata = manifest.object.get_mut("metadata").and_then(Value::as_object_mut);
    put(metadata.ok_or(Unsure("no metadata"))?, "namespace", namespace)
}

fn rename_namespace(manifest: &mut Manifest, namespace: &str) -> Certain<()> {
    if manifest.kind() != "Namespace" || manifest.api_version() != "v1" {
        return Ok(());
    }
    visit(&mut manifest.object, "metadata/name", Missing::Scalar, &mut |name| {
        *name = namespace.into();
        Ok(())
    })
}

fn redirect_services(manifest: &mut Manifest, namespace: &str) -> Certain<()> {
    for spec in SERVICES.iter().filter(|spec| spec.selects(manifest)).collect::<Vec<_>>() {
        let missing = if spec.create { Missing::Scalar } else { Missing::Skip };
        visit(&mut manifest.object, spec.path, missing, &mut |field| {
            ensure(is_text(field), "a namespace that is no text")?;
            *field = namespace.into();
            Ok(())
        })?;
    }
    Ok(())
}

fn move_default_subjects(manifest: &mut Manifest, namespace: &str) -> Certain<()> {
    if !matches!(manifest.kind(), "RoleBinding" | "ClusterRoleBinding") {
        return Ok(());
    }
    match manifest.object.get_mut("subjects") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(subjects)) => subjects.iter_mut().try_for_each(|subject| {
            let subject = subject.as_object_mut().ok_or(Unsure("a subject that is no mapping"))?;
            match subject.get("name") {
                Some(Value::String(name)) if name == "default" => put(subject, "namespace", namespace),
                Some(Value::Object(_) | Value::Array(_)) => Err(Unsure("a subject's name that is no text")),
                _ => Ok(()),
            }
        }),
        Some(_) => Err(Unsure("subjects that are no list")),
    }
}

fn put(mapping: &mut Map<String, Value>, field: &str, text: &str) -> Certain<()> {
    ensure(mapping.get(field).is_none_or(is_text), "a namespace that is no text")?;
    mapping.insert(field.to_owned(), text.into());
    Ok(())
}

fn is_text(value: &Value) -> bool {
    value.is_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn moved(object: Value) -> Certain<Value> {
        let mut manifests = [manifest(object)];
        set(&mut manifests, "n")?;
        let [moved] = manifests;
        Ok(Value::Object(moved.object))
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
        set(&mut manifests, "n").unwrap();
        let namespaces: Vec<&str> = manifests.iter().map(Manifest::namespace).collect();
        assert_eq!(namespaces, ["n", "n", ""]);
        assert_eq!(manifests[0].trail.previous[0].namespace, "old");
    }

    #[test]
    fn a_namespace_is_renamed() {
        let renamed = moved(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})).unwrap();
        assert_eq!(renamed["metadata"], json!({"name": "n"}));
    }

    #[test]
    fn subjects_named_default_move() {
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "b"}, "subjects": [{"kind": "ServiceAccount", "name": "default"}, {"name": "x"}]});
        let subjects = moved(binding).unwrap()["subjects"].clone();
        assert_eq!(subjects, json!([{"kind": "ServiceAccount", "name": "default", "namespace": "n"}, {"name": "x"}]));
    }

    #[test]
    fn objects_that_would_clash_are_left_to_the_helper() {
        let map = |namespace: &str| {
            manifest(json!({"apiVersion": "v1", "kind": "ConfigMap",
                            "metadata": {"name": "a", "namespace": namespace}}))
        };
        assert!(set(&mut [map("a"), map("b")], "n").is_err());
    }

    #[test]
    fn unexpected_types_are_left_to_the_helper() {
        let binding = |subjects: Value| {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"},
                   "subjects": subjects})
        };
        assert!(moved(binding(json!("x"))).is_err());
        assert!(moved(binding(json!(["x"]))).is_err());
        assert!(moved(binding(json!([{"name": "default", "namespace": 1}]))).is_err());
        let null = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": null}});
        assert!(moved(null).is_err());
    }
}
