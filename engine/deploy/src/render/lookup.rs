//! Answers `lookup` of charts from the cluster; reads only.

use async_trait::async_trait;
use serde_json::{Value, json};
use windlass_cluster::{Cluster, ClusterError, ListRequest, Scope};
use windlass_helm::{Lookup, LookupQuestion};
use windlass_model::object_ref::{Gvk, ObjectRef};

/// The objects of a cluster.
pub(super) struct LiveObjects<'a>(pub(super) &'a dyn Cluster);

#[async_trait]
impl Lookup for LiveObjects<'_> {
    /// A kind that the cluster does not know has no objects: its definition may be part of the same chart.
    async fn lookup(&self, question: LookupQuestion) -> Result<Option<Value>, String> {
        let LookupQuestion { api_version, kind, namespace, name } = question;
        let gvk = Gvk::from_api_version(&api_version, &kind);
        let Some(scope) = self.0.discovery().scope(&gvk) else { return Ok(None) };
        let namespace = if scope == Scope::Namespaced { namespace } else { String::new() };
        if scope == Scope::Namespaced && namespace.is_empty() && !name.is_empty() {
            // No object has a name without a namespace; the API answers so too.
            return Ok(None);
        }
        let found = if name.is_empty() {
            self.list(gvk, &namespace).await
        } else {
            let Gvk { group, version, kind } = gvk;
            let object = ObjectRef { group, version, kind, name, namespace };
            self.0.get(&object).await.map(|answer| answer.value.0)
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl LiveObjects<'_> {
    async fn list(&self, gvk: Gvk, namespace: &str) -> Result<Value, ClusterError> {
        let head = (gvk.api_version(), format!("{}List", gvk.kind));
        let found = self.0.list(&ListRequest::all(gvk).in_namespace(namespace)).await?;
        let items: Vec<Value> = found.value.into_iter().map(|object| object.0).collect();
        Ok(json!({ "apiVersion": head.0, "kind": head.1, "metadata": {}, "items": items }))
    }
}
