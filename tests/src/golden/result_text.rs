//! Brings text results of cluster commands into an order that does not vary.

use std::sync::LazyLock;

use regex::Regex;

use super::normal::regex;

const HEADINGS: [&str; 9] = [
    "New objects",
    "Changed objects",
    "Deleted objects",
    "Applied hooks",
    "Orphan objects",
    "Warnings",
    "Errors",
    "Validation Warnings",
    "Validation Errors",
];

static OBJECT: LazyLock<Regex> = LazyLock::new(|| regex(r"^  (\S+?)(: .*)?$"));
static MORE_LINES: LazyLock<Regex> = LazyLock::new(|| regex(r"\n\n\n+Diff for"));
static TABLE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)^(.*?Results:\n\+[^\n]*\n\|[^\n]*\n)(\+.*)$"));
static ELAPSED: LazyLock<Regex> = LazyLock::new(|| regex(r"\(\d+s elapsed\)"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"\b10\.0\.0\.\d+\b"));
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"^(?:Failed to detect git project root.*|Initializing k8s client|",
        r"Rendering (?:templates|Helm Charts)|Building kustomize objects|Postprocessing objects|",
        r"Writing .*|Getting .*|Deleted old (?:command|validate) result .*|Waiting on barrier.*|",
        r"Finished waiting|",
        r"\S+: (?:Initializing|Applying|Deleting|Waiting|Still waiting|Finished waiting).*)$",
    ))
});

/// stdout of a step with `result: text`.
pub(super) fn normal(text: &str) -> String {
    values(&result_table(&result_text(text)))
}

/// stderr without progress lines, prompts on a line of their own.
pub(super) fn without_progress(text: &str) -> String {
    let text = text.replace("(y/N) ", "(y/N)\n");
    let lines = text.lines().filter(|line| !line.is_empty() && !PROGRESS.is_match(line));
    values(&lines.flat_map(|line| [line, "\n"]).collect::<String>())
}

/// Replaces durations and cluster addresses.
pub(super) fn values(text: &str) -> String {
    let text = ELAPSED.replace_all(text, "(<DURATION> elapsed)");
    ADDRESS.replace_all(&text, "<IP>").into_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Objects,
    Messages,
}

fn heading(line: &str) -> Option<Block> {
    let name = line.strip_suffix(':')?;
    if !HEADINGS.contains(&name) {
        return None;
    }
    let messages = name.ends_with("Warnings") || name.ends_with("Errors");
    Some(if messages { Block::Messages } else { Block::Objects })
}

fn kind(line: &str) -> Option<String> {
    let found = OBJECT.captures(line)?;
    let parts: Vec<_> = found[1].split('/').collect();
    Some(if parts.len() > 1 { parts[parts.len() - 2].to_owned() } else { String::new() })
}

/// Neighbours of one kind and all messages of a block are sorted; diff tables follow.
fn result_text(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let (mut last, mut block) = (None::<String>, Block::None);
    for line in text.split('\n') {
        match heading(line) {
            Some(found) => block = found,
            None if line.is_empty() => block = Block::None,
            None => {}
        }
        let current = match block {
            Block::Objects if line.starts_with("  ") => kind(line),
            Block::Messages if line.starts_with("  ") => Some("message".to_owned()),
            _ => None,
        };
        if current.is_none() || current != last {
            run.sort_unstable();
            lines.append(&mut run);
        }
        if current.is_none() {
            lines.push(line)
        } else {
            run.push(line)
        }
        last = current;
    }
    run.sort_unstable();
    lines.append(&mut run);
    let text = MORE_LINES.replace_all(&lines.join("\n"), "\n\nDiff for").into_owned();
    if text.matches("Diff for object").count() < 2 {
        return text;
    }
    split_before(&text, |line, next| line.is_empty() && matches!(next, Some("New objects:" | "Changed objects:")))
        .into_iter()
        .map(sort_tables)
        .collect()
}

/// Diff tables in the order of the list of changed objects, one empty line between them.
fn sort_tables(text: String) -> String {
    let mut parts = split_before(&text, |line, _| line.starts_with("Diff for object "));
    if parts.len() < 3 {
        return text;
    }
    let names: Vec<_> = parts[0]
        .lines()
        .skip_while(|line| *line != "Changed objects:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim().to_owned())
        .collect();
    let last = parts.pop().unwrap_or_default();
    let mut ends = split_before(&last, |line, next| line.is_empty() && next.and_then(heading).is_some());
    let tail: String = ends.drain(1..).collect();
    parts.append(&mut ends);
    let head = parts.remove(0);
    let place = |table: &str| {
        let name = table.lines().next().unwrap_or_default().trim_start_matches("Diff for object ");
        names.iter().position(|known| known == name).unwrap_or(usize::MAX)
    };
    let mut tables: Vec<_> = parts.iter().map(|part| part.trim_end_matches('\n').to_owned()).collect();
    tables.sort_by_key(|table| place(table));
    format!("{head}{}\n{tail}", tables.join("\n\n"))
}

/// Splits a text before each line that `starts` chooses (it sees the line and the next one).
fn split_before(text: &str, starts: impl Fn(&str, Option<&str>) -> bool) -> Vec<String> {
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let mut parts = vec![String::new()];
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).map(|next| next.trim_end_matches('\n'));
        if starts(line.trim_end_matches('\n'), next) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts
}

/// Rows of the table of validation results in sorted order.
fn result_table(text: &str) -> String {
    let Some(found) = TABLE.captures(text) else { return text.to_owned() };
    let body = &found[2];
    let rule = format!("{}\n", body.split('\n').next().unwrap_or_default());
    let mut rows: Vec<_> = body.split(&rule).filter(|row| !row.trim().is_empty()).collect();
    rows.sort_unstable();
    let rows: String = rows.into_iter().flat_map(|row| [row, rule.as_str()]).collect();
    format!("{}{rule}{rows}", &found[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_kind_are_sorted() {
        let text = "\nNew objects:\n  ns/Namespace/b\n  ns/Namespace/a\n  n/ConfigMap/z\n";
        let wanted = "\nNew objects:\n  ns/Namespace/a\n  ns/Namespace/b\n  n/ConfigMap/z\n";
        assert_eq!(normal(text), wanted);
    }

    #[test]
    fn tables_follow_the_list() {
        let text = "\nChanged objects:\n  n/ConfigMap/b\n  n/ConfigMap/a\n\n\
                    Diff for object n/ConfigMap/b\nB\n\nDiff for object n/ConfigMap/a\nA\n";
        let wanted = "\nChanged objects:\n  n/ConfigMap/a\n  n/ConfigMap/b\n\n\
                      Diff for object n/ConfigMap/a\nA\n\nDiff for object n/ConfigMap/b\nB\n";
        assert_eq!(normal(text), wanted);
    }

    #[test]
    fn progress_and_durations_are_removed() {
        let text = "Getting 3 objects\n✗ failed (12s elapsed)\nGo? (y/N) Writing x\n";
        assert_eq!(without_progress(text), "✗ failed (<DURATION> elapsed)\nGo? (y/N)\n");
    }

    #[test]
    fn recorded_results_are_in_normal_form() {
        let mut seen = 0;
        for case in super::super::cases("cluster") {
            for step in super::super::case::read(&case).expect("steps") {
                let super::super::steps::Step::Run(run) = step else { continue };
                let (Some("text"), Some(file)) = (run.result.as_deref(), run.stdout) else { continue };
                let path = super::super::file_of(&case, &file);
                let text = std::fs::read_to_string(&path).expect("a file");
                assert_eq!(normal(&text), text, "{}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 50, "only {seen} were found");
    }

    #[test]
    fn rows_of_a_table_are_sorted() {
        let text = "Results:\n+--+\n| H|\n+--+\n| b|\n+--+\n| a|\n+--+\n";
        assert_eq!(normal(text), "Results:\n+--+\n| H|\n+--+\n| a|\n+--+\n| b|\n+--+\n");
    }
}
