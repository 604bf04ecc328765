//! Markers in files that are no YAML: templates of Jinja, Go and Helm, and broken files.
//!
//! Only what is certain from one line: `key: value # marker` and `- value # marker`
//! outside of block scalars and template comments. Spec 06 14.6.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::document::ObjectIdentity;
use super::marker::{self, TOKEN};
use super::place::{BLOCK, Placed, TEMPLATED, Value};
use super::quote::Style;

const SHAPE: &str = "the file is not valid YAML and the line is neither `key: value # marker` nor `- value # marker`";
const COMMENT: &str = "the marker stands inside a comment of the template language";

static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"^(?:[ \t]*(?:- +)*)(?:(?:"[^"]*"|'[^']*'|[^\s#'"\[\]{},&*!|>%@`-][^#\[\]{},]*?|-[^\s#][^#\[\]{},]*?)[ \t]*:[ \t]+|(?:- +))"#,
        r#"(?:![^\s]*[ \t]+)?(?:&[^\s]+[ \t]+)?(?:![^\s]*[ \t]+)?"#,
        r#"(?:(?P<double>"(?:[^"\\]|\\.)*")[ \t]*,?[ \t]*|(?P<single>'(?:[^']|'')*')[ \t]*,?[ \t]*|(?P<plain>[^\s#'"\[\]{},&*!|>%@`](?:[^#]|[^\s]#)*?)[ \t]+)$"#,
    ))
    .ok()
});

/// Every marker of the text.
pub(super) fn find(text: &str) -> Vec<Placed> {
    let comments = template_comments(text);
    let mut blocks = Blocks::default();
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let inside = blocks.enter(line);
        if line.contains(TOKEN)
            && let Some(mut placed) = of_line(line, start)
        {
            if inside {
                // Text of a block scalar is text and not a marker.
                start += line.len();
                continue;
            }
            if comments.iter().any(|range| range.contains(&placed.comment.start)) {
                placed.value = Err(COMMENT);
            }
            found.push(placed);
        }
        start += line.len();
    }
    found
}

fn of_line(line: &str, start: usize) -> Option<Placed> {
    let line = line.trim_end_matches(['\n', '\r']);
    let token = line.find(TOKEN)?;
    // The comment begins at the last run of `#` in front of the object.
    let mut at = line[..token].rfind('#')?;
    while line[..at].ends_with('#') {
        at -= 1;
    }
    let (head, comment) = line.split_at(at);
    let marker = marker::parse(comment)?;
    let value = value(head, start);
    Some(Placed { comment: start + at..start + line.len(), marker, value, object: ObjectIdentity::default() })
}

fn value(head: &str, start: usize) -> Result<Value, &'static str> {
    if head.contains("{{") || head.contains("{%") {
        return Err(TEMPLATED);
    }
    let Some(found) = LINE.as_ref().and_then(|line| line.captures(head)) else {
        let header = head.trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        return Err(if header.ends_with(['|', '>']) { BLOCK } else { SHAPE });
    };
    let styles = [("double", Style::Double), ("single", Style::Single), ("plain", Style::Plain)];
    let (group, style) = styles.iter().find_map(|(name, style)| Some((found.name(name)?, *style))).ok_or(SHAPE)?;
    let raw = group.as_str();
    if style == Style::Plain && (raw.contains(": ") || raw.ends_with(':')) {
        return Err(SHAPE);
    }
    let text = match style {
        Style::Plain | Style::Tagged => raw.to_owned(),
        Style::Single => raw[1..raw.len() - 1].replace("''", "'"),
        Style::Double => serde_json::from_str(raw).unwrap_or_else(|_| raw[1..raw.len() - 1].to_owned()),
    };
    let style = if style == Style::Plain && head[..group.start()].contains("!!str") { Style::Tagged } else { style };
    Ok(Value { span: start + group.start()..start + group.end(), text, style, flow: false })
}

/// Follows block scalars from line to line.
#[derive(Default)]
struct Blocks {
    /// Indentation of the line that opened the block.
    open: Option<usize>,
}

impl Blocks {
    /// Whether a line stands inside a block scalar.
    fn enter(&mut self, line: &str) -> bool {
        let text = line.trim_end();
        let indent = text.len() - text.trim_start().len();
        if let Some(open) = self.open {
            let blank = text.trim().is_empty();
            // A line of the template language says nothing about YAML.
            let template = text.trim_start().starts_with("{%") || text.trim_start().starts_with("{{");
            if blank || template || indent > open {
                return true;
            }
            self.open = None;
        }
        let code = text.split(" #").next().unwrap_or_default().trim_end();
        let head = code.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        if let Some(before) = head.strip_suffix(['|', '>'])
            && (before.trim_end().ends_with([':', '-']) && before.ends_with([' ', '\t']))
        {
            let dashes = text.trim_start().chars().take_while(|c| *c == '-' || *c == ' ').count();
            let sequence = text.trim_start().starts_with("- ") && before.contains(':');
            self.open = Some(if sequence { indent + dashes } else { indent });
        }
        false
    }
}

/// `{# … #}` and `{{/* … */}}`.
fn template_comments(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for (open, close) in [("{#", "#}"), ("{{/*", "*/}}"), ("{{- /*", "*/")] {
        let mut from = 0;
        while let Some(start) = text[from..].find(open).map(|at| from + at) {
            let Some(end) = text[start..].find(close).map(|at| start + at + close.len()) else { break };
            ranges.push(start..end);
            from = end;
        }
    }
    ranges
}
