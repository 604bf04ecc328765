//! Realistic project files render as in Python, without exception.
//!
//! `oracle/projects.py` writes `oracle/projects.json` from the folders below `oracle/projects`; each file is rendered
//! with every context of its project. There is no list of known differences.

mod corpus;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

#[test]
fn realistic_files_render_as_in_python() {
    let answers = corpus::json("projects.json");
    let mut differences = BTreeMap::new();
    let mut files = 0;
    for (project, results) in answers.as_object().unwrap() {
        let folder = corpus::path("projects").join(project);
        let contexts = fs::read_to_string(folder.join("contexts.json")).unwrap();
        let contexts: Vec<Value> = serde_json::from_str(&contexts).unwrap();
        let batches: Vec<_> =
            contexts.iter().map(|context| corpus::batch(corpus::vars(&json!({}), context), &folder)).collect();
        for (name, rows) in results.as_object().unwrap() {
            files += 1;
            assert_eq!(rows.as_array().unwrap().len(), contexts.len(), "{project}/{name}");
            for (index, batch) in batches.iter().enumerate() {
                let actual = batch.render_file(&folder.join(name));
                let answer = rows[index].as_array().unwrap();
                differences.insert(format!("{project}/{name} {index}"), corpus::difference(answer, &actual));
            }
        }
    }
    assert!(files >= 110, "only {files} files");
    corpus::check(&differences, "projects_failing.txt");
}
