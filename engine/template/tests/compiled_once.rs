//! A template that many items use is read and compiled once in a run.
//!
//! The file changes on disk after its first use; whoever compiled it again would render the new text.

use std::fs;
use std::path::Path;

use serde_json::json;
use windlass_template::{Batch, Engine, EngineOptions, Ports, SearchPath, Vars};

/// A batch of each item, all of one engine.
fn items(engine: &Engine, folder: &Path) -> Vec<Batch> {
    let vars = |number: usize| Vars::new(json!({"n": number}).as_object().unwrap().clone());
    (0..1000).map(|number| engine.batch(vars(number), SearchPath::new([folder.to_owned()]))).collect()
}

fn check(user: &str) {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().join("shared.j2");
    fs::write(&shared, "{% macro m() %}{% endmacro %}{% set v = 'first' %}{{ n }} first").unwrap();
    let engine = Engine::new(EngineOptions::default(), Ports::default());
    for (number, item) in items(&engine, folder.path()).iter().enumerate() {
        let text = item.render_named(user, "item").unwrap();
        assert!(text.contains("first"), "item {number}: {text}");
        if number == 0 {
            fs::write(&shared, "{% macro m() %}{% endmacro %}{% set v = 'second' %}{{ n }} second").unwrap();
        }
    }
}

#[test]
fn included_templates_are_compiled_once() {
    check("{% include 'shared.j2' %}");
}

#[test]
fn imported_templates_are_compiled_once() {
    check("{% import 'shared.j2' as s %}{{ s.v }}");
    check("{% from 'shared.j2' import v %}{{ v }}");
}

#[test]
fn extended_templates_are_compiled_once() {
    check("{% extends 'shared.j2' %}");
}
