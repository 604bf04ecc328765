//! Google Cloud: Secret Manager, KMS and access tokens for registries.

mod credentials;
mod external;
mod file;

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::json;
use tokio::sync::Mutex;

use credentials::Finder;

use crate::cache::{Cache, Ends};
use crate::encode::{base64_bytes, base64_text, percent};
use crate::error::{CloudError, Problem};
use crate::http::Call;
use crate::login::RegistryLogin;
use crate::session::{Session, parse_address};

/// The scope that all calls here use.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Whose credentials are used; without any, the application default credentials.
#[derive(Clone, Debug, Default)]
pub struct GoogleOptions {
    /// Content of a credentials file, in place of the default ones.
    pub credentials: Option<SecretString>,
    /// An access token, in place of all others.
    pub access_token: Option<SecretString>,
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    pub(crate) end: Option<Timestamp>,
}

impl Ends for Token {
    fn end(&self) -> Option<Timestamp> {
        self.end
    }
}

/// A client with one identity. Tokens are fetched at the first call and kept, one for each scope.
pub struct Google {
    session: Session,
    options: GoogleOptions,
    kept: Mutex<BTreeMap<String, std::sync::Arc<Cache<Token>>>>,
}

const SECRETS: &str = "Google Secret Manager";
const KMS: &str = "Google Cloud KMS";
const TOKENS: &str = "Google access token";

impl Google {
    /// Stores the options; asks nobody yet.
    pub fn new(session: &Session, options: GoogleOptions) -> Self {
        Self { session: session.clone(), options, kept: Mutex::default() }
    }

    /// The text of `projects/<p>/secrets/<s>/versions/<v>`.
    ///
    /// # Errors
    /// See [`Problem`]; a secret that does not exist is [`CloudError::is_not_found`].
    pub async fn secret(&self, name: &str) -> Result<SecretString, CloudError> {
        self.secret_text(name).await.map_err(|problem| problem.during(SECRETS, format!("get secret `{name}`")))
    }

    async fn secret_text(&self, name: &str) -> Result<SecretString, Problem> {
        let parts: Vec<&str> = name.split('/').collect();
        let (base, path) = match &parts[..] {
            ["projects", project, "secrets", secret, "versions", version] => {
                let path = ["projects", project, "secrets", secret, "versions", version];
                ("https://secretmanager.googleapis.com".to_owned(), path.map(percent).join("/"))
            }
            ["projects", project, "locations", place, "secrets", secret, "versions", version] => {
                let path = ["projects", project, "locations", place, "secrets", secret, "versions", version];
                let place = percent(place).to_ascii_lowercase();
                (format!("https://secretmanager.{place}.rep.googleapis.com"), path.map(percent).join("/"))
            }
            _ => {
                let form = "projects/<project>/secrets/<secret>/versions/<version>";
                return Err(Problem::Input(format!("the name must have the form `{form}`, for example with `latest`")));
            }
        };
        if parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
            return Err(Problem::Input("a part of the name is empty".to_owned()));
        }
        let base = self.base("SECRETMANAGER", &base)?;
        let url = parse_address(&format!("{base}/v1/{path}:access"), "the secret's name")?;
        let call = Call::get(url).bearer(&self.token(CLOUD_PLATFORM).await?.value);
        let answer = self.session.http().ask(&call).await?.json();
        let bytes = answer["payload"]["data"].as_str().and_then(base64_bytes);
        let bytes = bytes.ok_or_else(|| Problem::Answer("it has no payload".to_owned()))?;
        String::from_utf8(bytes).map(Into::into).map_err(|_| Problem::Answer("the secret is no text".to_owned()))
    }

    /// Decrypts with a key `projects/../locations/../keyRings/../cryptoKeys/..`.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn decrypt(&self, key: &str, ciphertext: &[u8]) -> Result<SecretSlice<u8>, CloudError> {
        self.plaintext(key, ciphertext).await.map_err(|problem| problem.during(KMS, format!("decrypt with `{key}`")))
    }

    async fn plaintext(&self, key: &str, ciphertext: &[u8]) -> Result<SecretSlice<u8>, Problem> {
        let parts: Vec<&str> = key.split('/').collect();
        let named = matches!(&parts[..], ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _, ..]);
        if !named || parts.iter().any(|part| part.is_empty() || *part == "." || *part == "..") {
            let form = "projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>";
            return Err(Problem::Input(format!("the key must have the form `{form}`")));
        }
        // A version in the name chose the key for encryption; the ciphertext knows its own.
        let path: Vec<String> = parts[..8].iter().map(|part| percent(part)).collect();
        let base = self.base("CLOUDKMS", "https://cloudkms.googleapis.com")?;
        let url = parse_address(&format!("{base}/v1/{}:decrypt", path.join("/")), "the key's name")?;
        let call = Call::json(url, &json!({ "ciphertext": base64_text(ciphertext) }));
        let call = call.bearer(&self.token(CLOUD_PLATFORM).await?.value);
        let answer = self.session.http().ask(&call).await?.json();
        let plain = answer["plaintext"].as_str().and_then(base64_bytes);
        plain.map(Into::into).ok_or_else(|| Problem::Answer("it has no plaintext".to_owned()))
    }

    /// A login for `gcr.io` and Artifact Registry.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn registry_login(&self) -> Result<RegistryLogin, CloudError> {
        let token = self.token(CLOUD_PLATFORM).await.map_err(|problem| problem.during(TOKENS, "log in"))?;
        Ok(RegistryLogin { username: "oauth2accesstoken".to_owned(), password: token.value, end: token.end })
    }

    /// An access token for a scope.
    ///
    /// # Errors
    /// See [`Problem`].
    pub async fn access_token(&self, scope: &str) -> Result<SecretString, CloudError> {
        let token = self.token(scope).await;
        token.map(|token| token.value).map_err(|problem| problem.during(TOKENS, format!("for `{scope}`")))
    }

    async fn token(&self, scope: &str) -> Result<Token, Problem> {
        if let Some(value) = self.options.access_token.clone() {
            return Ok(Token { value, end: None });
        }
        let cache = {
            let mut kept = self.kept.lock().await;
            kept.entry(scope.to_owned()).or_insert_with(|| std::sync::Arc::new(Cache::new())).clone()
        };
        let finder = Finder { session: &self.session, scope };
        cache.get(finder.find(self.options.credentials.as_ref())).await
    }

    /// The service's address, or the one of `WINDLASS_ENDPOINT_GOOGLE_<NAME>` or gcloud's own override.
    fn base(&self, name: &str, usual: &str) -> Result<String, Problem> {
        let own = self.session.endpoint(&format!("GOOGLE_{name}"))?;
        let url = match own {
            Some(url) => Some(url),
            None => self.session.address(&format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"))?,
        };
        Ok(url.map_or_else(|| usual.to_owned(), |url| url.to_string().trim_end_matches('/').to_owned()))
    }
}

impl GoogleOptions {
    /// What SOPS looks at before the default credentials: `GOOGLE_CREDENTIALS` (JSON or a path) and
    /// `GOOGLE_OAUTH_ACCESS_TOKEN`.
    ///
    /// # Errors
    /// The file of `GOOGLE_CREDENTIALS` cannot be read.
    pub async fn of_sops(session: &Session) -> Result<Self, CloudError> {
        let access_token = session.secret_variable("GOOGLE_OAUTH_ACCESS_TOKEN");
        let credentials = match session.secret_variable("GOOGLE_CREDENTIALS") {
            Some(text) if text.expose_secret().trim_start().starts_with('{') => Some(text),
            Some(path) => {
                let read = crate::session::read_text(std::path::Path::new(path.expose_secret())).await;
                let origin = "`GOOGLE_CREDENTIALS`".to_owned();
                Some(read.map_err(|reason| Problem::Credentials { origin, reason }.during(TOKENS, "log in"))?)
            }
            None => None,
        };
        Ok(Self { credentials, access_token })
    }
}

impl std::fmt::Debug for Google {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Google").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
