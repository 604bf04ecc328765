//! The real registry client.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use tokio::sync::OnceCell;
use url::Url;

use crate::auth::{Authorization, Challenge, TokenRequest, Tokens, unauthorized};
use crate::credentials::{CredentialStore, Resolved};
use crate::error::RegistryError;
use crate::host::Throttle;
use crate::http::{Answer, ClientFactory, Transport, sha256_digest};
use crate::repository::{Repository, canonical_host};
use crate::settings::{Login, RegistryCredentials, RegistrySettings, TlsOptions};
use crate::{Manifest, Registry, TagList, tags};

const DEFAULT_REQUESTS_PER_HOST: usize = 8;
const MAX_REDIRECTS: usize = 5;
const TAG_LIST: &str = "application/json";
/// Indexes first: a digest shall name all platforms.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// A cell per key that is filled once; later callers wait for the first.
///
/// When the first caller goes away, the next one takes over.
struct Once<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K: Hash + Eq, V> Once<K, V> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_insert_with(|| Arc::new(OnceCell::new()))
            .clone()
    }
}

type Outcome<T> = Result<T, RegistryError>;

/// A client for all registries of a run.
pub struct OciRegistry {
    settings: Arc<RegistrySettings>,
    store: CredentialStore,
    /// By host and explicit entry, because entries carry transport options.
    connections: Once<(String, Option<usize>), Outcome<Arc<Connection>>>,
    throttles: Mutex<HashMap<String, Arc<Throttle>>>,
    listings: Once<Repository, Outcome<Arc<TagList>>>,
    manifests: Once<(Repository, String), Outcome<Manifest>>,
}

/// A host with its transport options, scheme and tokens.
struct Connection {
    transport: Transport,
    base: OnceCell<Url>,
    plain_http: Option<bool>,
    challenge: Mutex<Option<Challenge>>,
    tokens: Tokens,
}

impl OciRegistry {
    /// Stores the settings; nothing is read or asked yet.
    pub fn new(mut settings: RegistrySettings) -> Self {
        let store =
            CredentialStore::new(std::mem::take(&mut settings.credentials), std::mem::take(&mut settings.auth_files));
        Self {
            settings: Arc::new(settings),
            store,
            connections: Once::new(),
            throttles: Mutex::default(),
            listings: Once::new(),
            manifests: Once::new(),
        }
    }

    async fn session<'s>(&'s self, repository: &'s Repository) -> Outcome<Session<'s>> {
        let entry = self.store.entry(repository)?;
        let key = (repository.host().to_owned(), entry.map(|(index, _)| index));
        let connection = self.connections.cell(key);
        let connection =
            connection.get_or_init(|| self.connect(repository.host(), entry.map(|(_, entry)| entry))).await;
        let connection = connection.clone()?;
        let base = connection.base(repository).await?.clone();
        let resolved = self.store.resolve(repository).await?;
        Ok(Session { registry: self, repository, connection, base, resolved })
    }

    async fn connect(&self, host: &str, entry: Option<&RegistryCredentials>) -> Outcome<Arc<Connection>> {
        let options = entry.map(|entry| entry.tls.clone()).unwrap_or_default();
        let skip_verify = options.verify.map_or(self.settings.defaults.insecure_skip_verify, |verify| !verify);
        let origin = entry.map_or("defaults", |entry| entry.origin.as_str());
        let client = ClientFactory { settings: &self.settings, host, origin }.build(&options, skip_verify).await?;
        let plain_http = options.plain_http.or(self.settings.defaults.plain_http.then_some(true));
        Ok(Arc::new(Connection {
            transport: self.transport(client, host),
            base: OnceCell::new(),
            plain_http,
            challenge: Mutex::default(),
            tokens: Tokens::default(),
        }))
    }

    fn transport(&self, client: reqwest::Client, host: &str) -> Transport {
        let requests = match self.settings.requests_per_host {
            0 => DEFAULT_REQUESTS_PER_HOST,
            requests => requests,
        };
        let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        let throttle = throttles.entry(host.to_owned()).or_insert_with(|| Arc::new(Throttle::new(requests))).clone();
        Transport { client, host: host.to_owned(), throttle, settings: self.settings.clone() }
    }

    /// Bounds a whole operation.
    async fn in_time<T>(&self, repository: &Repository, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let limit = self.settings.timeouts.total;
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            Err(RegistryError::Timeout {
                host: repository.host().to_owned(),
                what: format!("all of `{repository}`"),
                limit,
            })
        })
    }

    async fn fetch_tags(&self, repository: &Repository) -> Outcome<Arc<TagList>> {
        let list = self.in_time(repository, async { tags::list(&self.session(repository).await?).await }).await?;
        tracing::debug!(%repository, tags = list.tags().len(), "listed");
        Ok(Arc::new(list))
    }

    async fn fetch_manifest(&self, repository: &Repository, reference: &str) -> Outcome<Manifest> {
        self.in_time(repository, async { self.session(repository).await?.manifest(reference).await }).await
    }
}

#[async_trait::async_trait]
impl Registry for OciRegistry {
    async fn list_tags(&self, repository: &Repository) -> Outcome<Arc<TagList>> {
        let cell = self.listings.cell(repository.clone());
        cell.get_or_init(|| self.fetch_tags(repository)).await.clone()
    }

    async fn manifest(&self, repository: &Repository, reference: &str) -> Outcome<Manifest> {
        let cell = self.manifests.cell((repository.clone(), reference.to_owned()));
        cell.get_or_init(|| self.fetch_manifest(repository, reference)).await.clone()
    }
}

impl Connection {
    /// `https://host/v2/`, or `http` when told so or when a local host speaks nothing else.
    async fn base(&self, repository: &Repository) -> Outcome<&Url> {
        let url = |scheme: &str| {
            let text = format!("{scheme}://{}/v2/", self.transport.host);
            Url::parse(&text).map_err(|e| RegistryError::Settings {
                host: self.transport.host.clone(),
                origin: "image name".into(),
                reason: e.to_string(),
            })
        };
        let choose = || async {
            match self.plain_http {
                Some(true) => return url("http"),
                None if repository.is_local() => {}
                _ => return url("https"),
            }
            // Any answer, even an error, proves that the scheme is spoken. No credentials are sent.
            let spoken = |answer: Result<Answer, RegistryError>| match answer {
                Ok(_) | Err(RegistryError::Status { .. } | RegistryError::Throttled { .. }) => Ok(()),
                Err(error) => Err(error),
            };
            let (secure, plain) = (url("https")?, url("http")?);
            // Once: a server of the other scheme may close the connection, which looks like any broken one.
            match spoken(self.transport.probe(self.transport.client.get(secure.clone())).await) {
                Ok(()) => Ok(secure),
                Err(error @ (RegistryError::Connect { .. } | RegistryError::Tls { .. })) => {
                    let answer = self.transport.send(|client| client.get(plain.clone())).await;
                    spoken(answer).map(|()| plain.clone()).map_err(|_| error)
                }
                Err(error) => Err(error),
            }
        };
        self.base.get_or_try_init(choose).await
    }

    fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Requests about one repository.
pub(crate) struct Session<'s> {
    registry: &'s OciRegistry,
    pub(crate) repository: &'s Repository,
    connection: Arc<Connection>,
    base: Url,
    resolved: Resolved,
}

impl Session<'_> {
    /// An address below the repository.
    pub(crate) fn url(&self, tail: &str) -> Outcome<Url> {
        self.base.join(&format!("{}/{tail}", self.repository.path())).map_err(|e| self.invalid(&e.to_string()))
    }

    /// An answer that is neither about credentials nor temporary.
    pub(crate) async fn get(&self, url: Url) -> Outcome<Answer> {
        self.fetch(Method::GET, url, TAG_LIST).await
    }

    async fn manifest(&self, reference: &str) -> Outcome<Manifest> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let head = self.fetch(Method::HEAD, url.clone(), MANIFESTS).await?;
        let told = |answer: &Answer| answer.header("docker-content-digest").next().map(str::to_owned);
        let answer = match (head.status, told(&head)) {
            (200, Some(_)) | (404, _) => head,
            _ => self.fetch(Method::GET, url, MANIFESTS).await?,
        };
        match answer.status {
            200 => Ok(Manifest {
                digest: told(&answer).unwrap_or_else(|| sha256_digest(&answer.body)),
                media_type: answer.header("content-type").next().map(str::to_owned),
            }),
            404 => Err(RegistryError::ManifestNotFound {
                repository: self.repository.to_string(),
                reference: reference.to_owned(),
                message: answer.message(),
            }),
            _ => Err(self.status(&answer)),
        }
    }

    /// Sends with credentials; answers the first challenge, and one more when a token has expired.
    async fn fetch(&self, method: Method, url: Url, accept: &str) -> Outcome<Answer> {
        let mut authorization = match (&self.resolved.login, self.connection.challenge()) {
            (Some(Login::Bearer(token)), _) => Authorization::Bearer(token.clone()),
            (_, Some(challenge)) => self.authorize(&challenge, None).await?,
            (_, None) => Authorization::Anonymous,
        };
        let mut challenged = false;
        loop {
            let answer = self.guarded(&method, &url, accept, &authorization).await?;
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
            authorization = self.authorize(&challenge, Some(&authorization)).await?;
        }
    }

    /// A basic login that has not worked yet is tried by one request at a time, and only once.
    async fn guarded(
        &self,
        method: &Method,
        url: &Url,
        accept: &str,
        authorization: &Authorization,
    ) -> Outcome<Answer> {
        if !matches!(authorization, Authorization::Basic { .. }) {
            return self.follow(method, url, accept, authorization).await;
        }
        let gate = self.connection.tokens.gate(&self.resolved);
        let _first = if gate.proven.load(Ordering::Acquire) { None } else { Some(gate.first.lock().await) };
        if let Some(error) = gate.refusal() {
            return Err(error);
        }
        let answer = self.follow(method, url, accept, authorization).await?;
        match answer.status {
            401 => gate.refuse(&self.unauthorized(401)),
            _ => gate.proven.store(true, Ordering::Release),
        }
        Ok(answer)
    }

    /// Follows redirects; another host gets no credentials and none of this host's transport options.
    async fn follow(&self, method: &Method, url: &Url, accept: &str, authorization: &Authorization) -> Outcome<Answer> {
        let own = &self.connection.transport;
        let request =
            |client: &reqwest::Client, url: &Url| client.request(method.clone(), url.clone()).header("accept", accept);
        let mut answer = own.send(|client| authorization.apply(request(client, url))).await?;
        let mut foreign = None;
        for _ in 0..MAX_REDIRECTS {
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let target = answer.header("location").next().and_then(|location| answer.url.join(location).ok());
            let target = target.ok_or_else(|| self.invalid("a redirect without target"))?;
            let secure = answer.url.scheme() == "https";
            if !matches!(target.scheme(), "http" | "https") || (secure && target.scheme() == "http") {
                return Err(self.invalid("a redirect away from HTTPS"));
            }
            if foreign.is_none() && origin(&target) == origin(url) {
                answer = own.send(|client| authorization.apply(request(client, &target))).await?;
                continue;
            }
            // Once away, nothing goes back with credentials.
            let host = canonical_host(target.host_str().unwrap_or_default());
            let factory = ClientFactory { settings: &self.registry.settings, host: &host, origin: "defaults" };
            let client = factory.build(&TlsOptions::default(), false).await?;
            let transport = foreign.insert(self.registry.transport(client, &host));
            answer = transport.send(|client| request(client, &target)).await?;
        }
        Err(self.invalid("too many redirects"))
    }

    async fn authorize(&self, challenge: &Challenge, refused: Option<&Authorization>) -> Outcome<Authorization> {
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
                let request = TokenRequest {
                    transport: &self.connection.transport,
                    repository: self.repository,
                    resolved: &self.resolved,
                    realm,
                    service: service.as_deref(),
                    scope: &format!("repository:{}:pull", self.repository.path()),
                };
                Ok(Authorization::Bearer(request.token(&self.connection.tokens, stale).await?))
            }
        }
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
