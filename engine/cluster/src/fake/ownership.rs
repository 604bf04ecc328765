//! Field ownership of the fake: maps are entered, everything else is one field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Stored;
use crate::error::StatusCause;

/// Fields that identify an object and have no owner.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "name", "namespace"];

/// Fields of `local` that another manager owns with another value.
pub(super) fn conflicts(stored: &Stored, manager: &str, local: &Value) -> Vec<StatusCause> {
    let mut causes = Vec::new();
    for (other, applied) in stored.applied.iter().filter(|(other, _)| *other != manager) {
        walk(local, &mut Vec::new(), &mut |path, value| {
            if at(applied, path).is_some() && at(&stored.object, path) != Some(value) {
                let kind = "FieldManagerConflict".to_owned();
                let field = path.iter().map(|key| format!(".{key}")).collect();
                causes.push(StatusCause { kind, message: format!("conflict with \"{other}\""), field });
            }
        });
    }
    causes
}

/// Applies `local` for `manager`, taking fields away from others.
pub(super) fn force(stored: &mut Stored, manager: &str, local: &Value) {
    let dropped = stored.applied.remove(manager).unwrap_or_default();
    walk(&dropped, &mut Vec::new(), &mut |path, _| {
        let owned_elsewhere = stored.applied.values().any(|applied| at(applied, path).is_some());
        if at(local, path).is_none() && !owned_elsewhere {
            remove(&mut stored.object, path);
        }
    });
    walk(local, &mut Vec::new(), &mut |path, value| {
        for applied in stored.applied.values_mut() {
            if at(applied, path).is_some_and(|theirs| theirs != value) {
                remove(applied, path);
            }
        }
    });
    merge(&mut stored.object, local);
    stored.applied.insert(manager.to_owned(), local.clone());
}

/// JSON merge patch.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            remove(target, &[key]);
        } else if let Value::Object(map) = target {
            merge(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

pub(super) fn managed_fields(applied: &BTreeMap<String, Value>) -> Value {
    applied
        .iter()
        .map(|(manager, value)| {
            json!({"manager": manager, "operation": "Apply", "apiVersion": value["apiVersion"],
                "fieldsType": "FieldsV1", "fieldsV1": fields(value)})
        })
        .collect()
}

fn fields(value: &Value) -> Value {
    let Value::Object(map) = value else { return json!({}) };
    let owned = map.iter().filter(|(key, _)| !IDENTITY.contains(&key.as_str()));
    Value::Object(owned.map(|(key, value)| (format!("f:{key}"), fields(value))).collect::<Map<_, _>>())
}

fn walk<'a>(value: &'a Value, path: &mut Vec<&'a str>, found: &mut impl FnMut(&[&'a str], &'a Value)) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map.iter().filter(|(key, _)| !IDENTITY.contains(&key.as_str())) {
                path.push(key);
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Null => {}
        leaf => found(path, leaf),
    }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn remove(value: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, key| value.get_mut(key));
    if let Some(map) = parent.and_then(Value::as_object_mut) {
        map.remove(*last);
    }
}
