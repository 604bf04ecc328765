//! The hash of the content in the name of a generated ConfigMap or Secret.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::manifest::Manifest;
use crate::transform::set_name;
use crate::unsure::{Certain, Unsure, ensure};

/// Appends the hashes that are due.
pub(crate) fn add_hashes(manifests: &mut [Manifest]) -> Certain<()> {
    for manifest in manifests.iter_mut().filter(|manifest| manifest.trail.needs_hash) {
        let hash = hash(&manifest.object)?;
        manifest.remember();
        let name = format!("{}-{hash}", manifest.name());
        set_name(manifest, name)?;
    }
    Ok(())
}

fn hash(object: &Map<String, Value>) -> Certain<String> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    // The order is that of the keys' names. The name of the object is always empty here.
    let parts = match kind {
        "ConfigMap" => {
            [("binaryData", Part::Optional), ("data", Part::Required), ("kind", Part::Own), ("name", Part::Empty)]
                .as_slice()
        }
        "Secret" => [
            ("data", Part::Required),
            ("kind", Part::Own),
            ("name", Part::Empty),
            ("stringData", Part::Optional),
            ("type", Part::Own),
        ]
        .as_slice(),
        _ => return Err(Unsure("hash of another kind")),
    };
    let mut text = String::from("{");
    for (name, part) in parts {
        let value = object.get(*name);
        let shown = match (part, value) {
            (Part::Optional, None) => continue,
            (Part::Empty, _) | (Part::Required, None) => "\"\"".to_owned(),
            (Part::Own, Some(Value::String(own))) => go_string(own),
            (Part::Required | Part::Optional, Some(Value::Object(entries))) => go_mapping(entries)?,
            _ => return Err(Unsure("hash of unusual data")),
        };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&format!("\"{name}\":{shown}"));
    }
    text.push('}');
    Ok(shortened(&Sha256::digest(text.as_bytes())))
}

#[derive(Clone, Copy)]
enum Part {
    Own,
    Empty,
    Required,
    Optional,
}

fn go_mapping(entries: &Map<String, Value>) -> Certain<String> {
    ensure(entries.values().all(Value::is_string), "hash of data that is no text")?;
    let shown =
        entries.iter().filter_map(|(key, value)| Some(format!("{}:{}", go_string(key), go_string(value.as_str()?))));
    Ok(format!("{{{}}}", shown.collect::<Vec<_>>().join(",")))
}

/// A JSON string with the characters escaped that Go escapes.
fn go_string(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for c in text.chars() {
        match c {
            '"' => shown.push_str("\\\""),
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\u{8}' => shown.push_str("\\b"),
            '\u{c}' => shown.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if c < ' ' => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

/// Ten digits, without those that make words.
fn shortened(digest: &[u8]) -> String {
    let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(10);
    hex.map(|digit| match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        other => char::from_digit(u32::from(other), 16).unwrap_or('g'),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash_of(object: Value) -> Certain<String> {
        hash(object.as_object().unwrap())
    }

    #[test]
    fn hashes_are_kustomizes() {
        // Kustomize's answers for empty objects and one with a value.
        assert_eq!(hash_of(json!({"kind": "ConfigMap"})).unwrap(), "6ct58987ht");
        assert_eq!(hash_of(json!({"kind": "ConfigMap", "data": {"one": ""}})).unwrap(), "9g67k2htb6");
    }

    #[test]
    fn go_escapes_what_html_would_read() {
        assert_eq!(go_string("<a>&\"\n"), "\"\\u003ca\\u003e\\u0026\\\"\\n\"");
    }

    #[test]
    fn unusual_data_has_no_certain_hash() {
        assert!(hash_of(json!({"kind": "ConfigMap", "data": {"a": 1}})).is_err());
        assert!(hash_of(json!({"kind": "ConfigMap", "data": "x"})).is_err());
        assert!(hash_of(json!({"kind": "Other"})).is_err());
    }
}
