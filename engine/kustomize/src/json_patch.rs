//! JSON patches (RFC 6902), for what is certain: a step that fails is an error in Kustomize.

use serde::Deserialize;
use serde_json::Value;
use windlass_yaml::{Dialect, Source, parse_documents};

use crate::unsure::{Certain, Unsure, ensure};

/// The integers that survive Kustomize's own way through floating-point numbers.
const EXACT_INTEGERS: u64 = 1 << 53;

/// One step.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Operation {
    Add { path: String, value: Value },
    Replace { path: String, value: Value },
    Remove { path: String },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// Reads a patch in JSON or YAML; nothing when the text is no list.
pub(crate) fn read(text: &str) -> Certain<Option<Vec<Operation>>> {
    let value = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|_| Unsure("a patch that is no JSON"))?
    } else {
        let documents = parse_documents(&Source::new("patch", text), Dialect::GoV2);
        let mut documents = documents.map_err(|_| Unsure("a patch that is no YAML"))?;
        match (documents.pop(), documents.len()) {
            (Some(document), 0) => document.value,
            _ => return Ok(None),
        }
    };
    let Value::Array(operations) = value else { return Ok(None) };
    let read = |operation| Operation::deserialize(operation).map_err(|_| Unsure("an unknown step of a patch"));
    operations.into_iter().map(read).collect::<Certain<Vec<_>>>().map(Some)
}

/// Applies all steps.
pub(crate) fn apply(operations: &[Operation], object: &mut Value) -> Certain<()> {
    ensure(is_exact(object), "a large integer")?;
    for operation in operations {
        match operation {
            Operation::Add { path, value } => add(object, &steps(path)?, checked(value)?)?,
            Operation::Replace { path, value } => *find(object, &steps(path)?)? = checked(value)?,
            Operation::Remove { path } => {
                remove(object, &steps(path)?)?;
            }
            Operation::Move { from, path } => {
                let moved = remove(object, &read_steps(from)?)?;
                add(object, &steps(path)?, moved)?;
            }
            Operation::Copy { from, path } => {
                let copied = find(object, &read_steps(from)?)?.clone();
                add(object, &steps(path)?, copied)?;
            }
            Operation::Test { path, value } => {
                ensure(find(object, &read_steps(path)?)? == value, "a test that fails")?;
            }
        }
    }
    Ok(())
}

fn checked(value: &Value) -> Certain<Value> {
    ensure(!value.is_null() && is_exact(value), "an unusual value")?;
    Ok(value.clone())
}

fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_i64().is_none_or(|integer| integer.unsigned_abs() < EXACT_INTEGERS)
                && number.as_u64().is_none_or(|integer| integer < EXACT_INTEGERS)
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Kustomize keeps annotations of its own in the object, and restores them afterwards.
fn steps(path: &str) -> Certain<Vec<String>> {
    let path = path.strip_prefix('/').ok_or(Unsure("a path without a slash"))?;
    ensure(path != "metadata", "a path to the metadata")?;
    Ok(path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// As [`steps`], where Kustomize's own annotations would be seen.
fn read_steps(path: &str) -> Certain<Vec<String>> {
    ensure(path != "/metadata/annotations", "a path to the annotations")?;
    steps(path)
}

fn find<'v>(value: &'v mut Value, steps: &[String]) -> Certain<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Object(fields) => fields.get_mut(step).ok_or(Unsure("a missing field")),
        Value::Array(items) => {
            let index = index(step)?;
            items.get_mut(index).ok_or(Unsure("a missing item"))
        }
        _ => Err(Unsure("a scalar in the way of a patch")),
    })
}

fn add(object: &mut Value, steps: &[String], added: Value) -> Certain<()> {
    let [parents @ .., last] = steps else { return Err(Unsure("an empty path")) };
    match find(object, parents)? {
        Value::Object(fields) => {
            fields.insert(last.clone(), added);
        }
        Value::Array(items) => {
            let index = if last == "-" { items.len() } else { index(last)? };
            ensure(index <= items.len(), "a missing item")?;
            items.insert(index, added);
        }
        _ => return Err(Unsure("a scalar in the way of a patch")),
    }
    Ok(())
}

fn remove(object: &mut Value, steps: &[String]) -> Certain<Value> {
    let [parents @ .., last] = steps else { return Err(Unsure("an empty path")) };
    match find(object, parents)? {
        Value::Object(fields) => fields.remove(last).ok_or(Unsure("a missing field")),
        Value::Array(items) => {
            let index = index(last)?;
            ensure(index < items.len(), "a missing item")?;
            Ok(items.remove(index))
        }
        _ => Err(Unsure("a scalar in the way of a patch")),
    }
}

fn index(step: &str) -> Certain<usize> {
    let is_plain = step == "0" || !step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit());
    ensure(is_plain, "an unusual index")?;
    step.parse().map_err(|_| Unsure("an unusual index"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(patch: &str, mut object: Value) -> Certain<Value> {
        apply(&read(patch)?.ok_or(Unsure("no list"))?, &mut object)?;
        Ok(object)
    }

    #[test]
    fn every_step_is_applied() {
        let patch = "- {op: add, path: /a/-, value: 3}\n- {op: add, path: /a/0, value: 0}\n- {op: remove, path: /a/1}\n\
                     - {op: replace, path: /b~1c, value: x}\n- {op: copy, from: /a, path: /d}\n\
                     - {op: move, from: '/b~1c', path: /e}\n- {op: test, path: /e, value: x}\n";
        let object = json!({"a": [1, 2], "b/c": "y"});
        assert_eq!(patched(patch, object).unwrap(), json!({"a": [0, 2, 3], "d": [0, 2, 3], "e": "x"}));
    }

    #[test]
    fn json_is_read_too_and_mappings_are_no_patch() {
        let patch = r#"[{"op": "add", "path": "/a", "value": {"b": true}}]"#;
        assert_eq!(patched(patch, json!({})).unwrap(), json!({"a": {"b": true}}));
        assert_eq!(read("kind: Deployment\n").unwrap(), None);
    }

    #[test]
    fn whatever_fails_is_not_certain() {
        for patch in [
            "- {op: remove, path: /x}",
            "- {op: replace, path: /x, value: 1}",
            "- {op: add, path: /x/y, value: 1}",
            "- {op: add, path: /a/9, value: 1}",
            "- {op: add, path: /a/-1, value: 1}",
            "- {op: add, path: /a/01, value: 1}",
            "- {op: add, path: x, value: 1}",
            "- {op: add, path: /x, value: null}",
            "- {op: add, path: /x, value: 9007199254740993}",
            "- {op: test, path: /a/0, value: 9}",
            "- {op: other, path: /a}",
            "- {op: add, path: /x}",
            "- {op: replace, path: /metadata, value: {}}",
            "- {op: copy, from: /metadata/annotations, path: /x}",
            "[{",
        ] {
            assert!(patched(patch, json!({"a": [1], "metadata": {}})).is_err(), "{patch}");
        }
    }
}
