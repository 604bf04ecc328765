//! Compares with what Python's Jinja2 made of the same templates.
//!
//! `oracle/generate.py` writes `oracle/cases.json` from `oracle/cases.txt`, and
//! `oracle/systematic.json` from the table in `oracle/systematic.py`.
//! `oracle/failing.txt` lists the cases that still differ; it may only get
//! shorter: a listed case that passes is an error. `oracle/deliberate.txt`
//! lists those that must differ, with the reason above each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use windlass_template::{Engine, EngineOptions, Ports, SearchPath, TemplateError, Vars};

fn oracle(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file);
    fs::read_to_string(path).unwrap()
}

/// One template per line; `##` starts a comment.
fn listed(file: &str) -> BTreeSet<String> {
    let text = oracle(file);
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).map(str::to_owned).collect()
}

fn one_line(template: &str) -> String {
    template.replace('\n', "⏎")
}

/// The systematic table, in the shape of the listed cases.
fn systematic() -> Vec<Value> {
    let rows: Vec<Vec<Value>> = serde_json::from_str(&oracle("systematic.json")).unwrap();
    let case =
        |row: &Vec<Value>| json!({"template": row[0], "output": row[1], "error": row.get(2), "message": row.get(3)});
    rows.iter().map(case).collect()
}

/// What differs, if anything does.
fn difference(case: &Value, actual: &Result<String, TemplateError>) -> Option<String> {
    match (case["output"].as_str(), actual) {
        (Some(expected), Ok(actual)) if expected == actual => None,
        (Some(expected), Ok(actual)) => Some(format!("expected {expected:?}\n  got      {actual:?}")),
        (Some(expected), Err(error)) => Some(format!("expected {expected:?}\n  got      {error}")),
        (None, Ok(actual)) => Some(format!("expected {}: {}\n  got      {actual:?}", case["error"], case["message"])),
        (None, Err(error)) => {
            let exact = matches!(
                case["error"].as_str(),
                Some("UndefinedError" | "TemplateNotFound" | "TemplateError" | "ZeroDivisionError")
            );
            let same = case["message"] == error.message();
            (exact && !same).then(|| format!("expected {}: {}\n  got      {error}", case["error"], case["message"]))
        }
    }
}

#[test]
fn templates_render_as_in_python() {
    let answers: Value = serde_json::from_str(&oracle("cases.json")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in answers["files"].as_object().unwrap() {
        fs::write(dir.path().join(name), text.as_str().unwrap()).unwrap();
    }
    let vars = Vars::new(answers["vars"].as_object().unwrap().clone());
    let search = SearchPath::new([dir.path().to_owned()]);
    let batch = Engine::new(EngineOptions::default(), Ports::default()).batch(vars, search);
    let (failing, deliberate) = (listed("failing.txt"), listed("deliberate.txt"));
    let (mut surprises, mut differing) = (Vec::new(), 0);
    let cases: Vec<Value> = answers["cases"].as_array().unwrap().iter().cloned().chain(systematic()).collect();
    for case in &cases {
        let template = case["template"].as_str().unwrap();
        let actual = batch.render_named(template, "case");
        let name = one_line(template);
        let known = failing.contains(&name) || deliberate.contains(&name);
        match difference(case, &actual) {
            Some(difference) if !known => surprises.push(format!("DIFFERS  {name}\n  {difference}")),
            None if known => surprises.push(format!("PASSES, remove it from the list: {name}")),
            Some(_) => differing += 1,
            None => {}
        }
    }
    let names: BTreeSet<String> = cases.iter().map(|case| one_line(case["template"].as_str().unwrap())).collect();
    surprises.extend(
        failing.union(&deliberate).filter(|name| !names.contains(*name)).map(|name| format!("NO SUCH CASE: {name}")),
    );
    assert!(
        surprises.is_empty(),
        "{} of {}, {differing} known:\n{}",
        surprises.len(),
        cases.len(),
        surprises.join("\n")
    );
}
