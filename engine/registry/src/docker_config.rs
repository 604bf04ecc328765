//! Docker's `config.json` and Podman's `auth.json`.
//!
//! Own reading and matching: the published crate looks up exact keys only,
//! blocks while a helper runs and reads the environment by itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;

use crate::env_sets::decode_basic;
use crate::repository::{Repository, canonical_host};
use crate::settings::Login;

const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// The part of the file that matters here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
struct Auth {
    #[serde(default)]
    auth: Option<SecretString>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<SecretString>,
    #[serde(default)]
    identitytoken: Option<SecretString>,
    #[serde(default)]
    registrytoken: Option<SecretString>,
}

/// A program that knows credentials, and the name to ask it for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Helper {
    pub(crate) name: String,
    pub(crate) server: String,
}

impl DockerConfig {
    /// Reads a file; `None` when there is none.
    pub(crate) async fn read(path: &Path) -> Result<Option<Self>, String> {
        match tokio::fs::read(path).await {
            // The parser's message could quote a secret, so only its place is told.
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| format!("not a valid configuration (line {}, column {})", e.line(), e.column())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.to_string()),
        }
    }

    /// The helper for a repository's host.
    pub(crate) fn helper(&self, repository: &Repository) -> Option<Helper> {
        let specific = best(&self.cred_helpers, repository).map(|(key, name)| (key.to_owned(), name.clone()));
        let (key, name) = specific.or_else(|| Some((String::new(), self.creds_store.clone()?)))?;
        // Docker Hub's entry is stored under its old address.
        let server = match repository.host() {
            "index.docker.io" => "https://index.docker.io/v1/".to_owned(),
            host if key.is_empty() || key.contains('*') => host.to_owned(),
            _ => key,
        };
        (!name.is_empty()).then_some(Helper { name, server })
    }

    /// The login written in the file itself; an error for a broken one.
    pub(crate) fn login(&self, repository: &Repository) -> Result<Option<(String, Login)>, String> {
        let filled: BTreeMap<String, &Auth> =
            self.auths.iter().filter(|(_, auth)| !auth.is_empty()).map(|(key, auth)| (key.clone(), auth)).collect();
        let Some((key, auth)) = best(&filled, repository) else {
            return Ok(None);
        };
        auth.login().map(|login| Some((key.to_owned(), login))).ok_or_else(|| format!("the entry `{key}` is not valid"))
    }
}

impl Auth {
    fn is_empty(&self) -> bool {
        use secrecy::ExposeSecret as _;
        let blank = |secret: &Option<SecretString>| secret.as_ref().is_none_or(|s| s.expose_secret().is_empty());
        let secrets = [&self.auth, &self.password, &self.identitytoken, &self.registrytoken];
        secrets.into_iter().all(blank) && self.username.as_deref().unwrap_or_default().is_empty()
    }

    fn login(&self) -> Option<Login> {
        use secrecy::ExposeSecret as _;
        let filled = |secret: &Option<SecretString>| secret.clone().filter(|s| !s.expose_secret().is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Some(Login::Bearer(token));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Some(Login::Identity(token));
        }
        if let Some(auth) = filled(&self.auth) {
            return decode_basic(auth.expose_secret());
        }
        let password = self.password.clone().unwrap_or_default();
        Some(Login::Basic { username: self.username.clone()?, password })
    }
}

/// The entry with the most specific key that covers the repository.
fn best<'m, T>(map: &'m BTreeMap<String, T>, repository: &Repository) -> Option<(&'m str, &'m T)> {
    let ranked = map.iter().filter_map(|(key, value)| Some((rank(key, repository)?, key, value)));
    ranked.max_by_key(|(rank, key, _)| (*rank, std::cmp::Reverse(*key))).map(|(_, key, value)| (key.as_str(), value))
}

/// How specific a key is, or `None` when it does not cover the repository.
fn rank(key: &str, repository: &Repository) -> Option<(usize, bool)> {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let (host, path) = key.split_once('/').unwrap_or((key, ""));
    let path = match path.trim_end_matches('/') {
        "v1" | "v2" => "",
        path => path.strip_prefix("v2/").unwrap_or(path),
    };
    let host = canonical_host(host);
    let covered = path.is_empty()
        || repository.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (covered && host_matches(&host, repository.host())).then_some((path.len(), !host.contains('*')))
}

/// `*` stands for (a part of) one dot-separated label.
fn host_matches(pattern: &str, host: &str) -> bool {
    let (patterns, labels): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    patterns.len() == labels.len() && patterns.iter().zip(labels).all(|(pattern, label)| label_matches(pattern, label))
}

fn label_matches(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((head, tail)) => label.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| label_matches(tail, &rest[i..]))
        }),
    }
}

/// The last line of what a helper complains about. The protocol wants errors on stdout; an answer there stays unsaid.
fn complaint(output: &std::process::Output) -> String {
    const LONGEST: usize = 200;
    let last = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        Some(line.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>())
    };
    let is_answer = output.stdout.contains(&b'{');
    let of_stdout = || last(&output.stdout).filter(|_| !is_answer);
    last(&output.stderr).or_else(of_stdout).map(|line| format!(": {line}")).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    #[serde(default)]
    username: String,
    secret: SecretString,
}

impl Helper {
    /// Runs the program; `None` when it knows nothing about the server.
    pub(crate) async fn ask(&self) -> Result<Option<Login>, String> {
        let program = format!("docker-credential-{}", self.name);
        if !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            return Err("the helper's name is not valid".into());
        }
        let run = async {
            let mut child = tokio::process::Command::new(&program)
                .arg("get")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // A helper that needs no input may be gone already.
                let _ = stdin.write_all(self.server.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let output = match tokio::time::timeout(HELPER_TIMEOUT, run).await {
            Err(_) => return Err(format!("`{program}` did not answer in {HELPER_TIMEOUT:?}")),
            Ok(Err(e)) => return Err(format!("run `{program}`: {e}")),
            Ok(Ok(output)) => output,
        };
        if !output.status.success() {
            let known = String::from_utf8_lossy(&output.stdout).to_lowercase();
            let unknown_server = known.contains("not found") || known.contains("no credentials");
            return match unknown_server {
                true => Ok(None),
                false => Err(format!("`{program}` failed ({}){}", output.status, complaint(&output))),
            };
        }
        let answer: HelperAnswer =
            serde_json::from_slice(&output.stdout).map_err(|_| format!("`{program}` gave no valid answer"))?;
        Ok(Some(if answer.username == "<token>" {
            Login::Identity(answer.secret)
        } else {
            Login::Basic { username: answer.username, password: answer.secret }
        }))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    fn config(value: serde_json::Value) -> DockerConfig {
        serde_json::from_value(value).unwrap()
    }

    fn repository(image: &str) -> Repository {
        Repository::parse(image).unwrap()
    }

    fn user(config: &DockerConfig, image: &str) -> Option<String> {
        match config.login(&repository(image)).unwrap()? {
            (_, Login::Basic { username, .. }) => Some(username),
            (_, other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_most_specific_key_wins() {
        let config = config(json!({"auths": {
            "reg.example": {"username": "host"}, "reg.example/team": {"username": "team"},
            "https://reg.example/v2/team/app": {"username": "app"}, "*.example": {"username": "glob"},
        }}));
        for (image, wanted) in [
            ("reg.example/other", Some("host")),
            ("reg.example/team/x", Some("team")),
            ("reg.example/team/app/x", Some("app")),
            ("reg.example/teams/x", Some("host")),
            ("b.example/ab", Some("glob")),
            ("a.b.example/ab", None),
            ("reg.example:5000/ab", None),
        ] {
            assert_eq!(user(&config, image).as_deref(), wanted, "{image}");
        }
    }

    #[test]
    fn docker_hub_has_many_keys() {
        for key in ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"] {
            assert_eq!(
                user(&config(json!({"auths": {key: {"username": "u"}}})), "alpine").as_deref(),
                Some("u"),
                "{key}"
            );
        }
    }

    #[test]
    fn every_kind_of_entry() {
        let entry = |auth| config(json!({"auths": {"r.example": auth}})).login(&repository("r.example/ab"));
        let Ok(Some((_, Login::Basic { username, password }))) = entry(json!({"auth": "dTpwOnc=", "password": "no"}))
        else {
            panic!("basic");
        };
        assert_eq!((username.as_str(), password.expose_secret()), ("u", "p:w"));
        assert!(matches!(entry(json!({"identitytoken": "t", "auth": "dTo="})), Ok(Some((_, Login::Identity(_))))));
        assert!(matches!(entry(json!({"registrytoken": "t"})), Ok(Some((_, Login::Bearer(_))))));
        assert!(matches!(entry(json!({})), Ok(None)));
        assert!(entry(json!({"auth": "not base64!"})).unwrap_err().contains("`r.example`"));
    }

    #[test]
    fn helpers_by_host_before_the_store() {
        let config = config(json!({"credHelpers": {"a.example": "one", "*.gcr.io": "two"}, "credsStore": "store"}));
        let helper = |image: &str| config.helper(&repository(image)).map(|h| (h.name, h.server)).unwrap();
        assert_eq!(helper("a.example/ab"), ("one".into(), "a.example".into()));
        assert_eq!(helper("eu.gcr.io/ab"), ("two".into(), "eu.gcr.io".into()));
        assert_eq!(helper("b.example/ab"), ("store".into(), "b.example".into()));
        assert_eq!(helper("alpine"), ("store".into(), "https://index.docker.io/v1/".into()));
        assert_eq!(DockerConfig::default().helper(&repository("alpine")), None);
    }

    #[tokio::test]
    async fn a_missing_file_is_nothing_and_a_broken_one_keeps_its_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        assert!(DockerConfig::read(&path).await.unwrap().is_none());
        std::fs::write(&path, r#"{"auths": {"r": {"auth": 53, "x": "s3cr3t"}}}"#).unwrap();
        let Err(error) = DockerConfig::read(&path).await else {
            panic!("an error");
        };
        assert!(error.contains("line 1") && !error.contains("s3cr3t"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_helper_is_an_error() {
        let helper = Helper { name: "windlass-no-such-helper".into(), server: "r".into() };
        assert!(helper.ask().await.unwrap_err().contains("docker-credential-windlass-no-such-helper"));
        let helper = Helper { name: "../evil".into(), server: "r".into() };
        assert!(helper.ask().await.unwrap_err().contains("not valid"));
    }
}
