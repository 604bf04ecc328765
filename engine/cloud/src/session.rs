//! What clients may see of the outside: a snapshot of the environment, the home directory, the network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use crate::error::Problem;
use crate::http::Http;

/// The surroundings of a run; cheap to copy. Nothing here asks the process for its environment.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    environment: BTreeMap<String, String>,
    home: Option<PathBuf>,
    http: Http,
}

impl Session {
    /// Builds the HTTP clients; connects to nothing.
    ///
    /// # Errors
    /// A proxy variable holds no address, or the system's certificates cannot be used.
    pub fn new(environment: BTreeMap<String, String>, home: Option<PathBuf>) -> Result<Self, crate::CloudError> {
        let http = Http::new(&environment).map_err(|problem| problem.during("network", "prepare"))?;
        Ok(Self { inner: Arc::new(Inner { environment, home, http }) })
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.inner.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// As [`Self::variable`], for values that must not be seen.
    pub(crate) fn secret_variable(&self, name: &str) -> Option<SecretString> {
        self.variable(name).map(|value| value.to_owned().into())
    }

    /// A variable that says yes.
    pub(crate) fn switch(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "t" | "true"))
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.inner.environment
    }

    /// A path below the home directory.
    pub(crate) fn at_home(&self, path: &str) -> Option<PathBuf> {
        self.inner.home.as_ref().map(|home| home.join(path))
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    /// The address of a service, when `WINDLASS_ENDPOINT_<NAME>` gives another one than the cloud's own.
    pub(crate) fn endpoint(&self, name: &str) -> Result<Option<Url>, Problem> {
        self.address(&format!("WINDLASS_ENDPOINT_{name}"))
    }

    /// A variable that holds an address.
    pub(crate) fn address(&self, variable: &str) -> Result<Option<Url>, Problem> {
        let Some(text) = self.variable(variable) else { return Ok(None) };
        parse_address(text, &format!("environment variable `{variable}`")).map(Some)
    }

    /// The output of a program that gives credentials; it sees the snapshot, not our environment.
    pub(crate) async fn output(&self, program: &str, args: &[&str]) -> Result<SecretString, String> {
        let mut command = tokio::process::Command::new(program);
        command.args(args).env_clear().envs(&self.inner.environment).kill_on_drop(true);
        command.stdin(std::process::Stdio::null());
        let limit = std::time::Duration::from_secs(60);
        let output = tokio::time::timeout(limit, command.output()).await;
        let output = output.map_err(|_| format!("`{program}` did not end within 60 s"))?;
        let output = output.map_err(|error| format!("run `{program}`: {error}"))?;
        if !output.status.success() {
            let words = crate::error::quoted(&String::from_utf8_lossy(&output.stderr), &[]);
            return Err(format!("`{program}` failed ({}): {words}", output.status));
        }
        String::from_utf8(output.stdout).map(Into::into).map_err(|_| format!("the output of `{program}` is no text"))
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("home", &self.inner.home).finish_non_exhaustive()
    }
}

/// An `http` or `https` address; `origin` says where it was written.
pub(crate) fn parse_address(text: &str, origin: &str) -> Result<Url, Problem> {
    let url = Url::parse(text).map_err(|error| Problem::Input(format!("{origin} is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(Problem::Input(format!("{origin} must be an `https://` address")));
    }
    Ok(url)
}

/// A text file, whose content may be secret.
pub(crate) async fn read_text(path: &Path) -> Result<SecretString, String> {
    let bytes = tokio::fs::read(path).await.map_err(|error| format!("read `{}`: {error}", path.display()))?;
    String::from_utf8(bytes).map(Into::into).map_err(|_| format!("`{}` is no text", path.display()))
}
