//! What the tests of recorded answers share: reading rows, comparing, lists of known differences.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::TempDir;
use windlass_template::{Batch, Engine, EngineOptions, Ports, SearchPath, TemplateError, Vars};

/// Kinds of errors whose texts must be equal, too.
const EXACT: [&str; 4] = ["UndefinedError", "TemplateNotFound", "TemplateError", "ZeroDivisionError"];

/// A file of the corpus.
pub fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file)
}

/// A file of the corpus as data.
pub fn json(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path(file)).unwrap()).unwrap()
}

/// `base` with `changes` over it.
pub fn vars(base: &Value, changes: &Value) -> Vars {
    let mut all: Map<String, Value> = base.as_object().unwrap().clone();
    all.extend(changes.as_object().unwrap().clone());
    Vars::new(all)
}

/// Writes files into a folder of their own.
pub fn folder<'a>(files: impl IntoIterator<Item = (&'a String, &'a str)>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// A batch that searches `folder`.
pub fn batch(vars: Vars, folder: &Path) -> Batch {
    Engine::new(EngineOptions::default(), Ports::default()).batch(vars, SearchPath::new([folder.to_owned()]))
}

/// What differs, if anything does. `answer` is `[output]` or `[null, kind, message]`.
pub fn difference(answer: &[Value], actual: &Result<String, TemplateError>) -> Option<String> {
    match (answer[0].as_str(), actual) {
        (Some(expected), Ok(actual)) if expected == actual => None,
        (Some(expected), Ok(actual)) => Some(format!("expected {expected:?}\n  got      {actual:?}")),
        (Some(expected), Err(error)) => Some(format!("expected {expected:?}\n  got      {error}")),
        (None, Ok(actual)) => Some(format!("expected {}: {}\n  got      {actual:?}", answer[1], answer[2])),
        (None, Err(error)) => {
            let exact = answer[1].as_str().is_some_and(|kind| EXACT.contains(&kind));
            let differs = exact && answer[2] != error.message();
            differs.then(|| format!("expected {}: {}\n  got      {error}", answer[1], answer[2]))
        }
    }
}

/// The names in a list of known differences; `##` starts a comment.
pub fn listed(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(path(file)).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).map(str::to_owned).collect()
}

/// Fails when a difference is not listed, or a listed one is none (any more).
pub fn check(differences: &BTreeMap<String, Option<String>>, list: &str) {
    let known = listed(list);
    let mut surprises = Vec::new();
    for (name, difference) in differences {
        match difference {
            Some(difference) if !known.contains(name) => surprises.push(format!("DIFFERS  {name}\n  {difference}")),
            None if known.contains(name) => surprises.push(format!("PASSES, remove it from {list}: {name}")),
            _ => {}
        }
    }
    surprises.extend(
        known.iter().filter(|name| !differences.contains_key(*name)).map(|name| format!("NO SUCH CASE: {name}")),
    );
    assert!(surprises.is_empty(), "{} of {}:\n{}", surprises.len(), differences.len(), surprises.join("\n"));
}
