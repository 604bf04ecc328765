//! What the fuzz target has found ends in a result or an error.
//!
//! Each file of `fuzz_findings` once ended the process, ran for minutes or took gigabytes. `## file NAME` starts the
//! text of another file. They run on a stack of 2 MiB, as on worker threads, and must not need the engine's guard
//! against panics.

mod corpus;

use std::fs;
use std::path::Path;

use serde_json::json;
use windlass_template::{Engine, EngineOptions, ErrorKind, Limits, Ports, SearchPath, TemplateError};

fn answer(text: &str) -> Result<String, TemplateError> {
    let mut parts = text.split("\n## file ");
    let template = parts.next().unwrap().to_owned();
    let files: Vec<(String, &str)> =
        parts.map(|part| part.split_once('\n').unwrap()).map(|(name, text)| (name.to_owned(), text)).collect();
    let folder = corpus::folder(files.iter().map(|(name, text)| (name, *text)));
    let vars = corpus::vars(&json!({"a": {"x": 1}, "d": {"a": 1}, "l": [1, 2], "s": "text"}), &json!({}));
    // Less than usual: this build is not optimised, and a small part of a bound is still a bound.
    let usual = Limits::default();
    let limits = Limits { fuel: usual.fuel / 400, work: usual.work / 400, ..usual };
    let engine = Engine::new(EngineOptions { limits }, Ports::default());
    let search = SearchPath::new([folder.path().to_owned()]);
    let small_stack = std::thread::Builder::new().stack_size(2 << 20);
    small_stack.spawn(move || engine.batch(vars, search).render_named(&template, "finding")).unwrap().join().unwrap()
}

#[test]
fn findings_end_in_a_result_or_an_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_findings");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 43, "only {} findings", names.len());
    for path in names {
        let answer = answer(&fs::read_to_string(&path).unwrap());
        let kind = answer.as_ref().map_or_else(|error| Some(error.kind()), |_| None);
        assert_ne!(kind, Some(ErrorKind::Internal), "{}: {answer:?}", path.display());
    }
}
