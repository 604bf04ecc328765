//! Changes as text (spec 03 section 11.5).

use serde_json::Value;
use similar::{DiffOp, DiffTag, group_diff_ops};
use windlass_yaml::{Emitter, Folding};

use crate::myers::edit_script;

const CONTEXT: usize = 3;

/// The text of a change; a missing side is an insert or a delete.
pub(crate) fn unified_diff(old: Option<&Value>, new: Option<&Value>) -> String {
    match (old.map(value_text), new.map(value_text)) {
        (None, None) => String::new(),
        (None, Some(new)) => prefixed('+', &new),
        (Some(old), None) => prefixed('-', &old),
        (Some(old), Some(new)) => update_text(&old, &new),
    }
}

fn update_text(old: &str, new: &str) -> String {
    if old.is_empty() {
        prefixed('+', new)
    } else if new.is_empty() {
        prefixed('-', old)
    } else if old.contains('\n') || new.contains('\n') {
        hunks(old, new)
    } else {
        format!("-{old}\n+{new}")
    }
}

/// Texts as they are, maps and lists as YAML, null as `<nil>`. Numbers never in exponent notation.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => Emitter::new(Folding::Never).to_string(value),
    }
}

fn prefixed(sign: char, text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let lines: Vec<String> = text.split('\n').map(|line| format!("{sign}{line}")).collect();
    lines.join("\n")
}

/// Unified format without the two file lines.
fn hunks(old: &str, new: &str) -> String {
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let ops = edit_script(&old_lines, &new_lines);
    let mut text = String::new();
    for group in group_diff_ops(ops, CONTEXT) {
        text.push_str(&header(&group));
        for op in &group {
            let (removed, added) = (&old_lines[op.old_range()], &new_lines[op.new_range()]);
            if op.tag() == DiffTag::Equal {
                write_lines(removed, ' ', &mut text);
            } else {
                write_lines(removed, '-', &mut text);
                write_lines(added, '+', &mut text);
            }
        }
    }
    text
}

fn header(group: &[DiffOp]) -> String {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return String::new() };
    let range = |start: usize, end: usize| match end - start {
        0 | 1 => (start + 1).to_string(),
        count => format!("{},{count}", start + 1),
    };
    let old = range(first.old_range().start, last.old_range().end);
    let new = range(first.new_range().start, last.new_range().end);
    format!("@@ -{old} +{new} @@\n")
}

fn write_lines(lines: &[&str], sign: char, text: &mut String) {
    for line in lines {
        text.push(sign);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn update(old: Value, new: Value) -> String {
        unified_diff(Some(&old), Some(&new))
    }

    #[test]
    fn scalars_are_two_lines_without_type_information() {
        assert_eq!(update(json!(1), json!("1")), "-1\n+1");
        assert_eq!(update(json!(true), json!(null)), "-true\n+<nil>");
        assert_eq!(update(json!(999_999), json!(33_554_432)), "-999999\n+33554432");
        assert_eq!(update(json!(0.5), json!(12.25)), "-0.5\n+12.25");
    }

    #[test]
    fn an_empty_side_leaves_only_the_other() {
        assert_eq!(update(json!(""), json!("now")), "+now");
        assert_eq!(update(json!("was\nthere\n"), json!("")), "-was\n-there");
    }

    #[test]
    fn inserts_and_deletes_prefix_every_line() {
        assert_eq!(unified_diff(None, Some(&json!({"name": "ONE", "value": "1"}))), "+name: ONE\n+value: \"1\"");
        assert_eq!(unified_diff(Some(&json!({"secretRef": {"name": "a"}})), None), "-secretRef:\n-  name: a");
        assert_eq!(unified_diff(None, Some(&json!({"l": [1, 2]}))), "+l:\n+- 1\n+- 2");
        assert_eq!(unified_diff(None, Some(&json!(""))), "+");
    }

    #[test]
    fn recorded_multi_line_updates() {
        assert_eq!(update(json!("x"), json!("x\ny\n")), "@@ -1 +1,2 @@\n-x\n\\ No newline at end of file\n+x\n+y\n");
        assert_eq!(
            update(
                json!("one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n"),
                json!("one\nTWO\nthree\nfour\nfive\nsix\nseven\nEIGHT")
            ),
            "@@ -1,8 +1,8 @@\n one\n-two\n+TWO\n three\n four\n five\n six\n seven\n-eight\n+EIGHT\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn changes_more_than_six_lines_apart_are_two_hunks() {
        let text = |first: &str, last: &str, between: usize| {
            format!("{first}\n{}{last}\n", (0..between).map(|n| format!("{n}\n")).collect::<String>())
        };
        let headers = |between: usize| {
            let diff = update(json!(text("a", "y", between)), json!(text("b", "z", between)));
            diff.lines().filter(|line| line.starts_with("@@")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(headers(6), ["@@ -1,8 +1,8 @@"]);
        assert_eq!(headers(7), ["@@ -1,4 +1,4 @@", "@@ -6,4 +6,4 @@"]);
    }

    #[test]
    fn moved_lines_go_before_they_come() {
        assert_eq!(update(json!("a\nb\n"), json!("b\na\n")), "@@ -1,2 +1,2 @@\n-a\n b\n+a\n");
    }

    #[test]
    fn a_text_that_becomes_a_map_is_a_line_diff() {
        assert_eq!(update(json!("x"), json!({"a": 1})), "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+a: 1\n");
    }
}
