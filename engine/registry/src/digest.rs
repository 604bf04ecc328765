//! Content digests: `sha256:…` and `sha512:…`.

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::RegistryError;

/// `sha256:…` of some bytes.
pub(crate) fn sha256_digest(bytes: &[u8]) -> String {
    written("sha256", &Sha256::digest(bytes))
}

fn written(algorithm: &str, hash: &[u8]) -> String {
    let mut digest = format!("{algorithm}:");
    for byte in hash {
        digest.push_str(&format!("{byte:02x}"));
    }
    digest
}

/// Whether a reference is a digest; tags have no colon.
pub(crate) fn is_digest(reference: &str) -> bool {
    reference.contains(':')
}

/// Computes the digest of what arrives, by the algorithm of the digest that is expected.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// For an expected digest; one that is not well formed is refused before anything is asked.
    pub(crate) fn expecting(digest: &str) -> Result<Self, RegistryError> {
        let unknown = || RegistryError::UnknownDigest { digest: digest.to_owned() };
        let (algorithm, hex) = digest.split_once(':').ok_or_else(unknown)?;
        let lower_hex = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match (algorithm, hex.len()) {
            ("sha256", 64) if lower_hex => Ok(Self::Sha256(Sha256::new())),
            ("sha512", 128) if lower_hex => Ok(Self::Sha512(Sha512::new())),
            _ => Err(unknown()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest so far; starts again.
    pub(crate) fn finish(&mut self) -> String {
        match self {
            Self::Sha256(hash) => written("sha256", &hash.finalize_reset()),
            Self::Sha512(hash) => written("sha512", &hash.finalize_reset()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_both_algorithms() {
        assert!(sha256_digest(b"").starts_with("sha256:e3b0c44298fc1c14"));
        let mut hasher = Hasher::expecting(&format!("sha512:{}", "0".repeat(128))).unwrap();
        hasher.update(b"abc");
        assert!(hasher.finish().starts_with("sha512:ddaf35a193617aba"));
        hasher.update(b"abc");
        assert!(hasher.finish().starts_with("sha512:ddaf35a193617aba"), "it starts again");
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        for digest in ["", "latest", "sha256:", "sha256:00", "md5:00", &format!("sha256:{}", "A".repeat(64))] {
            assert!(Hasher::expecting(digest).is_err(), "{digest}");
        }
    }
}
