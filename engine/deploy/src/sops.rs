//! Decrypts files that SOPS has encrypted, where they are read (spec 01 section 14).
//!
//! The values are registered as secrets before anybody sees them, unless their source says `sensitive: false`. What is
//! decrypted is never rendered again.

use std::fmt;
use std::path::{Path, PathBuf};

use windlass_masking::SecretValues;
use windlass_model::vars_source::VarsSource;
use windlass_sops::{Decryptor, EncryptedFile, Format, Integrity, SopsError};
use zeroize::Zeroizing;

use crate::ports::{AwsIdentity, Keys, PrivateFolder};

/// Decrypts with the user's keys.
pub struct Decryption<'a> {
    keys: &'a dyn Keys,
    decryptor: Decryptor<'a>,
    secrets: &'a SecretValues,
}

/// Without keys and values.
impl fmt::Debug for Decryption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryption").finish_non_exhaustive()
    }
}

/// A file that cannot be decrypted.
#[derive(Debug, thiserror::Error)]
#[error("failed to decrypt file {}: {source}", path.display())]
pub struct EncryptedFileError {
    /// The file in the source.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: Box<SopsError>,
}

/// Whether what was decrypted is kept out of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    /// Every value.
    Values,
    /// The project says that the values are no secrets.
    Off,
}

impl Masking {
    /// What a vars source says about its content.
    pub(crate) fn of(source: &VarsSource) -> Self {
        if source.sensitive == Some(false) { Self::Off } else { Self::Values }
    }
}

impl<'a> Decryption<'a> {
    /// Looks for keys when the first file needs them.
    #[must_use]
    pub fn new(keys: &'a dyn Keys, identity: AwsIdentity<'a>, secrets: &'a SecretValues) -> Self {
        let decryptor = Decryptor::new(keys.settings(), keys.services(identity));
        Self { keys, decryptor, secrets }
    }

    /// The content of a file in clear; `None` for one that is not encrypted. `original` is its text before templates.
    ///
    /// # Errors
    /// The file was changed, or no key can be used.
    pub(crate) async fn open(
        &self,
        path: &Path,
        rendered: &str,
        original: Option<&[u8]>,
        masking: Masking,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SopsError> {
        let format = Format::of_name(&path.to_string_lossy());
        if !format.is_encrypted(rendered.as_bytes()) {
            return Ok(None);
        }
        let is_original = original.is_some_and(|original| original == rendered.as_bytes());
        let name = path.display().to_string();
        let file = EncryptedFile {
            name: &name,
            format,
            content: rendered.as_bytes(),
            integrity: if is_original { Integrity::AsWritten } else { Integrity::Templated },
        };
        let decrypted = self.decryptor.decrypt(file).await?;
        if masking == Masking::Values {
            decrypted.secrets.iter().for_each(|secret| self.secrets.register(secret));
            if format == Format::Binary
                && let Ok(text) = std::str::from_utf8(&decrypted.content)
            {
                self.secrets.register(text);
            }
        }
        Ok(Some(decrypted.content))
    }

    /// A new folder for what is decrypted.
    pub(crate) fn private_folder(&self) -> std::io::Result<Box<dyn PrivateFolder>> {
        self.keys.private_folder()
    }
}
