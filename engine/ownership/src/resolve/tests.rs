use serde_json::json;
use windlass_model::deployment::{ConflictResolution, OneOrMany};

use super::*;

fn local(annotations: Value) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop", "annotations": annotations},
        "data": {"mine": "1", "color": "blue", "size": "L"},
    }))
}

fn remote(manager: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop", "managedFields": [
            {"manager": "kluctl", "operation": "Apply", "fieldsV1": {"f:data": {"f:mine": {}}}},
            {"manager": manager, "operation": "Update", "time": "2024-05-01T10:00:00Z",
             "fieldsV1": {"f:data": {"f:color": {}, "f:size": {}}}},
        ]},
        "data": {"mine": "1", "color": "green", "size": "S"},
    }))
}

fn cause(manager: &str, field: &str) -> Cause {
    Cause {
        reason: FIELD_MANAGER_CONFLICT.into(),
        message: format!("conflict with \"{manager}\""),
        field: field.into(),
    }
}

fn both(manager: &str) -> [Cause; 2] {
    [cause(manager, ".data.color"), cause(manager, ".data.size")]
}

fn rule(field_path: &str, action: ConflictAction) -> ConflictResolution {
    ConflictResolution { field_path: OneOrMany::One(field_path.into()), action: Some(action), ..Default::default() }
}

fn compiled(root_first: &[ConflictResolution]) -> ConflictRules {
    ConflictRules::compile(root_first).unwrap()
}

/// `color` and `size` as they are sent, and the fields lost.
fn decided(local: &Object, manager: &str, rules: &[ConflictResolution]) -> (Value, Vec<String>) {
    let resolution = resolve(local, &remote(manager), &both(manager), &compiled(rules));
    assert_eq!(resolution.errors, []);
    let mut data = resolution.object_to_send.0["data"].clone();
    data.as_object_mut().unwrap().remove("mine").unwrap();
    (data, resolution.lost.into_iter().map(|lost| lost.field).collect())
}

const NOTHING_LOST: Vec<String> = Vec::new();

#[test]
fn without_a_rule_the_other_manager_keeps_its_fields() {
    let resolution = resolve(&local(json!({})), &remote("robot"), &both("robot"), &ConflictRules::default());
    assert_eq!(resolution.object_to_send.0["data"], json!({"mine": "1"}));
    let warnings: Vec<_> = resolution.lost.iter().map(|lost| lost.warning.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "conflict with \"robot\". Not updating field '.data.color' as we lost field ownership",
            "conflict with \"robot\". Not updating field '.data.size' as we lost field ownership",
        ]
    );
    let decision = &resolution.decisions[0];
    assert_eq!((&decision.local_value, &decision.remote_value), (&json!("blue"), &json!("green")));
    assert_eq!((&decision.decided_by, decision.outcome), (&DecidedBy::NoRule, Outcome::Lost));
    assert_eq!(decision.overwrite_hint(), "kluctl.io/force-apply-field: data.color");
    let owner = &decision.owners[0];
    assert_eq!((owner.manager.as_str(), owner.operation.as_str()), ("robot", "Update"));
    assert_eq!(owner.time, "2024-05-01T10:00:00Z");
}

#[test]
fn interactive_managers_are_overwritten() {
    for manager in ["kubectl-edit", "kubectl", "k9s", "rancher", "kluctl", "kluctl-x"] {
        assert_eq!(decided(&local(json!({})), manager, &[]).0, json!({"color": "blue", "size": "L"}), "{manager}");
    }
    for manager in ["mykubectl", "kubectlx", "k9s2", "kluctlx"] {
        assert_eq!(decided(&local(json!({})), manager, &[]).0, json!({}), "{manager}");
    }
}

#[test]
fn a_field_that_we_own_too_is_overwritten() {
    let mut shared = remote("robot");
    shared.0["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]["f:color"] = json!({});
    let resolution = resolve(&local(json!({})), &shared, &both("robot"), &ConflictRules::default());
    assert_eq!(resolution.object_to_send.0["data"], json!({"mine": "1", "color": "blue"}));
    assert_eq!(resolution.decisions[0].decided_by, DecidedBy::InteractiveManager("kluctl".into()));
    assert_eq!(resolution.lost.len(), 1);
}

#[test]
fn annotations_decide() {
    let all = json!({"color": "blue", "size": "L"});
    for (annotations, sent, lost) in [
        (json!({"kluctl.io/force-apply": "true"}), all.clone(), vec![]),
        (json!({"kluctl.io/force-apply": "false"}), json!({}), vec![".data.color", ".data.size"]),
        (json!({"kluctl.io/force-apply-field": "data.color"}), json!({"color": "blue"}), vec![".data.size"]),
        (json!({"kluctl.io/force-apply-field": "$.data.color"}), json!({"color": "blue"}), vec![".data.size"]),
        (json!({"kluctl.io/force-apply-manager-1": "^rob"}), all.clone(), vec![]),
        (json!({"kluctl.io/force-apply-manager-1": "^x"}), json!({}), vec![".data.color", ".data.size"]),
        (json!({"kluctl.io/ignore-conflicts": "true"}), json!({}), vec![]),
        (json!({"kluctl.io/ignore-conflicts-manager": "robot"}), json!({}), vec![]),
        (
            json!({"kluctl.io/force-apply": "true", "kluctl.io/ignore-conflicts-field-7": "data['size']"}),
            json!({"color": "blue"}),
            vec![],
        ),
    ] {
        assert_eq!(
            decided(&local(annotations.clone()), "robot", &[]),
            (sent, lost.into_iter().map(str::to_owned).collect()),
            "{annotations}"
        );
    }
}

#[test]
fn rules_decide_by_path_regex_and_manager() {
    let regex = ConflictResolution {
        field_path_regex: OneOrMany::One("data\\.s".into()),
        action: Some(ConflictAction::ForceApply),
        ..Default::default()
    };
    let manager = ConflictResolution {
        manager: OneOrMany::Many(vec!["nobody".into(), "^rob".into()]),
        action: Some(ConflictAction::ForceApply),
        ..Default::default()
    };
    let object = local(json!({}));
    assert_eq!(decided(&object, "robot", &[regex]).0, json!({"size": "L"}));
    assert_eq!(decided(&object, "robot", &[manager]).0, json!({"color": "blue", "size": "L"}));
    let rules = [rule("data.color", ConflictAction::ForceApply), rule("data.size", ConflictAction::Ignore)];
    assert_eq!(decided(&object, "robot", &rules), (json!({"color": "blue"}), NOTHING_LOST));
}

#[test]
fn the_rule_of_the_included_project_wins_over_the_root() {
    let (root, leaf) = (rule("data.color", ConflictAction::Ignore), rule("data.*", ConflictAction::ForceApply));
    let (sent, lost) = decided(&local(json!({})), "robot", &[root, leaf]);
    assert_eq!((sent, lost), (json!({"color": "blue", "size": "L"}), NOTHING_LOST));
}

#[test]
fn annotations_win_over_rules() {
    let object = local(json!({"kluctl.io/ignore-conflicts": "true"}));
    assert_eq!(decided(&object, "robot", &[rule("..", ConflictAction::ForceApply)]), (json!({}), NOTHING_LOST));
}

#[test]
fn selectors_do_not_match_empty_values() {
    let apps = ConflictResolution { group: Some("apps".into()), ..rule("data.color", ConflictAction::ForceApply) };
    let secrets = ConflictResolution { kind: Some("Secret".into()), ..rule("data.size", ConflictAction::ForceApply) };
    let (sent, lost) = decided(&local(json!({})), "robot", &[apps, secrets]);
    assert_eq!((sent, lost.len()), (json!({}), 2));
}

#[test]
fn a_rule_that_forces_beats_nobody_but_a_rule_that_ignores_beats_interactive_managers() {
    let (sent, lost) = decided(&local(json!({})), "kubectl", &[rule("data.color", ConflictAction::Ignore)]);
    assert_eq!((sent, lost), (json!({"size": "L"}), NOTHING_LOST));
}

#[test]
fn nested_list_items_are_found_on_both_sides() {
    let local = Object(json!({"spec": {"containers": [
        {"name": "side", "image": "s:1"},
        {"name": "main", "image": "nginx:2", "env": [{"name": "A", "value": "2"}, {"name": "B", "value": "2"}]},
    ]}, "metadata": {"annotations": {"kluctl.io/force-apply-field": "spec.containers[*].env[?(@.name == 'A')].value"}}}));
    let remote = Object(json!({"spec": {"containers": [
        {"name": "main", "image": "nginx:9", "env": [{"name": "B", "value": "9"}, {"name": "A", "value": "9"}]},
        {"name": "side", "image": "s:1"},
    ]}, "metadata": {"managedFields": [{"manager": "scaler", "operation": "Apply", "fieldsV1": {"f:spec": {"f:containers": {
        "k:{\"name\":\"main\"}": {".": {}, "f:image": {}, "f:env": {
            "k:{\"name\":\"A\"}": {"f:value": {}}, "k:{\"name\":\"B\"}": {"f:value": {}},
        }},
    }}}}]}}));
    let main = ".spec.containers[name=\"main\"]";
    let causes = ["image", "env[name=\"A\"].value", "env[name=\"B\"].value"]
        .map(|field| cause("scaler", &format!("{main}.{field}")));
    let resolution = resolve(&local, &remote, &causes, &ConflictRules::default());
    assert_eq!(resolution.errors, []);
    assert_eq!(
        resolution.object_to_send.0["spec"]["containers"],
        json!([{"name": "side", "image": "s:1"}, {"name": "main", "env": [{"name": "A", "value": "2"}, {"name": "B"}]}])
    );
    assert_eq!(resolution.lost[0].field, ".spec.containers[name=\"main\"].image");
    assert_eq!(resolution.decisions[1].path.to_string(), "spec.containers[1].env[0].value");
}

#[test]
fn several_items_of_one_list_are_removed_together() {
    let local = Object(json!({"l": ["a", "b", "c"]}));
    let remote = Object(json!({"l": ["c", "a", "b"], "metadata": {"managedFields": [
        {"manager": "robot", "fieldsV1": {"f:l": {"v:\"a\"": {}, "v:\"b\"": {}}}},
    ]}}));
    let causes = ["a", "b"].map(|item| cause("robot", &format!(".l[=\"{item}\"]")));
    let resolution = resolve(&local, &remote, &causes, &ConflictRules::default());
    assert_eq!(resolution.object_to_send.0["l"], json!(["c"]));
    assert!(resolution.decisions.iter().all(|decision| decision.outcome == Outcome::Equal));
    assert_eq!(resolution.lost, []);
}

#[test]
fn values_of_secrets_do_not_get_into_decisions() {
    let secret = |mut object: Object| {
        object.0["kind"] = json!("Secret");
        object
    };
    let (local, remote) = (secret(local(json!({}))), secret(remote("robot")));
    let resolution = resolve(&local, &remote, &both("robot"), &ConflictRules::default());
    assert_eq!(resolution.lost.len(), 2, "values are compared all the same");
    let shown = format!("{:?}", resolution.decisions);
    assert!(!shown.contains("blue") && !shown.contains("green"), "{shown}");
}

#[test]
fn no_causes_means_send_as_it_is() {
    let broken = Object(json!({"metadata": {"managedFields": [{"fieldsV1": {}}]}}));
    let resolution = resolve(&local(json!({})), &broken, &[], &ConflictRules::default());
    assert_eq!((resolution.object_to_send, resolution.errors), (local(json!({})), vec![]));
}

fn errors(local: &Object, remote: &Object, causes: &[Cause]) -> Vec<String> {
    let resolution = resolve(local, remote, causes, &ConflictRules::default());
    resolution.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn undecidable_conflicts_are_errors_in_the_documented_words() {
    let object = local(json!({}));
    let message = "conflict with \"robot\".";
    assert_eq!(
        errors(&object, &remote("robot"), &[cause("robot", ".data.nope")]),
        [format!("{message} Could not find matching field for path '.data.nope'")]
    );
    let mut ambiguous = remote("robot");
    ambiguous.0["metadata"]["managedFields"][1]["fieldsV1"]["f:data.color"] = json!({});
    assert_eq!(
        errors(&object, &ambiguous, &[cause("robot", ".data.color")]),
        [format!("{message} Field path '.data.color' is ambiguous")]
    );
    let other = Cause { reason: "FieldValueInvalid".into(), ..cause("robot", ".data.color") };
    assert_eq!(errors(&object, &remote("robot"), &[other]), ["unknown type FieldValueInvalid"]);
}

#[test]
fn fields_missing_on_one_side_are_errors_and_others_are_still_decided() {
    let (mut without_local, mut without_remote) = (local(json!({})), remote("robot"));
    without_local.0["data"].as_object_mut().unwrap().remove("color");
    without_remote.0["data"].as_object_mut().unwrap().remove("color");
    let resolution = resolve(&without_local, &remote("robot"), &both("robot"), &ConflictRules::default());
    assert_eq!(
        resolution.errors[0].to_string(),
        "conflict with \"robot\". Field '.data.color' not found in local object"
    );
    assert_eq!(resolution.decisions.len(), 1);
    assert_eq!(
        errors(&local(json!({})), &without_remote, &both("robot")),
        ["conflict with \"robot\". Field '.data.color' not found in remote object"]
    );
}

#[test]
fn malformed_ownership_and_annotations_are_errors() {
    let object = local(json!({}));
    let mut broken = remote("robot");
    broken.0["metadata"]["managedFields"][0]["manager"] = json!(null);
    assert_eq!(errors(&object, &broken, &both("robot")), ["entry 0 of metadata.managedFields has no manager"]);
    let object = local(json!({"kluctl.io/force-apply-field": "data.a-b"}));
    let found = errors(&object, &remote("robot"), &both("robot"));
    assert!(found[0].starts_with("annotation `kluctl.io/force-apply-field: data.a-b`: json path"), "{found:?}");
}
