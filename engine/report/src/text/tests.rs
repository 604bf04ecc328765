use serde_json::json;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::{Change, ChangeType};

use super::*;

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> ResultObject {
    let object_ref = ObjectRef::new(&Gvk::from_api_version(api_version, kind), namespace, name);
    ResultObject { object_ref, ..ResultObject::default() }
}

fn update(json_path: &str, unified_diff: &str) -> Change {
    Change {
        change_type: ChangeType::Update,
        json_path: json_path.into(),
        old_value: Some(json!("old")),
        new_value: Some(json!("new")),
        unified_diff: unified_diff.into(),
    }
}

fn changed(kind: &str, name: &str, changes: &[(&str, &str)]) -> ResultObject {
    let changes = changes.iter().map(|(path, diff)| update(path, diff)).collect();
    ResultObject { changes, ..object("v1", kind, "order", name) }
}

fn result(objects: Vec<ResultObject>) -> CommandResult {
    let mut result = CommandResult { objects, ..CommandResult::default() };
    result.sort();
    result
}

fn every_block() -> CommandResult {
    let gizmo = object("example.org/v1", "Gizmo", "order", "one");
    let mut result = result(vec![
        ResultObject { new: true, ..object("v1", "Secret", "order", "new") },
        changed("ConfigMap", "changed", &[("data.k1", "-1\n+2")]),
        ResultObject { deleted: true, ..object("v1", "ServiceAccount", "order", "sa") },
        ResultObject { hook: true, ..object("v1", "ConfigMap", "order", "hooked") },
        ResultObject { orphan: true, ..object("rbac.authorization.k8s.io/v1", "Role", "order", "r1") },
        gizmo.clone(),
    ]);
    result.errors = vec![DeploymentError::new(gizmo.object_ref, "failed to patch order/Gizmo/one: no matches")];
    result
}

#[test]
fn recorded_blocks_of_one_run() {
    let wanted = "
New objects:
  order/Secret/new

Changed objects:
  order/ConfigMap/changed

Diff for object order/ConfigMap/changed
+---------+--------------------------------------------------------------------+
| Path    | Diff                                                               |
+---------+--------------------------------------------------------------------+
| data.k1 | -1                                                                 |
|         | +2                                                                 |
+---------+--------------------------------------------------------------------+

Deleted objects:
  order/ServiceAccount/sa

Applied hooks:
  order/ConfigMap/hooked

Orphan objects:
  order/Role/r1

Errors:
  order/Gizmo/one: failed to patch order/Gizmo/one: no matches
";
    assert_eq!(text(&every_block(), TextOptions::default()), wanted);
}

#[test]
fn short_output_leaves_out_the_tables() {
    let options = TextOptions { style: TextStyle::Short, ..TextOptions::default() };
    let text = text(&every_block(), options);
    assert!(text.contains("\nChanged objects:\n  order/ConfigMap/changed\n\nDeleted objects:\n"), "{text}");
    assert!(!text.contains("Diff for"));
}

#[test]
fn an_empty_line_more_stands_before_tables_of_later_objects() {
    let table = "+------+---+\n| Path | D |\n|      | i |\n|      | f |\n|      | f |\n+------+---+\n| aa   | + |\n+------+---+\n";
    let options = TextOptions { width: 12, ..TextOptions::default() };
    let first = result(vec![changed("ConfigMap", "a", &[("aa", "+")]), changed("ConfigMap", "b", &[("aa", "+")])]);
    assert_eq!(
        text(&first, options),
        format!(
            "\nChanged objects:\n  order/ConfigMap/a\n  order/ConfigMap/b\n\nDiff for object order/ConfigMap/a\n{table}\nDiff for object order/ConfigMap/b\n{table}"
        )
    );
    let later = result(vec![object("v1", "ConfigMap", "order", "a"), changed("ConfigMap", "b", &[("aa", "+")])]);
    assert!(text(&later, options).contains("  order/ConfigMap/b\n\n\nDiff for object order/ConfigMap/b\n"));
}

#[test]
fn a_final_newline_of_a_diff_adds_no_line_to_the_table() {
    let result = result(vec![changed("ConfigMap", "a", &[("data.xy", "@@ -1 +1,2 @@\n-x\n+x\n+y\n")])]);
    let text = text(&result, TextOptions { width: 40, ..TextOptions::default() });
    assert!(
        text.ends_with("|         | +y                         |\n+---------+----------------------------+\n"),
        "{text}"
    );
}

#[test]
fn messages_without_object_stand_alone() {
    let result = CommandResult {
        warnings: vec![DeploymentError::general("no discriminator configured"), DeploymentError::general("two\nlines")],
        ..CommandResult::default()
    };
    assert_eq!(text(&result, TextOptions::default()), "\nWarnings:\n  no discriminator configured\n  two\nlines\n");
}

#[test]
fn an_empty_result_is_no_text() {
    assert_eq!(text(&CommandResult::default(), TextOptions::default()), "");
    assert_eq!(text(&result(vec![object("v1", "ConfigMap", "order", "same")]), TextOptions::default()), "");
}
