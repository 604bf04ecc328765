//! Asks the cluster whether objects of a kind get a status (spec 03 section 9.2).

use std::collections::BTreeMap;

use tokio::sync::Mutex;
use windlass_cluster::{Cluster, ClusterError};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_readiness::{StatusExpectation, needs_expectation};

/// Answers per kind, each looked up once per run.
pub struct StatusExpectations<'a> {
    cluster: Option<&'a dyn Cluster>,
    known: Mutex<BTreeMap<Gvk, StatusExpectation>>,
}

impl<'a> StatusExpectations<'a> {
    /// Asks this cluster.
    pub fn new(cluster: &'a dyn Cluster) -> Self {
        Self { cluster: Some(cluster), known: Mutex::default() }
    }

    /// Knows nothing.
    pub fn offline() -> Self {
        Self { cluster: None, known: Mutex::default() }
    }

    /// Whether this object gets a status. Asks only when the object itself does not tell.
    pub async fn of(&self, object: &Object) -> StatusExpectation {
        let Some(cluster) = self.cluster.filter(|_| needs_expectation(object)) else {
            return StatusExpectation::Undecided;
        };
        let gvk = object.gvk();
        // Held while asking: many objects of a kind cause one lookup.
        let mut known = self.known.lock().await;
        if let Some(answer) = known.get(&gvk) {
            return answer.clone();
        }
        let answer =
            look_up(object, &gvk, cluster).await.unwrap_or_else(|error| StatusExpectation::Failed(error.to_string()));
        // An undecided kind may be decided later: its definition may still be on its way.
        if matches!(answer, StatusExpectation::Expected | StatusExpectation::NotExpected) {
            known.insert(gvk, answer.clone());
        }
        answer
    }
}

#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("CRD {definition} has no schema for version {version}")]
    NoSchema { definition: String, version: String },
}

async fn look_up(object: &Object, gvk: &Gvk, cluster: &dyn Cluster) -> Result<StatusExpectation, LookupError> {
    let discovery = cluster.discovery();
    let resource = discovery.resource(gvk).ok_or_else(|| ClusterError::UnknownKind(gvk.clone()))?;
    let definition = format!("{}.{}", resource.plural, resource.group);
    let kind = Gvk::from_api_version("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    match cluster.get(&ObjectRef::new(&kind, "", &definition)).await {
        Ok(answer) => return from_schema(&answer.value, &definition, &gvk.version),
        Err(ClusterError::NotFound(_) | ClusterError::Forbidden(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match cluster.get_subresource(&object.object_ref(), "status").await {
        Ok(_) => Ok(StatusExpectation::Expected),
        // The path of a sub-resource that does not exist is not served at all.
        Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => Ok(StatusExpectation::NotExpected),
        Err(ClusterError::Forbidden(_)) => Ok(StatusExpectation::Undecided),
        Err(error) => Err(error.into()),
    }
}

fn from_schema(definition: &Object, name: &str, version: &str) -> Result<StatusExpectation, LookupError> {
    let versions = definition.0["spec"]["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let schema = versions
        .iter()
        .find(|candidate| candidate["name"] == version)
        .map(|candidate| &candidate["schema"]["openAPIV3Schema"])
        .filter(|schema| schema.is_object())
        .ok_or_else(|| LookupError::NoSchema { definition: name.into(), version: version.into() })?;
    let expected = schema["properties"].get("status").is_some();
    Ok(if expected { StatusExpectation::Expected } else { StatusExpectation::NotExpected })
}
