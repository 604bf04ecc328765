use serde_json::json;

use super::*;
use crate::object_ref::Gvk;

fn config_map(name: &str) -> ObjectRef {
    ObjectRef::new(&Gvk::from_api_version("v1", "ConfigMap"), "shop", name)
}

fn object(name: &str, color: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "labels": {"a": "b"}, "uid": "1"},
        "data": {"color": color, "text": "<b> & more text so that a delta is shorter than the whole object"},
    }))
}

fn result() -> CommandResult {
    CommandResult {
        id: "1".into(),
        command: CommandInfo { command: "diff".into(), dry_run: true, ..Default::default() },
        objects: vec![ResultObject {
            object_ref: config_map("settings"),
            changes: vec![Change {
                change_type: ChangeType::Update,
                json_path: "data.color".into(),
                old_value: Some(json!("red")),
                new_value: Some(Value::Null),
                unified_diff: "-red\n+<nil>".into(),
            }],
            rendered: Some(object("settings", "blue")),
            applied: Some(object("settings", "green")),
            ..Default::default()
        }],
        warnings: vec![DeploymentError::general("careful")],
        ..Default::default()
    }
}

#[test]
fn an_empty_result_still_has_every_documented_key() {
    assert_eq!(
        CommandResult::default().to_compacted_value(),
        json!({
            "id": "", "reconcileId": "",
            "projectKey": {"repoKey": ""},
            "targetKey": {"clusterId": ""},
            "target": {"name": "", "aws": {}},
            "command": {"initiator": "CommandLine", "startTime": null, "endTime": null, "args": {}},
            "gitInfo": {"url": null, "ref": null, "subDir": "", "commit": "", "dirty": false},
            "clusterInfo": {"clusterId": ""},
        })
    );
}

#[test]
fn the_second_object_of_an_entry_is_a_delta_to_the_first() {
    let value = result().to_compacted_value();
    let entry = &value["compactedObjects"][0];
    assert!(entry["rendered"].as_str().unwrap().starts_with("full: {\"apiVersion\""));
    assert!(entry["applied"].as_str().unwrap().starts_with("delta: ="), "{entry}");
    assert!(entry.get("remote").is_none() && value.get("objects").is_none());
    assert_eq!(value["warnings"], json!([{"ref": {"kind": "", "name": ""}, "message": "careful"}]));
}

#[test]
fn a_delta_that_saves_nothing_is_left_out() {
    let mut result = result();
    result.objects[0].applied = Some(Object(json!({})));
    let value = result.to_compacted_value();
    assert_eq!(value["compactedObjects"][0]["applied"], "full: {}");
}

#[test]
fn results_read_back_from_both_forms() {
    let result = result();
    assert_eq!(CommandResult::from_value(result.to_compacted_value()).unwrap(), result);
    let reduced = CommandResult::from_value(result.to_reduced_value()).unwrap();
    let applied = reduced.objects[0].applied.as_ref().unwrap();
    assert_eq!(applied.0["metadata"], json!({"name": "settings", "namespace": "shop", "labels": {"a": "b"}}));
    assert!(applied.0.get("data").is_none());
    assert_eq!(reduced.objects[0].changes, result.objects[0].changes);
}

#[test]
fn unknown_keys_are_refused() {
    let mut value = result().to_compacted_value();
    value["surplus"] = json!(1);
    assert!(CommandResult::from_value(value).unwrap_err().to_string().contains("surplus"));
}

#[test]
fn broken_compacted_objects_name_object_and_field() {
    for (field, text, wanted) in [
        ("rendered", "delta: =1", "`rendered` of shop/ConfigMap/settings is a delta, but there is no object before it"),
        ("rendered", "{}", "`rendered` of shop/ConfigMap/settings starts with neither `full: ` nor `delta: `"),
        (
            "applied",
            "delta: =9999",
            "`applied` of shop/ConfigMap/settings does not fit: delta needs more text than there is",
        ),
        ("rendered", "full: {", "`rendered` of shop/ConfigMap/settings is not JSON"),
    ] {
        let mut value = result().to_compacted_value();
        value["compactedObjects"][0][field] = json!(text);
        let message = CommandResult::from_value(value).unwrap_err().to_string();
        assert!(message.starts_with(wanted), "{message}");
    }
}

#[test]
fn sorting_orders_by_kind_namespace_name_and_drops_repeated_messages() {
    let apps = ObjectRef::new(&Gvk::from_api_version("apps/v1", "Deployment"), "a", "a");
    let entry = |object_ref: ObjectRef| ResultObject { object_ref, ..Default::default() };
    let mut result = CommandResult {
        objects: vec![entry(apps.clone()), entry(config_map("b")), entry(config_map("a"))],
        errors: vec![
            DeploymentError::new(config_map("b"), "x"),
            DeploymentError::new(config_map("a"), "y"),
            DeploymentError::new(config_map("b"), "x"),
        ],
        ..Default::default()
    };
    result.sort();
    let order: Vec<_> = result.objects.iter().map(|o| &o.object_ref).collect();
    assert_eq!(order, [&config_map("a"), &config_map("b"), &apps]);
    assert_eq!(result.errors, [DeploymentError::new(config_map("a"), "y"), DeploymentError::new(config_map("b"), "x")]);
}

#[test]
fn the_summary_counts_and_writes_null_for_missing_messages() {
    let summary = serde_json::to_value(result().summary()).unwrap();
    assert_eq!(summary["commandInfo"]["command"], "diff");
    assert_eq!((&summary["renderedObjects"], &summary["remoteObjects"]), (&json!(1), &json!(0)));
    assert_eq!((&summary["changedObjects"], &summary["totalChanges"]), (&json!(1), &json!(1)));
    assert_eq!(summary["errors"], Value::Null);
    assert_eq!(summary["warnings"][0]["message"], "careful");
    let back: CommandResultSummary = serde_json::from_value(summary).unwrap();
    assert_eq!(back, result().summary());
}

#[test]
fn git_refs_are_maps_with_one_key() {
    let info = GitInfo { git_ref: Some(GitRef::Branch("main".into())), ..Default::default() };
    assert_eq!(serde_json::to_value(&info).unwrap()["ref"], json!({"branch": "main"}));
}

#[test]
fn a_validate_result_has_counts_in_its_summary() {
    let mut result = ValidateResult {
        errors: vec![DeploymentError::general("b"), DeploymentError::general("a"), DeploymentError::general("a")],
        ..Default::default()
    };
    result.sort();
    assert_eq!(
        serde_json::to_value(&result).unwrap(),
        json!({
            "id": "", "reconcileId": "", "projectKey": {"repoKey": ""}, "targetKey": {"clusterId": ""},
            "startTime": null, "endTime": null, "ready": false,
            "errors": [{"ref": {"kind": "", "name": ""}, "message": "a"}, {"ref": {"kind": "", "name": ""}, "message": "b"}],
        })
    );
    let summary = serde_json::to_value(result.summary()).unwrap();
    assert_eq!((&summary["errors"], &summary["warnings"]), (&json!(2), &json!(0)));
}
