use proptest::prelude::*;
use serde_json::Value;
use windlass_model::location::Source;

use super::documents;
use crate::compose::Composer;
use crate::dialect::{Dialect, DuplicateKeys, ReadOptions};
use crate::emit::to_string;

fn composed(text: &str, options: ReadOptions) -> Result<Vec<Value>, String> {
    let source = Source::new("f", text);
    let mut composer = Composer::new(&source, options);
    let mut values = Vec::new();
    while let Some(value) = composer.next_document().map_err(|error| error.to_string())? {
        values.push(value);
    }
    Ok(values)
}

fn all_options() -> impl Iterator<Item = ReadOptions> {
    let dialects = [Dialect::GoV2, Dialect::GoV3, Dialect::Yaml12, Dialect::Python];
    dialects.into_iter().flat_map(|dialect| {
        [DuplicateKeys::Error, DuplicateKeys::LastWins]
            .map(|duplicate_keys| ReadOptions::new(dialect).duplicate_keys(duplicate_keys))
    })
}

/// Without empty documents at the end, which only one of the readers may see.
fn trimmed(mut values: Vec<Value>) -> Vec<Value> {
    while values.last().is_some_and(Value::is_null) {
        values.pop();
    }
    values
}

/// Whether the quick reader took the text; panics when it took it for something else.
fn check(text: &str) -> bool {
    let mut taken = false;
    for options in all_options() {
        if let Some(values) = documents(text, options) {
            taken = true;
            let wanted = composed(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(trimmed(values), trimmed(wanted), "{options:?}\n{text}");
        }
    }
    taken
}

#[test]
fn ordinary_manifests_are_taken() {
    for text in [
        "a: 1\n",
        "# c\n---\na: x # c\nb:\n- c: d\n  e: \"f: \\\"g\\\"\"\n- 'h'\n-\n  i: j\n---\nk:\n  - - 1\n    - 2\n  -\n",
        "a: |\n  x\n\n   y\n  # z\n\nb: |-\n  x\nc: |+\n  x\n\n",
        "a: {b: [1, \"x y\", {}], 'c': d}\ne: []\n",
        "on: x\n\"on\": y\n",
        "a: 1",
        "a: |\n  x\n\n  y",
        "a: |-\n  x",
        "- |+\n  x\n- |+\n  y",
    ] {
        assert!(check(text), "{text}");
    }
}

#[test]
fn anything_else_is_left_to_the_composer() {
    for text in [
        "a: &x 1\n",
        "<<: {a: 1}\n",
        "a: x\n  y\n",
        "a: >\n  x\n",
        "a: !!str 1\n",
        "a: b: c\n",
        "\ta: 1\n",
        "a: 1\r\n",
        "a: 1\na: 2\na: &x\n",
        "x\n",
        "a: \"x\n  y\"\n",
        "- a\nb: 1\n",
        "a: 1\n b: 2\n",
        "a: |2\n   x\n",
        "a: {b}\n",
        "a: [b: c]\n",
        "%YAML 1.2\n---\na: 1\n",
        "a: 1\n...\n",
        "--- a\n",
        "? a\n: b\n",
        "a: .inf\n",
        "a: 'it''s'\n",
        "a: [x\n",
        "a: @x\n",
    ] {
        assert!(!check(text), "{text}");
    }
}

#[test]
fn recorded_documents_agree() {
    let mut taken = 0;
    let records =
        concat!(include_str!("../../tests/oracle/documents.jsonl"), include_str!("../../tests/oracle/scalars.jsonl"));
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).expect("records are JSON lines");
        taken += usize::from(check(record["text"].as_str().unwrap_or_default()));
    }
    assert!(taken > 400, "{taken}");
}

fn line() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a: ",
        "b:",
        "c: ",
        "\"d\": ",
        "'e': ",
        "- ",
        "-",
        "x",
        "1",
        "0x1F",
        "yes",
        "2024-01-02",
        "\"q\"",
        "'q'",
        "\"\\n\"",
        " # c",
        "#c",
        "|",
        "|-",
        "|+",
        ">",
        "[]",
        "{}",
        "[a, b]",
        "{a: b}",
        "{a: [1, {b: c}], d: e}",
        "[-1, - 2]",
        "{a:1}",
        "[a,b]",
        "&x",
        "*x",
        "<<: ",
        "? ",
        ": ",
        "!!str ",
        "x: y",
        "a b",
        "---",
        "...",
        "~",
        "\"",
        "'",
        "é",
        "a#b",
        "http://x",
        " ",
        "  ",
        "0",
        "-1",
        ",",
        "%",
        "@",
        "=",
        "[",
        "}",
        "a:",
        "y: ",
        "1: ",
        "null",
    ]);
    (prop::sample::select(vec![0_usize, 0, 1, 2, 2, 2, 3, 4, 4, 6]), prop::collection::vec(piece, 0..4))
        .prop_map(|(indent, pieces)| format!("{}{}\n", " ".repeat(indent), pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_what_the_composer_reads(lines in prop::collection::vec(line(), 0..7)) {
        check(&lines.concat());
    }

    #[test]
    fn written_values_agree(text in "[a-z: #'\"\\-\n|]{0,12}", other in "[ -~]{0,8}") {
        check(&to_string(&serde_json::json!({"a": {"b": [text, other]}, "c": text})));
        check(&format!("a: {other}\nb:\n- {other}\n"));
    }
}
