//! `KLUCTL_REGISTRY_*` sets, from variables that the caller hands over. Spec 02 B8.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::repository::Repository;
use crate::settings::{Login, Mirrors, RegistryCredentials, TlsDefaults, TlsOptions};

/// Prefixes, weakest first: the same key under a later one wins.
const PREFIXES: [&str; 2] = ["KLUCTL_REGISTRY_", "WINDLASS_REGISTRY_"];

/// A variable that cannot be understood. Its value is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable}: {reason}")]
pub struct EnvError {
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What the environment says about registries.
#[derive(Debug, Clone, Default)]
pub struct EnvSettings {
    /// Entries: the set without number first, then by number.
    pub credentials: Vec<RegistryCredentials>,
    /// Defaults for all hosts.
    pub defaults: TlsDefaults,
    /// Of sets with `MIRRORS`, a list with commas.
    pub mirrors: Vec<Mirrors>,
}

/// The variables of one set: value and name by key.
type Set = BTreeMap<String, (String, String)>;

impl EnvSettings {
    /// Reads names and values; others than registry variables are ignored. `home` is what `~/` stands for.
    pub fn parse(variables: impl IntoIterator<Item = (String, String)>, home: Option<&Path>) -> Result<Self, EnvError> {
        let mut sets: BTreeMap<Option<u64>, Set> = BTreeMap::new();
        let mut defaults = Set::new();
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for prefix in PREFIXES {
            for (name, value) in &variables {
                let Some(key) = name.strip_prefix(prefix) else {
                    continue;
                };
                let named = (value.clone(), name.clone());
                match key.strip_prefix("DEFAULT_") {
                    Some(key) => defaults.insert(key.to_owned(), named),
                    None => {
                        let (number, key) = split_number(key);
                        sets.entry(number).or_default().insert(key.to_owned(), named)
                    }
                };
            }
        }
        let mirrors = sets.iter().filter_map(|(number, set)| mirrors(*number, set)).collect();
        let credentials = sets.into_iter().map(|(number, set)| entry(number, &set, home));
        Ok(Self {
            credentials: credentials.filter_map(Result::transpose).collect::<Result<_, _>>()?,
            defaults: TlsDefaults {
                insecure_skip_verify: boolean(&defaults, "INSECURE_SKIP_TLS_VERIFY")?
                    .or(boolean(&defaults, "TLSVERIFY")?.map(|verify| !verify))
                    .unwrap_or_default(),
                plain_http: boolean(&defaults, "INSECURE")?.unwrap_or_default(),
            },
            mirrors,
        })
    }

    /// Every login, to be masked in all output.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        self.credentials.iter().filter_map(|entry| entry.login.as_ref())
    }
}

/// `3_HOST` is key `HOST` of set 3.
fn split_number(key: &str) -> (Option<u64>, &str) {
    match key.split_once('_') {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => match number.parse() {
            Ok(number) => (Some(number), rest),
            Err(_) => (None, key),
        },
        _ => (None, key),
    }
}

fn value<'s>(set: &'s Set, keys: &[&str]) -> Option<&'s str> {
    keys.iter().find_map(|key| set.get(*key)).map(|(value, _)| value.as_str()).filter(|value| !value.is_empty())
}

fn boolean(set: &Set, key: &str) -> Result<Option<bool>, EnvError> {
    let Some((value, name)) = set.get(key).filter(|(value, _)| !value.is_empty()) else {
        return Ok(None);
    };
    match value.as_str() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Some(true)),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Some(false)),
        _ => Err(EnvError { variable: name.clone(), reason: "must be a boolean (true, false, 1, 0)" }),
    }
}

/// The entry of a set; `None` when it names no host.
fn entry(number: Option<u64>, set: &Set, home: Option<&Path>) -> Result<Option<RegistryCredentials>, EnvError> {
    let repository = value(set, &["REPOSITORY", "PATH"]);
    let (host, repository) = match (value(set, &["HOST"]), repository) {
        (Some(host), repository) => (host.to_owned(), repository.map(str::to_owned)),
        (None, Some(full)) => match Repository::parse(full) {
            Ok(parsed) => (parsed.host().to_owned(), Some(parsed.path().to_owned())),
            Err(_) => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    let path = |keys: &[&str]| value(set, keys).map(|text| expand(text, home));
    let verify = match boolean(set, "INSECURE_SKIP_TLS_VERIFY")? {
        Some(skip) => Some(!skip),
        None => boolean(set, "TLSVERIFY")?,
    };
    let plain_http = match boolean(set, "PLAIN_HTTP")? {
        Some(plain) => Some(plain),
        None => boolean(set, "INSECURE")?,
    };
    Ok(Some(RegistryCredentials {
        origin: origin(number),
        host,
        repository,
        login: login(set)?,
        tls: TlsOptions {
            verify,
            plain_http,
            ca_file: path(&["CA_FILE", "CA_BUNDLE"]),
            cert_file: path(&["CERT_FILE"]),
            key_file: path(&["KEY_FILE"]),
        },
    }))
}

fn origin(number: Option<u64>) -> String {
    number.map_or("KLUCTL_REGISTRY_*".to_owned(), |n| format!("KLUCTL_REGISTRY_{n}_*"))
}

/// `HOST` is the registry that has mirrors.
fn mirrors(number: Option<u64>, set: &Set) -> Option<Mirrors> {
    let places = value(set, &["MIRRORS"])?.split(',').map(str::trim).filter(|place| !place.is_empty());
    let places: Vec<String> = places.map(str::to_owned).collect();
    let host = value(set, &["HOST"])?.to_owned();
    (!places.is_empty()).then(|| Mirrors { origin: origin(number), host, places })
}

fn login(set: &Set) -> Result<Option<Login>, EnvError> {
    if let Some(token) = value(set, &["TOKEN"]) {
        return Ok(Some(Login::Bearer(token.into())));
    }
    if let Some(token) = value(set, &["IDENTITY_TOKEN"]) {
        return Ok(Some(Login::Identity(token.into())));
    }
    if let Some(username) = value(set, &["USERNAME"]) {
        let password = value(set, &["PASSWORD"]).unwrap_or_default();
        return Ok(Some(Login::Basic { username: username.to_owned(), password: password.into() }));
    }
    let Some(auth) = value(set, &["AUTH"]) else {
        return Ok(None);
    };
    match decode_basic(auth) {
        Some(login) => Ok(Some(login)),
        None => Err(EnvError { variable: set["AUTH"].1.clone(), reason: "must be base64 of `user:password`" }),
    }
}

/// Base64 of `user:password`; the password may hold colons.
pub(crate) fn decode_basic(auth: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = password.trim_end_matches('\0');
    Some(Login::Basic { username: username.to_owned(), password: SecretString::from(password) })
}

fn expand(text: &str, home: Option<&Path>) -> PathBuf {
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<EnvSettings, EnvError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        EnvSettings::parse(variables, Some(Path::new("/home/me")))
    }

    fn basic(login: &Option<Login>) -> (&str, &str) {
        match login {
            Some(Login::Basic { username, password }) => (username, password.expose_secret()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sets_come_without_number_first_then_by_number() {
        let env = parse(&[
            ("KLUCTL_REGISTRY_10_HOST", "c"),
            ("KLUCTL_REGISTRY_2_HOST", "b"),
            ("KLUCTL_REGISTRY_HOST", "a"),
            ("OTHER", "x"),
        ]);
        let hosts: Vec<_> = env.unwrap().credentials.into_iter().map(|c| (c.host, c.origin)).collect();
        let wanted = [("a", "KLUCTL_REGISTRY_*"), ("b", "KLUCTL_REGISTRY_2_*"), ("c", "KLUCTL_REGISTRY_10_*")];
        assert_eq!(hosts, wanted.map(|(host, origin)| (host.to_owned(), origin.to_owned())));
    }

    #[test]
    fn the_own_prefix_wins_key_by_key() {
        let env = parse(&[
            ("WINDLASS_REGISTRY_1_PASSWORD", "new"),
            ("KLUCTL_REGISTRY_1_HOST", "h"),
            ("KLUCTL_REGISTRY_1_USERNAME", "u"),
            ("KLUCTL_REGISTRY_1_PASSWORD", "old"),
        ]);
        assert_eq!(basic(&env.unwrap().credentials[0].login), ("u", "new"));
    }

    #[test]
    fn keys_of_every_generation() {
        let env = parse(&[
            ("KLUCTL_REGISTRY_HOST", "h"),
            ("KLUCTL_REGISTRY_AUTH", "dTpwOnc="),
            ("KLUCTL_REGISTRY_CA_BUNDLE", "~/ca.pem"),
            ("KLUCTL_REGISTRY_CERT_FILE", "/c"),
            ("KLUCTL_REGISTRY_KEY_FILE", "/k"),
            ("KLUCTL_REGISTRY_TLSVERIFY", "1"),
            ("KLUCTL_REGISTRY_INSECURE", "f"),
            ("KLUCTL_REGISTRY_PATH", "a/**"),
            ("KLUCTL_REGISTRY_1_REPOSITORY", "nginx"),
            ("KLUCTL_REGISTRY_1_TOKEN", "t"),
            ("KLUCTL_REGISTRY_2_HOST", "i"),
            ("KLUCTL_REGISTRY_2_IDENTITY_TOKEN", "t"),
            ("KLUCTL_REGISTRY_2_INSECURE_SKIP_TLS_VERIFY", "true"),
        ])
        .unwrap();
        let [first, second, third] = &env.credentials[..] else {
            panic!("{env:?}");
        };
        assert_eq!(basic(&first.login), ("u", "p:w"));
        assert_eq!(first.tls.ca_file.as_deref(), Some(Path::new("/home/me/ca.pem")));
        assert_eq!((first.tls.verify, first.tls.plain_http), (Some(true), Some(false)));
        assert_eq!(first.repository.as_deref(), Some("a/**"));
        assert_eq!((second.host.as_str(), second.repository.as_deref()), ("index.docker.io", Some("library/nginx")));
        assert!(matches!(second.login, Some(Login::Bearer(_))));
        assert!(matches!(third.login, Some(Login::Identity(_))));
        assert_eq!(third.tls.verify, Some(false));
    }

    #[test]
    fn tlsverify_follows_its_name() {
        for (value, verify) in [("0", Some(false)), ("false", Some(false)), ("1", Some(true)), ("", None)] {
            let env = parse(&[("KLUCTL_REGISTRY_HOST", "h"), ("KLUCTL_REGISTRY_TLSVERIFY", value)]).unwrap();
            assert_eq!(env.credentials[0].tls.verify, verify, "{value}");
            let env = parse(&[("KLUCTL_REGISTRY_DEFAULT_TLSVERIFY", value)]).unwrap();
            assert_eq!(env.defaults.insecure_skip_verify, verify == Some(false), "{value}");
        }
    }

    #[test]
    fn sets_without_host_are_ignored() {
        assert!(parse(&[("KLUCTL_REGISTRY_USERNAME", "u")]).unwrap().credentials.is_empty());
        assert!(parse(&[("KLUCTL_REGISTRY_REPOSITORY", "Bad Name")]).unwrap().credentials.is_empty());
    }

    #[test]
    fn bad_values_name_the_variable_but_not_the_value() {
        let error = parse(&[("KLUCTL_REGISTRY_3_HOST", "h"), ("KLUCTL_REGISTRY_3_TLSVERIFY", "yes")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable KLUCTL_REGISTRY_3_TLSVERIFY: must be a boolean (true, false, 1, 0)"
        );
        let error = parse(&[("KLUCTL_REGISTRY_HOST", "h"), ("KLUCTL_REGISTRY_AUTH", "s3cr3t")]).unwrap_err();
        assert!(!error.to_string().contains("s3cr3t"));
        assert!(parse(&[("KLUCTL_REGISTRY_DEFAULT_INSECURE", "maybe")]).is_err());
    }

    #[test]
    fn mirrors_of_a_host() {
        let env = parse(&[
            ("KLUCTL_REGISTRY_1_HOST", "docker.io"),
            ("KLUCTL_REGISTRY_1_MIRRORS", "a.example, b.example:5000/hub,"),
            ("KLUCTL_REGISTRY_2_MIRRORS", "c.example"),
            ("KLUCTL_REGISTRY_3_HOST", "h"),
            ("KLUCTL_REGISTRY_3_MIRRORS", " ,"),
        ]);
        let places = vec!["a.example".to_owned(), "b.example:5000/hub".to_owned()];
        let wanted = Mirrors { origin: "KLUCTL_REGISTRY_1_*".into(), host: "docker.io".into(), places };
        assert_eq!(env.unwrap().mirrors, [wanted]);
    }

    #[test]
    fn every_secret_is_known() {
        let env = parse(&[
            ("KLUCTL_REGISTRY_HOST", "h"),
            ("KLUCTL_REGISTRY_TOKEN", "token"),
            ("KLUCTL_REGISTRY_1_HOST", "h"),
            ("KLUCTL_REGISTRY_1_AUTH", "dTpwOnc="),
            ("KLUCTL_REGISTRY_2_HOST", "h"),
            ("KLUCTL_REGISTRY_2_IDENTITY_TOKEN", "identity"),
            ("KLUCTL_REGISTRY_3_HOST", "h"),
        ]);
        assert_eq!(env.unwrap().logins().map(Login::secret).collect::<Vec<_>>(), ["token", "p:w", "identity"]);
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let env = parse(&[("KLUCTL_REGISTRY_HOST", "h"), ("KLUCTL_REGISTRY_TOKEN", "s3cr3t")]).unwrap();
        assert!(!format!("{env:?}").contains("s3cr3t"));
    }
}
