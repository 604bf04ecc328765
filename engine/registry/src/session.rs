//! Requests about one repository: credentials, challenges, redirects.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder};
use url::Url;

use crate::artifact::Download;
use crate::auth::{Authorization, Challenge, TokenRequest, unauthorized};
use crate::connection::Connection;
use crate::credentials::Resolved;
use crate::error::RegistryError;
use crate::http::{Answer, ClientFactory};
use crate::oci::OciRegistry;
use crate::repository::{Repository, canonical_host};
use crate::settings::{Login, TlsOptions};

const MAX_REDIRECTS: usize = 5;

pub(crate) type Outcome<T> = Result<T, RegistryError>;

/// What a token must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

/// One request, without credentials.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) access: Access,
    /// May take as long as a whole operation.
    pub(crate) long: bool,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: None, access: Access::Pull, long: false }
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same for content that is uploaded.
    #[must_use]
    pub(crate) fn pushing(mut self, body: Option<Bytes>) -> Self {
        self.long = body.is_some();
        self.body = body;
        self.access = Access::Push;
        self
    }
}

/// Requests about one repository.
pub(crate) struct Session<'s> {
    pub(crate) registry: &'s OciRegistry,
    pub(crate) repository: &'s Repository,
    pub(crate) connection: Arc<Connection>,
    pub(crate) base: Url,
    pub(crate) resolved: Resolved,
}

impl Session<'_> {
    /// An address below the repository.
    pub(crate) fn url(&self, tail: &str) -> Outcome<Url> {
        self.base.join(&format!("{}/{tail}", self.repository.path())).map_err(|e| self.invalid(&e.to_string()))
    }

    /// An answer that is neither about credentials nor temporary.
    pub(crate) async fn fetch(&self, call: &Call) -> Outcome<Answer> {
        self.fetch_into(call, None).await
    }

    /// Sends with credentials; answers the first challenge, and one more when a token has expired.
    pub(crate) async fn fetch_into(&self, call: &Call, mut download: Option<&mut Download<'_>>) -> Outcome<Answer> {
        let mut authorization = match (&self.resolved.login, self.connection.challenge()) {
            (Some(Login::Bearer(token)), _) => Authorization::Bearer(token.clone()),
            // Some repositories of a host may be open.
            (None, Some(Challenge::Basic)) => Authorization::Anonymous,
            (_, Some(challenge)) => self.authorize(&challenge, call.access, None).await?,
            (_, None) => Authorization::Anonymous,
        };
        let mut challenged = false;
        loop {
            let answer = self.guarded(call, &authorization, download.as_deref_mut()).await?;
            if answer.status == 403 {
                return Err(self.unauthorized(403));
            }
            if answer.status != 401 {
                return Ok(answer);
            }
            let explicit = matches!(self.resolved.login, Some(Login::Bearer(_)));
            let challenge = Challenge::parse(answer.header("www-authenticate"));
            let Some(challenge) = challenge.filter(|_| !challenged && !explicit) else {
                return Err(self.unauthorized(401));
            };
            challenged = true;
            if matches!(authorization, Authorization::Basic { .. }) && challenge == Challenge::Basic {
                return Err(self.unauthorized(401));
            }
            *self.connection.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge.clone());
            authorization = self.authorize(&challenge, call.access, Some(&authorization)).await?;
        }
    }

    /// A basic login that has not worked yet is tried by one request at a time, and only once.
    async fn guarded(
        &self,
        call: &Call,
        authorization: &Authorization,
        download: Option<&mut Download<'_>>,
    ) -> Outcome<Answer> {
        if !matches!(authorization, Authorization::Basic { .. }) {
            return self.follow(call, authorization, download).await;
        }
        let gate = self.connection.tokens.gate(&self.resolved);
        let _first = if gate.proven.load(Ordering::Acquire) { None } else { Some(gate.first.lock().await) };
        if let Some(error) = gate.refusal() {
            return Err(error);
        }
        let answer = self.follow(call, authorization, download).await?;
        match answer.status {
            401 => gate.refuse(&self.unauthorized(401)),
            _ => gate.proven.store(true, Ordering::Release),
        }
        Ok(answer)
    }

    /// Follows redirects; another host gets no credentials and none of this host's transport options.
    async fn follow(
        &self,
        call: &Call,
        authorization: &Authorization,
        mut download: Option<&mut Download<'_>>,
    ) -> Outcome<Answer> {
        let own = &self.connection.transport;
        let mut away = origin(&call.url) != origin(&self.base);
        let mut target = call.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = if away {
                let host = canonical_host(&authority(&target));
                let factory = ClientFactory { settings: &self.registry.settings, host: &host, origin: "defaults" };
                let client = factory.build(&TlsOptions::default(), false).await?;
                let transport = self.registry.transport(client, &host);
                transport.send_into(|client| self.request(client, call, &target), download.as_deref_mut()).await?
            } else {
                let request = |client: &Client| authorization.apply(self.request(client, call, &target));
                own.send_into(request, download.as_deref_mut()).await?
            };
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let next = answer.header("location").next().and_then(|location| answer.url.join(location).ok());
            let next = next.ok_or_else(|| self.invalid("a redirect without target"))?;
            let secure = target.scheme() == "https";
            if !matches!(next.scheme(), "http" | "https") || (secure && next.scheme() == "http") {
                return Err(self.invalid("a redirect away from HTTPS"));
            }
            // Once away, nothing goes back with credentials.
            away |= origin(&next) != origin(&self.base);
            target = next;
        }
        Err(self.invalid("too many redirects"))
    }

    fn request(&self, client: &Client, call: &Call, url: &Url) -> RequestBuilder {
        let mut request = client.request(call.method.clone(), url.clone());
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        if call.long { request.timeout(self.registry.settings.timeouts.total) } else { request }
    }

    async fn authorize(
        &self,
        challenge: &Challenge,
        access: Access,
        refused: Option<&Authorization>,
    ) -> Outcome<Authorization> {
        match (challenge, &self.resolved.login) {
            (Challenge::Basic, Some(Login::Basic { username, password })) => {
                Ok(Authorization::Basic { username: username.clone(), password: password.clone() })
            }
            (Challenge::Basic, _) => Err(self.unauthorized(401)),
            (Challenge::Bearer { realm, service, scope: _ }, _) => {
                if self.base.scheme() == "https" && realm.scheme() != "https" {
                    return Err(self.invalid("the token service is not reached by HTTPS"));
                }
                let stale = match refused {
                    Some(Authorization::Bearer(token)) => Some(token),
                    _ => None,
                };
                let actions = match access {
                    Access::Pull => "pull",
                    Access::Push => "pull,push",
                };
                let request = TokenRequest {
                    transport: &self.connection.transport,
                    repository: self.repository,
                    resolved: &self.resolved,
                    realm,
                    service: service.as_deref(),
                    scope: &format!("repository:{}:{actions}", self.repository.path()),
                };
                Ok(Authorization::Bearer(request.token(&self.connection.tokens, stale).await?))
            }
        }
    }

    /// Whether pages are wanted for the next run.
    pub(crate) fn keeps_pages(&self) -> bool {
        self.registry.settings.cache.is_some()
    }

    fn unauthorized(&self, status: u16) -> RegistryError {
        unauthorized(&self.connection.transport, self.repository, status, &self.resolved)
    }

    /// The error for an answer that is one.
    pub(crate) fn status(&self, answer: &Answer) -> RegistryError {
        let repository = self.repository.to_string();
        if answer.status == 404 || answer.has_code("NAME_UNKNOWN") {
            return RegistryError::RepositoryNotFound { repository, message: answer.message() };
        }
        let host = self.repository.host().to_owned();
        RegistryError::Status { host, repository, status: answer.status, message: answer.message() }
    }

    pub(crate) fn invalid(&self, reason: &str) -> RegistryError {
        RegistryError::InvalidAnswer {
            host: self.repository.host().to_owned(),
            repository: self.repository.to_string(),
            reason: reason.to_owned(),
        }
    }
}

fn origin(url: &Url) -> (String, Option<String>, Option<u16>) {
    (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
}

/// Host with port, when it is not the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
