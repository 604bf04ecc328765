//! Live objects of `get` steps.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use serde_json::Value;

use super::result_yaml::{expand, tame};

const VOLATILE: [&str; 5] = ["managedFields", "uid", "resourceVersion", "generation", "creationTimestamp"];

/// A `get` step without `live`: the object, or list, without what the server counts.
pub(super) fn plain(object: &mut Value) {
    remove_volatile(object);
    for item in object.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        remove_volatile(item);
    }
}

/// A `get` step with `live`: an object, or the items of a list in order of creation.
pub(super) fn treated(mut object: Value, full: bool) -> Result<Value, String> {
    let Some(items) = object.get_mut("items").map(Value::take) else {
        treat(&mut object, full)?;
        return Ok(object);
    };
    let Value::Array(mut items) = items else { return Err("`items` is not a list".to_owned()) };
    items.sort_by_cached_key(order);
    for item in &mut items {
        treat(item, full)?;
    }
    Ok(Value::Array(items))
}

/// Timestamps count seconds; within one the version tells.
fn order(item: &Value) -> (String, u64) {
    let text = |key: &str| item["metadata"][key].as_str().unwrap_or_default();
    (text("creationTimestamp").to_owned(), text("resourceVersion").parse().unwrap_or_default())
}

fn treat(object: &mut Value, full: bool) -> Result<(), String> {
    tame(object);
    if !full {
        remove_volatile(object);
    }
    let is_result = object["metadata"]["labels"].get("kluctl.io/result").is_some();
    if object["kind"] == "Secret" && is_result {
        unpack(object)?;
    }
    Ok(())
}

fn remove_volatile(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in VOLATILE {
            metadata.remove(key);
        }
    }
}

/// A stored result: its data is gzipped JSON, its summary JSON in an annotation.
fn unpack(secret: &mut Value) -> Result<(), String> {
    for (key, value) in secret["data"].as_object_mut().into_iter().flatten() {
        let packed =
            BASE64.decode(value.as_str().unwrap_or_default()).map_err(|error| format!("`data.{key}`: {error}"))?;
        let mut text = String::new();
        GzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .map_err(|error| format!("`data.{key}`: {error}"))?;
        *value = serde_json::from_str(&text).map_err(|error| format!("`data.{key}`: {error}"))?;
        if key == "compactedObjects"
            && let Some(objects) = value.as_array_mut()
        {
            expand(objects, true)?;
        }
    }
    for (key, value) in secret["metadata"]["annotations"].as_object_mut().into_iter().flatten() {
        if key.ends_with("-summary") {
            let text = value.as_str().unwrap_or_default();
            *value = serde_json::from_str(text).map_err(|error| format!("`{key}`: {error}"))?;
        }
    }
    Ok(())
}
