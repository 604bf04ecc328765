use serde_json::json;
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::{
    Change, ChangeType, ClusterInfo, CommandInfo, DeploymentError, GitInfo, GitRef, ResultObject, ResultTarget,
    TargetKey,
};

use super::*;

fn settings(data: &str) -> Object {
    Object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shape"},
        "data": {"k1": data},
    }))
}

fn recorded() -> CommandResult {
    let time = |second: u8| Some(format!("2024-05-01T10:00:0{second}Z"));
    CommandResult {
        id: "5b0c3a52".into(),
        target_key: TargetKey { target_name: "dev".into(), cluster_id: "0d7b".into(), discriminator: "shop".into() },
        target: ResultTarget {
            name: "dev".into(),
            context: Some("held".into()),
            discriminator: "shop".into(),
            ..ResultTarget::default()
        },
        command: CommandInfo {
            command: "diff".into(),
            start_time: time(1),
            end_time: time(7),
            args: json!({"v": 2}).as_object().cloned().unwrap_or_default(),
            dry_run: true,
            ..CommandInfo::default()
        },
        git_info: GitInfo { git_ref: Some(GitRef::Branch("main".into())), ..GitInfo::default() },
        cluster_info: ClusterInfo { cluster_id: "0d7b".into() },
        deployment: Some(json!({"deployments": [{"barrier": true}, {"path": "app", "tags": ["app"]}]})),
        objects: vec![ResultObject {
            object_ref: ObjectRef::new(&Gvk::from_api_version("v1", "ConfigMap"), "shape", "settings"),
            changes: vec![Change {
                change_type: ChangeType::Update,
                json_path: "data[\"v\"]".into(),
                old_value: Some(json!("1")),
                new_value: Some(json!("2")),
                unified_diff: "-1\n+2".into(),
            }],
            rendered: Some(settings("<a> & \u{2028} é")),
            ..ResultObject::default()
        }],
        warnings: vec![DeploymentError::general("careful: here")],
        ..CommandResult::default()
    }
}

#[test]
fn recorded_shape_of_a_diff() {
    let wanted = r#"clusterInfo:
  clusterId: 0d7b
command:
  args:
    v: 2
  command: diff
  dryRun: true
  endTime: "2024-05-01T10:00:07Z"
  initiator: CommandLine
  startTime: "2024-05-01T10:00:01Z"
compactedObjects:
- changes:
  - jsonPath: data["v"]
    newValue: "2"
    oldValue: "1"
    type: update
    unifiedDiff: |-
      -1
      +2
  ref:
    kind: ConfigMap
    name: settings
    namespace: shape
    version: v1
  rendered: 'full: {"apiVersion":"v1","data":{"k1":"\u003ca\u003e \u0026 \u2028 é"},"kind":"ConfigMap","metadata":{"name":"settings","namespace":"shape"}}'
deployment:
  deployments:
  - barrier: true
  - path: app
    tags:
    - app
gitInfo:
  commit: ""
  dirty: false
  ref:
    branch: main
  subDir: ""
  url: null
id: 5b0c3a52
projectKey:
  repoKey: ""
reconcileId: ""
target:
  aws: {}
  context: held
  discriminator: shop
  name: dev
targetKey:
  clusterId: 0d7b
  discriminator: shop
  targetName: dev
warnings:
- message: 'careful: here'
  ref:
    kind: ""
    name: ""
"#;
    assert_eq!(yaml(&recorded()), wanted);
}

#[test]
fn a_delta_is_quoted_because_of_its_tabs() {
    let mut result = recorded();
    result.objects[0].remote = Some(settings("x"));
    let text = yaml(&result);
    assert!(text.contains("\n  remote: \"delta: ="), "{text}");
}

#[test]
fn a_validate_result_has_no_empty_lists() {
    let result = ValidateResult { id: "1".into(), ready: true, ..ValidateResult::default() };
    assert_eq!(
        validate_yaml(&result),
        "endTime: null\nid: \"1\"\nprojectKey:\n  repoKey: \"\"\nready: true\nreconcileId: \"\"\nstartTime: null\ntargetKey:\n  clusterId: \"\"\n"
    );
}
