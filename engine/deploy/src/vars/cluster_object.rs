//! `clusterObject`: part of one object or of several.

use serde_json::Value;
use windlass_cluster::{Cluster, ListRequest};
use windlass_fieldpath::JsonPath;
use windlass_model::location::{Location, Source};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::vars_source::ClusterObjectSource;
use windlass_template::Batch;
use windlass_yaml::Dialect;

use super::cluster_key::selector;
use super::{VarsError, object_name};
use crate::multi_error::Errors;
use crate::target::RenderedText;

/// Reads the value; `None` when there is none and that is tolerated.
pub(super) async fn read(
    wanted: &ClusterObjectSource,
    ignore_missing: bool,
    batch: &Batch,
    cluster: &dyn Cluster,
) -> Result<Option<Value>, VarsError> {
    let path = JsonPath::parse(&wanted.path).map_err(|source| VarsError::ObjectPath { source })?;
    let objects = find(wanted, &kind(wanted, cluster)?, cluster).await?;
    if objects.is_empty() {
        return if ignore_missing { Ok(None) } else { Err(VarsError::NoObject) };
    }
    if objects.len() > 1 && !wanted.list {
        return Err(VarsError::SeveralObjects);
    }
    let mut values = Vec::with_capacity(objects.len());
    for object in &objects {
        match value(object, wanted, &path, batch) {
            Ok(value) => values.push(value),
            Err(ObjectProblem::PathNotFound) if ignore_missing => return Ok(None),
            Err(problem) => {
                let object = object_name(&object.object_ref());
                return Err(VarsError::ObjectValue { object, path: wanted.path.clone(), problem });
            }
        }
    }
    Ok(if wanted.list { Some(Value::Array(values)) } else { values.pop() })
}

/// What is wrong with the value of one object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectProblem {
    /// The path leads nowhere.
    #[error("json path not found")]
    PathNotFound,
    /// The path is not exact.
    #[error("json path resulted in multiple matches")]
    SeveralMatches,
    /// Only text can be parsed.
    #[error("value is not a string, but parsing YAML was requested")]
    NoText,
    /// Templates in the value.
    #[error(transparent)]
    Template(#[from] Errors<RenderedText>),
    /// The text is not YAML; it may be secret, so it is not quoted.
    #[error("value is not valid YAML")]
    Content,
}

fn kind(wanted: &ClusterObjectSource, cluster: &dyn Cluster) -> Result<Gvk, VarsError> {
    if let Some(version) = wanted.api_version.as_deref().filter(|version| !version.is_empty()) {
        return Ok(Gvk::from_api_version(version, &wanted.kind));
    }
    let discovery = cluster.discovery();
    let mut matching = discovery.matching(None, Some(&wanted.kind));
    match (matching.next(), matching.next()) {
        (None, _) => Err(VarsError::UnknownKind { kind: wanted.kind.clone() }),
        (Some(resource), None) => Ok(resource.gvk()),
        (Some(_), Some(_)) => Err(VarsError::AmbiguousKind { kind: wanted.kind.clone() }),
    }
}

/// The objects, sorted by namespace and name: they are of one kind.
async fn find(wanted: &ClusterObjectSource, gvk: &Gvk, cluster: &dyn Cluster) -> Result<Vec<Object>, VarsError> {
    if let Some(name) = &wanted.name {
        return match cluster.get(&ObjectRef::new(gvk, &wanted.namespace, name)).await {
            Ok(answer) => Ok(vec![answer.value]),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(VarsError::Cluster(Box::new(error))),
        };
    }
    let request = ListRequest { label_selector: selector(&wanted.labels), ..ListRequest::all(gvk.clone()) };
    let mut found = cluster.list(&request.in_namespace(&wanted.namespace)).await.map_err(Box::new)?.value;
    found.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
    Ok(found)
}

fn value(
    object: &Object,
    wanted: &ClusterObjectSource,
    path: &JsonPath,
    batch: &Batch,
) -> Result<Value, ObjectProblem> {
    let places = path.locate(&object.0);
    let value = match &places[..] {
        [] => return Err(ObjectProblem::PathNotFound),
        [place] => place.get(&object.0).cloned().ok_or(ObjectProblem::PathNotFound)?,
        _ => return Err(ObjectProblem::SeveralMatches),
    };
    let value = if wanted.render { rendered(value, object, batch)? } else { value };
    if !wanted.parse_yaml {
        return Ok(value);
    }
    let Value::String(text) = value else { return Err(ObjectProblem::NoText) };
    windlass_yaml::parse_first(&Source::new(object.name(), text), Dialect::GoV2)
        .map(|document| document.value)
        .map_err(|_| ObjectProblem::Content)
}

/// Text and the texts in a map are templates, a list is left alone.
fn rendered(value: Value, object: &Object, batch: &Batch) -> Result<Value, ObjectProblem> {
    if value.is_array() {
        return Ok(value);
    }
    // Without the text: objects may hold secrets, and reports quote their origin.
    let origin = Location::new(Source::new(object_name(&object.object_ref()), ""), 0..0);
    batch.render_struct(&value, &origin).map_err(|errors| {
        let errors = Errors::new(errors.into_iter().map(RenderedText).collect());
        errors.map_or(ObjectProblem::Content, ObjectProblem::Template)
    })
}
