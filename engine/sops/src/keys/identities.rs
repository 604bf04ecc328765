//! age identities from all places where SOPS looks for them.

use std::io::ErrorKind;
use std::path::Path;

use ::age::plugin::{Identity as PluginIdentity, IdentityPluginV1};
use ::age::{Identity, NoCallbacks, ssh, x25519};
use zeroize::Zeroizing;

use super::commands::output_of;
use crate::settings::AgeSettings;

/// What was found, and what could not be used.
pub(super) struct Identities {
    pub(super) usable: Vec<Box<dyn Identity + Send + Sync>>,
    /// Places without a key.
    pub(super) absent: Vec<String>,
    /// Places with something that cannot be used, and why.
    pub(super) problems: Vec<String>,
}

impl Identities {
    pub(super) async fn load(settings: &AgeSettings) -> Self {
        let mut found = Self { usable: Vec::new(), absent: Vec::new(), problems: Vec::new() };
        let has_ssh = found.explicit_ssh(settings).await;
        if !has_ssh {
            for path in &settings.default_ssh_keys {
                found.ssh_file(path, &path.display().to_string(), Need::Optional);
            }
        }
        match &settings.key {
            Some(text) => found.texts(text, "SOPS_AGE_KEY"),
            None => found.absent.push("SOPS_AGE_KEY".into()),
        }
        match &settings.key_file {
            Some(path) => found.file(path, "SOPS_AGE_KEY_FILE", Need::Required),
            None => found.absent.push("SOPS_AGE_KEY_FILE".into()),
        }
        match &settings.key_command {
            Some(line) => match output_of(line).await {
                Ok(text) => found.texts(&text, "SOPS_AGE_KEY_CMD"),
                Err(error) => found.problem("SOPS_AGE_KEY_CMD", &error),
            },
            None => found.absent.push("SOPS_AGE_KEY_CMD".into()),
        }
        if let Some(path) = &settings.default_key_file {
            found.file(path, &path.display().to_string(), Need::Optional);
        }
        found
    }

    /// Whether one was named.
    async fn explicit_ssh(&mut self, settings: &AgeSettings) -> bool {
        match &settings.ssh_key_file {
            Some(path) => self.ssh_file(path, "SOPS_AGE_SSH_PRIVATE_KEY_FILE", Need::Required),
            None => self.absent.push("SOPS_AGE_SSH_PRIVATE_KEY_FILE".into()),
        }
        match &settings.ssh_key_command {
            Some(line) => match output_of(line).await {
                Ok(text) => self.ssh_text(&text, "SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
                Err(error) => self.problem("SOPS_AGE_SSH_PRIVATE_KEY_CMD", &error),
            },
            None => self.absent.push("SOPS_AGE_SSH_PRIVATE_KEY_CMD".into()),
        }
        settings.ssh_key_file.is_some() || settings.ssh_key_command.is_some()
    }

    fn problem(&mut self, place: &str, reason: &str) {
        self.problems.push(format!("{place}: {reason}"));
    }

    fn file(&mut self, path: &Path, place: &str, need: Need) {
        if let Some(text) = self.read(path, place, need) {
            self.texts(&text, place);
        }
    }

    fn ssh_file(&mut self, path: &Path, place: &str, need: Need) {
        if let Some(text) = self.read(path, place, need) {
            self.ssh_text(&text, place);
        }
    }

    fn read(&mut self, path: &Path, place: &str, need: Need) -> Option<Zeroizing<String>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(error) if error.kind() == ErrorKind::NotFound && need == Need::Optional => {
                self.absent.push(place.to_owned());
                None
            }
            Err(error) => {
                self.problem(place, &format!("read `{}`: {error}", path.display()));
                None
            }
        }
    }

    /// One identity a line, with comments.
    fn texts(&mut self, text: &str, place: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for (number, line) in lines.enumerate() {
            match identity(line) {
                Ok(identity) => self.usable.push(identity),
                Err(reason) => self.problem(place, &format!("identity {}: {reason}", number + 1)),
            }
        }
    }

    fn ssh_text(&mut self, text: &str, place: &str) {
        match ssh::Identity::from_buffer(text.as_bytes(), None) {
            Ok(identity @ ssh::Identity::Unencrypted(_)) => self.usable.push(Box::new(identity)),
            Ok(ssh::Identity::Encrypted(_)) => {
                self.problem(place, "the SSH key has a passphrase, which can not be asked for")
            }
            Ok(ssh::Identity::Unsupported(_)) => self.problem(place, "this kind of SSH key is not supported by age"),
            Err(_) => self.problem(place, "no SSH private key"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

/// The reason has nothing of the text, which is a secret.
fn identity(line: &str) -> Result<Box<dyn Identity + Send + Sync>, String> {
    if line.starts_with("AGE-SECRET-KEY-PQ-") {
        return Err(
            "post-quantum identities (AGE-SECRET-KEY-PQ-…) can not be read yet; encrypt the file for an X25519 \
                    identity (AGE-SECRET-KEY-1…) too"
                .into(),
        );
    }
    if line.starts_with("AGE-PLUGIN-") {
        let plugin: PluginIdentity = line.parse().map_err(|error| format!("malformed plugin identity ({error})"))?;
        let name = plugin.plugin().to_owned();
        let identity = IdentityPluginV1::new(&name, &[plugin], NoCallbacks);
        return match identity {
            Ok(identity) => Ok(Box::new(identity)),
            Err(_) => Err(format!("its plugin `age-plugin-{name}` is not in the `PATH`")),
        };
    }
    let identity: Result<x25519::Identity, _> = line.parse();
    match identity {
        Ok(identity) => Ok(Box::new(identity)),
        Err(_) if line.starts_with("AGE-SECRET-KEY-1") => Err("malformed X25519 identity".into()),
        Err(_) => Err("no age identity (AGE-SECRET-KEY-1… or AGE-PLUGIN-…)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn problems(text: &str) -> Vec<String> {
        let key = Some(Zeroizing::new(text.to_owned()));
        Identities::load(&AgeSettings { key, ..AgeSettings::default() }).await.problems
    }

    #[tokio::test]
    async fn post_quantum_identities_are_named() {
        let problems = problems("# mine\nAGE-SECRET-KEY-PQ-1QQQ\n").await;
        assert!(problems[0].starts_with("SOPS_AGE_KEY: identity 1: post-quantum identities"), "{problems:?}");
    }

    #[tokio::test]
    async fn malformed_identities_are_not_shown() {
        for text in ["AGE-SECRET-KEY-1HIDDEN", "HIDDEN", "AGE-PLUGIN-HIDDEN"] {
            let problems = problems(text).await;
            assert_eq!(problems.len(), 1);
            assert!(!problems[0].contains("HIDDEN"), "{problems:?}");
        }
    }

    #[tokio::test]
    async fn a_named_file_must_exist_and_a_default_one_need_not() {
        let missing = || Some("does/not/exist".into());
        let named = Identities::load(&AgeSettings { key_file: missing(), ..AgeSettings::default() }).await;
        assert!(named.problems[0].starts_with("SOPS_AGE_KEY_FILE: read `does/not/exist`"), "{:?}", named.problems);
        let default = Identities::load(&AgeSettings { default_key_file: missing(), ..AgeSettings::default() }).await;
        assert!(default.problems.is_empty());
        assert!(default.absent.contains(&"does/not/exist".to_owned()));
    }
}
