//! Compares what is with what was recorded.

use serde_json::Value;
use similar::TextDiff;

use crate::yaml;

/// One answer that differs from the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which answer.
    pub what: String,
    /// A unified difference, or one sentence.
    pub difference: String,
}

impl Mismatch {
    pub(super) fn new(what: impl Into<String>, difference: impl Into<String>) -> Self {
        Self { what: what.into(), difference: difference.into() }
    }
}

/// Progress lines, which are not part of the answer.
const PROGRESS: [&str; 5] = [
    "Rendering templates",
    "Rendering Helm Charts",
    "Building kustomize objects",
    "Postprocessing objects",
    "Writing rendered objects",
];

/// Compares texts exactly.
pub(super) fn texts(what: &str, expected: &str, actual: &str) -> Option<Mismatch> {
    (expected != actual).then(|| Mismatch::new(what, unified(expected, actual)))
}

/// Compares texts as collections of lines, without progress lines.
pub(super) fn lines(what: &str, expected: &str, actual: &str) -> Option<Mismatch> {
    texts(what, &sorted_lines(expected), &sorted_lines(actual))
}

/// Compares values; their order of keys and their notation do not count.
pub(super) fn values(what: &str, expected: &Value, actual: &Value) -> Option<Mismatch> {
    if expected == actual {
        return None;
    }
    let (mut left, mut right) = (yaml::show(expected), yaml::show(actual));
    if left == right {
        (left, right) = (format!("{expected:#}\n"), format!("{actual:#}\n"));
    }
    Some(Mismatch::new(what, unified(&left, &right)))
}

fn sorted_lines(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().filter(|line| !PROGRESS.contains(line)).collect();
    lines.sort_unstable();
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

fn unified(expected: &str, actual: &str) -> String {
    TextDiff::from_lines(expected, actual).unified_diff().context_radius(3).header("expected", "actual").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_and_progress_do_not_count_among_lines() {
        assert_eq!(lines("x", "a\nb\n", "b\nRendering templates\na\n"), None);
        assert!(lines("x", "a\n", "a\na\n").is_some());
    }

    #[test]
    fn values_that_look_alike_still_differ() {
        let found = values("x", &json!({"a": "1\n2"}), &json!({"a": "1\n2\n"}));
        assert!(found.is_some_and(|found| found.difference.contains("+  \"a\": \"1\\n2\\n\"")));
    }
}
