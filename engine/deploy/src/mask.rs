//! Keeps secret values out of results: what is shown and what is stored.
//!
//! Identities stay (kinds, names, namespaces), so that a result can still be read and matched with the cluster. The
//! data of Secret objects are hidden by their place already (`windlass-diff`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_masking::SecretValues;
use windlass_model::object::Object;
use windlass_model::result::{Change, CommandResult, DeploymentError, ResultObject, ValidateResult};

/// Keys of objects and their metadata that identify.
const IDENTITY: [&str; 7] = ["apiVersion", "kind", "name", "namespace", "generateName", "uid", "resourceVersion"];

/// Masks what the run knows as secret.
pub(crate) fn command_result(result: &mut CommandResult, secrets: &SecretValues) {
    if secrets.is_empty() {
        return;
    }
    result.objects.iter_mut().for_each(|entry| result_object(entry, secrets));
    messages(&mut result.errors, secrets);
    messages(&mut result.warnings, secrets);
    let args = [Some(&mut result.command.args), result.target.args.as_mut()];
    args.into_iter().flatten().flat_map(|args| args.values_mut()).for_each(|value| secrets.mask_value(value));
    result.deployment.iter_mut().for_each(|value| secrets.mask_value(value));
}

/// As [`command_result`].
pub(crate) fn validate_result(result: &mut ValidateResult, secrets: &SecretValues) {
    messages(&mut result.errors, secrets);
    messages(&mut result.warnings, secrets);
    result.results.iter_mut().for_each(|entry| secrets.mask_text(&mut entry.message));
}

fn messages(messages: &mut [DeploymentError], secrets: &SecretValues) {
    messages.iter_mut().for_each(|entry| secrets.mask_text(&mut entry.message));
}

fn result_object(entry: &mut ResultObject, secrets: &SecretValues) {
    for Change { change_type: _, json_path: _, old_value, new_value, unified_diff } in &mut entry.changes {
        [old_value, new_value].into_iter().flatten().for_each(|value| secrets.mask_value(value));
        secrets.mask_text(unified_diff);
    }
    [&mut entry.rendered, &mut entry.remote, &mut entry.applied]
        .into_iter()
        .flatten()
        .for_each(|object| mask_object(&mut object.0, secrets));
}

fn mask_object(object: &mut Value, secrets: &SecretValues) {
    let Some(map) = object.as_object_mut() else { return };
    for (key, value) in map.iter_mut().filter(|(key, _)| !IDENTITY.contains(&key.as_str())) {
        match value.as_object_mut().filter(|_| key == "metadata") {
            Some(metadata) => {
                let rest = metadata.iter_mut().filter(|(key, _)| !IDENTITY.contains(&key.as_str()));
                rest.for_each(|(_, value)| secrets.mask_value(value));
            }
            None => secrets.mask_value(value),
        }
    }
}

/// Registers the values of Secret objects, as they may show up in other objects too.
pub(crate) fn register_secrets<'a>(objects: impl Iterator<Item = &'a Object>, secrets: &SecretValues) {
    for object in objects.filter(|object| object.kind() == "Secret" && object.gvk().group.is_empty()) {
        for text in object.0["data"].as_object().into_iter().flat_map(|data| data.values()).filter_map(Value::as_str) {
            match STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(plain) => secrets.register_found(&plain),
                None => secrets.register_found(text),
            }
        }
        let plain = object.0["stringData"].as_object().into_iter().flat_map(|data| data.values());
        plain.filter_map(Value::as_str).for_each(|text| secrets.register_found(text));
    }
}

/// As [`register_secrets`], for all objects that a result knows.
pub(crate) fn register_secrets_of(result: &CommandResult, secrets: &SecretValues) {
    let objects = result.objects.iter().flat_map(|entry| [&entry.rendered, &entry.remote, &entry.applied]).flatten();
    register_secrets(objects, secrets);
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::object_ref::ObjectRef;

    use super::*;

    fn result() -> CommandResult {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "s3cret-value", "annotations": { "a": "s3cret-value" } },
            "data": { "a": "x s3cret-value", "b": "czNjcmV0LXZhbHVl" },
        });
        let change = Change {
            json_path: "data.a".into(),
            new_value: Some(json!("x s3cret-value")),
            unified_diff: "+x s3cret-value".into(),
            ..Change::default()
        };
        let entry = ResultObject { applied: Some(Object(object)), changes: vec![change], ..ResultObject::default() };
        CommandResult {
            objects: vec![entry],
            errors: vec![DeploymentError::new(ObjectRef::default(), "bad: s3cret-value")],
            ..CommandResult::default()
        }
    }

    #[test]
    fn values_are_masked_everywhere_but_in_identities() {
        let secrets = SecretValues::default();
        secrets.register("s3cret-value");
        let mut result = result();
        command_result(&mut result, &secrets);
        let applied = &result.objects[0].applied.as_ref().unwrap().0;
        assert_eq!(applied["metadata"], json!({ "name": "s3cret-value", "annotations": { "a": "*****" } }));
        assert_eq!(applied["data"], json!({ "a": "x *****", "b": "*****" }));
        let change = &result.objects[0].changes[0];
        assert_eq!((change.unified_diff.as_str(), &change.new_value), ("+x *****", &Some(json!("x *****"))));
        assert_eq!(result.errors[0].message, "bad: *****");
    }

    #[test]
    fn values_of_secrets_are_masked_in_other_objects() {
        let secrets = SecretValues::default();
        let secret = |group: &str| {
            let data = json!({ "p": "czNjcmV0LXZhbHVlLTEyMw==", "user": "bXlhcHA=", "raw": "//79/P8B" });
            Object(json!({ "apiVersion": group, "kind": "Secret", "data": data, "stringData": { "t": "T0k3n-abc" } }))
        };
        register_secrets([secret("example.org/v1")].iter(), &secrets);
        assert!(secrets.is_empty());
        register_secrets([secret("v1")].iter(), &secrets);
        assert_eq!(secrets.mask("s3cret-value-123 myapp T0k3n-abc //79/P8B"), "***** myapp ***** *****");
    }
}
