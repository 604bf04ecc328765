//! Metadata, data key, values, authentication code: from an encrypted file to its content.

use std::fmt;

use sha2::{Digest, Sha512};
use windlass_model::location::Source;
use zeroize::Zeroizing;

use crate::cipher::{self, CipherError, DataKey, Plain};
use crate::error::SopsError;
use crate::format::{Format, without_metadata};
use crate::keys::{KeyServices, Keyring};
use crate::metadata::{self, Metadata};
use crate::settings::KeySettings;
use crate::tree::{Element, Entry, Node, Scalar};

/// First input of codes that cover encrypted values only: SHA-256 of `sops`, so that both kinds always differ.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// An encrypted file.
#[derive(Clone, Copy)]
pub struct EncryptedFile<'a> {
    /// As errors name it.
    pub name: &'a str,
    /// What it is written in.
    pub format: Format,
    /// Its bytes.
    pub content: &'a [u8],
    /// Whether plain parts are as they were when the file was encrypted.
    pub integrity: Integrity,
}

/// What can be expected of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// It is as SOPS wrote it: the authentication code must fit.
    AsWritten,
    /// Templates have changed plain parts. Each value is still authenticated at its place; the code of the whole can
    /// fit only if it covers nothing but the encrypted values.
    Templated,
}

/// A decrypted file.
pub struct Decrypted {
    /// In the format of the file.
    pub content: Zeroizing<Vec<u8>>,
    /// The decrypted values; never to be shown.
    pub secrets: Vec<Zeroizing<String>>,
}

/// Without content.
impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

/// Decrypts files with the user's keys.
pub struct Decryptor<'a> {
    keyring: Keyring<'a>,
}

/// Without the keys.
impl fmt::Debug for Decryptor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").finish_non_exhaustive()
    }
}

impl<'a> Decryptor<'a> {
    /// Keys are looked for when the first file needs them.
    #[must_use]
    pub fn new(settings: KeySettings, services: Box<dyn KeyServices + 'a>) -> Self {
        Self { keyring: Keyring::new(settings, services) }
    }

    /// Decrypts a file that [`Format::is_encrypted`].
    ///
    /// # Errors
    /// The file is malformed or was changed, or no key can be used.
    pub async fn decrypt(&self, file: EncryptedFile<'_>) -> Result<Decrypted, SopsError> {
        let text = std::str::from_utf8(file.content).map_err(|_| SopsError::NotText)?;
        let source = Source::new(file.name, text);
        let documents = file.format.read(&source).map_err(Box::new)?;
        let metadata = metadata::read(file.format, &documents)?;
        let documents = without_metadata(file.format, documents);
        let key = self.keyring.data_key(&metadata).await?;
        let key = DataKey::new(key).map_err(|source| SopsError::Value { place: "the file".into(), source })?;
        let (documents, secrets) = open(&metadata, &key, documents, file.integrity)?;
        let content = file.format.write(&documents).ok_or(SopsError::NoForm)?;
        Ok(Decrypted { content: Zeroizing::new(content), secrets })
    }
}

fn open(
    metadata: &Metadata,
    key: &DataKey,
    documents: Vec<Node>,
    integrity: Integrity,
) -> Result<(Vec<Node>, Vec<Zeroizing<String>>), SopsError> {
    let expected = expected_code(metadata, key)?;
    let mut opener = Opener { metadata, key, digest: Sha512::new(), secrets: Vec::new() };
    if metadata.mac_only_encrypted {
        opener.digest.update(ONLY_ENCRYPTED);
    }
    let documents =
        documents.into_iter().map(|node| opener.node(node, &mut Vec::new())).collect::<Result<Vec<_>, _>>()?;
    let code: String = opener.digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
    let is_verifiable = integrity == Integrity::AsWritten || metadata.mac_only_encrypted;
    if is_verifiable && !expected.eq_ignore_ascii_case(&code) {
        return Err(SopsError::Mac);
    }
    Ok((documents, opener.secrets))
}

/// The authentication code, itself bound to the date of the last change.
fn expected_code(metadata: &Metadata, key: &DataKey) -> Result<String, SopsError> {
    let mut failed = CipherError::Authentication;
    for stamp in &metadata.last_modified {
        match key.decrypt(&metadata.mac, stamp) {
            Ok(Plain::Scalar(Scalar::Text(code))) => return Ok(code),
            Ok(_) => failed = CipherError::Content { name: "str" },
            Err(error) => failed = error,
        }
    }
    Err(SopsError::Value { place: "the authentication code (`sops.mac`)".into(), source: failed })
}

struct Opener<'a> {
    metadata: &'a Metadata,
    key: &'a DataKey,
    digest: Sha512,
    secrets: Vec<Zeroizing<String>>,
}

impl Opener<'_> {
    fn node(&mut self, node: Node, path: &mut Vec<String>) -> Result<Node, SopsError> {
        Ok(match node {
            Node::Null => Node::Null,
            Node::Scalar(scalar) => Node::Scalar(self.scalar(scalar, path)?),
            Node::Map(entries) => {
                Node::Map(entries.into_iter().map(|entry| self.entry(entry, path)).collect::<Result<_, _>>()?)
            }
            Node::List(elements) => {
                Node::List(elements.into_iter().map(|element| self.element(element, path)).collect::<Result<_, _>>()?)
            }
        })
    }

    fn entry(&mut self, entry: Entry, path: &mut Vec<String>) -> Result<Entry, SopsError> {
        match entry {
            Entry::Comment(text) => Ok(Entry::Comment(self.comment(text, path)?)),
            Entry::Pair(mut pair) => {
                pair.inline = pair.inline.map(|text| self.comment(text, path)).transpose()?;
                path.push(pair.key.clone());
                pair.value = self.node(pair.value, path)?;
                path.pop();
                Ok(Entry::Pair(pair))
            }
        }
    }

    /// Positions in lists are not part of a path.
    fn element(&mut self, element: Element, path: &mut Vec<String>) -> Result<Element, SopsError> {
        Ok(match element {
            Element::Comment(text) => Element::Comment(self.comment(text, path)?),
            Element::Item { value: Node::Scalar(scalar), inline: None } => match self.opened(scalar, path)? {
                Plain::Scalar(scalar) => Element::Item { value: Node::Scalar(scalar), inline: None },
                // Writers put an encrypted comment into a list as an item.
                Plain::Comment(text) => Element::Comment(text),
            },
            Element::Item { value, inline } => {
                let inline = inline.map(|text| self.comment(text, path)).transpose()?;
                Element::Item { value: self.node(value, path)?, inline }
            }
        })
    }

    fn scalar(&mut self, scalar: Scalar, path: &[String]) -> Result<Scalar, SopsError> {
        match self.opened(scalar, path)? {
            Plain::Scalar(scalar) => Ok(scalar),
            Plain::Comment(_) => {
                let source = CipherError::Type { name: "comment".into() };
                Err(SopsError::Value { place: format!("`{}`", path.join(".")), source })
            }
        }
    }

    fn opened(&mut self, scalar: Scalar, path: &[String]) -> Result<Plain, SopsError> {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let by_rule = self.metadata.rule.encrypts(&keys);
        let text = if let Scalar::Text(text) = &scalar { Some(text.as_str()) } else { None };
        let encrypted = by_rule.unwrap_or_else(|| text.is_some_and(cipher::is_encrypted));
        if !encrypted {
            if !self.metadata.mac_only_encrypted {
                self.digest.update(scalar.digest_bytes());
            }
            return Ok(Plain::Scalar(scalar));
        }
        let text = text.ok_or_else(|| SopsError::PlainValue { path: keys.join(".") })?;
        // Empty texts stay as they are.
        if text.is_empty() {
            return Ok(Plain::Scalar(scalar));
        }
        let opened = match self.key.decrypt(text, &aad(&keys)) {
            Ok(opened) => opened,
            Err(CipherError::Form) if !text.starts_with("ENC[") => {
                return Err(SopsError::PlainValue { path: keys.join(".") });
            }
            Err(source) => return Err(SopsError::Value { place: format!("`{}`", keys.join(".")), source }),
        };
        match &opened {
            Plain::Scalar(scalar) => {
                self.digest.update(scalar.digest_bytes());
                self.remember(scalar);
            }
            Plain::Comment(text) => self.secrets.push(Zeroizing::new(text.clone())),
        }
        Ok(opened)
    }

    fn remember(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Bool(_) | Scalar::Bytes(_) => {}
            Scalar::Text(text) => {
                self.secrets.push(Zeroizing::new(text.clone()));
            }
            other => self.secrets.push(Zeroizing::new(String::from_utf8_lossy(&other.digest_bytes()).into_owned())),
        }
    }

    /// Comments are no part of the authentication code. They are bound to the collection they stand in, which a
    /// writer may have changed by one level.
    fn comment(&mut self, text: String, path: &[String]) -> Result<String, SopsError> {
        if !cipher::is_encrypted(&text) {
            return Ok(text);
        }
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut failed = CipherError::Authentication;
        for depth in (0..=keys.len()).rev() {
            match self.key.decrypt(&text, &aad(&keys[..depth])) {
                Ok(Plain::Comment(text)) => {
                    self.secrets.push(Zeroizing::new(text.clone()));
                    return Ok(text);
                }
                Ok(Plain::Scalar(_)) => failed = CipherError::Content { name: "comment" },
                Err(error) => failed = error,
            }
        }
        let place = format!("a comment in `{}`", keys.join("."));
        Err(SopsError::Value { place, source: failed })
    }
}

fn aad(keys: &[&str]) -> String {
    format!("{}:", keys.join(":"))
}
