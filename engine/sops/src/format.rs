//! The format of a file by its name, and whether it is encrypted.

use std::sync::Arc;

use windlass_model::location::Source;

use crate::tree::{Entry, Node};
use crate::{dotenv, ini, json, yaml};

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`.
    Yaml,
    /// `.json`.
    Json,
    /// `.env`.
    Dotenv,
    /// `.ini`.
    Ini,
    /// Everything else: encrypted it is a JSON envelope around the bytes.
    Binary,
}

impl Format {
    /// By the end of the name.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let ends = |end: &&str| name.ends_with(*end);
        let formats = [
            (&[".yaml", ".yml"][..], Self::Yaml),
            (&[".json"], Self::Json),
            (&[".env"], Self::Dotenv),
            (&[".ini"], Self::Ini),
        ];
        formats.iter().find(|(endings, _)| endings.iter().any(ends)).map_or(Self::Binary, |(_, format)| *format)
    }

    /// Whether the content of a file of this format carries SOPS metadata.
    ///
    /// What cannot be parsed does not: whoever reads the file reports it.
    #[must_use]
    pub fn is_encrypted(self, content: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(content) else { return false };
        if !text.contains("sops") {
            return false;
        }
        let source = Source::new("", text);
        match self {
            Self::Yaml => yaml_has_metadata(&source),
            Self::Json => json::read(&source).is_ok_and(|node| has_mac(&node)),
            Self::Dotenv => text.lines().any(|line| line.starts_with("sops_mac=")),
            Self::Ini => ini::read(&source).is_ok_and(|node| has_mac(&node)),
            Self::Binary => {
                text.trim_start().starts_with('{')
                    && json::read(&source).is_ok_and(|node| has_mac(&node) && node.get("data").is_some())
            }
        }
    }

    /// The documents of the file, metadata included.
    pub(crate) fn read(self, source: &Arc<Source>) -> Result<Vec<Node>, crate::SyntaxError> {
        match self {
            Self::Yaml => yaml::read(source),
            Self::Json | Self::Binary => json::read(source).map(|node| vec![node]),
            Self::Dotenv => dotenv::read(source).map(|node| vec![node]),
            Self::Ini => ini::read(source).map(|node| vec![node]),
        }
    }

    /// The bytes of decrypted documents. `None`: a value has no form in the format.
    pub(crate) fn write(self, documents: &[Node]) -> Option<Vec<u8>> {
        let only = documents.first()?;
        let text = match self {
            Self::Yaml => Some(yaml::to_text(documents)),
            Self::Json => json::to_text(only),
            Self::Dotenv => dotenv::to_text(only),
            Self::Ini => ini::to_text(only),
            Self::Binary => return data(only),
        };
        text.map(String::into_bytes)
    }
}

fn data(envelope: &Node) -> Option<Vec<u8>> {
    match envelope.get("data")? {
        Node::Scalar(scalar) => Some(scalar.digest_bytes().into_owned()),
        _ => None,
    }
}

/// Duplicate keys are let through here, so that they are reported where the file is decrypted.
fn yaml_has_metadata(source: &Arc<Source>) -> bool {
    match yaml::read(source) {
        Ok(documents) => documents.iter().any(has_mac),
        Err(_) => {
            let text = &source.text;
            let after = text.lines().skip_while(|line| line.trim_end() != "sops:").skip(1);
            after.take_while(|line| line.starts_with([' ', '#'])).any(|line| line.trim_start().starts_with("mac: ENC["))
        }
    }
}

fn has_mac(node: &Node) -> bool {
    let sops = node.get("sops");
    sops.is_some_and(|sops| matches!(sops.get("mac"), Some(Node::Scalar(_))))
}

/// Removes the metadata; members of other documents with its name are copies from older versions.
pub(crate) fn without_metadata(format: Format, documents: Vec<Node>) -> Vec<Node> {
    let keeps = |entry: &Entry| match (entry, format) {
        (Entry::Pair(pair), Format::Dotenv) => !pair.key.starts_with(dotenv::METADATA_PREFIX),
        (Entry::Pair(pair), _) => pair.key != "sops",
        (Entry::Comment(_), _) => true,
    };
    let strip = |document| match document {
        Node::Map(entries) => Node::Map(entries.into_iter().filter(keeps).collect()),
        other => other,
    };
    documents.into_iter().map(strip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_encrypted(name: &str, text: &str) -> bool {
        Format::of_name(name).is_encrypted(text.as_bytes())
    }

    #[test]
    fn names_decide() {
        assert_eq!(Format::of_name("a.yml"), Format::Yaml);
        assert_eq!(Format::of_name(".env"), Format::Dotenv);
        assert_eq!(Format::of_name("a.env.txt"), Format::Binary);
    }

    #[test]
    fn metadata_in_any_document_marks_the_file() {
        let encrypted = "a: 1\n---\nb: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n";
        assert!(is_encrypted("a.yaml", encrypted));
        assert!(is_encrypted("a.json", r#"{"a": "ENC", "sops": {"mac": "ENC"}}"#));
        assert!(is_encrypted(".env", "A=ENC\nsops_version=3\nsops_mac=ENC\n"));
        assert!(is_encrypted("a.ini", "[s]\nk = ENC\n[sops]\nmac = ENC\n"));
        assert!(is_encrypted("cert.pem", r#"{"data": "ENC", "sops": {"mac": "ENC"}}"#));
    }

    #[test]
    fn a_broken_file_with_metadata_is_not_taken_for_a_plain_one() {
        assert!(is_encrypted("a.yaml", "a: 1\na: 2\nsops:\n    mac: ENC[AES256_GCM,data:y]\n"));
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
            ("a.txt", r#"{"sops": {"mac": "x"}}"#),
        ] {
            assert!(!is_encrypted(name, text), "{name}: {text}");
        }
    }
}
