//! `pprint`: Python's `pprint.pformat` with its defaults.

use minijinja::value::{Value, ValueKind};

use crate::methods::pairs_of;
use crate::text::split_lines_keep;
use crate::value::{compare, is_namespace, py_repr, type_name};

const WIDTH: usize = 80;

/// Nesting beyond this stays on its line.
const MAX_DEPTH: usize = 100;

/// The value on as many lines as its width needs, keys sorted.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    format(value, 0, 0, 0, &mut out);
    out
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn format(value: &Value, indent: usize, allowance: usize, level: usize, out: &mut String) {
    let flat = flat(value, level);
    if length(&flat) + indent + allowance <= WIDTH || level > MAX_DEPTH {
        return out.push_str(&flat);
    }
    match kind(value) {
        Kind::Dict => entries(value, indent, allowance + 1, level + 1, out),
        Kind::List => {
            out.push('[');
            items(value, indent, allowance + 1, level + 1, out);
            out.push(']');
        }
        Kind::Tuple => {
            let end = if value.len() == Some(1) { ",)" } else { ")" };
            out.push('(');
            items(value, indent, allowance + end.len(), level + 1, out);
            out.push_str(end);
        }
        Kind::Text => text(value.as_str().unwrap_or_default(), indent, allowance, level + 1, out),
        Kind::Other => out.push_str(&flat),
    }
}

enum Kind {
    Dict,
    List,
    Tuple,
    Text,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value.kind() {
        ValueKind::Map if !is_namespace(value) => Kind::Dict,
        ValueKind::Seq if value.is_tuple() => Kind::Tuple,
        ValueKind::Seq if !value.as_object().is_some_and(|object| object.is::<super::Group>()) => Kind::List,
        ValueKind::String => Kind::Text,
        _ => Kind::Other,
    }
}

/// The entries in the order of their keys; keys of different kinds by kind.
fn sorted(value: &Value) -> Vec<(Value, Value)> {
    let mut entries = pairs_of(value).unwrap_or_default();
    entries.sort_by(|(left, _), (right, _)| {
        compare(left, right).unwrap_or_else(|_| type_name(left).cmp(type_name(right)))
    });
    entries
}

/// The value on one line.
fn flat(value: &Value, level: usize) -> String {
    if level > MAX_DEPTH || crate::scope::charge(16).is_err() {
        return py_repr(value);
    }
    let list = |open: &str, close: &str| {
        let parts: Vec<String> = value.try_iter().into_iter().flatten().map(|item| flat(&item, level + 1)).collect();
        format!("{open}{}{close}", parts.join(", "))
    };
    match kind(value) {
        Kind::Dict => {
            let parts: Vec<String> = sorted(value)
                .iter()
                .map(|(key, item)| format!("{}: {}", flat(key, level + 1), flat(item, level + 1)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Kind::List => list("[", "]"),
        Kind::Tuple => list("(", if value.len() == Some(1) { ",)" } else { ")" }),
        _ => py_repr(value),
    }
}

fn entries(value: &Value, indent: usize, allowance: usize, level: usize, out: &mut String) {
    let all = sorted(value);
    out.push('{');
    for (index, (key, item)) in all.iter().enumerate() {
        let last = index + 1 == all.len();
        let key = flat(key, level);
        out.push_str(&key);
        out.push_str(": ");
        format(item, indent + 1 + length(&key) + 2, if last { allowance } else { 1 }, level, out);
        if !last {
            new_line(indent + 1, out);
        }
    }
    out.push('}');
}

fn items(value: &Value, indent: usize, allowance: usize, level: usize, out: &mut String) {
    let all: Vec<Value> = value.try_iter().into_iter().flatten().collect();
    for (index, item) in all.iter().enumerate() {
        let last = index + 1 == all.len();
        format(item, indent + 1, if last { allowance } else { 1 }, level, out);
        if !last {
            new_line(indent + 1, out);
        }
    }
}

fn new_line(indent: usize, out: &mut String) {
    out.push_str(",\n");
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A long text as adjacent literals, one per line or per run of words that fits.
fn text(text: &str, indent: usize, allowance: usize, level: usize, out: &mut String) {
    let outermost = level == 1;
    let (indent, allowance) = if outermost { (indent + 1, allowance + 1) } else { (indent, allowance) };
    let width = WIDTH.saturating_sub(indent);
    let repr = |text: &str| py_repr(&Value::from(text));
    let lines = split_lines_keep(text);
    let mut chunks = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let last_line = index + 1 == lines.len();
        let line_width = if last_line { width.saturating_sub(allowance) } else { width };
        if length(&repr(line)) <= line_width {
            chunks.push(repr(line));
            continue;
        }
        let words = words(line);
        let mut current = String::new();
        for (position, word) in words.iter().enumerate() {
            let last = last_line && position + 1 == words.len();
            let candidate = format!("{current}{word}");
            if length(&repr(&candidate)) > if last { width.saturating_sub(allowance) } else { width } {
                if !current.is_empty() {
                    chunks.push(repr(&current));
                }
                current = (*word).to_owned();
            } else {
                current = candidate;
            }
        }
        if !current.is_empty() {
            chunks.push(repr(&current));
        }
    }
    if chunks.len() == 1 {
        return out.push_str(&repr(lines.last().copied().unwrap_or_default()));
    }
    let joined = chunks.join(&format!("\n{}", " ".repeat(indent)));
    out.push_str(&if outermost { format!("({joined})") } else { joined });
}

/// Words, each with the white space after it.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let space = rest[word..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |at| word + at);
        words.push(&rest[..space]);
        rest = &rest[space..];
    }
    words
}
