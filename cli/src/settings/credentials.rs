//! Credentials of flags and environment (spec 04 section 12). Values never show up in debug output.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::layers::Layers;
use super::source::{SettingError, Source};
use crate::args::value::expand_home;
use crate::env_vars::{Environment, FieldSet};

/// One entry: what it is for and its fields. Files were readable; their fields hold the paths.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct CredentialEntry {
    /// Host, with port.
    pub(crate) host: String,
    /// Glob for the path; empty matches all.
    pub(crate) path: String,
    /// Field (`username`, `ca-file`, …) -> value. Secrets.
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// Where the entry came from.
    pub(crate) origin: String,
}

impl fmt::Debug for CredentialEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, path, fields, origin } = self;
        let names: Vec<_> = fields.keys().collect();
        f.debug_struct("CredentialEntry")
            .field("host", host)
            .field("path", path)
            .field("fields", &names)
            .field("origin", origin)
            .finish()
    }
}

impl CredentialEntry {
    /// A field's value.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A field read as a switch; unreadable text counts as false.
    pub(crate) fn switch(&self, name: &str) -> bool {
        self.field(name).and_then(windlass_model::object::parse_go_bool).unwrap_or(false)
    }
}

/// All credentials given to a command, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) git: Vec<CredentialEntry>,
    pub(crate) helm: Vec<CredentialEntry>,
    /// Of flags; the registry client knows the environment's variables itself.
    pub(crate) registry: Vec<CredentialEntry>,
}

/// How the text behind `=` of a flag is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Text,
    File,
    Switch,
    /// `user:password`, or with `token` a lone token.
    Pair {
        token: bool,
    },
}

/// Flags of one system in the order in which upstream looks at them.
type FieldFlags = &'static [(&'static str, &'static str, Use)];

const GIT: FieldFlags = &[
    ("git-username", "username", Use::Text),
    ("git-password", "password", Use::Text),
    ("git-ssh-key-file", "ssh-key", Use::File),
    ("git-ssh-known-hosts-file", "known-hosts", Use::File),
    ("git-ca-file", "ca", Use::File),
];

const HELM: FieldFlags = &[
    ("helm-username", "username", Use::Text),
    ("helm-password", "password", Use::Text),
    ("helm-key-file", "key", Use::File),
    ("helm-cert-file", "cert", Use::File),
    ("helm-ca-file", "ca", Use::File),
    ("helm-insecure-skip-tls-verify", "insecure-skip-tls-verify", Use::Switch),
    ("helm-creds", "", Use::Pair { token: false }),
];

const REGISTRY: FieldFlags = &[
    ("registry-username", "username", Use::Text),
    ("registry-password", "password", Use::Text),
    ("registry-identity-token", "identity-token", Use::Text),
    ("registry-token", "token", Use::Text),
    ("registry-creds", "", Use::Pair { token: true }),
    ("registry-key-file", "key", Use::File),
    ("registry-cert-file", "cert", Use::File),
    ("registry-ca-file", "ca", Use::File),
    ("registry-plain-http", "plain-http", Use::Switch),
    ("registry-insecure-skip-tls-verify", "insecure-skip-tls-verify", Use::Switch),
];

/// Environment fields: variable, field, use. `HOST` and `PATH` say what a set is for.
type FieldVariables = &'static [(&'static str, &'static str, Use)];

const GIT_VARIABLES: FieldVariables = &[
    ("USERNAME", "username", Use::Text),
    ("PASSWORD", "password", Use::Text),
    ("SSH_KEY", "ssh-key", Use::File),
    ("CA_BUNDLE", "ca", Use::File),
];

const HELM_VARIABLES: FieldVariables = &[
    ("USERNAME", "username", Use::Text),
    ("PASSWORD", "password", Use::Text),
    ("CERT_FILE", "cert", Use::File),
    ("KEY_FILE", "key", Use::File),
    ("CA_FILE", "ca", Use::File),
    ("INSECURE_SKIP_TLS_VERIFY", "insecure-skip-tls-verify", Use::Switch),
    ("PASS_CREDENTIALS_ALL", "pass-credentials-all", Use::Switch),
];

impl Credentials {
    /// Flags first, then the environment.
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        let home = environment.home();
        let both = |flags: FieldFlags, subject: &str, variables: FieldVariables| {
            let mut entries = of_flags(layers, flags)?;
            if layers.has(flags[0].0) {
                entries.extend(of_variables(environment, subject, variables, home.as_deref())?);
            }
            Ok::<_, SettingError>(entries)
        };
        Ok(Self {
            git: both(GIT, "GIT", GIT_VARIABLES)?,
            helm: both(HELM, "HELM", HELM_VARIABLES)?,
            registry: of_flags(layers, REGISTRY)?,
        })
    }

    /// Every secret value, to be masked in all output.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        const SECRET: [&str; 3] = ["password", "identity-token", "token"];
        let entries = self.git.iter().chain(&self.helm).chain(&self.registry);
        entries.flat_map(|entry| SECRET.iter().filter_map(|name| entry.field(name)))
    }

    /// Every user with a password.
    pub(crate) fn logins(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.git.iter().chain(&self.helm).chain(&self.registry);
        entries.filter_map(|entry| entry.field("username").zip(entry.field("password")))
    }
}

/// Flags with an identical key build one entry, in the order of first appearance by flag.
fn of_flags(layers: &Layers, flags: FieldFlags) -> Result<Vec<CredentialEntry>, SettingError> {
    let mut entries: Vec<(String, CredentialEntry)> = Vec::new();
    for (flag, field, usage) in flags {
        for text in layers.list(flag) {
            let (key, value) = match text.value.split_once('=') {
                Some((key, value)) => (key, value),
                None if *usage == Use::Switch => (text.value.as_str(), "true"),
                None => return Err(malformed(flag, &text.source)),
            };
            let entry = entry_of(&mut entries, key, &text.source);
            put(entry, field, value, *usage, flag, &text.source)?;
        }
    }
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn malformed(flag: &str, source: &Source) -> SettingError {
    SettingError::new(format!("invalid --{flag} argument: there is no `=<value>`"), source)
        .with_hint(format!("write `--{flag} <host>[/<path>]=<value>`"))
}

fn entry_of<'a>(
    entries: &'a mut Vec<(String, CredentialEntry)>,
    key: &str,
    source: &Source,
) -> &'a mut CredentialEntry {
    let index = entries.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
        let (host, path) = key.split_once('/').unwrap_or((key, ""));
        let entry =
            CredentialEntry { host: host.into(), path: path.into(), origin: source.to_string(), ..Default::default() };
        entries.push((key.to_owned(), entry));
        entries.len() - 1
    });
    &mut entries[index].1
}

fn put(
    entry: &mut CredentialEntry,
    field: &'static str,
    value: &str,
    usage: Use,
    flag: &str,
    source: &Source,
) -> Result<(), SettingError> {
    match usage {
        Use::Text | Use::Switch => {
            entry.fields.insert(field, value.to_owned());
        }
        Use::File => {
            std::fs::read(value).map_err(|error| SettingError::new(crate::files::open_error(value, &error), source))?;
            entry.fields.insert(field, value.to_owned());
        }
        Use::Pair { token } => match value.split_once(':') {
            Some((user, password)) => {
                entry.fields.insert("username", user.to_owned());
                entry.fields.insert("password", password.to_owned());
            }
            None if token => {
                entry.fields.insert("token", value.to_owned());
            }
            None => {
                return Err(SettingError::new(
                    format!("invalid --{flag} argument: expected <user>:<password>"),
                    source,
                ));
            }
        },
    }
    Ok(())
}

fn of_variables(
    environment: &Environment,
    subject: &str,
    variables: FieldVariables,
    home: Option<&Path>,
) -> Result<Vec<CredentialEntry>, SettingError> {
    let mut names: Vec<&str> = variables.iter().map(|(name, ..)| *name).collect();
    names.extend(["HOST", "PATH", "REPOSITORY"]);
    let mut entries = Vec::new();
    for set in environment.field_sets(subject, &names) {
        let Some((host, path)) = place_of(&set) else { continue };
        let mut entry = CredentialEntry {
            host,
            path,
            origin: format!("environment variables `{}_*`", set.origin),
            ..Default::default()
        };
        for (variable, field, usage) in variables {
            let Some(value) = set.fields.get(*variable) else { continue };
            let source = Source::Variable(format!("{}_{variable}", set.origin));
            let value = match usage {
                Use::File => read_variable_file(value, home, subject, &source)?,
                _ => Some(value.clone()),
            };
            entry.fields.extend(value.map(|value| (*field, value)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Unreadable files of git sets are ignored, as a set often stands in a shared environment.
fn read_variable_file(
    value: &str,
    home: Option<&Path>,
    subject: &str,
    source: &Source,
) -> Result<Option<String>, SettingError> {
    let path = expand_home(value, home);
    match std::fs::read(&path) {
        Ok(_) => Ok(Some(path.display().to_string())),
        Err(_) if subject == "GIT" => Ok(None),
        Err(error) => Err(SettingError::new(crate::files::open_error(value, &error), source)),
    }
}

/// Host and path of a set; `REPOSITORY` alone holds both. Sets without host are ignored.
fn place_of(set: &FieldSet) -> Option<(String, String)> {
    let field = |name: &str| set.fields.get(name).filter(|text| !text.is_empty());
    let path = field("REPOSITORY").or_else(|| field("PATH"));
    match (field("HOST"), path) {
        (Some(host), path) => Some((host.clone(), path.cloned().unwrap_or_default())),
        (None, Some(repository)) => {
            let (host, path) = repository.split_once('/')?;
            (host.contains(['.', ':']) || host == "localhost").then(|| (host.to_owned(), path.to_owned()))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(line: &[&str], variables: &[(&str, &str)]) -> Result<Credentials, SettingError> {
        Credentials::read(&layers(line, variables, "").expect("layers"), &Environment::of(variables))
    }

    #[test]
    fn flags_with_one_key_build_one_entry() {
        let credentials = read(
            &[
                "render",
                "--registry-password=b/x=pw=1",
                "--registry-username=a=me",
                "--registry-username=b/x=you",
                "--registry-plain-http=b/x",
                "--registry-creds=c=u:p:q",
                "--registry-creds=d=tok",
            ],
            &[],
        )
        .expect("credentials");
        let hosts: Vec<_> = credentials.registry.iter().map(|e| (e.host.as_str(), e.path.as_str())).collect();
        assert_eq!(hosts, [("a", ""), ("b", "x"), ("c", ""), ("d", "")]);
        let b = &credentials.registry[1];
        assert_eq!(
            (b.field("username"), b.field("password"), b.switch("plain-http")),
            (Some("you"), Some("pw=1"), true)
        );
        let c = &credentials.registry[2];
        assert_eq!((c.field("username"), c.field("password")), (Some("u"), Some("p:q")));
        assert_eq!(credentials.registry[3].field("token"), Some("tok"));
    }

    #[test]
    fn variables_come_after_flags_in_index_order() {
        let variables = [
            ("KLUCTL_HELM_1_HOST", "one"),
            ("KLUCTL_HELM_1_INSECURE_SKIP_TLS_VERIFY", "maybe"),
            ("KLUCTL_HELM_REPOSITORY", "reg.example:5000/team/app"),
            ("KLUCTL_HELM_PASSWORD", "hidden"),
            ("KLUCTL_HELM_2_PASSWORD", "without host"),
        ];
        let credentials = read(&["render", "--helm-username=flag=x"], &variables).expect("credentials");
        let hosts: Vec<_> = credentials.helm.iter().map(|e| (e.host.as_str(), e.path.as_str())).collect();
        assert_eq!(hosts, [("flag", ""), ("reg.example:5000", "team/app"), ("one", "")]);
        assert!(!credentials.helm[2].switch("insecure-skip-tls-verify"));
        assert!(!format!("{credentials:?}").contains("hidden"));
        assert!(credentials.secrets().any(|secret| secret == "hidden"));
    }

    #[test]
    fn malformed_credentials_are_refused_without_showing_them() {
        for line in [
            &["render", "--git-password=s3cret"][..],
            &["render", "--helm-creds=h=s3cret"],
            &["render", "--registry-token=s3cret"],
        ] {
            let error = read(line, &[]).expect_err("must fail");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn unreadable_files_are_errors_except_in_git_variables() {
        let error = read(&["render", "--registry-ca-file=h=missing.pem"], &[]).expect_err("must fail");
        assert_eq!(error.reason, "open missing.pem: no such file or directory");
        let helm = [("KLUCTL_HELM_HOST", "h"), ("KLUCTL_HELM_CA_FILE", "missing.pem")];
        let error = read(&["render"], &helm).expect_err("must fail");
        assert_eq!(error.origin().as_deref(), Some("environment variable `KLUCTL_HELM_CA_FILE`"));
        let git = [("KLUCTL_GIT_HOST", "h"), ("KLUCTL_GIT_SSH_KEY", "missing")];
        assert_eq!(read(&["render"], &git).expect("credentials").git[0].field("ssh-key"), None);
    }
}
