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
    compare_reading(&records(include_str!("oracle/scalars.jsonl")), "v2", Dialect::GoV2, &[]);
}

#[test]
fn scalars_read_as_go_yaml_v3_reads_them() {
    compare_reading(&records(include_str!("oracle/scalars.jsonl")), "v3", Dialect::GoV3, &[]);
}

#[test]
fn documents_read_as_go_yaml_v2_reads_them() {
    compare_reading(&records(include_str!("oracle/documents.jsonl")), "v2", Dialect::GoV2, &[]);
}

#[test]
fn documents_read_as_go_yaml_v3_reads_them() {
    compare_reading(&records(include_str!("oracle/documents.jsonl")), "v3", Dialect::GoV3, &[]);
}

#[test]
fn values_are_written_as_go_writes_them() {
    let mut report = String::new();
    for record in records(include_str!("oracle/emitted.jsonl")) {
        let value = &record["value"];
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
}
