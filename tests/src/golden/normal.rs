//! Replaces what varies between runs by placeholders.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::{Captures, Regex};
use serde_json::Value;

/// Placeholder and what it stands for in this run.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pairs: Vec<(&'static str, String)>,
}

impl Places {
    pub(super) fn set(&mut self, placeholder: &'static str, value: impl Into<String>) {
        self.pairs.push((placeholder, value.into()));
        // Longer values first: a file in a folder before the folder.
        self.pairs.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    }

    /// Placeholders to values.
    pub(super) fn fill(&self, text: &str) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Values to placeholders, and everything else that varies.
    pub(super) fn normal(&self, text: &str) -> String {
        let known = self
            .pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .fold(text.to_owned(), |text, (to, from)| text.replace(from, to));
        normal(&known)
    }

    /// The same for all texts of a value.
    pub(super) fn normal_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.normal(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.normal_value(item)).collect(),
            Value::Object(entries) => {
                entries.into_iter().map(|(key, value)| (self.normal(&key), self.normal_value(value))).collect()
            }
            other => other,
        }
    }
}

struct Rules {
    time: Regex,
    plain: Vec<(Regex, &'static str)>,
    late: Vec<(Regex, &'static str)>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let rule = |pattern: &str, to: &'static str| (regex(pattern), to);
    Rules {
        plain: vec![rule(r"127\.0\.0\.1:\d+", "<HOST>"), rule(r#"(<DIR>/t|/tmp)/[^\s:'",)]+"#, "<TMP>")],
        time: regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
        late: vec![
            rule(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "<TIME>"),
            rule(r#"(resourceVersion(?:%22|"|\\"):(?:%22|"|\\"))\d+"#, "${1}<ID>"),
            rule(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<ID>"),
            rule(r"\b[0-9a-f]{40}\b", "<COMMIT>"),
            rule(r#"(applied|remote|rendered): ["']?delta: .*"#, "${1}: <DELTA>"),
            rule(r"sha256:[0-9a-f]{64}", "sha256:<DIGEST>"),
            rule(r"_\d{4,5}_127\.0\.0\.1", "_<PORT>_127.0.0.1"),
        ],
    }
});

pub(super) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

fn normal(text: &str) -> String {
    let apply = |text: String, rules: &[(Regex, &str)]| {
        rules.iter().fold(text, |text, (regex, to)| regex.replace_all(&text, *to).into_owned())
    };
    let text = apply(text.to_owned(), &RULES.plain);
    let text = RULES.time.replace_all(&text, |found: &Captures<'_>| recent(&found[0])).into_owned();
    apply(text, &RULES.late)
}

/// Only timestamps of about now vary between runs; others are data.
fn recent(text: &str) -> String {
    let Ok(time) = text.parse::<Timestamp>() else { return text.to_owned() };
    let away = (time.as_second() - Timestamp::now().as_second()).abs();
    if away < 2 * 86_400 { "<TIME>".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_win_over_patterns() {
        let mut places = Places::default();
        places.set("<DIR>", "/tmp/g1");
        places.set("<KUBECONFIG>", "/tmp/g1/config");
        places.set("<GIT>", "127.0.0.1:81");
        let text = "/tmp/g1/config /tmp/g1/a 127.0.0.1:81 127.0.0.1:82 /tmp/x/y: z";
        let wanted = "<KUBECONFIG> <DIR>/a <GIT> <HOST> <TMP>: z";
        assert_eq!(places.normal(text), wanted);
    }

    #[test]
    fn only_recent_times_are_replaced() {
        let now = Timestamp::now().to_string();
        let text = format!("{now} 2024-01-01T00:00:00Z");
        assert_eq!(normal(&text), "<TIME> 2024-01-01T00:00:00Z");
    }

    #[test]
    fn identifiers_are_replaced() {
        let commit = "0123456789012345678901234567890123456789";
        let digest = format!("sha256:{}", "ab".repeat(32));
        let text = format!("{commit} {digest} 12345678-1234-1234-1234-123456789abc");
        assert_eq!(normal(&text), "<COMMIT> sha256:<DIGEST> <ID>");
    }
}
