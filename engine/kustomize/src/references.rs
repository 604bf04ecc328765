//! Fields in which objects name other objects, and what becomes of them when the others get new names.
//!
//! Kustomize walks through them in every build, also when no name has changed, and refuses an object in which the
//! way is blocked by a value of the wrong type. Such an object is left to the helper, which words the error.

mod known;
mod table;

use serde_json::{Map, Value};

use crate::field_path::{Missing, visit, visit_below};
use crate::manifest::Manifest;
use crate::unsure::{Certain, Unsure, ensure};
use known::{Known, Names};
use table::{POD_HOLDERS, TARGETS, Target};

/// Makes all references follow the objects that they mean.
pub(crate) fn follow(manifests: &mut [Manifest]) -> Certain<()> {
    let names = Names::of(manifests);
    for manifest in manifests.iter_mut().filter(|manifest| may_refer(manifest.kind())) {
        let known = Known::of(manifest);
        Referrer { known: &known, names: &names }.follow(&mut manifest.object)?;
    }
    Ok(())
}

fn may_refer(kind: &str) -> bool {
    POD_HOLDERS.iter().any(|holder| holder.kind == kind)
        || TARGETS.iter().any(|target| target.fields.iter().any(|spec| spec.kind == kind))
}

/// One object that may name others.
struct Referrer<'a> {
    known: &'a Known,
    names: &'a Names,
}

impl Referrer<'_> {
    fn follow(&self, object: &mut Map<String, Value>) -> Certain<()> {
        let pod = POD_HOLDERS.iter().find(|holder| holder.kind == self.known.kind);
        if self.known.kind == "Pod" {
            ensure(self.known.api_version == "v1", "a pod of another version")?;
        }
        for target in TARGETS {
            if let Some(holder) = pod.filter(|holder| holder.holds(target)) {
                for field in target.in_pods {
                    let change = &mut |value: &mut Value| self.follow_value(value, field, target);
                    visit_below(object, holder.prefix, field, change)?;
                }
            }
            for spec in target.fields.iter().filter(|spec| spec.kind == self.known.kind && self.known.is_of(spec)) {
                self.follow_field(object, spec.path, target)?;
            }
        }
        Ok(())
    }

    fn follow_field(&self, object: &mut Map<String, Value>, path: &str, target: &Target) -> Certain<()> {
        let change = &mut |value: &mut Value| self.follow_value(value, path, target);
        match path.strip_prefix("metadata/annotations/") {
            // The key has slashes of its own.
            Some(key) => object
                .get_mut("metadata")
                .and_then(|metadata| metadata.get_mut("annotations")?.get_mut(key))
                .map_or(Ok(()), change),
            None => visit(object, path, Missing::Skip, change),
        }
    }

    fn follow_value(&self, value: &mut Value, path: &str, target: &Target) -> Certain<()> {
        match value {
            Value::Null => Ok(()),
            Value::Object(mapping) => self.follow_mapping(mapping, path, target),
            Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
                Value::Null => Ok(()),
                Value::Array(_) => Err(Unsure("lists in a list of references")),
                Value::Object(mapping) => self.follow_mapping(mapping, path, target),
                scalar => self.follow_scalar(scalar, path, target),
            }),
            scalar => self.follow_scalar(scalar, path, target),
        }
    }

    fn follow_scalar(&self, scalar: &mut Value, path: &str, target: &Target) -> Certain<()> {
        if self.names.nothing_changed() {
            return Ok(());
        }
        let Value::String(name) = scalar else {
            return ensure(!self.names.names_changed(), "a reference that is no text");
        };
        if let Some(meant) = self.names.meant(name, None, self.known, target, path)? {
            name.clone_from(&meant.name);
        }
        Ok(())
    }

    fn follow_mapping(&self, mapping: &mut Map<String, Value>, path: &str, target: &Target) -> Certain<()> {
        let name = mapping.get("name").ok_or(Unsure("a reference without a name"))?;
        if self.names.nothing_changed() {
            return Ok(());
        }
        let name = name.as_str().ok_or(Unsure("a reference that is no text"))?;
        let namespace = match mapping.get("namespace") {
            None => None,
            Some(Value::String(namespace)) => Some(namespace.as_str()),
            Some(_) => return Err(Unsure("a namespace that is no text")),
        };
        if let Some(meant) = self.names.meant(name, namespace, self.known, target, path)? {
            if meant.name != name {
                mapping.insert("name".to_owned(), meant.name.as_str().into());
            }
            if !meant.namespace.is_empty() {
                mapping.insert("namespace".to_owned(), meant.namespace.as_str().into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use crate::transform::set_name;
    use serde_json::json;

    fn reachable(kind: &str, object: Value) -> bool {
        let mut object = object;
        object["apiVersion"] = json!(if kind == "RoleBinding" { "rbac.authorization.k8s.io/v1" } else { "apps/v1" });
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": "a"});
        follow(&mut [manifest(object)]).is_ok()
    }

    fn deployment(pod: Value) -> Value {
        json!({"spec": {"template": {"spec": pod}}})
    }

    fn renamed(mut manifest: Manifest, name: &str) -> Manifest {
        manifest.remember();
        set_name(&mut manifest, name.to_owned()).unwrap();
        manifest
    }

    fn config_map(name: &str) -> Manifest {
        manifest(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))
    }

    #[test]
    fn ordinary_objects_are_reachable() {
        let pod = json!({"containers": [{"name": "a", "env": [{"name": "x", "value": "y"}]}], "volumes": null});
        assert!(reachable("Deployment", deployment(pod)));
        assert!(reachable("Deployment", json!({"spec": {}})));
        assert!(reachable("RoleBinding", json!({"subjects": [{"kind": "User", "name": "u"}]})));
        assert!(reachable("Unknown", json!({"spec": "text"})));
    }

    #[test]
    fn wrong_types_on_the_way_are_not() {
        assert!(!reachable("Deployment", deployment(json!({"containers": "text"}))));
        assert!(!reachable("Deployment", deployment(json!({"containers": ["text"]}))));
        assert!(!reachable("Deployment", deployment(json!({"imagePullSecrets": [{"name": {"a": "b"}}]}))));
        assert!(!reachable("Deployment", json!({"spec": {"template": "text"}})));
        assert!(!reachable("RoleBinding", json!({"subjects": [{"kind": "User"}]})));
    }

    #[test]
    fn a_reference_follows_the_new_name() {
        let pod = json!({"volumes": [{"configMap": {"name": "conf"}}], "containers": [{"envFrom": [{"configMapRef": {"name": "other"}}]}]});
        let mut object = deployment(pod);
        object["apiVersion"] = json!("apps/v1");
        object["kind"] = json!("Deployment");
        object["metadata"] = json!({"name": "a"});
        let mut manifests = [manifest(object), renamed(config_map("conf"), "conf-123")];
        follow(&mut manifests).unwrap();
        let pod = &manifests[0].object["spec"]["template"]["spec"];
        assert_eq!(pod["volumes"][0]["configMap"]["name"], "conf-123");
        assert_eq!(pod["containers"][0]["envFrom"][0]["configMapRef"]["name"], "other");
    }

    #[test]
    fn a_name_that_may_mean_two_objects_is_not_certain() {
        let pod = manifest(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
                                  "spec": {"volumes": [{"configMap": {"name": "conf"}}]}}));
        let mut manifests = [pod, renamed(config_map("conf"), "one"), renamed(config_map("conf"), "two")];
        assert!(follow(&mut manifests).is_err());
    }

    #[test]
    fn a_service_account_takes_its_namespace_along() {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"}});
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "b"}, "subjects": [{"kind": "ServiceAccount", "name": "sa"}]});
        let mut account = manifest(account);
        account.remember();
        account.object["metadata"]["namespace"] = json!("n");
        let mut manifests = [account, manifest(binding)];
        follow(&mut manifests).unwrap();
        assert_eq!(manifests[1].object["subjects"][0]["namespace"], "n");
    }
}
