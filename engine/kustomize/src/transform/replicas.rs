//! `replicas`.

use crate::field_path::{Missing, visit};
use crate::kustomization::ReplicaCount;
use crate::manifest::Manifest;
use crate::unsure::{Certain, ensure};

const SCALED: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// Sets the number of replicas of the objects with a name, which may be an earlier one.
pub(crate) fn set_all(replicas: &[ReplicaCount], manifests: &mut [Manifest]) -> Certain<()> {
    replicas.iter().try_for_each(|replica| set(replica, manifests))
}

fn set(replica: &ReplicaCount, manifests: &mut [Manifest]) -> Certain<()> {
    let mut found = false;
    for kind in SCALED {
        let is_meant = |manifest: &&mut Manifest| {
            let mut names = manifest.all_names();
            names.any(|(of, name, _)| of == kind && name == replica.name) && manifest.kind() == kind
        };
        for manifest in manifests.iter_mut().filter(is_meant) {
            found = true;
            visit(&mut manifest.object, "spec/replicas", Missing::Scalar, &mut |field| {
                ensure(!field.is_object() && !field.is_array(), "replicas that are no number")?;
                *field = replica.count.into();
                Ok(())
            })?;
        }
    }
    ensure(found, "nothing to scale")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::{Value, json};

    fn scaled(object: Value, name: &str) -> Certain<Value> {
        let mut manifests = [manifest(object)];
        set_all(&[ReplicaCount { name: name.to_owned(), count: 3 }], &mut manifests)?;
        Ok(manifests[0].object["spec"]["replicas"].clone())
    }

    #[test]
    fn the_count_is_set_by_name() {
        let object = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}});
        assert_eq!(scaled(object.clone(), "db").unwrap(), json!(3));
        assert!(scaled(object, "other").is_err());
    }

    #[test]
    fn other_kinds_have_no_replicas() {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db"}});
        assert!(scaled(object, "db").is_err());
    }
}
