use serde_json::{Map, json};
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::{Change, CommandInfo, DeploymentError, ResultObject};

use super::*;

const ID: &str = "5b0c3a52-1111-4222-8333-444455556666";

fn config_map(color: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop", "labels": {"a": "<b>"}, "uid": "1"},
        "data": {"color": color, "text": "more text, so that a delta is shorter than the whole object"},
    }))
}

fn result() -> CommandResult {
    let object_ref = ObjectRef::new(&Gvk::from_api_version("v1", "ConfigMap"), "shop", "settings");
    CommandResult {
        id: ID.into(),
        project_key: ProjectKey { repo_key: "git://h/team/my_shop".into(), sub_dir: "deploy".into() },
        command: CommandInfo {
            command: "deploy".into(),
            start_time: Some("2024-05-01T10:00:00Z".into()),
            ..Default::default()
        },
        objects: vec![
            ResultObject {
                object_ref: object_ref.clone(),
                changes: vec![Change { json_path: "data.color".into(), ..Default::default() }],
                rendered: Some(config_map("blue")),
                remote: Some(config_map("red")),
                applied: Some(config_map("blue")),
                ..Default::default()
            },
            ResultObject { object_ref, deleted: true, ..Default::default() },
        ],
        warnings: vec![DeploymentError::general("careful & slow")],
        ..Default::default()
    }
}

/// Text without repetition, which hardly compresses.
fn noise(length: usize) -> String {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[(state >> 58) as usize])
    };
    (0..length).map(|_| next()).collect()
}

fn unpacked(secret: &Object, key: &'static str) -> Value {
    part(secret, key).unwrap()
}

#[test]
fn a_command_secret_has_the_documented_shape() {
    let secret = command_secret(&result(), "results").unwrap();
    let mut shown = secret.0.clone();
    let data = shown.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["compactedObjects", "reducedResult"]);
    let summary = shown["metadata"]["annotations"].as_object_mut().unwrap().remove("kluctl.io/command-result-summary");
    assert_eq!(
        shown,
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": format!("cr-my-shop-{ID}"), "namespace": "results",
                "labels": {"kluctl.io/result": "true", "kluctl.io/command-result-id": ID},
                "annotations": {
                    "kluctl.io/result-project-repo-key": "git://h/team/my_shop",
                    "kluctl.io/result-project-subdir": "deploy",
                },
            },
        })
    );
    let summary: Value = serde_json::from_str(summary.unwrap().as_str().unwrap()).unwrap();
    assert_eq!((&summary["id"], &summary["deletedObjects"], &summary["errors"]), (&json!(ID), &json!(1), &Value::Null));
    assert_eq!(summary["commandInfo"]["command"], "deploy");
}

#[test]
fn the_reduced_result_has_changes_but_no_object_bodies() {
    let secret = command_secret(&result(), "results").unwrap();
    let reduced = unpacked(&secret, REDUCED_RESULT);
    let object = &reduced["objects"][0];
    assert_eq!(object["changes"][0]["jsonPath"], "data.color");
    let identity = json!({"name": "settings", "namespace": "shop", "labels": {"a": "<b>"}});
    assert_eq!(object["remote"], json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": identity}));
    assert!(reduced.get("compactedObjects").is_none());
    let compacted = unpacked(&secret, COMPACTED_OBJECTS);
    assert!(compacted[0]["rendered"].as_str().unwrap().starts_with("full: {"), "{compacted}");
    assert!(compacted[0]["remote"].as_str().unwrap().starts_with("delta: ="), "{compacted}");
}

#[test]
fn what_is_stored_expands_to_the_same_result() {
    let secret = command_secret(&result(), "results").unwrap();
    assert_eq!(read_command_result(&secret).unwrap(), result());
    let empty = CommandResult { id: ID.into(), ..Default::default() };
    let secret = command_secret(&empty, "results").unwrap();
    assert_eq!(unpacked(&secret, COMPACTED_OBJECTS), json!([]));
    assert_eq!(read_command_result(&secret).unwrap(), empty);
}

#[test]
fn the_same_result_gives_the_same_bytes() {
    assert_eq!(command_secret(&result(), "r").unwrap(), command_secret(&result(), "r").unwrap());
}

#[test]
fn a_result_of_a_controller_names_its_deployment() {
    let deployment = KluctlDeploymentInfo { name: "shop".into(), namespace: "apps".into(), cluster_id: "1".into() };
    let result = ValidateResult {
        id: ID.into(),
        kluctl_deployment: Some(deployment),
        ready: true,
        warnings: vec![DeploymentError::general("slow")],
        ..Default::default()
    };
    let secret = validate_secret(&result, "results").unwrap();
    assert_eq!(secret.name(), format!("vr-{ID}"));
    assert_eq!(secret.label("kluctl.io/validate-result-id"), Some(ID));
    let annotations: Vec<_> = secret.annotations().map(|(key, _)| key).collect();
    let wanted = [
        "kluctl.io/result-deployment-name",
        "kluctl.io/result-deployment-namespace",
        "kluctl.io/validate-result-summary",
    ];
    assert_eq!(annotations, wanted);
    let summary: Value = serde_json::from_str(secret.annotation("kluctl.io/validate-result-summary").unwrap()).unwrap();
    assert_eq!((&summary["warnings"], &summary["errors"]), (&json!(1), &json!(0)));
    assert_eq!(read_validate_result(&secret).unwrap(), result);
}

#[test]
fn more_than_a_secret_can_hold_is_an_error_with_sizes() {
    let mut result = result();
    result.objects[0].remote = Some(Object(json!({"data": noise(1_500_000)})));
    let error = command_secret(&result, "results").unwrap_err();
    let StoreError::TooLarge { kind: ResultKind::Command, part, size, limit: SECRET_LIMIT, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*part, "the compressed data");
    assert!(*size > SECRET_LIMIT);
    let wanted = format!("the compressed data of command result {ID} needs {size} bytes");
    assert!(error.to_string().starts_with(&wanted), "{error}");
}

#[test]
fn the_limit_is_one_of_compressed_bytes() {
    let mut result = result();
    result.objects[0].remote = Some(Object(json!({"data": "x".repeat(3_000_000)})));
    let secret = command_secret(&result, "results").unwrap();
    assert_eq!(read_command_result(&secret).unwrap(), result);
}

#[test]
fn many_messages_are_shortened_in_the_summary_and_whole_in_the_result() {
    let mut result = result();
    result.errors = (0..3000).map(|n| DeploymentError::general(format!("{n} {}", "e".repeat(200)))).collect();
    let secret = command_secret(&result, "results").unwrap();
    let all: usize = secret.annotations().map(|(key, value)| key.len() + value.len()).sum();
    assert!(all <= ANNOTATIONS_LIMIT, "{all}");
    assert_eq!(read_command_result(&secret).unwrap().errors.len(), 3000);
}

#[test]
fn a_summary_that_can_not_be_shortened_is_an_error() {
    let mut result = result();
    result.command.args = Map::from_iter([("big".to_owned(), json!(noise(300_000)))]);
    let error = command_secret(&result, "results").unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { part: "the summary", .. }), "{error}");
    assert!(!error.to_string().contains(&noise(40)));
}

#[test]
fn an_id_that_is_no_name_is_refused() {
    for id in ["", "<ID>", "a b"] {
        let error = command_secret(&CommandResult { id: id.into(), ..Default::default() }, "r").unwrap_err();
        assert!(matches!(error, StoreError::Id { .. }), "{error}");
    }
}

fn with_part(key: &str, value: &Value) -> Object {
    let mut secret = command_secret(&result(), "results").unwrap();
    secret.0["data"][key] = content::encode(&content::pack(value)).into();
    secret
}

fn read_error(secret: &Object) -> String {
    read_command_result(secret).unwrap_err().to_string()
}

#[test]
fn missing_parts_are_named() {
    for key in [REDUCED_RESULT, COMPACTED_OBJECTS] {
        let mut secret = command_secret(&result(), "results").unwrap();
        secret.0["data"].as_object_mut().unwrap().remove(key);
        assert_eq!(read_error(&secret), format!("Secret `results/cr-my-shop-{ID}` has no `{key}`"));
    }
    let empty = Object(json!({"metadata": {"name": "x", "namespace": "r"}}));
    assert_eq!(read_validate_result(&empty).unwrap_err().to_string(), "Secret `r/x` has no `result`");
}

#[test]
fn broken_parts_are_named() {
    let mut secret = command_secret(&result(), "results").unwrap();
    secret.0["data"][COMPACTED_OBJECTS] = "bm8gZ3ppcA==".into();
    let wanted = format!("read `compactedObjects` of Secret `results/cr-my-shop-{ID}`: not gzip: ");
    assert!(read_error(&secret).starts_with(&wanted), "{}", read_error(&secret));
}

#[test]
fn json_that_is_no_result_is_an_error() {
    for (key, value, wanted) in [
        (REDUCED_RESULT, json!([]), "read command result: "),
        (REDUCED_RESULT, json!({"id": "1", "colour": "red"}), "unknown field `colour`"),
        (COMPACTED_OBJECTS, json!({}), "read command result: "),
        (COMPACTED_OBJECTS, json!([{"ref": {}, "rendered": "delta: =1"}]), "there is no object before it"),
        (COMPACTED_OBJECTS, json!([{"ref": {}, "rendered": "whole: {}"}]), "starts with neither"),
    ] {
        let error = read_error(&with_part(key, &value));
        assert!(error.contains(wanted), "{key} {value}: {error}");
    }
}

#[test]
fn an_empty_list_of_go_reads_as_no_objects() {
    assert_eq!(read_command_result(&with_part(COMPACTED_OBJECTS, &Value::Null)).unwrap().objects, []);
}
