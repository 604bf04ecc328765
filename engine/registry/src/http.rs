//! One request with retries; no knowledge of tags or tokens.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Identity, RequestBuilder};
use secrecy::ExposeSecret as _;
use tokio::time::Instant;
use url::Url;

use crate::artifact::Download;
use crate::error::RegistryError;
use crate::host::{Kind, Place, Signal, Throttle};
use crate::quota::Quota;
use crate::retry::{backoff, is_passing, retry_after};
use crate::settings::{Proxy, RegistrySettings, TlsOptions};

/// More than any honest page or manifest.
const MAX_BODY: usize = 64 << 20;

/// The other side answers, but not with TLS.
const NO_TLS: &str = "the server does not speak TLS; plain HTTP must be asked for";

/// A whole answer; its status may be an error.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) url: Url,
}

impl Answer {
    /// All readable values of a header.
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The registry's own words about an error: `CODE: message`, at most one line.
    pub(crate) fn message(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let first = &json["errors"][0];
        let parts = [first["code"].as_str(), first["message"].as_str()];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
        let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
        if text.is_empty() { format!("HTTP status {}", self.status) } else { text }
    }

    /// Whether the body names this error code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.message().starts_with(code)
    }
}

/// A way to one host.
pub(crate) struct Transport {
    pub(crate) client: Client,
    pub(crate) host: String,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) settings: Arc<RegistrySettings>,
}

/// What one attempt came to.
enum Outcome {
    Answer(Answer, Signal),
    /// May pass; the wait that the server asked for.
    Again(RegistryError, Option<Duration>),
    Failed(RegistryError),
}

impl Transport {
    /// Sends until an answer comes that waiting would not change.
    pub(crate) async fn send(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Answer, RegistryError> {
        self.send_into(request, None).await
    }

    /// The same; the body of a good answer goes to the download.
    pub(crate) async fn send_into(
        &self,
        request: impl Fn(&Client) -> RequestBuilder,
        mut download: Option<&mut Download<'_>>,
    ) -> Result<Answer, RegistryError> {
        let retry = &self.settings.retry;
        let mut attempt = 1;
        loop {
            let (outcome, place) = self.enter_and_attempt(request(&self.client), download.as_deref_mut()).await?;
            let (error, wish) = match outcome {
                Outcome::Answer(answer, signal) => {
                    place.leave(signal);
                    return Ok(answer);
                }
                Outcome::Failed(error) => return Err(error),
                Outcome::Again(error, wish) => (error, wish),
            };
            let wait = wish.unwrap_or_else(|| backoff(retry, attempt, &self.host));
            let refused = wish.is_some() || matches!(error, RegistryError::Status { status: 429, .. });
            // Everybody waits, also when this request gives up.
            place.leave(if refused { Signal::Refused { wait } } else { Signal::Broken });
            if wait > retry.max_retry_after {
                return Err(RegistryError::Throttled { host: self.host.clone(), wait });
            }
            if attempt >= retry.attempts {
                return Err(error);
            }
            tracing::debug!(host = self.host, %error, attempt, ?wait, "retry");
            if !refused {
                tokio::time::sleep(wait).await;
            }
            attempt += 1;
        }
    }

    /// Sends once, to find out whether the other side can be talked to at all.
    pub(crate) async fn probe(&self, request: RequestBuilder) -> Result<Answer, RegistryError> {
        match self.enter_and_attempt(request, None).await?.0 {
            Outcome::Answer(answer, _) => Ok(answer),
            Outcome::Failed(error) | Outcome::Again(error, _) => Err(error),
        }
    }

    async fn enter_and_attempt(
        &self,
        request: RequestBuilder,
        download: Option<&mut Download<'_>>,
    ) -> Result<(Outcome, Place<'_>), RegistryError> {
        let throttled = |wait| RegistryError::Throttled { host: self.host.clone(), wait };
        let place = self.throttle.enter().await.map_err(throttled)?;
        Ok((self.attempt(request, download).await, place))
    }

    async fn attempt(&self, request: RequestBuilder, download: Option<&mut Download<'_>>) -> Outcome {
        let sent = Instant::now();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.transport_failure(&error),
        };
        let latency = sent.elapsed();
        let (status, headers, url) = (response.status().as_u16(), response.headers().clone(), response.url().clone());
        let body = match download.filter(|_| status == 200) {
            Some(download) => download.receive(response).await.map(|()| Vec::new()),
            None => read(response).await,
        };
        let body = match body {
            Ok(body) => body,
            Err(Broken::Connection(error)) => return self.transport_failure(&error),
            Err(Broken::TooLarge { limit }) => {
                let what = self.subject(&url);
                return Outcome::Failed(RegistryError::TooLarge { host: self.host.clone(), what, limit });
            }
            Err(Broken::Sink(reason)) => return Outcome::Failed(RegistryError::Sink { reason }),
        };
        let answer = Answer { status, headers, body, url };
        if !is_passing(status) {
            let quota = Quota::of(&answer.headers, SystemTime::now());
            let signal = Signal::Good { kind: Kind::of(answer.url.path()), latency, quota };
            return Outcome::Answer(answer, signal);
        }
        let wish = answer.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok());
        let wish = wish.and_then(|text| retry_after(text, SystemTime::now()));
        let error = RegistryError::Status {
            host: self.host.clone(),
            repository: self.subject(&answer.url),
            status,
            message: answer.message(),
        };
        Outcome::Again(error, wish)
    }

    /// What the request was about, from its path.
    fn subject(&self, url: &Url) -> String {
        let path = url.path().trim_start_matches("/v2/");
        let end = ["/tags/", "/manifests/", "/blobs/"].iter().find_map(|part| path.rfind(part)).unwrap_or(path.len());
        path[..end].to_owned()
    }

    fn transport_failure(&self, error: &reqwest::Error) -> Outcome {
        match classify(error, &self.host, &self.settings) {
            error @ (RegistryError::Tls { .. } | RegistryError::UnknownHost { .. }) => Outcome::Failed(error),
            error => {
                // A refused connection to this machine will not change in a moment.
                let local = matches!(&error, RegistryError::Connect { reason, .. }
                    if reason.contains("refused") || reason == NO_TLS);
                if local { Outcome::Failed(error) } else { Outcome::Again(error, None) }
            }
        }
    }
}

/// Why a body did not arrive whole.
pub(crate) enum Broken {
    Connection(reqwest::Error),
    TooLarge { limit: u64 },
    Sink(String),
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Broken::Connection)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Broken::TooLarge { limit: MAX_BODY as u64 });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Turns a transport error into ours. Addresses are left out: they may hold tokens.
fn classify(error: &reqwest::Error, host: &str, settings: &RegistrySettings) -> RegistryError {
    let host = host.to_owned();
    if error.is_timeout() {
        let (what, limit) = if error.is_connect() {
            ("connect", settings.timeouts.connect)
        } else {
            ("request", settings.timeouts.request)
        };
        return RegistryError::Timeout { host, what: what.to_owned(), limit };
    }
    let mut reason = String::from("the request failed");
    let mut source = error.source();
    while let Some(cause) = source {
        reason = cause.to_string();
        match tls_error(cause) {
            Some(rustls::Error::InvalidMessage(_)) => {
                return RegistryError::Connect { host, reason: NO_TLS.to_owned() };
            }
            Some(_) => return RegistryError::Tls { host, reason },
            None => {}
        }
        if reason.contains("dns error") {
            let reason = cause.source().map_or(reason, ToString::to_string);
            return RegistryError::UnknownHost { host, reason };
        }
        source = cause.source();
    }
    RegistryError::Connect { host, reason }
}

/// TLS's own error, also when I/O errors are wrapped around it.
fn tls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    let inner = || error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.downcast_ref::<rustls::Error>().or_else(|| tls_error(inner()?))
}

/// Builds clients.
pub(crate) struct ClientFactory<'s> {
    pub(crate) settings: &'s RegistrySettings,
    pub(crate) host: &'s str,
    pub(crate) origin: &'s str,
}

impl ClientFactory<'_> {
    /// A client with an entry's transport options.
    pub(crate) async fn build(&self, tls: &TlsOptions, skip_verify: bool) -> Result<Client, RegistryError> {
        let TlsOptions { verify: _, plain_http: _, ca_file, cert_file, key_file } = tls;
        let mut builder = self.base()?;
        if skip_verify {
            builder = builder.tls_danger_accept_invalid_certs(true).tls_danger_accept_invalid_hostnames(true);
        }
        if let Some(path) = ca_file {
            let bundle = Certificate::from_pem_bundle(&self.file(path).await?);
            let bundle = bundle.map_err(|_| self.refused(format!("`{}` is not a PEM bundle", path.display())))?;
            if bundle.is_empty() {
                return Err(self.refused(format!("`{}` holds no certificate", path.display())));
            }
            builder = builder.tls_certs_only(bundle);
        }
        match (cert_file, key_file) {
            (Some(cert), Some(key)) => {
                let mut pem = self.file(cert).await?;
                pem.push(b'\n');
                pem.extend(self.file(key).await?);
                let identity = Identity::from_pem(&pem);
                let names = format!("`{}` and `{}`", cert.display(), key.display());
                builder = builder
                    .identity(identity.map_err(|_| self.refused(format!("{names} are no certificate and key")))?);
            }
            (None, None) => {}
            _ => return Err(self.refused("a client certificate needs both certificate and key".into())),
        }
        builder.build().map_err(|e| self.refused(without_url(e)))
    }

    fn base(&self) -> Result<ClientBuilder, RegistryError> {
        // Does nothing when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let RegistrySettings { proxy, timeouts, user_agent, .. } = self.settings;
        let user_agent = if user_agent.is_empty() { "windlass" } else { user_agent };
        let builder = Client::builder()
            .user_agent(user_agent)
            // Followed by hand: credentials must not go along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            // Long transfers lift the other limit, not this one.
            .read_timeout(timeouts.request)
            .timeout(timeouts.request);
        Ok(match proxy {
            Proxy::System => builder,
            Proxy::None => builder.no_proxy(),
            Proxy::Url { url, no_proxy } => {
                let proxy = reqwest::Proxy::all(url.expose_secret());
                let proxy = proxy.map_err(|_| self.refused("the proxy's address is not valid".into()))?;
                builder.proxy(proxy.no_proxy(no_proxy.as_deref().and_then(reqwest::NoProxy::from_string)))
            }
        })
    }

    async fn file(&self, path: &std::path::Path) -> Result<Vec<u8>, RegistryError> {
        tokio::fs::read(path).await.map_err(|e| self.refused(format!("read `{}`: {e}", path.display())))
    }

    fn refused(&self, reason: String) -> RegistryError {
        RegistryError::Settings { host: self.host.to_owned(), origin: self.origin.to_owned(), reason }
    }
}

fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
