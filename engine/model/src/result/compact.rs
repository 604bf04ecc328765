//! Compacted objects (spec 03 section 16): full JSON once, deltas afterwards.

use serde::{Deserialize, Serialize};

use super::{Change, DeltaError, ResultObject, apply_delta, compact_json, encode_delta, is_false};
use crate::object::Object;
use crate::object_ref::ObjectRef;

const FULL: &str = "full: ";
const DELTA: &str = "delta: ";

/// A [`ResultObject`] whose objects are texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CompactedObject {
    /// As in [`ResultObject`].
    #[serde(rename = "ref")]
    pub object_ref: ObjectRef,
    /// As in [`ResultObject`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// As in [`ResultObject`].
    #[serde(skip_serializing_if = "is_false")]
    pub new: bool,
    /// As in [`ResultObject`].
    #[serde(skip_serializing_if = "is_false")]
    pub orphan: bool,
    /// As in [`ResultObject`].
    #[serde(skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// As in [`ResultObject`].
    #[serde(skip_serializing_if = "is_false")]
    pub hook: bool,
    /// `full: JSON` or `delta: DELTA`; empty when there is no such object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rendered: String,
    /// As `rendered`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote: String,
    /// As `rendered`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub applied: String,
}

/// A compacted object does not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` of {object} {kind}")]
pub struct CompactionError {
    /// The object.
    pub object: Box<ObjectRef>,
    /// `rendered`, `remote` or `applied`.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: CompactionErrorKind,
}

/// Why a compacted object does not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompactionErrorKind {
    /// The first text of an object is a delta.
    #[error("is a delta, but there is no object before it")]
    DeltaWithoutPrevious,
    /// Neither `full: ` nor `delta: `.
    #[error("starts with neither `full: ` nor `delta: `")]
    UnknownPrefix,
    /// The delta does not fit.
    #[error("does not fit: {0}")]
    Delta(#[from] DeltaError),
    /// The decoded text is not JSON.
    #[error("is not JSON: {0}")]
    Json(String),
}

/// Compacts every object, order kept.
pub fn compact(objects: &[ResultObject]) -> Vec<CompactedObject> {
    objects.iter().map(compact_one).collect()
}

/// Undoes [`compact`].
pub fn expand(objects: &[CompactedObject]) -> Result<Vec<ResultObject>, CompactionError> {
    objects.iter().map(expand_one).collect()
}

fn compact_one(object: &ResultObject) -> CompactedObject {
    let ResultObject { object_ref, changes, new, orphan, deleted, hook, rendered, remote, applied } = object;
    let mut previous = None;
    CompactedObject {
        object_ref: object_ref.clone(),
        changes: changes.clone(),
        new: *new,
        orphan: *orphan,
        deleted: *deleted,
        hook: *hook,
        rendered: encode(rendered.as_ref(), &mut previous),
        remote: encode(remote.as_ref(), &mut previous),
        applied: encode(applied.as_ref(), &mut previous),
    }
}

fn encode(object: Option<&Object>, previous: &mut Option<String>) -> String {
    let Some(object) = object else { return String::new() };
    let json = compact_json(&object.0);
    let delta = previous.as_deref().map(|previous| encode_delta(previous, &json));
    let text = match delta {
        Some(delta) if delta.len() < json.len() => format!("{DELTA}{delta}"),
        _ => format!("{FULL}{json}"),
    };
    *previous = Some(json);
    text
}

fn expand_one(object: &CompactedObject) -> Result<ResultObject, CompactionError> {
    let CompactedObject { object_ref, changes, new, orphan, deleted, hook, rendered, remote, applied } = object;
    let mut previous = None;
    let mut next = |field: &'static str, text: &str| {
        let error = |kind| CompactionError { object: Box::new(object_ref.clone()), field, kind };
        decode(text, &mut previous).map_err(error)
    };
    Ok(ResultObject {
        object_ref: object_ref.clone(),
        changes: changes.clone(),
        new: *new,
        orphan: *orphan,
        deleted: *deleted,
        hook: *hook,
        rendered: next("rendered", rendered)?,
        remote: next("remote", remote)?,
        applied: next("applied", applied)?,
    })
}

fn decode(text: &str, previous: &mut Option<String>) -> Result<Option<Object>, CompactionErrorKind> {
    let json = if text.is_empty() {
        return Ok(None);
    } else if let Some(json) = text.strip_prefix(FULL) {
        json.to_owned()
    } else if let Some(delta) = text.strip_prefix(DELTA) {
        apply_delta(previous.as_deref().ok_or(CompactionErrorKind::DeltaWithoutPrevious)?, delta)?
    } else {
        return Err(CompactionErrorKind::UnknownPrefix);
    };
    let value = serde_json::from_str(&json).map_err(|error| CompactionErrorKind::Json(error.to_string()))?;
    *previous = Some(json);
    Ok(Some(Object(value)))
}
