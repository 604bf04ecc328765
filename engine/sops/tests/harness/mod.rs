//! The fixtures and the keys that decrypt them.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use windlass_sops::{
    AgeSettings, Decrypted, Decryptor, EncryptedFile, Format, Integrity, KeySettings, NoKeyServices, SopsError,
};
use zeroize::Zeroizing;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fixtures")
}

pub(crate) fn key_file(name: &str) -> PathBuf {
    folder().join("keys").join(name)
}

/// The identities of these files, and the SSH key.
pub(crate) fn age_settings(files: &[&str]) -> KeySettings {
    let texts: Vec<String> = files.iter().map(|name| fs::read_to_string(key_file(name)).unwrap()).collect();
    let age = AgeSettings {
        key: Some(Zeroizing::new(texts.join("\n"))),
        ssh_key_file: Some(key_file("id_ed25519")),
        ..AgeSettings::default()
    };
    KeySettings { age, ..KeySettings::default() }
}

/// A keyring with the PGP key; `None` on machines without `gpg`.
pub(crate) fn gpg_home() -> Option<Keyring> {
    let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
    let mut import = Command::new("gpg");
    import.env("GNUPGHOME", home.path()).args(["--batch", "--quiet", "--import"]).arg(key_file("pgp.asc"));
    let status = import.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    assert!(status.success(), "gpg can not import the key");
    Some(Keyring(home))
}

/// Ends its agent.
pub(crate) struct Keyring(TempDir);

impl Keyring {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        let _ = command.arg("--homedir").arg(self.path()).args(["--kill", "gpg-agent"]).status();
    }
}

/// A folder with an encrypted file and its content.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) content: Vec<u8>,
    plain: Vec<u8>,
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name != "keys").collect();
    names.sort();
    names.iter().map(|name| Fixture::named(name)).collect()
}

impl Fixture {
    pub(crate) fn named(name: &str) -> Self {
        let folder = folder().join(name);
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let file = files.into_iter().find(|file| file != "plain").unwrap();
        let content = fs::read(folder.join(&file)).unwrap();
        let plain = fs::read(folder.join("plain")).unwrap();
        Self { name: name.to_owned(), file, content, plain }
    }

    /// Three groups of three: one of them is PGP.
    pub(crate) fn needs_gpg(&self) -> bool {
        self.name.ends_with("-pgp") && !self.name.ends_with("-age-pgp") || self.name.ends_with("-groups-3-3")
    }

    pub(crate) async fn decrypt(&self, settings: KeySettings, integrity: Integrity) -> Result<Decrypted, SopsError> {
        self.decrypt_changed(&self.content, settings, integrity).await
    }

    pub(crate) async fn decrypt_changed(
        &self,
        content: &[u8],
        settings: KeySettings,
        integrity: Integrity,
    ) -> Result<Decrypted, SopsError> {
        let format = Format::of_name(&self.file);
        let decryptor = Decryptor::new(settings, Box::new(NoKeyServices));
        decryptor.decrypt(EncryptedFile { name: &self.file, format, content, integrity }).await
    }

    /// Bytes are equal; of YAML only the spaces before and the place of comments may differ.
    pub(crate) fn assert_plain(&self, content: &[u8]) {
        let [found, expected] = [content, &self.plain].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(found, expected, "{}", self.name);
    }
}
