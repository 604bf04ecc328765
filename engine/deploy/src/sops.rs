//! Recognises files that SOPS has encrypted (spec 01 section 14.2).
//!
//! They cannot be decrypted yet, so every place that would read one refuses it: passing it on would put
//! ciphertext on the cluster.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use windlass_model::location::Source;
use windlass_yaml::{Dialect, DuplicateKeys, ReadOptions, parse_documents};

/// Whether a file of this name and text carries SOPS metadata. Names decide the format; others are never encrypted.
pub(crate) fn is_encrypted(path: &Path, text: &str) -> bool {
    if !text.contains("sops") {
        return false;
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml" | "json") => has_metadata(text),
        Some("env") => text.lines().any(|line| line.starts_with("sops_mac=")),
        Some("ini") => text.lines().skip_while(|line| line.trim() != "[sops]").any(|line| line.starts_with("mac")),
        _ => false,
    }
}

/// A text that is not YAML is reported by whoever reads it for its content.
fn has_metadata(text: &str) -> bool {
    let source: Arc<Source> = Source::new("", text);
    let options = ReadOptions::new(Dialect::GoV2).duplicate_keys(DuplicateKeys::LastWins);
    let documents = parse_documents(&source, options).unwrap_or_default();
    documents
        .iter()
        .any(|document| document.value.get("sops").is_some_and(|sops| sops.get("mac").is_some_and(Value::is_string)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_in_any_document_marks_the_file() {
        let encrypted = "a: 1\n---\nb: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n";
        assert!(is_encrypted(Path::new("a.yaml"), encrypted));
        assert!(is_encrypted(Path::new("a.json"), r#"{"a": "ENC", "sops": {"mac": "ENC"}}"#));
        assert!(is_encrypted(Path::new("a.env"), "A=ENC\nsops_version=3\nsops_mac=ENC\n"));
        assert!(is_encrypted(Path::new("a.ini"), "[s]\nk = ENC\n[sops]\nmac = ENC\n"));
    }

    #[test]
    fn the_word_alone_does_not() {
        for (name, text) in [
            ("a.yaml", "about: sops\ntext: 'mac: ENC[AES256_GCM,data:x]'\n"),
            ("a.yaml", "data:\n  sops:\n    mac: x\n"),
            ("a.yaml", "sops: [\n"),
            ("a.env", "A=sops_mac=\n"),
            ("a.ini", "[s]\nmac = sops\n"),
            ("a.txt", "sops:\n  mac: x\n"),
        ] {
            assert!(!is_encrypted(Path::new(name), text), "{name}: {text}");
        }
    }
}
