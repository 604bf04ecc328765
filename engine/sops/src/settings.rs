//! Where the user's keys are; made by the caller from its environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// Where the user's keys are.
#[derive(Debug, Clone, Default)]
pub struct KeySettings {
    /// age.
    pub age: AgeSettings,
    /// PGP.
    pub pgp: PgpSettings,
}

/// Where age identities are. All that are found are used.
#[derive(Clone, Default)]
pub struct AgeSettings {
    /// `SOPS_AGE_KEY`: identities as text.
    pub key: Option<Zeroizing<String>>,
    /// `SOPS_AGE_KEY_FILE`.
    pub key_file: Option<PathBuf>,
    /// `SOPS_AGE_KEY_CMD`: prints identities.
    pub key_command: Option<String>,
    /// The user's key file, used when it exists.
    pub default_key_file: Option<PathBuf>,
    /// `SOPS_AGE_SSH_PRIVATE_KEY_FILE`.
    pub ssh_key_file: Option<PathBuf>,
    /// `SOPS_AGE_SSH_PRIVATE_KEY_CMD`: prints an SSH key.
    pub ssh_key_command: Option<String>,
    /// The user's SSH keys, used when they exist and no other SSH key is named.
    pub default_ssh_keys: Vec<PathBuf>,
}

/// Without the identities.
impl fmt::Debug for AgeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeSettings")
            .field("key", &self.key.as_ref().map(|_| "…"))
            .field("key_file", &self.key_file)
            .field("default_key_file", &self.default_key_file)
            .field("ssh_key_file", &self.ssh_key_file)
            .field("default_ssh_keys", &self.default_ssh_keys)
            .finish_non_exhaustive()
    }
}

/// How `gpg` is run.
#[derive(Debug, Clone)]
pub struct PgpSettings {
    /// `SOPS_GPG_EXEC`, else `gpg`.
    pub program: PathBuf,
    /// `GNUPGHOME`.
    pub home: Option<PathBuf>,
}

impl Default for PgpSettings {
    fn default() -> Self {
        Self { program: "gpg".into(), home: None }
    }
}

impl KeySettings {
    /// The settings that the variables of an environment give, as SOPS reads them. Empty ones count as absent.
    #[must_use]
    pub fn of_variables(variables: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let path = |name: &str| text(name).map(PathBuf::from);
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let below_home = |place: &str| home.as_ref().map(|home| home.join(place));
        let config = path("XDG_CONFIG_HOME").or_else(|| match std::env::consts::OS {
            "macos" => below_home("Library/Application Support"),
            "windows" => path("AppData").or_else(|| path("APPDATA")),
            _ => below_home(".config"),
        });
        let age = AgeSettings {
            key: text("SOPS_AGE_KEY").map(Zeroizing::new),
            key_file: path("SOPS_AGE_KEY_FILE"),
            key_command: text("SOPS_AGE_KEY_CMD"),
            default_key_file: config.map(|config| config.join("sops").join("age").join("keys.txt")),
            ssh_key_file: path("SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
            ssh_key_command: text("SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
            default_ssh_keys: [".ssh/id_ed25519", ".ssh/id_rsa"].into_iter().filter_map(below_home).collect(),
        };
        let program = path("SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".into());
        Self { age, pgp: PgpSettings { program, home: path("GNUPGHOME") } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_give_settings() {
        let variables =
            [("HOME", "/h"), ("SOPS_AGE_KEY", "AGE-SECRET-KEY-1X"), ("SOPS_GPG_EXEC", "gpg2"), ("GNUPGHOME", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = KeySettings::of_variables(&BTreeMap::from(variables));
        assert_eq!(settings.pgp.program, PathBuf::from("gpg2"));
        assert_eq!(settings.pgp.home, None);
        assert_eq!(settings.age.default_ssh_keys.len(), 2);
        assert!(!format!("{settings:?}").contains("SECRET"));
    }
}
