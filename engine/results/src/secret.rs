//! The Secrets that results are stored in (spec 03 section 21.3).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use windlass_model::object::Object;
use windlass_model::result::{
    CommandResult, CompactedObject, KluctlDeploymentInfo, ProjectKey, ResultReadError, ValidateResult, compact, expand,
};

use crate::content::{self, SECRET_LIMIT};
use crate::error::StoreError;
use crate::naming::{
    DEPLOYMENT_NAME_ANNOTATION, DEPLOYMENT_NAMESPACE_ANNOTATION, REPO_KEY_ANNOTATION, RESULT_LABEL, RESULT_LABEL_VALUE,
    ResultKind, SUB_DIR_ANNOTATION, secret_name,
};
use crate::summary_text::{ANNOTATIONS_LIMIT, command_summary, json};

const REDUCED_RESULT: &str = "reducedResult";
const COMPACTED_OBJECTS: &str = "compactedObjects";
const RESULT: &str = "result";

/// The Secret of a command result.
///
/// # Errors
/// An unusable id, or more than a Secret can hold.
pub fn command_secret(result: &CommandResult, namespace: &str) -> Result<Object, StoreError> {
    let identity = Identity {
        kind: ResultKind::Command,
        id: &result.id,
        project: &result.project_key,
        deployment: result.kluctl_deployment.as_ref(),
    };
    let summary = |room| command_summary(result.summary(), room);
    // Objects whose text keys are fixed always serialise.
    let objects = serde_json::to_value(compact(&result.objects)).unwrap_or_default();
    identity.secret(namespace, summary, &[(REDUCED_RESULT, result.to_reduced_value()), (COMPACTED_OBJECTS, objects)])
}

/// The Secret of a validate result.
///
/// # Errors
/// An unusable id, or more than a Secret can hold.
pub fn validate_secret(result: &ValidateResult, namespace: &str) -> Result<Object, StoreError> {
    let identity = Identity {
        kind: ResultKind::Validate,
        id: &result.id,
        project: &result.project_key,
        deployment: result.kluctl_deployment.as_ref(),
    };
    let content = serde_json::to_value(result).unwrap_or_default();
    identity.secret(namespace, |_| json(&result.summary()), &[(RESULT, content)])
}

/// Reads a command result with all its objects in full.
///
/// # Errors
/// Whatever part of the Secret does not decode.
pub fn read_command_result(secret: &Object) -> Result<CommandResult, StoreError> {
    let mut reduced = part(secret, REDUCED_RESULT)?;
    if let Some(map) = reduced.as_object_mut() {
        map.remove("objects");
    }
    let objects = part(secret, COMPACTED_OBJECTS)?;
    let shape = |source| StoreError::Shape { secret: display_name(secret), source };
    let mut result = CommandResult::from_value(reduced).map_err(shape)?;
    result.objects = expand_list(objects).map_err(shape)?;
    Ok(result)
}

/// Reads a validate result.
///
/// # Errors
/// Whatever part of the Secret does not decode.
pub fn read_validate_result(secret: &Object) -> Result<ValidateResult, StoreError> {
    serde_json::from_value(part(secret, RESULT)?)
        .map_err(|error| StoreError::Shape { secret: display_name(secret), source: error.into() })
}

fn expand_list(objects: Value) -> Result<Vec<windlass_model::result::ResultObject>, ResultReadError> {
    // Go writes an empty list as `null`.
    let objects: Option<Vec<CompactedObject>> = serde_json::from_value(objects)?;
    Ok(expand(&objects.unwrap_or_default())?)
}

fn part(secret: &Object, key: &'static str) -> Result<Value, StoreError> {
    let text = secret.0.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
    let text = text.ok_or_else(|| StoreError::Missing { secret: display_name(secret), key })?;
    content::decode(text).map_err(|source| StoreError::Content { secret: display_name(secret), key, source })
}

fn display_name(secret: &Object) -> String {
    format!("{}/{}", secret.namespace(), secret.name())
}

struct Identity<'a> {
    kind: ResultKind,
    id: &'a str,
    project: &'a ProjectKey,
    deployment: Option<&'a KluctlDeploymentInfo>,
}

impl Identity<'_> {
    fn secret(
        &self,
        namespace: &str,
        summary: impl FnOnce(usize) -> String,
        parts: &[(&str, Value)],
    ) -> Result<Object, StoreError> {
        let name = secret_name(self.kind, self.project, self.id)?;
        let annotations = self.annotations(summary)?;
        let data = self.data(parts)?;
        Ok(Object(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {RESULT_LABEL: RESULT_LABEL_VALUE, self.kind.id_label(): self.id},
                "annotations": annotations,
            },
            "data": data,
        })))
    }

    fn annotations(&self, summary: impl FnOnce(usize) -> String) -> Result<BTreeMap<&'static str, String>, StoreError> {
        let deployment = self.deployment.cloned().unwrap_or_default();
        let mut annotations = BTreeMap::from([
            (REPO_KEY_ANNOTATION, self.project.repo_key.clone()),
            (SUB_DIR_ANNOTATION, self.project.sub_dir.clone()),
            (DEPLOYMENT_NAME_ANNOTATION, deployment.name),
            (DEPLOYMENT_NAMESPACE_ANNOTATION, deployment.namespace),
        ]);
        annotations.retain(|_, value| !value.is_empty());
        let taken: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        let room = ANNOTATIONS_LIMIT.saturating_sub(taken + self.kind.summary_annotation().len());
        let summary = summary(room);
        self.fits("the summary", summary.len(), room)?;
        annotations.insert(self.kind.summary_annotation(), summary);
        Ok(annotations)
    }

    fn data<'p>(&self, parts: &[(&'p str, Value)]) -> Result<BTreeMap<&'p str, String>, StoreError> {
        let packed: BTreeMap<_, _> = parts.iter().map(|(key, value)| (*key, content::pack(value))).collect();
        self.fits("the compressed data", packed.values().map(Vec::len).sum(), SECRET_LIMIT)?;
        Ok(packed.into_iter().map(|(key, packed)| (key, content::encode(&packed))).collect())
    }

    fn fits(&self, part: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
        if size <= limit {
            return Ok(());
        }
        Err(StoreError::TooLarge { kind: self.kind, id: self.id.to_owned(), part, size, limit })
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
