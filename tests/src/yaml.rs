//! Reads YAML the way the recordings were made: like PyYAML, timestamps left as text.
//!
//! Not the engine's reader, on purpose: an error there must not hide itself in the comparison.

use std::collections::HashMap;
use std::sync::LazyLock;

use granit_parser::{Event, Parser, ScalarStyle};
use regex::Regex;
use serde_json::{Map, Number, Value};

/// Reads the first document; an empty text is `null`.
pub fn load(text: &str) -> Result<Value, String> {
    let mut documents = load_all(text)?;
    Ok(if documents.is_empty() { Value::Null } else { documents.swap_remove(0) })
}

/// Reads all documents.
pub fn load_all(text: &str) -> Result<Vec<Value>, String> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        composer.take(event)?;
    }
    Ok(composer.documents)
}

/// Writes a value as block YAML for people to read in a difference; not for parsing.
pub fn show(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, 0, &mut text);
    text
}

#[derive(Default)]
struct Composer {
    documents: Vec<Value>,
    /// Collections that are still open, the innermost last.
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
}

struct Open {
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping { entries: Map<String, Value>, key: Option<Key>, merged: Vec<Value> },
}

enum Key {
    Name(String),
    Merge,
}

impl Composer {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag.to_string());
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let merge = plain && text == "<<" && self.expects_key();
                let value = if plain || tag.as_deref().is_some_and(|tag| !tag.ends_with("str")) {
                    resolve(&text)
                } else {
                    Value::String(text.into_owned())
                };
                if merge { self.set_key(Key::Merge) } else { self.add(anchor, value) }
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or("alias without anchor")?;
                self.add(0, value)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { anchor, content: Content::Sequence(Vec::new()) });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping { entries: Map::new(), key: None, merged: Vec::new() };
                self.open.push(Open { anchor, content });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Open { anchor, content }) = self.open.pop() else {
            return Err("end without start".to_owned());
        };
        let value = match content {
            Content::Sequence(items) => Value::Array(items),
            Content::Mapping { entries, merged, .. } => Value::Object(merge(entries, merged)),
        };
        self.add(anchor, value)
    }

    fn expects_key(&self) -> bool {
        let inner = self.open.last().map(|open| &open.content);
        matches!(inner, Some(Content::Mapping { key: None, .. }))
    }

    fn set_key(&mut self, new: Key) -> Result<(), String> {
        match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::Mapping { key, .. }) => {
                *key = Some(new);
                Ok(())
            }
            _ => Err("key outside a mapping".to_owned()),
        }
    }

    fn add(&mut self, anchor: usize, value: Value) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.documents.push(value),
            Some(Content::Sequence(items)) => items.push(value),
            Some(Content::Mapping { entries, key, merged }) => match key.take() {
                Some(Key::Name(name)) => {
                    entries.insert(name, value);
                }
                Some(Key::Merge) => merged.push(value),
                None => *key = Some(Key::Name(key_text(value))),
            },
        }
        Ok(())
    }
}

fn merge(mut entries: Map<String, Value>, merged: Vec<Value>) -> Map<String, Value> {
    for value in merged {
        let sources = match value {
            Value::Array(items) => items,
            other => vec![other],
        };
        for source in sources {
            let Value::Object(source) = source else { continue };
            for (key, value) in source {
                entries.entry(key).or_insert(value);
            }
        }
    }
    entries
}

fn key_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

struct Forms {
    int: Regex,
    float: Regex,
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let regex = |text| Regex::new(text).expect("a valid pattern");
    Forms {
        int: regex(r"^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$"),
        float: regex(r"^[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+][0-9]+)?$"),
    }
});

fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        _ if FORMS.int.is_match(text) => int(text).unwrap_or_else(|| text.into()),
        _ if FORMS.float.is_match(text) => {
            text.replace('_', "").parse().ok().and_then(Number::from_f64).map_or_else(|| text.into(), Value::Number)
        }
        _ => text.into(),
    }
}

fn int(text: &str) -> Option<Value> {
    let digits = text.replace('_', "");
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.trim_start_matches('+')),
    };
    let radix =
        |prefix: &str, radix| digits.strip_prefix(prefix).and_then(|rest| u64::from_str_radix(rest, radix).ok());
    let value = radix("0b", 2).or_else(|| radix("0x", 16)).or_else(|| radix("0", 8)).or_else(|| digits.parse().ok())?;
    if negative {
        return i64::try_from(value).ok().map(|value| (-value).into());
    }
    Some(value.into())
}

fn write_value(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                text.push_str(&format!("{pad}{key}:"));
                write_nested(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("{pad}-"));
                write_nested(item, indent + 2, text);
            }
        }
        other => text.push_str(&format!("{pad}{other}\n")),
    }
}

fn write_nested(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            write_value(value, indent, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_value(value, indent, text);
        }
        Value::String(lines) if lines.contains('\n') => {
            text.push_str(" |\n");
            for line in lines.lines() {
                text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
            }
        }
        other => text.push_str(&format!(" {other}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_resolve_like_pyyaml() {
        let text = "[yes, 'yes', 0x1F, 010, 1e3, 1.5, ~, 2024-01-01T00:00:00Z, -3, 1_000]";
        let wanted = json!([true, "yes", 31, 8, "1e3", 1.5, null, "2024-01-01T00:00:00Z", -3, 1000]);
        assert_eq!(load(text), Ok(wanted));
    }

    #[test]
    fn merge_keys_give_way_to_own_keys() {
        let text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n";
        assert_eq!(load(text).expect("valid")["b"], json!({"x": 1, "y": 3}));
    }

    #[test]
    fn documents_are_kept_apart() {
        assert_eq!(load_all("a: 1\n---\n- b\n"), Ok(vec![json!({"a": 1}), json!(["b"])]));
    }

    #[test]
    fn broken_text_is_an_error() {
        assert!(load("a: [1").is_err());
        assert!(load("*missing").is_err());
    }
}
