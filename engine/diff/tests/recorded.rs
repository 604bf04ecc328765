//! Changes recorded from the reference tool are found again in the recorded objects.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use windlass_diff::{IgnoreRules, diff_object, obfuscate_changes};
use windlass_model::location::Source;
use windlass_model::object::Object;
use windlass_yaml::{Dialect, parse_first};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cluster")
}

/// Every `compactedObjects` entry of every recorded result: file and entry.
fn recorded_entries() -> Vec<(String, Value)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(golden())
        .unwrap()
        .flat_map(|case| std::fs::read_dir(case.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "out"))
        .collect();
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !text.starts_with("clusterInfo:") {
            continue;
        }
        let name = format!("{}", file.strip_prefix(golden()).unwrap().display());
        let document = parse_first(&Source::new(name.clone(), text), Dialect::Python).unwrap();
        let objects = document.value.get("compactedObjects").and_then(Value::as_array).cloned().unwrap_or_default();
        entries.extend(objects.into_iter().map(|object| (name.clone(), object)));
    }
    entries
}

#[test]
fn recorded_objects_give_the_recorded_changes() {
    let mut compared = 0;
    for (file, entry) in recorded_entries() {
        let object = |key: &str| entry.get(key).filter(|value| value.is_object()).map(|value| Object(value.clone()));
        let (Some(rendered), Some(remote), Some(applied)) = (object("rendered"), object("remote"), object("applied"))
        else {
            continue;
        };
        let mut changes = diff_object(&rendered, &remote, &applied, &IgnoreRules::default()).unwrap();
        if file == "secret-obfuscation/3.out" {
            obfuscate_changes(&applied.object_ref(), &mut changes);
        }
        let wanted = entry.get("changes").cloned().unwrap_or_else(|| json!([]));
        assert_eq!(serde_json::to_value(changes).unwrap(), wanted, "{file} {}", entry["ref"]);
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} recorded objects");
}

#[test]
fn recorded_values_give_the_recorded_text() {
    let mut compared = 0;
    // Recorded as wrong (exponents), and as hidden.
    let skipped = ["numbers-in-diff/3.out", "secret-obfuscation/3.out"];
    for (file, entry) in recorded_entries().into_iter().filter(|(file, _)| !skipped.contains(&file.as_str())) {
        for change in entry.get("changes").and_then(Value::as_array).into_iter().flatten() {
            let side = |key: &str| {
                let mut object = json!({"kind": "X"});
                if let Some(value) = change.get(key) {
                    object["field"] = value.clone();
                }
                Object(object)
            };
            let (old, new) = (side("oldValue"), side("newValue"));
            let changes = diff_object(&new, &old, &new, &IgnoreRules::default()).unwrap();
            let texts: Vec<&str> = changes.iter().map(|change| change.unified_diff.as_str()).collect();
            assert_eq!(texts, [change["unifiedDiff"].as_str().unwrap_or_default()], "{file} {change}");
            compared += 1;
        }
    }
    assert!(compared >= 60, "only {compared} recorded changes");
}
