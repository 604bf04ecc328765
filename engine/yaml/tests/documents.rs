//! Documents, positions and everything that can be wrong with a text.

use std::fmt::Write as _;

use serde_json::json;
use windlass_yaml::{
    Dialect, Document, DuplicateKeys, PathElement, ReadOptions, Source, YamlErrorKind, display_path, parse_documents,
    parse_first,
};

fn first(text: &str) -> Document {
    parse_first(&Source::new("f.yaml", text), Dialect::GoV2).expect("valid")
}

fn path(elements: &[&str]) -> Vec<PathElement> {
    let element = |text: &&str| text.parse::<usize>().map_or_else(|_| PathElement::from(*text), PathElement::from);
    elements.iter().map(element).collect()
}

#[test]
fn empty_documents_are_dropped_and_counted() {
    let source = Source::new("f.yaml", "---\n# nothing\n---\na: 1\n---\n---\nnull\n---\nb: 2\n");
    let documents = parse_documents(&source, Dialect::GoV3).expect("valid");
    let found: Vec<_> = documents.iter().map(|document| (document.index(), document.value.clone())).collect();
    assert_eq!(found, [(1, json!({"a": 1})), (4, json!({"b": 2}))]);
}

#[test]
fn the_first_document_is_all_a_single_reader_looks_at() {
    assert_eq!(first("a: 1\n---\nb: [\n").value, json!({"a": 1}));
    assert_eq!(first("").value, json!(null));
    assert_eq!(first("\u{feff}a: 1\n").value, json!({"a": 1}));
}

#[test]
fn the_last_of_equal_keys_wins_on_request() {
    let source = Source::new("f.yaml", "a: 1\nb: 2\na: 3\n");
    let options = ReadOptions::new(Dialect::GoV2).duplicate_keys(DuplicateKeys::LastWins);
    assert_eq!(parse_first(&source, options).expect("valid").value, json!({"a": 3, "b": 2}));
}

#[test]
fn a_block_scalar_at_the_end_of_the_text_ends_like_the_text() {
    for text in ["a: |\n  x\n  y", "a: |+\n  x\n  y", "a: >\n  x\n\n  y", "b: &b 1\na: |\n  x\n  y"] {
        let value = first(text).value["a"].clone();
        assert_eq!(value, json!("x\ny"), "{text}");
        assert_eq!(first(&format!("{text}\n")).value["a"], json!("x\ny\n"), "{text}");
    }
    assert_eq!(first("a: |\n  x\n  ").value, json!({"a": "x\n"}));
    assert_eq!(first("b: &b 1\na: |\n  x\n# c").value["a"], json!("x\n"));
}

#[test]
fn own_keys_win_over_merged_ones_in_any_order() {
    for text in ["x: &x {k: 1, l: 2}\nz: {<<: *x, k: 3}\n", "x: &x {k: 1, l: 2}\nz: {k: 3, <<: *x}\n"] {
        assert_eq!(first(text).value["z"], json!({"k": 3, "l": 2}));
    }
}

#[test]
fn values_and_keys_are_located() {
    let text =
        "a:\n  - b: \"x y\"\n    \"c\": [1, {d: e}]\n  - |\n    text\nf: &f {g: h}\nf2: *f\nm:\n  <<: *f\n  p: 'o'\n";
    let document = first(text);
    let value = |elements: &[&str]| document.locate(&path(elements)).map(|span| &text[span]);
    let key = |elements: &[&str]| document.locate_key(&path(elements)).map(|span| &text[span]);
    assert_eq!(value(&["a", "0", "b"]), Some("\"x y\""));
    assert_eq!(key(&["a", "0", "b"]), Some("b"));
    assert_eq!(key(&["a", "0", "c"]), Some("\"c\""));
    assert_eq!(value(&["a", "0", "c"]), Some("[1, {d: e}]"));
    assert_eq!(value(&["a", "0", "c", "1", "d"]), Some("e"));
    assert_eq!(value(&["a", "0"]), Some("b: \"x y\"\n    \"c\": [1, {d: e}]"));
    assert_eq!(value(&["f2"]), Some("*f"));
    assert_eq!(value(&["f2", "g"]), Some("h"));
    assert_eq!(value(&["m", "g"]), Some("h"));
    assert_eq!(value(&["m", "p"]), Some("'o'"));
    assert!(value(&["a", "1"]).is_some_and(|text| text.contains("text")));
    for nowhere in [&["a", "2"][..], &["a", "b"], &["x"], &["a", "0", "b", "c"], &["f", "0"]] {
        assert_eq!(value(nowhere), None, "{nowhere:?}");
    }
}

#[test]
fn later_documents_have_their_own_positions() {
    let text = "a: 1\n---\n---\na: 2\n";
    let documents = parse_documents(&Source::new("f.yaml", text), Dialect::GoV3).expect("valid");
    let spans: Vec<_> = documents.iter().map(|document| document.locate(&path(&["a"]))).collect();
    assert_eq!(spans, [Some(3..4), Some(16..17)]);
    assert_eq!(documents[1].location(&path(&["a", "b", "c"])).to_string(), "f.yaml:4:4");
    assert_eq!(documents[1].location(&path(&["nope"])).to_string(), "f.yaml:4:1");
}

#[test]
fn resolved_keys_are_located_by_their_new_name() {
    let text = "on: push\n010: x\n";
    let document = first(text);
    assert_eq!(document.locate_key(&path(&["true"])), Some(0..2));
    assert_eq!(document.locate_key(&[PathElement::from("8")]), Some(9..12));
}

#[test]
fn paths_are_shown_as_people_write_them() {
    assert_eq!(display_path(&path(&["deployments", "0", "path"])), "deployments[0].path");
    assert_eq!(display_path(&path(&["a", "kluctl.io/x"])), "a[\"kluctl.io/x\"]");
    assert_eq!(display_path(&[]), "");
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", alias.trim_end_matches(", "));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(200));
    for text in [bomb, long] {
        let error = parse_first(&Source::new("bomb", text), Dialect::GoV3).expect_err("refused");
        assert!(matches!(error.kind(), YamlErrorKind::ExcessiveAliasing), "{error}");
    }
}

#[test]
fn modest_aliases_are_fine() {
    let text = format!("a: &a [1, 2, 3]\nb: [{}]\n", "*a, ".repeat(5000));
    assert_eq!(first(&text).value["b"].as_array().map(Vec::len), Some(5000));
}

#[test]
fn nesting_has_a_limit_that_aliases_cannot_pass() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    first(&deep(250));
    let nested = format!(
        "a: &a {}\nb: &b {}*a{}\nc: {}*b{}\n",
        deep(200),
        "[".repeat(200),
        "]".repeat(200),
        "[".repeat(200),
        "]".repeat(200)
    );
    for text in [
        deep(600),
        deep(100_000),
        nested,
        "- ".repeat(600),
        (0..600).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
    ] {
        assert!(parse_first(&Source::new("deep", text), Dialect::GoV2).is_err());
    }
}

#[test]
fn errors_tell_place_and_cause() {
    let cases = [
        (Dialect::GoV2, "a: [1, 2\nb: 3\n"),
        (Dialect::GoV2, "a: {b: 1\n"),
        (Dialect::GoV2, "a: 'open\nb: 1\n"),
        (Dialect::GoV2, "a: \"\\q\"\n"),
        (Dialect::GoV2, "a: b: c\n"),
        (Dialect::GoV2, "a:\n\tb: 1\n"),
        (Dialect::GoV2, "a: 1\n b: 2\n"),
        (Dialect::GoV2, "- a\nb: 1\n"),
        (Dialect::GoV2, "a: @x\n"),
        (Dialect::GoV2, "a: *nope\n"),
        (Dialect::GoV2, "a: &a [*a]\n"),
        (Dialect::GoV2, "key\nother: 1\n"),
        (Dialect::GoV2, "a: {{ x }}\n"),
        (Dialect::GoV2, "ä: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
        (Dialect::GoV2, "yes: 1\non: 2\n"),
        (Dialect::GoV2, "1: a\n\"1\": b\n"),
        (Dialect::GoV2, "a: .inf\n"),
        (Dialect::GoV2, "a: [-.INF]\n"),
        (Dialect::GoV2, "~: a\n"),
        (Dialect::GoV2, "? [a]\n: b\n"),
        (Dialect::GoV2, "<<: 1\n"),
        (Dialect::GoV2, "<<: [{}, x]\n"),
        (Dialect::GoV2, "a: !!int x\n"),
        (Dialect::GoV2, "a: !!bool 3\n"),
        (Dialect::GoV3, "kind: X\nmetadata:\n  name: a\n  name: b\n"),
        (Dialect::GoV3, "a: 1\n---\nb: 1\nb: 2\n"),
        (Dialect::GoV3, "data:\n  1: x\n"),
        (Dialect::GoV3, "true: x\n"),
        (Dialect::GoV3, "2024-01-02: x\n"),
        (Dialect::GoV3, "a: .nan\n"),
        (Dialect::GoV3, "a: &k 1\nb:\n  *k : x\n"),
        (Dialect::Yaml12, "a: 1\na: 2\n"),
        (Dialect::Python, "a: [\n"),
    ];
    let mut report = String::new();
    for (dialect, text) in cases {
        let source = Source::new("f.yaml", text);
        let error = parse_documents(&source, dialect).expect_err(text);
        let outcome = format!("{error} [{}]", &text[error.location().span.clone()]);
        let _ = writeln!(report, "{dialect:?} {text:?}\n  {outcome}");
    }
    insta::assert_snapshot!(report);
}
