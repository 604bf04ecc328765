//! The way to an error is the one that Python's traceback shows.
//!
//! `oracle/chains.py` writes `oracle/chains.json`; `oracle/chains_failing.txt`
//! lists the ways that are told differently.

mod corpus;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use windlass_template::TemplateError;

/// File, line and part of each step, and the kind of the error.
fn told(error: &TemplateError, folder: &str) -> (Value, Value) {
    let step = |frame: &windlass_template::Frame| {
        let file = frame.shown_as.replace(folder, "");
        json!([file.trim_start_matches('/'), frame.line, frame.part.to_string()])
    };
    (error.frames().iter().map(step).collect(), json!(error.kind().name()))
}

#[test]
fn errors_are_told_with_the_way_to_them() {
    let recorded = corpus::json("chains.json");
    let vars = corpus::vars(&recorded["vars"], &json!({}));
    let mut differences = BTreeMap::new();
    for row in recorded["rows"].as_array().unwrap() {
        let files = row[1].as_object().unwrap();
        let folder = corpus::folder(files.iter().map(|(name, text)| (name, text.as_str().unwrap())));
        let batch = corpus::batch(vars.clone(), folder.path());
        let error = batch.render_file(&folder.path().join("main.j2")).unwrap_err();
        let (frames, kind) = told(&error, &folder.path().display().to_string());
        let differs = frames != row[2] || kind != row[3];
        let difference = differs.then(|| format!("expected {} {}\n  got      {frames} {kind}", row[2], row[3]));
        differences.insert(row[0].as_str().unwrap().to_owned(), difference);
    }
    assert!(differences.len() >= 60, "{} ways", differences.len());
    corpus::check(&differences, "chains_failing.txt");
}
