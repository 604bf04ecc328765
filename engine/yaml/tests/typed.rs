//! Typed decoding: Go's conversions, and errors that point into the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};
use windlass_yaml::{Dialect, PathElement, Source, YamlError, YamlErrorKind, from_document, from_value, parse_first};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Project {
    discriminator: Option<String>,
    chart_version: String,
    tags: Vec<String>,
    labels: BTreeMap<String, String>,
    targets: Vec<Target>,
    only_render: bool,
    retries: Option<u32>,
    ratio: f64,
    vars: Value,
    mode: Option<Mode>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Target {
    name: String,
    context: Option<String>,
    args: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Mode {
    Fast,
    Slow { seconds: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only decoding is tested")]
struct Strict {
    path: String,
    count: u32,
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    from_document(&parse_first(&Source::new(".kluctl.yaml", text), Dialect::GoV2)?)
}

fn project(text: &str) -> Project {
    decode(text).expect("valid project")
}

#[test]
fn scalars_become_strings_where_strings_are_wanted() {
    let found = project(
        "discriminator: 12\nchartVersion: 1.10\ntags: [1, true, 1e3, 0x10, a, 1.5e-7]\nlabels: {a: 1, b: no, c: 1000000.5}\n",
    );
    assert_eq!(found.discriminator.as_deref(), Some("12"));
    assert_eq!(found.chart_version, "1.1");
    assert_eq!(found.tags, ["1", "true", "1000", "16", "a", "1.5e-07"]);
    let labels: Vec<_> = found.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("a", "1"), ("b", "false"), ("c", "1.0000005e+06")]);
}

#[test]
fn null_and_empty_are_the_zero_value() {
    let zero = Project { vars: Value::Null, ..Project::default() };
    for text in [
        "",
        "# nothing\n",
        "{}",
        "null",
        "discriminator:\nchartVersion: ~\ntags:\nlabels: null\ntargets:\nonlyRender:\n",
    ] {
        assert_eq!(project(text), zero, "{text}");
    }
    assert_eq!(project("tags: [~]\nlabels: {a: }\n").tags, [""]);
    assert_eq!(project("targets: [~]\n").targets, [Target::default()]);
}

#[test]
fn untyped_places_keep_their_types() {
    let found = project("vars: {a: 1, b: yes, c: 1.0, d: [x, ~], on: 2024-01-02}\n");
    assert_eq!(found.vars, json!({"a": 1, "b": true, "c": 1, "d": ["x", null], "true": "2024-01-02"}));
}

#[test]
fn field_names_match_in_any_case_when_the_exact_one_is_absent() {
    assert_eq!(project("onlyrender: true\nTARGETS: [{Name: x}]\n").targets[0].name, "x");
    let error = decode::<Project>("onlyRender: true\nonlyrender: true\n").expect_err("two spellings");
    assert!(matches!(error.kind(), YamlErrorKind::UnknownField { .. }), "{error}");
}

#[test]
fn enums_decode_from_name_or_single_entry() {
    assert_eq!(project("mode: fast\n").mode, Some(Mode::Fast));
    assert_eq!(project("mode: {slow: {seconds: 3}}\n").mode, Some(Mode::Slow { seconds: 3 }));
}

#[test]
fn parts_are_decoded_with_their_position() {
    let document = parse_first(&Source::new("f.yaml", "a:\n- name: x\n- nmae: y\n"), Dialect::GoV2).expect("valid");
    let base = [PathElement::from("a"), PathElement::from(1)];
    let error = from_value::<Target>(&document, &document.value["a"][1], &base).expect_err("unknown field");
    assert_eq!(error.to_string(), "f.yaml:3:3: unknown field \"nmae\", did you mean \"name\"?");
}

#[test]
fn unknown_fields_carry_their_data() {
    let error = decode::<Project>("targets:\n- name: x\n  contxt: y\n").expect_err("unknown field");
    let YamlErrorKind::UnknownField { field, parent, expected, similar } = error.kind() else {
        panic!("{error}");
    };
    assert_eq!((field.as_str(), parent.as_str()), ("contxt", "targets[0]"));
    assert_eq!(expected, &["name", "context", "args"]);
    assert_eq!(similar, &["context"]);
}

#[test]
fn errors_tell_place_path_and_types() {
    let projects = [
        "discriminatr: x\n",
        "zzz: x\n",
        "zzz:\n",
        "targets:\n- name: x\n  nam: y\n",
        "tags: a\n",
        "tags:\n- a\n- {b: c}\n",
        "tags: [[a]]\n",
        "labels: [a]\n",
        "labels:\n  a:\n    b: c\n",
        "targets:\n  name: x\n",
        "targets: [x]\n",
        "onlyRender: \"true\"\n",
        "onlyRender: 1\n",
        "retries: -1\n",
        "retries: 1.5\n",
        "retries: x\n",
        "retries: 5000000000\n",
        "ratio: x\n",
        "mode: fats\n",
        "mode: {slow: {seconds: soon}}\n",
        "mode: [fast]\n",
        "- a\n",
        "text\n",
        "d: &d {contxt: x}\ntargets:\n- *d\n",
        "targets:\n- <<: {contxt: x}\n",
    ];
    let mut report = String::new();
    for text in projects {
        report_case::<Project>(&mut report, text);
    }
    for text in ["count: 1\n", "path: x\n", "", "path: [x]\ncount: 1\n", "path: x\ncount: 1\nContent: 2\n"] {
        report_case::<Strict>(&mut report, text);
    }
    insta::assert_snapshot!(report);
}

fn report_case<T: serde::de::DeserializeOwned + std::fmt::Debug>(report: &mut String, text: &str) {
    let outcome = match decode::<T>(text) {
        Ok(value) => format!("ok: {value:?}"),
        Err(error) => format!("{error} [{}]", &text[error.location().span.clone()].escape_debug()),
    };
    let _ = writeln!(report, "{text:?}\n  {outcome}");
}
