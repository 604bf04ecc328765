//! Decides who builds a kustomization.
//!
//! Read strictly: a field that is not known here, or has a value that is not expected, sends the whole
//! kustomization to the helper. So no field is ever ignored.

use serde_json::{Map, Value};

/// Who builds a kustomization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// This process. Its resources may still turn out to need the helper.
    Native(NativeBuild),
    /// The helper.
    Helper,
}

/// What the native code needs to know of a kustomization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NativeBuild {
    /// Files and folders, relative to the kustomization.
    pub resources: Vec<String>,
    /// The namespace for every object that has one.
    pub namespace: Option<String>,
}

/// Reads a kustomization.
#[must_use]
pub fn plan(kustomization: &Value) -> Plan {
    kustomization.as_object().and_then(native_build).map_or(Plan::Helper, Plan::Native)
}

fn native_build(fields: &Map<String, Value>) -> Option<NativeBuild> {
    let mut build = None;
    let mut namespace = None;
    for (field, value) in fields {
        match field.as_str() {
            "apiVersion" if value == "kustomize.config.k8s.io/v1beta1" => {}
            "kind" if value == "Kustomization" => {}
            "metadata" if is_plain_metadata(value) => {}
            "namespace" => namespace = Some(value.as_str()?.to_owned()),
            "resources" => build = Some(strings(value)?),
            _ => return None,
        }
    }
    // Without resources Kustomize may find the kustomization empty, which is an error.
    let resources = build?;
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    Some(NativeBuild { resources, namespace })
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|entry| entry.as_str().map(str::to_owned)).collect()
}

/// Metadata of a kustomization changes nothing, as long as it has the right types.
fn is_plain_metadata(value: &Value) -> bool {
    value.as_object().is_some_and(|metadata| {
        metadata.iter().all(|(field, value)| match field.as_str() {
            "name" => value.is_string(),
            "labels" | "annotations" => value.as_object().is_some_and(|entries| entries.values().all(Value::is_string)),
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn resources_and_namespace_are_native() {
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "metadata": {"name": "x", "annotations": {"kluctl.io/barrier": "true"}},
            "namespace": "n",
            "resources": ["a.yaml", "b"],
        });
        assert_eq!(
            plan(&kustomization),
            Plan::Native(NativeBuild {
                resources: vec!["a.yaml".to_owned(), "b".to_owned()],
                namespace: Some("n".to_owned())
            })
        );
    }

    #[test]
    fn anything_else_goes_to_the_helper() {
        for kustomization in [
            json!({"resources": [], "namePrefix": "x"}),
            json!({"resources": [], "unknown": 1}),
            json!({"resources": [1]}),
            json!({"resources": null}),
            json!({"resources": [], "namespace": null}),
            json!({"resources": [], "kind": "Component"}),
            json!({"resources": [], "apiVersion": "kustomize.config.k8s.io/v1alpha1"}),
            json!({"resources": [], "metadata": {"annotations": {"a": true}}}),
            json!({"resources": [], "metadata": {"nope": "x"}}),
            json!({"namespace": "n"}),
            json!({}),
            json!([]),
        ] {
            assert_eq!(plan(&kustomization), Plan::Helper, "{kustomization}");
        }
    }

    #[test]
    fn an_empty_namespace_is_none() {
        let Plan::Native(build) = plan(&json!({"resources": [], "namespace": ""})) else {
            panic!("native");
        };
        assert_eq!(build.namespace, None);
    }
}
