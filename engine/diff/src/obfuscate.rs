//! Hides the data of Secrets in reports (spec 03 section 12), full objects included.

use serde_json::Value;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{Change, ChangeType, CommandResult, compact_json};

use crate::unified::unified_diff;

const MASK: &str = "*****";
/// [`MASK`] in base64.
const MASK_BASE64: &str = "KioqKio=";
const MASK_TEXT: &str = "***** (obfuscated)";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hides secret values in changes and objects of a whole result.
pub fn obfuscate_result(result: &mut CommandResult) {
    for entry in &mut result.objects {
        obfuscate_changes(&entry.object_ref, &mut entry.changes);
        [&mut entry.rendered, &mut entry.remote, &mut entry.applied].into_iter().flatten().for_each(obfuscate_object);
    }
}

/// Hides the values of changes below `data` and `stringData` of a Secret; keys stay visible.
pub fn obfuscate_changes(object_ref: &ObjectRef, changes: &mut [Change]) {
    if !is_secret(&object_ref.group, &object_ref.kind) {
        return;
    }
    for change in changes.iter_mut().filter(|change| is_secret_path(&change.json_path)) {
        let masked = |value: &Option<Value>, mask| value.as_ref().map(|value| mask_value(value, mask));
        let (old, new) = (masked(&change.old_value, MASK_TEXT), masked(&change.new_value, MASK_TEXT));
        change.unified_diff = match change.change_type {
            ChangeType::Insert => unified_diff(None, new.as_ref()),
            ChangeType::Delete => unified_diff(old.as_ref(), None),
            ChangeType::Update => unified_diff(old.as_ref(), new.as_ref()),
        };
        change.old_value = masked(&change.old_value, MASK);
        change.new_value = masked(&change.new_value, MASK);
    }
}

/// Hides the values of a Secret, and those in `last-applied-configuration`. Other objects stay as they are.
pub fn obfuscate_object(object: &mut Object) {
    if !is_secret(&object.gvk().group, object.kind()) {
        return;
    }
    mask_data(&mut object.0);
    if let Some(text) = object.0.pointer_mut("/metadata/annotations").and_then(|map| map.get_mut(LAST_APPLIED)) {
        let applied = text.as_str().and_then(|text| serde_json::from_str(text).ok());
        *text = match applied {
            Some(mut applied @ Value::Object(_)) => {
                mask_data(&mut applied);
                compact_json(&applied).into()
            }
            // Unreadable text may still contain the values.
            _ => MASK.into(),
        };
    }
}

fn is_secret(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Secret"
}

fn is_secret_path(json_path: &str) -> bool {
    ["data", "stringData"]
        .iter()
        .any(|key| json_path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
}

fn mask_value(value: &Value, mask: &str) -> Value {
    match value {
        Value::Object(map) => map.keys().map(|key| (key.clone(), Value::from(mask))).collect(),
        Value::Array(list) => list.iter().map(|_| Value::from(mask)).collect(),
        _ => mask.into(),
    }
}

fn mask_data(object: &mut Value) {
    for (key, mask) in [("data", MASK_BASE64), ("stringData", MASK)] {
        if let Some(data) = object.get_mut(key).filter(|data| !data.is_null()) {
            *data = mask_value(data, mask);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::result::ResultObject;

    use super::*;
    use crate::compare::compare;

    fn secret_ref() -> ObjectRef {
        ObjectRef { kind: "Secret".into(), version: "v1".into(), name: "keys".into(), ..ObjectRef::default() }
    }

    fn obfuscated(object_ref: &ObjectRef, old: Value, new: Value) -> Vec<Change> {
        let mut changes = compare(&old, &new);
        obfuscate_changes(object_ref, &mut changes);
        changes
    }

    fn texts(changes: &[Change]) -> Vec<(&str, &str)> {
        changes.iter().map(|change| (change.json_path.as_str(), change.unified_diff.as_str())).collect()
    }

    #[test]
    fn recorded_single_values() {
        let changes = obfuscated(
            &secret_ref(),
            json!({"data": {"pw": "aHVudGVyMg==", "gone": "eA=="}}),
            json!({"data": {"pw": "aHVudGVyMw==", "fresh": "eQ=="}}),
        );
        assert_eq!(
            texts(&changes),
            [
                ("data.fresh", "+***** (obfuscated)"),
                ("data.gone", "-***** (obfuscated)"),
                ("data.pw", "-***** (obfuscated)\n+***** (obfuscated)"),
            ]
        );
        assert_eq!((&changes[0].old_value, &changes[0].new_value), (&None, &Some(json!("*****"))));
    }

    #[test]
    fn recorded_whole_maps_keep_their_keys() {
        let changes = obfuscated(&secret_ref(), json!({}), json!({"data": {"first": "dg==", "second": "dw=="}}));
        assert_eq!(texts(&changes), [("data", "+first: '***** (obfuscated)'\n+second: '***** (obfuscated)'")]);
        assert_eq!(changes[0].new_value, Some(json!({"first": "*****", "second": "*****"})));
    }

    #[test]
    fn nothing_else_is_hidden() {
        let (old, new) = (json!({"data": {"ab": "1"}, "database": "1"}), json!({"data": {"ab": "2"}, "database": "2"}));
        let config_map = ObjectRef { kind: "ConfigMap".into(), ..ObjectRef::default() };
        let other_group = ObjectRef { group: "example.org".into(), ..secret_ref() };
        for object_ref in [config_map, other_group] {
            assert_eq!(obfuscated(&object_ref, old.clone(), new.clone()), compare(&old, &new));
        }
        assert_eq!(texts(&obfuscated(&secret_ref(), old, new))[1], ("database", "-1\n+2"));
    }

    #[test]
    fn no_value_of_a_secret_remains_anywhere_in_a_result() {
        let applied = json!({"kind": "Secret", "data": {"a": "canary"}, "stringData": {"b": "canary"}}).to_string();
        let secret = |annotation: &str| {
            Object(json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "keys", "annotations": {LAST_APPLIED: annotation}},
                "data": {"odd key": "canary"}, "stringData": {"a": {"b": "canary"}},
            }))
        };
        let mut result = CommandResult {
            objects: vec![ResultObject {
                object_ref: secret_ref(),
                changes: compare(&json!({"stringData": ["canary"]}), &json!({"data": "canary"})),
                rendered: Some(secret(&applied)),
                remote: Some(secret("{\"data\": canary")),
                applied: Some(secret("\"canary\"")),
                ..ResultObject::default()
            }],
            ..CommandResult::default()
        };
        obfuscate_result(&mut result);
        let text = serde_json::to_string(&result).unwrap();
        assert!(!text.contains("canary"), "{text}");
        let rendered = &result.objects[0].rendered.as_ref().unwrap().0;
        assert_eq!(rendered["data"], json!({"odd key": "KioqKio="}));
        assert_eq!(rendered["stringData"], json!({"a": "*****"}));
    }
}
