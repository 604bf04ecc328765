//! Brings `-o yaml` results and live objects into a form that does not vary.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::normal::regex;
use crate::yaml;

static START: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^(clusterInfo|endTime):"));

/// The text before a result, and the result.
pub(super) fn split(text: &str) -> Result<Option<(&str, Value)>, String> {
    let Some(found) = START.find(text) else { return Ok(None) };
    let (head, result) = text.split_at(found.start());
    Ok(Some((head, yaml::load(result)?)))
}

/// Decodes the objects (`full`) or only notes their presence, and sorts every list.
pub(super) fn normal(result: &mut Value, full: bool) -> Result<(), String> {
    if let Some(objects) = result.get_mut("compactedObjects").and_then(Value::as_array_mut) {
        expand(objects, full)?;
    }
    for key in ["errors", "warnings", "results"] {
        if let Some(entries) = result.get_mut(key).and_then(Value::as_array_mut) {
            entries.sort_by_cached_key(|entry| (order(entry), text(entry, "annotation"), text(entry, "message")));
        }
    }
    Ok(())
}

/// Decodes `rendered`, `remote` and `applied` of compacted objects.
pub(super) fn expand(objects: &mut [Value], full: bool) -> Result<(), String> {
    for object in objects.iter_mut() {
        let mut previous = String::new();
        for key in ["rendered", "remote", "applied"] {
            let Some(value) = object.get(key).and_then(Value::as_str) else { continue };
            previous = match (value.strip_prefix("full: "), value.strip_prefix("delta: ")) {
                (Some(json), _) => json.to_owned(),
                (None, Some(delta)) => apply_delta(&previous, delta)?,
                (None, None) => return Err(format!("`{key}` is neither full nor delta: {value}")),
            };
            object[key] = if full {
                let mut decoded =
                    serde_json::from_str(&previous).map_err(|error| format!("`{key}`: {error} in {previous}"))?;
                tame(&mut decoded);
                decoded
            } else {
                "present".into()
            };
        }
    }
    objects.sort_by_cached_key(order);
    Ok(())
}

/// Applies a delta: tokens `=N` keep, `-N` skip, `+TEXT` insert, separated by tabs.
fn apply_delta(previous: &str, delta: &str) -> Result<String, String> {
    let characters: Vec<_> = previous.chars().collect();
    let (mut at, mut result) = (0, String::new());
    for token in delta.split('\t') {
        let count = |digits: &str| digits.parse::<usize>().map_err(|e| format!("{e} in {token}"));
        if let Some(digits) = token.strip_prefix('=') {
            let end = at + count(digits)?;
            result.extend(characters.get(at..end).ok_or("a delta is too long")?);
            at = end;
        } else if let Some(digits) = token.strip_prefix('-') {
            at += count(digits)?;
        } else if let Some(inserted) = token.strip_prefix('+') {
            result.push_str(&unquote(inserted));
        }
    }
    if at == characters.len() { Ok(result) } else { Err("a delta does not fit".to_owned()) }
}

/// Percent-decoding that leaves `+` alone.
fn unquote(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Removes what varies; managed fields become `MANAGER OPERATION [SUBRESOURCE]`.
pub(super) fn tame(object: &mut Value) {
    let Some(entries) = object.as_object_mut() else { return };
    entries.remove("status");
    let Some(metadata) = entries.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    if let Some(managers) = metadata.get("managedFields").map(managers) {
        metadata.insert("managedFields".to_owned(), managers);
    }
    if metadata.contains_key("resourceVersion") {
        metadata.insert("resourceVersion".to_owned(), "<RV>".into());
    }
}

fn managers(fields: &Value) -> Value {
    let name = |entry: &Value| {
        let parts = ["manager", "operation", "subresource"].map(|key| text(entry, key));
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut names: Vec<_> = fields
        .as_array()
        .into_iter()
        .flatten()
        .map(name)
        .filter(|name| !name.starts_with("kube-controller-manager"))
        .collect();
    names.sort();
    json!(names)
}

fn text(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or_default().to_owned()
}

fn order(entry: &Value) -> (String, String, String) {
    let empty = Value::Object(Map::new());
    let reference = entry.get("ref").unwrap_or(&empty);
    let part = |key| text(reference, key);
    let kind = format!("{}/{}, Kind={}", part("group"), part("version"), part("kind"));
    (kind, part("namespace"), part("name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_apply_and_decode() {
        assert_eq!(apply_delta("abcdef", "=2\t-2\t+X%20=&+Y\t=2"), Ok("abX =&+Yef".to_owned()));
    }

    #[test]
    fn deltas_that_do_not_fit_are_errors() {
        assert!(apply_delta("abc", "=2").is_err());
        assert!(apply_delta("abc", "=9").is_err());
        assert!(apply_delta("abc", "=x").is_err());
    }

    #[test]
    fn brief_results_show_presence_in_sorted_order() {
        let mut result = json!({"compactedObjects": [
            {"ref": {"kind": "B", "name": "b"}, "rendered": "full: {}"},
            {"ref": {"kind": "A", "name": "a"}, "rendered": "full: {}", "applied": "delta: =2"},
        ]});
        normal(&mut result, false).expect("valid");
        let wanted = json!({"compactedObjects": [
            {"ref": {"kind": "A", "name": "a"}, "rendered": "present", "applied": "present"},
            {"ref": {"kind": "B", "name": "b"}, "rendered": "present"},
        ]});
        assert_eq!(result, wanted);
    }

    #[test]
    fn a_result_without_objects_stays_without() {
        let mut result = json!({"ready": true});
        normal(&mut result, false).expect("valid");
        assert_eq!(result, json!({"ready": true}));
    }

    #[test]
    fn managers_become_sorted_names() {
        let mut object = json!({"status": {}, "metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "z", "operation": "Update", "subresource": "status"},
            {"manager": "kube-controller-manager", "operation": "Update"},
            {"manager": "a", "operation": "Apply"},
        ]}});
        tame(&mut object);
        let names = ["a Apply", "z Update status"];
        let wanted = json!({"metadata": {"resourceVersion": "<RV>", "managedFields": names}});
        assert_eq!(object, wanted);
    }
}
