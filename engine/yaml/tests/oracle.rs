//! Holds reading and writing against recorded answers of Go's libraries.
//!
//! The records come from `tests/oracle/yaml`; see there for how to make them again.

use std::fmt::Write as _;

use serde_json::Value;
use windlass_yaml::{Dialect, Document, Emitter, Folding, Source, YamlError, parse_first, to_string};

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("records are JSON lines")).collect()
}

fn read(text: &str, dialect: Dialect) -> Result<Value, YamlError> {
    let source = Source::new("oracle.yaml", text);
    parse_first(&source, dialect).map(|Document { value, .. }| value)
}

/// Integers as integers and floats as bits, whatever the notation.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(l), Value::Number(r)) => l == r || ((l.is_f64() || r.is_f64()) && l.as_f64() == r.as_f64()),
        (Value::Array(l), Value::Array(r)) => l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same(l, r)),
        (Value::Object(l), Value::Object(r)) => {
            l.len() == r.len() && l.iter().zip(r).all(|(l, r)| l.0 == r.0 && same(l.1, r.1))
        }
        _ => left == right,
    }
}

fn compare_reading(records: &[Value], name: &str, dialect: Dialect, wanted_differences: &[(&str, &str)]) {
    let mut report = String::new();
    let mut met = 0;
    for record in records {
        let text = record["text"].as_str().unwrap_or_default();
        let found = read(text, dialect);
        let agrees = match (record.get(name), &found) {
            (Some(wanted), Ok(found)) => same(wanted, found),
            (None, Err(_)) => true,
            _ => false,
        };
        let expected = wanted_differences.iter().any(|(known, _)| *known == text);
        met += usize::from(expected && !agrees);
        if agrees == expected {
            let wanted = record.get(name).unwrap_or(&record[format!("{name}_error")]);
            let found = found.map_or_else(|error| error.to_string(), |value| value.to_string());
            let _ = writeln!(report, "{text:?}\n  go   {wanted}\n  here {found}");
        }
    }
    assert!(report.is_empty(), "{name}:\n{report}");
    assert_eq!(met, wanted_differences.len());
}

#[test]
fn scalars_read_as_go_yaml_v2_reads_them() {
    let differences = [
        ("9223372036854775808: v\n", "Go has no keys of 64 unsigned bits"),
        ("18446744073709551615: v\n", "the same"),
        ("0xFFFFFFFFFFFFFFFF: v\n", "the same"),
        ("0x8000000000000000: v\n", "the same"),
    ];
    compare_reading(&records(include_str!("oracle/scalars.jsonl")), "v2", Dialect::GoV2, &differences);
}

#[test]
fn scalars_read_as_go_yaml_v3_reads_them() {
    let differences = [
        ("k: 2024-01-02T03:04:05+24:00\n", "Go reads the time and cannot write it; here it stays text"),
        ("2024-01-02T03:04:05+24:00: v\n", "the same"),
        ("! yes: v\n", "keys with a tag are refused"),
        ("! x: v\n", "the same"),
    ];
    compare_reading(&records(include_str!("oracle/scalars.jsonl")), "v3", Dialect::GoV3, &differences);
}

/// Where granit-parser follows YAML 1.2 and Go's scanner YAML 1.1.
const SYNTAX: [(&str, &str); 6] = [
    ("a: \"\\u00e9\\n\\x41\\/\"\n", "the escape of the slash is new in 1.2"),
    ("\ta: 1\n", "tabs before the first key are harmless"),
    ("%FOO\n---\na: 1\n", "unknown directives are to be ignored"),
    ("a: \u{85}b\n", "no line break in 1.2"),
    ("a: \u{2028}b\n", "no line break in 1.2"),
    ("a: !!binary aGVs\n  bG8=\n", "blanks in base64 are skipped"),
];

#[test]
fn documents_read_as_go_yaml_v2_reads_them() {
    let mut differences = vec![
        ("a: &x {k: v}\nb: {<<: *x, k: w}\n", "mended: an own key wins over a merged one"),
        ("a: &x {k: v}\nb: {k: w, <<: *x}\n", "mended"),
        ("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  <<: [*x, *y]\n  m: 3\n", "mended: the first source wins"),
        ("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  <<: [*y, *x]\n", "mended"),
        ("<<: [{a: 1}, {a: 2}]\n", "mended"),
        ("18446744073709551615: a\n", "Go has no keys of 64 unsigned bits"),
    ];
    differences.extend(SYNTAX);
    compare_reading(&records(include_str!("oracle/documents.jsonl")), "v2", Dialect::GoV2, &differences);
}

#[test]
fn documents_read_as_go_yaml_v3_reads_them() {
    compare_reading(&records(include_str!("oracle/documents.jsonl")), "v3", Dialect::GoV3, &SYNTAX);
}

/// Values that Go writes so that another reader, or Go itself, reads something else.
fn wanted_difference(text: &str) -> bool {
    const DATES_OF_PYTHON: [&str; 9] = [
        "2024-13-01",
        "2024-02-30",
        "2023-02-29",
        "2024-01-02T03:04:05",
        "2024-01-02 03:04:05Z",
        "2024-01-02 25:00:00",
        "2024-01-02 03:04:60",
        "2001-12-14 21:59:43.10 -5",
        "2024-01-02T24:00:00Z",
    ];
    let next_line_is_lost = text.contains('\u{85}');
    let beyond_64_bits = text.contains("0xFFFFFFFFFFFFFFFFF");
    next_line_is_lost || beyond_64_bits || DATES_OF_PYTHON.iter().any(|date| text.contains(&format!("{date}\"")))
}

#[test]
fn values_are_written_as_go_writes_them() {
    let mut report = String::new();
    let mut checked = 0;
    for record in records(include_str!("oracle/emitted.jsonl")) {
        let value = &record["value"];
        if wanted_difference(&value.to_string()) {
            continue;
        }
        checked += 1;
        let wanted = record["yaml"].as_str().unwrap_or_default();
        let found = to_string(value);
        if found != wanted {
            let _ = writeln!(report, "{value}\n  go   {wanted:?}\n  here {found:?}");
        }
        let wanted = record["no_fold"].as_str().unwrap_or(wanted);
        let found = Emitter::new(Folding::Never).to_string(value);
        if found != wanted {
            let _ = writeln!(report, "{value} not folded\n  go   {wanted:?}\n  here {found:?}");
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(checked > 1500, "{checked}");
}
