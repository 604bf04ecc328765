//! The recorded YAML of a run gives the recorded text of the same run.

use std::path::Path;

use serde_json::{Value, json};
use windlass_model::location::Source;
use windlass_model::result::{CommandResult, ValidateResult};
use windlass_report::{TextOptions, TextStyle, text, validate_text};
use windlass_yaml::{Dialect, parse_first};

fn golden(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(file);
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

fn recorded(file: &str) -> Value {
    parse_first(&Source::new(file.to_owned(), golden(file)), Dialect::Python).unwrap().value
}

/// The recorded entries hold objects in place of compacted texts; the text form shows neither.
fn command_result(file: &str) -> CommandResult {
    let mut value = recorded(file);
    let mut objects = value.as_object_mut().unwrap().remove("compactedObjects").unwrap_or_else(|| json!([]));
    for object in objects.as_array_mut().unwrap() {
        let object = object.as_object_mut().unwrap();
        ["rendered", "remote", "applied"].iter().for_each(|key| drop(object.remove(*key)));
    }
    value["objects"] = objects;
    serde_json::from_value(value).unwrap()
}

#[test]
fn command_results() {
    use TextStyle::{Full, Short};
    for (case, from, to, width, style) in [
        ("changed-lists-and-maps", "3.out", "2.out", 80, Full),
        ("changed-scalars", "3.out", "2.out", 80, Full),
        ("changed-scalars", "3.out", "4.out", 80, Short),
        ("changed-scalars", "3.out", "5.out", 60, Full),
        ("conflict-force-apply-field", "3.out", "2.out", 80, Full),
        ("conflict-lost-ownership", "3.out", "2.out", 80, Full),
        ("conflict-nested-list", "3.out", "2.out", 80, Full),
        ("crd-and-instance-with-barrier", "2.out", "1.out", 80, Full),
        ("delete-annotation", "4.out", "2.out", 80, Full),
        ("diff-name", "3.out", "2.out", 80, Full),
        ("diff-normalisation", "4.out", "3.out", 80, Full),
        ("env-from", "3.out", "2.out", 80, Full),
        ("hooks-order", "4.out", "3.out", 80, Full),
        ("ignore-diff-annotations-and-rules", "3.out", "2.out", 80, Full),
        ("namespace-in-earlier-item", "2.out", "1.out", 80, Full),
        ("new-objects", "2.out", "1.out", 80, Full),
        ("numbers-in-diff", "3.out", "2.out", 80, Full),
        ("orphans-and-prune", "3.out", "2.out", 80, Full),
        ("secret-obfuscation", "3.out", "2.out", 80, Full),
        ("secret-obfuscation", "5.out", "4.out", 80, Full),
        ("text-blocks-together", "4.out", "2.out", 80, Full),
        ("text-blocks-together", "4.out", "3.out", 80, Short),
    ] {
        let file = |name: &str| format!("cluster/{case}/{name}");
        // The recording joined empty lines before tables.
        let shown = text(&command_result(&file(from)), TextOptions { width, style });
        assert_eq!(shown.replace("\n\n\nDiff for", "\n\nDiff for"), golden(&file(to)), "{case} {to}");
    }
}

#[test]
fn validate_results() {
    for (from, to) in [
        ("cluster/validate-results/2.out", "cluster/validate-results/1.out"),
        ("cluster/validate-results/5.out", "cluster/validate-results/4.out"),
    ] {
        let mut result: ValidateResult = serde_json::from_value(recorded(from)).unwrap();
        result.sort();
        assert_eq!(validate_text(&result, 80), golden(to), "{from}");
    }
}

#[test]
fn recorded_results_use_no_key_that_we_do_not_know_and_print_as_they_were() {
    for file in ["cluster/result-yaml-raw-shape/raw.txt", "cli/result-yaml-diff/2.out"] {
        let mut value = recorded(file);
        value.as_object_mut().unwrap().remove("compactedObjects");
        let result: CommandResult = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(result.to_compacted_value(), value, "{file}");
    }
}

#[test]
fn a_recorded_delta_rebuilds_the_object() {
    let result = CommandResult::from_value(recorded("cluster/result-yaml-raw-shape/raw.txt")).unwrap();
    let object = &result.objects[0];
    let (rendered, applied) = (object.rendered.as_ref().unwrap(), object.applied.as_ref().unwrap());
    assert_eq!(rendered.0["data"], json!({"k1": "<a> & \u{2028} é"}));
    assert_eq!(applied.0["data"], rendered.0["data"]);
    assert_eq!(applied.0["metadata"]["managedFields"][0]["manager"], "kluctl");
    assert_eq!(applied.0["metadata"]["uid"], "<ID>");
}
