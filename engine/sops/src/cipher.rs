//! `ENC[AES256_GCM,…]`: one encrypted value, bound to its place by the path.

use aes_gcm::AesGcm;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::generic_array::typenum::{U12, U32};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::tree::Scalar;

const TAG_LENGTH: usize = 16;

/// Why one value cannot be decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// Something else than `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
    #[error("is not in the form `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`")]
    Form,
    /// A part is no base64.
    #[error("has invalid base64 in `{part}`")]
    Base64 {
        /// The part.
        part: &'static str,
    },
    /// A part has a length that no version of SOPS writes.
    #[error("has a `{part}` of {length} bytes")]
    Length {
        /// The part.
        part: &'static str,
        /// What it has.
        length: usize,
    },
    /// The value, its tag or its place was changed, or it belongs to another data key.
    #[error("was changed or moved after it had been encrypted (authentication failed)")]
    Authentication,
    /// The type is unknown.
    #[error("has the unknown type `{name}`")]
    Type {
        /// The type.
        name: String,
    },
    /// The plain text does not fit the type.
    #[error("is no `{name}`, although its type says so")]
    Content {
        /// The type.
        name: &'static str,
    },
    /// The data key has no 32 bytes.
    #[error("cannot be decrypted with a data key of {length} bytes")]
    Key {
        /// What it has.
        length: usize,
    },
}

/// A decrypted value.
pub(crate) enum Plain {
    Scalar(Scalar),
    Comment(String),
}

/// Whether the text claims to be an encrypted value.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,") && text.ends_with(']')
}

/// The data key of a file.
pub(crate) struct DataKey(Zeroizing<Vec<u8>>);

impl DataKey {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, CipherError> {
        if bytes.len() == 32 { Ok(Self(bytes)) } else { Err(CipherError::Key { length: bytes.len() }) }
    }

    /// Decrypts a value that was encrypted for `place`.
    pub(crate) fn decrypt(&self, text: &str, place: &str) -> Result<Plain, CipherError> {
        let Parts { data, nonce, tag, kind } = Parts::parse(text)?;
        let sealed = [data, tag].concat();
        let payload = Payload { msg: &sealed, aad: place.as_bytes() };
        let opened = match nonce.len() {
            32 => self.open::<U32>(&nonce, payload),
            12 => self.open::<U12>(&nonce, payload),
            length => return Err(CipherError::Length { part: "iv", length }),
        };
        typed(kind, opened?)
    }

    fn open<N>(&self, nonce: &[u8], payload: Payload<'_, '_>) -> Result<Vec<u8>, CipherError>
    where
        N: aes_gcm::aead::generic_array::ArrayLength<u8>,
    {
        let cipher = AesGcm::<Aes256, N>::new(GenericArray::from_slice(&self.0));
        cipher.decrypt(GenericArray::from_slice(nonce), payload).map_err(|_| CipherError::Authentication)
    }
}

struct Parts<'a> {
    data: Vec<u8>,
    nonce: Vec<u8>,
    tag: Vec<u8>,
    kind: &'a str,
}

impl<'a> Parts<'a> {
    fn parse(text: &'a str) -> Result<Self, CipherError> {
        let body = text.strip_prefix("ENC[AES256_GCM,data:").and_then(|rest| rest.strip_suffix(']'));
        let (data, rest) = body.and_then(|body| body.split_once(",iv:")).ok_or(CipherError::Form)?;
        let (nonce, rest) = rest.split_once(",tag:").ok_or(CipherError::Form)?;
        let (tag, kind) = rest.split_once(",type:").ok_or(CipherError::Form)?;
        let decode = |part, text: &str| STANDARD.decode(text).map_err(|_| CipherError::Base64 { part });
        let parts = Self { data: decode("data", data)?, nonce: decode("iv", nonce)?, tag: decode("tag", tag)?, kind };
        match parts.tag.len() {
            TAG_LENGTH => Ok(parts),
            length => Err(CipherError::Length { part: "tag", length }),
        }
    }
}

fn typed(kind: &str, bytes: Vec<u8>) -> Result<Plain, CipherError> {
    let scalar = match kind {
        "str" => Scalar::of_bytes(bytes),
        "bytes" => Scalar::of_bytes(bytes),
        "int" => Scalar::Int(parse("int", &bytes)?),
        "float" => Scalar::Float(parse("float", &bytes)?),
        "bool" => Scalar::Bool(boolean(&bytes)?),
        "time" => Scalar::Time(text("time", bytes)?),
        "comment" => return text("comment", bytes).map(Plain::Comment),
        name => return Err(CipherError::Type { name: name.chars().take(40).collect() }),
    };
    Ok(Plain::Scalar(scalar))
}

fn text(name: &'static str, bytes: Vec<u8>) -> Result<String, CipherError> {
    String::from_utf8(bytes).map_err(|_| CipherError::Content { name })
}

fn parse<T: std::str::FromStr>(name: &'static str, bytes: &[u8]) -> Result<T, CipherError> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok()).ok_or(CipherError::Content { name })
}

/// What Go takes for a boolean.
fn boolean(bytes: &[u8]) -> Result<bool, CipherError> {
    match bytes {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(CipherError::Content { name: "bool" }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Encrypts as SOPS does; the nonce is fixed, for tests only.
    pub(crate) fn encrypt(key: &[u8; 32], plain: &[u8], place: &str, kind: &str) -> String {
        let cipher = AesGcm::<Aes256, U32>::new(GenericArray::from_slice(key));
        let nonce = [7; 32];
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = cipher.encrypt(GenericArray::from_slice(&nonce), payload).unwrap();
        let (data, tag) = sealed.split_at(sealed.len() - TAG_LENGTH);
        let [data, nonce, tag] = [data, &nonce, tag].map(|part| STANDARD.encode(part));
        format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:{kind}]")
    }

    fn key() -> DataKey {
        DataKey::new(Zeroizing::new(vec![1; 32])).ok().unwrap()
    }

    fn decrypted(plain: &str, kind: &str) -> Result<Scalar, CipherError> {
        match key().decrypt(&encrypt(&[1; 32], plain.as_bytes(), "a:", kind), "a:")? {
            Plain::Scalar(scalar) => Ok(scalar),
            Plain::Comment(text) => Ok(Scalar::Text(format!("#{text}"))),
        }
    }

    #[test]
    fn types_come_back() {
        assert!(decrypted("x", "str") == Ok(Scalar::Text("x".into())));
        assert!(decrypted("-3", "int") == Ok(Scalar::Int(-3)));
        assert!(decrypted("1.5", "float") == Ok(Scalar::Float(1.5)));
        assert!(decrypted("True", "bool") == Ok(Scalar::Bool(true)));
        assert!(decrypted("x", "comment") == Ok(Scalar::Text("#x".into())));
        assert!(decrypted("2026-01-02T03:04:05Z", "time") == Ok(Scalar::Time("2026-01-02T03:04:05Z".into())));
    }

    #[test]
    fn types_that_do_not_fit_are_refused() {
        let error = |plain, kind| decrypted(plain, kind).err().unwrap();
        assert_eq!(error("x", "int"), CipherError::Content { name: "int" });
        assert_eq!(error("maybe", "bool"), CipherError::Content { name: "bool" });
        assert_eq!(error("", "float"), CipherError::Content { name: "float" });
        assert_eq!(error("x", "list"), CipherError::Type { name: "list".into() });
    }

    #[test]
    fn malformed_values_are_refused() {
        let error = |text: &str| key().decrypt(text, "a:").err().unwrap();
        assert_eq!(error("ENC[AES256_GCM,data:AA==]"), CipherError::Form);
        assert_eq!(error("ENC[AES128,data:AA==,iv:AA==,tag:AA==,type:str]"), CipherError::Form);
        assert_eq!(error("ENC[AES256_GCM,data:?,iv:AA==,tag:AA==,type:str]"), CipherError::Base64 { part: "data" });
        assert_eq!(error("ENC[AES256_GCM,data:AA==,iv:A,tag:AA==,type:str]"), CipherError::Base64 { part: "iv" });
        assert_eq!(
            error("ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]"),
            CipherError::Length { part: "tag", length: 1 }
        );
        let tag = STANDARD.encode([0; 16]);
        assert_eq!(
            error(&format!("ENC[AES256_GCM,data:AA==,iv:AA==,tag:{tag},type:str]")),
            CipherError::Length { part: "iv", length: 1 }
        );
    }

    #[test]
    fn a_value_is_bound_to_its_place_and_key() {
        let value = encrypt(&[1; 32], b"x", "a:", "str");
        assert_eq!(key().decrypt(&value, "b:").err(), Some(CipherError::Authentication));
        let other = encrypt(&[2; 32], b"x", "a:", "str");
        assert_eq!(key().decrypt(&other, "a:").err(), Some(CipherError::Authentication));
        assert_eq!(DataKey::new(Zeroizing::new(vec![1; 33])).err(), Some(CipherError::Key { length: 33 }));
    }
}
