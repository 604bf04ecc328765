//! Removes what servers and controllers write into every object (spec 03 section 11.2).

use serde_json::{Map, Value};
use windlass_model::object::Object;

/// Metadata that changes with every write.
const VOLATILE_METADATA: [&str; 6] =
    ["managedFields", "creationTimestamp", "generation", "resourceVersion", "selfLink", "uid"];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const CONTROLLER_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

/// Whether both are equal already without looking into what normalising removes. Costs no copy.
pub(crate) fn obviously_equal(remote: &Object, applied: &Object) -> bool {
    let (Some(remote), Some(applied)) = (remote.0.as_object(), applied.0.as_object()) else {
        return remote == applied;
    };
    equal_without(remote, applied, &["status", "metadata"])
        && match (remote.get("metadata"), applied.get("metadata")) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => equal_without(a, b, &VOLATILE_METADATA),
            (a, b) => a == b,
        }
}

fn equal_without(a: &Map<String, Value>, b: &Map<String, Value>, skip: &[&str]) -> bool {
    let rest = |map| Map::iter(map).filter(|(key, _)| !skip.contains(&key.as_str()));
    rest(a).eq(rest(b))
}

/// A copy that can be compared. An object that is not a map becomes an empty one.
pub(crate) fn normalised(object: &Object) -> Value {
    let Some(source) = object.0.as_object() else { return Value::Object(Map::new()) };
    let mut map: Map<String, Value> = source
        .iter()
        .filter(|(key, _)| *key != "status" && *key != "metadata")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    map.insert("metadata".into(), metadata(source.get("metadata")));
    let mut value = Value::Object(map);
    whole_numbers(&mut value);
    controller_labels(&mut value);
    match object.kind() {
        "Deployment" | "StatefulSet" | "DaemonSet" => environment(&mut value),
        "Secret" | "ConfigMap" => empty_data(&mut value),
        "ServiceAccount" => token_secrets(&mut value, object.name()),
        _ => {}
    }
    value
}

fn metadata(source: Option<&Value>) -> Value {
    let mut metadata: Map<String, Value> = source
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(key, _)| !VOLATILE_METADATA.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for key in ["labels", "annotations"] {
        let map = metadata.entry(key).or_insert(Value::Null);
        if map.is_null() {
            *map = Value::Object(Map::new());
        }
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    Value::Object(metadata)
}

/// `1.0` and `1` are one number to the server.
fn whole_numbers(value: &mut Value) {
    /// Whole floats below this fit an `i64`.
    const LIMIT: f64 = 9.2e18;
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= LIMIT);
            if let Some(integer) = whole.and_then(|float| format!("{float:.0}").parse::<i64>().ok()) {
                *value = integer.into();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

fn controller_labels(value: &mut Value) {
    for pointer in ["/spec/template/metadata/labels", "/spec/selector/matchLabels"] {
        if let Some(labels) = value.pointer_mut(pointer).and_then(Value::as_object_mut) {
            CONTROLLER_LABELS.iter().for_each(|label| drop(labels.remove(*label)));
        }
    }
}

/// Keys `env` by name and `envFrom` by reference, so that order does not matter and paths can be read.
fn environment(value: &mut Value) {
    let containers = value.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(keyed) = container.get("env").and_then(env_by_name) {
            container.insert("env".into(), keyed);
        }
        if let Some(keyed) = container.get("envFrom").and_then(env_from_by_reference) {
            container.insert("envFrom".into(), keyed);
        }
    }
}

fn non_empty_list(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().filter(|list| !list.is_empty())
}

fn env_by_name(env: &Value) -> Option<Value> {
    let entry = |entry: &Value| Some((entry.get("name")?.as_str()?.to_owned(), entry.clone()));
    non_empty_list(env)?.iter().map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
}

fn env_from_by_reference(env_from: &Value) -> Option<Value> {
    let mut keyed = Map::new();
    let mut unknown = Vec::new();
    for entry in non_empty_list(env_from)? {
        let reference = ["configMapRef", "secretRef"].iter().find_map(|kind| {
            let name = entry.get(kind)?.get("name")?.as_str()?;
            Some(format!("{kind}/{name}"))
        });
        match reference {
            Some(reference) => drop(keyed.insert(reference, entry.clone())),
            None => unknown.push(entry.clone()),
        }
    }
    if !unknown.is_empty() {
        keyed.insert("unknown".into(), Value::Array(unknown));
    }
    Some(Value::Object(keyed))
}

fn empty_data(value: &mut Value) {
    let empty = |data: &Value| data.is_null() || data.as_object().is_some_and(Map::is_empty);
    if let Some(map) = value.as_object_mut()
        && map.get("data").is_some_and(empty)
    {
        map.remove("data");
    }
}

/// Tokens that the cluster adds to service accounts.
fn token_secrets(value: &mut Value, name: &str) {
    let prefix = format!("{name}-");
    if let Some(secrets) = value.get_mut("secrets").and_then(Value::as_array_mut) {
        secrets.retain(|secret| {
            secret
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| !name.is_empty() && !name.starts_with(&prefix))
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normal(value: Value) -> Value {
        let mut value = normalised(&Object(value));
        value.as_object_mut().unwrap().remove("metadata");
        value
    }

    #[test]
    fn volatile_metadata_and_status_go_labels_and_annotations_are_always_there() {
        let object = Object(json!({
            "kind": "X", "status": {"a": 1},
            "metadata": {"name": "n", "uid": "u", "generation": 2, "resourceVersion": "1", "selfLink": "s",
                "creationTimestamp": null, "managedFields": [], "labels": null,
                "annotations": {LAST_APPLIED: "{}", "keep": "1"}, "finalizers": ["f"]},
        }));
        assert_eq!(
            normalised(&object),
            json!({"kind": "X", "metadata": {"name": "n", "labels": {}, "annotations": {"keep": "1"}, "finalizers": ["f"]}})
        );
    }

    #[test]
    fn whole_floats_become_integers() {
        assert_eq!(
            normal(json!({"a": [1.0, -3e6, 1.5, 1e18, 1e300]})),
            json!({"a": [1, -3_000_000, 1.5, 1_000_000_000_000_000_000_i64, 1e300]})
        );
    }

    #[test]
    fn environment_is_keyed_where_every_entry_can_be() {
        let containers = |containers: Value| json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": containers}}}});
        let given = containers(json!([
            {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
             "envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}, {"prefix": "p"}]},
            {"env": [{"value": "1"}], "envFrom": []},
        ]));
        let wanted = containers(json!([
            {"env": {"A": {"name": "A", "value": "2"}},
             "envFrom": {"secretRef/s": {"secretRef": {"name": "s"}}, "configMapRef/c": {"configMapRef": {"name": "c"}},
                 "unknown": [{"prefix": "p"}]}},
            {"env": [{"value": "1"}], "envFrom": []},
        ]));
        assert_eq!(normal(given.clone()), wanted);
        let mut job = given;
        job["kind"] = json!("Job");
        assert_eq!(normal(job.clone()), job, "jobs keep their lists");
    }

    #[test]
    fn empty_data_of_config_maps_and_secrets_goes() {
        assert_eq!(normal(json!({"kind": "ConfigMap", "data": {}})), json!({"kind": "ConfigMap"}));
        assert_eq!(normal(json!({"kind": "Secret", "data": null})), json!({"kind": "Secret"}));
        assert_eq!(normal(json!({"kind": "Other", "data": {}})), json!({"kind": "Other", "data": {}}));
    }

    #[test]
    fn token_secrets_of_service_accounts_go() {
        let secrets = json!([{"name": "sa-token"}, {"name": "fine"}, {}, {"name": ""}, "text"]);
        let account = json!({"kind": "ServiceAccount", "metadata": {"name": "sa"}, "secrets": secrets});
        assert_eq!(normal(account)["secrets"], json!([{"name": "fine"}]));
    }

    #[test]
    fn null_and_wrong_types_everywhere_are_survived() {
        for kind in ["Deployment", "ServiceAccount", "Secret", "Job"] {
            for value in
                [json!(null), json!(1), json!("t"), json!([]), json!([null]), json!({}), json!({"template": null})]
            {
                let object = json!({"kind": kind, "metadata": value, "spec": value, "secrets": value, "data": value});
                normalised(&Object(object));
                let deep = json!({"kind": kind, "spec": {"selector": value, "template": {"metadata": value,
                    "spec": {"containers": [value, {"env": value, "envFrom": value}]}}}});
                normalised(&Object(deep));
            }
        }
        assert_eq!(normalised(&Object(Value::Null)), json!({}));
    }

    #[test]
    fn objects_that_differ_only_in_what_goes_are_obviously_equal() {
        let object = |version: &str, color: &str| {
            Object(json!({"metadata": {"resourceVersion": version, "name": "a"}, "data": color, "status": version}))
        };
        assert!(obviously_equal(&object("1", "red"), &object("2", "red")));
        assert!(!obviously_equal(&object("1", "red"), &object("1", "blue")));
        assert!(!obviously_equal(&Object(json!({"metadata": {}})), &Object(json!({}))));
    }
}
