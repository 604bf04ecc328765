//! Which credentials belong to a repository.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobMatcher};
use tokio::sync::OnceCell;

use crate::cloud::CloudStore;
use crate::docker_config::{DockerConfig, Helper};
use crate::error::RegistryError;
use crate::repository::{Repository, canonical_host};
use crate::settings::{Login, RegistryCredentials};

/// A login, and words about where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) login: Option<Login>,
    /// `credentials of KLUCTL_REGISTRY_1_*`, `no credentials found …`.
    pub(crate) tried: String,
}

type HelperAnswer = Arc<OnceCell<Result<Option<Login>, String>>>;
type ConfigFile = Result<Option<(PathBuf, DockerConfig)>, (PathBuf, String)>;

/// All sources, asked lazily and once.
pub(crate) struct CredentialStore {
    entries: Vec<Entry>,
    auth_files: Vec<PathBuf>,
    config: OnceCell<ConfigFile>,
    helpers: Mutex<HashMap<(String, String), HelperAnswer>>,
    pub(crate) cloud: Option<CloudStore>,
    pub(crate) found: Option<LoginSink>,
}

/// Hears each login of a file or helper when it is found, so that it can be masked.
pub type LoginSink = Arc<dyn Fn(&Login) + Send + Sync>;

struct Entry {
    credentials: RegistryCredentials,
    /// A glob that does not compile matches nothing; the text is told on use.
    repository: Option<Result<GlobMatcher, String>>,
}

impl CredentialStore {
    pub(crate) fn new(credentials: Vec<RegistryCredentials>, auth_files: Vec<PathBuf>) -> Self {
        let glob = |text: &String| {
            let glob = GlobBuilder::new(text).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|e| e.to_string())
        };
        let entries = credentials
            .into_iter()
            .map(|credentials| Entry { repository: credentials.repository.as_ref().map(glob), credentials })
            .collect();
        Self { entries, auth_files, config: OnceCell::new(), helpers: Mutex::default(), cloud: None, found: None }
    }

    /// The first explicit entry for a repository.
    pub(crate) fn entry(
        &self,
        repository: &Repository,
    ) -> Result<Option<(usize, &RegistryCredentials)>, RegistryError> {
        for (index, entry) in self.entries.iter().enumerate() {
            let credentials = &entry.credentials;
            if credentials.host != "*" && canonical_host(&credentials.host) != repository.host() {
                continue;
            }
            match &entry.repository {
                None => return Ok(Some((index, credentials))),
                Some(Ok(glob)) if glob.is_match(repository.path()) => return Ok(Some((index, credentials))),
                Some(Ok(_)) => {}
                Some(Err(reason)) => {
                    return Err(RegistryError::Settings {
                        host: repository.host().to_owned(),
                        origin: credentials.origin.clone(),
                        reason: reason.clone(),
                    });
                }
            }
        }
        Ok(None)
    }

    /// Explicit entry, then login file and helpers, then the cloud's identity, then anonymous.
    pub(crate) async fn resolve(&self, repository: &Repository) -> Result<Resolved, RegistryError> {
        if let Some((_, entry)) = self.entry(repository)?
            && let Some(login) = &entry.login
        {
            let tried = format!("tried the credentials of {}", entry.origin);
            return Ok(Resolved { login: Some(login.clone()), tried });
        }
        let of_file = self.of_file(repository).await?;
        if let Some(login) = &of_file.login {
            if let Some(found) = &self.found {
                found(login);
            }
            return Ok(of_file);
        }
        let host = repository.host();
        let Some(cloud) = self.cloud.as_ref().filter(|cloud| cloud.is_wanted(host)) else {
            return Ok(of_file);
        };
        match cloud.login(host).await {
            Ok(Some(login)) => {
                let tried = "tried the credentials of the cloud's identity".to_owned();
                Ok(Resolved { login: Some(login), tried })
            }
            Ok(None) => Ok(of_file),
            Err(reason) => Ok(Resolved { login: None, tried: format!("{}; cloud login: {reason}", of_file.tried) }),
        }
    }

    /// Whether a refused stranger may be a known one to the cloud; from then on the cloud is asked.
    pub(crate) fn turns_to_cloud(&self, repository: &Repository, error: &RegistryError) -> bool {
        let refused = matches!(error, RegistryError::Unauthorized { .. });
        refused && self.cloud.as_ref().is_some_and(|cloud| cloud.want(repository.host()))
    }

    async fn of_file(&self, repository: &Repository) -> Result<Resolved, RegistryError> {
        let failed = |origin: String, reason: String| RegistryError::Credentials {
            host: repository.host().to_owned(),
            origin,
            reason,
        };
        let (path, config) = match self.config().await {
            Ok(Some((path, config))) => (path, config),
            Ok(None) => {
                return Ok(Resolved { login: None, tried: "no credentials are configured, tried anonymously".into() });
            }
            Err((path, reason)) => return Err(failed(format!("`{}`", path.display()), reason.clone())),
        };
        let file = format!("`{}`", path.display());
        let mut note = String::new();
        if let Some(helper) = config.helper(repository) {
            let program = format!("`docker-credential-{}` ({file})", helper.name);
            match self.ask(helper).await {
                Ok(Some(login)) => {
                    return Ok(Resolved { login: Some(login), tried: format!("tried the credentials of {program}") });
                }
                Ok(None) => note = format!(" nor in {program}"),
                Err(reason) => note = format!("; {reason}"),
            }
        }
        Ok(match config.login(repository).map_err(|reason| failed(file.clone(), reason))? {
            Some((key, login)) => {
                Resolved { login: Some(login), tried: format!("tried the credentials of `{key}` in {file}") }
            }
            None => Resolved { login: None, tried: format!("no credentials in {file}{note}, tried anonymously") },
        })
    }

    /// The first login file that exists, read once.
    async fn config(&self) -> &ConfigFile {
        let read = || async {
            for path in &self.auth_files {
                match DockerConfig::read(path).await {
                    Ok(Some(config)) => return Ok(Some((path.clone(), config))),
                    Ok(None) => {}
                    Err(reason) => return Err((path.clone(), reason)),
                }
            }
            Ok(None)
        };
        self.config.get_or_init(read).await
    }

    /// Runs each helper once per server.
    async fn ask(&self, helper: Helper) -> Result<Option<Login>, String> {
        let key = (helper.name.clone(), helper.server.clone());
        let cell = self.helpers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_init(|| helper.ask()).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{CloudLogin, CloudLogins};

    fn entry(host: &str, repository: Option<&str>, user: &str) -> RegistryCredentials {
        RegistryCredentials {
            origin: user.to_owned(),
            host: host.to_owned(),
            repository: repository.map(str::to_owned),
            login: Some(Login::Basic { username: user.to_owned(), password: "s3cr3t".into() }),
            ..RegistryCredentials::default()
        }
    }

    async fn tried(store: &CredentialStore, image: &str) -> String {
        store.resolve(&Repository::parse(image).unwrap()).await.unwrap().tried
    }

    #[tokio::test]
    async fn the_first_matching_entry_is_used() {
        let entries = vec![
            entry("reg.example", Some("team/*"), "team"),
            entry("reg.example", None, "host"),
            entry("docker.io", None, "hub"),
            entry("*", Some("any/**"), "any"),
        ];
        let store = CredentialStore::new(entries, vec![]);
        for (image, wanted) in [
            ("reg.example/team/a", "of team"),
            ("reg.example/team/a/b", "of host"),
            ("alpine", "of hub"),
            ("other.example/any/a/b", "of any"),
            ("other.example/ab", "anonymously"),
            ("reg.example:5000/ab", "anonymously"),
        ] {
            let tried = tried(&store, image).await;
            assert!(tried.ends_with(wanted), "{image}: {tried}");
        }
    }

    #[tokio::test]
    async fn an_entry_without_login_leaves_it_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, r#"{"auths": {"reg.example": {"auth": "dTpw"}}}"#).unwrap();
        let plain = RegistryCredentials { login: None, ..entry("reg.example", None, "x") };
        let store = CredentialStore::new(vec![plain], vec![dir.path().join("missing"), path]);
        assert!(tried(&store, "reg.example/ab").await.contains("of `reg.example` in"));
        assert!(tried(&store, "b.example/ab").await.starts_with("no credentials in"));
    }

    #[tokio::test]
    async fn broken_sources_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, "{").unwrap();
        let store = CredentialStore::new(vec![entry("a.example", Some("[z"), "broken")], vec![path]);
        let glob = store.resolve(&Repository::parse("a.example/ab").unwrap()).await.unwrap_err();
        assert!(matches!(glob, RegistryError::Settings { origin, .. } if origin == "broken"));
        let file = store.resolve(&Repository::parse("b.example/ab").unwrap()).await.unwrap_err();
        assert!(matches!(file, RegistryError::Credentials { .. }));
    }

    struct Cloud(Result<Option<CloudLogin>, String>);

    #[async_trait::async_trait]
    impl CloudLogins for Cloud {
        async fn login(&self, _: &str) -> Result<Option<CloudLogin>, String> {
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn the_cloud_is_asked_last_and_only_for_its_hosts() {
        let login = CloudLogin { login: Login::Bearer("s3cr3t".into()), valid_for: None };
        for (outcome, wanted) in [
            (Ok(Some(login)), "of the cloud's identity"),
            (Ok(None), "tried anonymously"),
            (Err("no role".to_owned()), "tried anonymously; cloud login: no role"),
        ] {
            let mut store = CredentialStore::new(vec![entry("eu.gcr.io", None, "explicit")], vec![]);
            store.cloud = Some(CloudStore::new(Arc::new(Cloud(outcome))));
            assert!(tried(&store, "us.gcr.io/ab").await.ends_with("tried anonymously"), "public until it refuses");
            let refused = |host: &str| {
                let (host, repository, tried) = (host.to_owned(), String::new(), String::new());
                RegistryError::Unauthorized { host, repository, status: 401, tried }
            };
            let google = Repository::parse("us.gcr.io/ab").unwrap();
            assert!(store.turns_to_cloud(&google, &refused("us.gcr.io")));
            assert!(!store.turns_to_cloud(&google, &refused("us.gcr.io")), "once");
            let other = Repository::parse("reg.example/ab").unwrap();
            assert!(!store.turns_to_cloud(&other, &refused("reg.example")));
            assert!(tried(&store, "us.gcr.io/ab").await.ends_with(wanted), "{wanted}");
            assert!(tried(&store, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ab").await.ends_with(wanted));
            assert!(tried(&store, "eu.gcr.io/ab").await.ends_with("of explicit"));
            assert!(tried(&store, "reg.example/ab").await.ends_with("anonymously"));
        }
    }

    #[tokio::test]
    async fn a_failing_helper_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, r#"{"credsStore": "windlass-no-such-helper"}"#).unwrap();
        let store = CredentialStore::new(vec![], vec![path]);
        assert!(tried(&store, "a.example/ab").await.contains("docker-credential-windlass-no-such-helper"));
    }
}
