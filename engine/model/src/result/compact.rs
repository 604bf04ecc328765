//! Compacted objects (spec 03 section 16): full JSON once, deltas afterwards.

use serde::{Deserialize, Serialize};

use super::{Change, ResultObject, apply_delta, compact_json, encode_delta, is_false};
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
pub enum CompactionError {
    /// The first text of an object is a delta.
    #[error("`{field}` of {object} is a delta, but there is no object before it")]
    DeltaWithoutPrevious {
        /// The object.
        object: ObjectRef,
        /// `rendered`, `remote` or `applied`.
        field: &'static str,
    },
    /// Neither `full: ` nor `delta: `.
    #[error("`{field}` of {object} starts with neither `full: ` nor `delta: `")]
    UnknownPrefix {
        /// The object.
        object: ObjectRef,
        /// `rendered`, `remote` or `applied`.
        field: &'static str,
    },
    /// The delta does not fit.
    #[error("`{field}` of {object}: {source}")]
    Delta {
        /// The object.
        object: ObjectRef,
        /// `rendered`, `remote` or `applied`.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: super::DeltaError,
    },
    /// The decoded text is not JSON.
    #[error("`{field}` of {object} is not JSON: {message}")]
    Json {
        /// The object.
        object: ObjectRef,
        /// `rendered`, `remote` or `applied`.
        field: &'static str,
        /// The parser's message.
        message: String,
    },
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
    let mut next = |field: &'static str, text: &str| decode(object_ref, field, text, &mut previous);
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

fn decode(
    object: &ObjectRef,
    field: &'static str,
    text: &str,
    previous: &mut Option<String>,
) -> Result<Option<Object>, CompactionError> {
    let object = || object.clone();
    let json = if text.is_empty() {
        return Ok(None);
    } else if let Some(json) = text.strip_prefix(FULL) {
        json.to_owned()
    } else if let Some(delta) = text.strip_prefix(DELTA) {
        let previous =
            previous.as_deref().ok_or_else(|| CompactionError::DeltaWithoutPrevious { object: object(), field })?;
        apply_delta(previous, delta).map_err(|source| CompactionError::Delta { object: object(), field, source })?
    } else {
        return Err(CompactionError::UnknownPrefix { object: object(), field });
    };
    let value = serde_json::from_str(&json).map_err(|error| CompactionError::Json {
        object: object(),
        field,
        message: error.to_string(),
    })?;
    *previous = Some(json);
    Ok(Some(Object(value)))
}
