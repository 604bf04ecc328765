//! Fetches files of chart repositories. Credentials go to the repository's own host only.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, StatusCode};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::credentials::{RepositoryCredentials, authority};

const CONNECT: Duration = Duration::from_secs(30);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;
const ATTEMPTS: u32 = 3;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address can not be used.
    #[error("invalid address `{url}`: {reason}")]
    Address {
        /// As written.
        url: String,
        /// Why.
        reason: String,
    },
    /// A certificate or key of the credentials can not be used.
    #[error("credentials for `{host}` ({origin}): {reason}")]
    Credentials {
        /// The repository's host.
        host: String,
        /// Where they came from.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// No answer.
    #[error("get {url}: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Nobody vouches for the server's certificate.
    #[error("get {url}: {reason}; {}", trust(host, .authorities.as_deref()))]
    Untrusted {
        /// The address.
        url: String,
        /// Host and port, as settings name it.
        host: String,
        /// What is wrong with the certificate.
        reason: String,
        /// The file of authorities in use, and the setting that named it; else those of the system.
        authorities: Option<String>,
    },
    /// The server wants other credentials.
    #[error("failed to fetch {url} : {status} ({})", if *.sent { "the server does not accept the credentials" } else { "no credentials are known for it" })]
    Unauthorized {
        /// The address.
        url: String,
        /// Code and reason.
        status: String,
        /// Whether credentials were sent.
        sent: bool,
    },
    /// Any other answer that is none.
    #[error("failed to fetch {url} : {status}")]
    Status {
        /// The address.
        url: String,
        /// Code and reason.
        status: String,
    },
    /// More than is sensible.
    #[error("{url} is larger than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The bound.
        limit: u64,
    },
    /// Too many redirects, or one to something else than HTTP.
    #[error("{url} redirects to `{to}`, which is not followed")]
    Redirect {
        /// The address.
        url: String,
        /// Where to.
        to: String,
    },
}

/// A way to one repository.
pub(crate) struct RepositoryClient {
    client: Client,
    base: Url,
    credentials: Option<RepositoryCredentials>,
}

impl RepositoryClient {
    /// `base` is the repository's address.
    pub(crate) fn open(
        base: Url,
        credentials: Option<RepositoryCredentials>,
        user_agent: &str,
    ) -> Result<Self, FetchError> {
        // Does nothing when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(user_agent)
            // Followed by hand: credentials must not go along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        if let Some(entry) = &credentials {
            let refused = |reason: String| FetchError::Credentials {
                host: base.host_str().unwrap_or_default().to_owned(),
                origin: entry.origin.clone(),
                reason,
            };
            if let Some(path) = &entry.ca_file {
                let roots = Certificate::from_pem_bundle(&read(path).map_err(refused)?)
                    .map_err(|_| refused(format!("`{}` holds no PEM certificates", path.display())))?;
                if roots.is_empty() {
                    return Err(refused(format!("`{}` holds no PEM certificates", path.display())));
                }
                builder = builder.tls_certs_only(roots);
            }
            match (&entry.cert_file, &entry.key_file) {
                (Some(cert), Some(key)) => {
                    let mut pem = read(cert).map_err(refused)?;
                    pem.push(b'\n');
                    pem.extend(read(key).map_err(refused)?);
                    let identity = Identity::from_pem(&pem)
                        .map_err(|_| refused(format!("`{}` and its key do not fit", cert.display())))?;
                    builder = builder.identity(identity);
                }
                (None, None) => {}
                _ => return Err(refused("a client certificate needs both certificate and key".to_owned())),
            }
            if entry.insecure_skip_tls_verify {
                builder = builder.tls_danger_accept_invalid_certs(true).tls_danger_accept_invalid_hostnames(true);
            }
        }
        let client =
            builder.build().map_err(|error| FetchError::Connection { url: shown(&base), reason: cause(error) })?;
        Ok(Self { client, base, credentials })
    }

    /// The whole file, of at most `limit` bytes.
    pub(crate) async fn get(&self, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut attempt = 1;
        loop {
            match self.follow(url.clone(), limit).await {
                Err(error) if attempt < ATTEMPTS && is_passing(&error) => {
                    tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn follow(&self, start: Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut url = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let (request, sent) = self.request(&url);
            let response = request.send().await.map_err(|error| self.no_answer(&url, error))?;
            let status = response.status();
            if status.is_redirection()
                && let Some(to) = response.headers().get("location").and_then(|to| to.to_str().ok())
            {
                let next = url.join(to).ok().filter(|next| matches!(next.scheme(), "http" | "https"));
                let next = next.filter(|next| url.scheme() == "http" || next.scheme() == "https");
                url = next.ok_or_else(|| FetchError::Redirect { url: shown(&url), to: to.to_owned() })?;
                continue;
            }
            return match status {
                StatusCode::OK => body(response, &url, limit).await,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    Err(FetchError::Unauthorized { url: shown(&url), status: status.to_string(), sent })
                }
                _ => Err(FetchError::Status { url: shown(&url), status: status.to_string() }),
            };
        }
        Err(FetchError::Redirect { url: shown(&start), to: shown(&url) })
    }

    fn no_answer(&self, url: &Url, error: reqwest::Error) -> FetchError {
        let untrusted = is_untrusted(&error);
        let (url, host, reason) = (shown(url), authority(url), cause(error));
        if !untrusted {
            return FetchError::Connection { url, reason };
        }
        let entry = self.credentials.as_ref();
        let authorities = entry.and_then(|entry| Some((entry.ca_file.as_ref()?, &entry.origin)));
        let authorities = authorities.map(|(file, origin)| format!("`{}` ({origin})", file.display()));
        FetchError::Untrusted { url, host, reason, authorities }
    }

    fn request(&self, url: &Url) -> (reqwest::RequestBuilder, bool) {
        let request = self.client.get(url.clone());
        let same = |a: &Url, b: &Url| (a.scheme(), a.host_str(), a.port()) == (b.scheme(), b.host_str(), b.port());
        let Some(entry) = &self.credentials else { return (request, false) };
        match (&entry.username, &entry.password) {
            (None, None) => (request, false),
            _ if !same(url, &self.base) && !entry.pass_credentials_all => (request, false),
            (username, password) => {
                let password = password.as_ref().map_or("", |password| password.expose_secret());
                (request.basic_auth(username.as_deref().unwrap_or_default(), Some(password)), true)
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("read `{}`: {error}", path.display()))
}

async fn body(mut response: reqwest::Response, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
    let too_large = || FetchError::TooLarge { url: shown(url), limit };
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        let piece = response.chunk().await;
        match piece.map_err(|error| FetchError::Connection { url: shown(url), reason: cause(error) })? {
            Some(piece) if (bytes.len() + piece.len()) as u64 > limit => return Err(too_large()),
            Some(piece) => bytes.extend_from_slice(&piece),
            None => return Ok(bytes),
        }
    }
}

fn is_passing(error: &FetchError) -> bool {
    match error {
        FetchError::Connection { .. } => true,
        FetchError::Status { status, .. } => {
            ["429", "500", "502", "503", "504"].iter().any(|code| status.starts_with(code))
        }
        _ => false,
    }
}

fn trust(host: &str, authorities: Option<&str>) -> String {
    match authorities {
        Some(authorities) => format!("its authority is not in {authorities}"),
        None => format!("name the file of its authority with `--helm-ca-file {host}=FILE` or KLUCTL_HELM_CA_FILE"),
    }
}

fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        if is_certificate(inner) {
            return true;
        }
        source = inner.source();
    }
    false
}

/// An I/O error hides the error that it holds.
fn is_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.get_ref().is_some_and(|held| is_certificate(held)),
        None => matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))),
    }
}

/// Without credentials that stand in the address.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() || !url.username().is_empty() {
        // Neither fails for an address with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    url.to_string()
}

/// The innermost reason says most.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
