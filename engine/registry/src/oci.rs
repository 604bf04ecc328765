//! The real registry client.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::artifact::{Artifacts, BlobSink, ManifestDocument, PushedBlob};
use crate::auth::Tokens;
use crate::cloud::{CloudLogins, CloudStore};
use crate::connection::Connection;
use crate::credentials::{CredentialStore, LoginSink};
use crate::error::RegistryError;
use crate::host::Throttle;
use crate::http::{ClientFactory, Transport};
use crate::mirrors::MirrorList;
use crate::platform::Platform;
use crate::repository::Repository;
use crate::session::{Outcome, Session};
use crate::settings::{RegistryCredentials, RegistrySettings};
use crate::{Manifest, Registry, TagList};

const DEFAULT_REQUESTS_PER_HOST: usize = 32;

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

/// A client for all registries of a run.
pub struct OciRegistry {
    pub(crate) settings: Arc<RegistrySettings>,
    store: CredentialStore,
    mirrors: MirrorList,
    /// By host and explicit entry, because entries carry transport options.
    connections: Once<(String, Option<usize>), Outcome<Arc<Connection>>>,
    throttles: Mutex<HashMap<String, Arc<Throttle>>>,
    listings: Once<Repository, Outcome<Arc<TagList>>>,
    manifests: Once<(Repository, String), Outcome<Manifest>>,
    created: Once<(Repository, String, Option<Platform>), Outcome<Option<Timestamp>>>,
    /// By digest: many tags share an image.
    config_times: Once<(Repository, String), Outcome<Option<Timestamp>>>,
}

impl OciRegistry {
    /// Stores the settings; nothing is read or asked yet.
    pub fn new(mut settings: RegistrySettings) -> Self {
        let store =
            CredentialStore::new(std::mem::take(&mut settings.credentials), std::mem::take(&mut settings.auth_files));
        let mirrors = MirrorList::new(std::mem::take(&mut settings.mirrors));
        Self {
            settings: Arc::new(settings),
            store,
            mirrors,
            connections: Once::new(),
            throttles: Mutex::default(),
            listings: Once::new(),
            manifests: Once::new(),
            created: Once::new(),
            config_times: Once::new(),
        }
    }

    /// The same; registries of clouds are asked with the cloud's identity.
    #[must_use]
    pub fn with_cloud(mut self, source: Arc<dyn CloudLogins>) -> Self {
        self.store.cloud = Some(CloudStore::new(source));
        self
    }

    /// The same; `sink` hears the logins of files and helpers.
    #[must_use]
    pub fn with_login_sink(mut self, sink: LoginSink) -> Self {
        self.store.found = Some(sink);
        self
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

    pub(crate) fn transport(&self, client: reqwest::Client, host: &str) -> Transport {
        let requests = match self.settings.requests_per_host {
            0 => DEFAULT_REQUESTS_PER_HOST,
            requests => requests,
        };
        let patience = self.settings.retry.max_retry_after;
        let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        let throttle =
            throttles.entry(host.to_owned()).or_insert_with(|| Arc::new(Throttle::new(requests, patience))).clone();
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

    /// Asks the mirrors in order and then the registry itself, whose error counts.
    async fn anywhere<T, F>(&self, repository: &Repository, ask: impl Fn(Repository) -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<T>>,
    {
        for mirror in self.mirrors.places(repository)? {
            match self.at(&mirror, &ask).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.mirrors.failed(&mirror, &error),
            }
        }
        self.at(repository, &ask).await
    }

    /// Asks in one place, again when the cloud may open it.
    async fn at<T, F>(&self, place: &Repository, ask: &impl Fn(Repository) -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<T>>,
    {
        match self.in_time(place, ask(place.clone())).await {
            Err(error) if self.store.turns_to_cloud(place, &error) => self.in_time(place, ask(place.clone())).await,
            outcome => outcome,
        }
    }

    async fn fetch_blob_at(
        &self,
        place: &Repository,
        digest: &str,
        limit: u64,
        sink: &mut dyn BlobSink,
    ) -> Outcome<u64> {
        let fetch = async { self.session(place).await?.fetch_blob(digest, limit, &mut *sink).await };
        match self.in_time(place, fetch).await {
            Err(error) if self.store.turns_to_cloud(place, &error) => {
                let again = async { self.session(place).await?.fetch_blob(digest, limit, sink).await };
                self.in_time(place, again).await
            }
            outcome => outcome,
        }
    }

    async fn fetch_tags(&self, repository: &Repository) -> Outcome<Arc<TagList>> {
        let ask = |place: Repository| async move { self.session(&place).await?.tags().await };
        let list = self.anywhere(repository, ask).await?;
        tracing::debug!(%repository, tags = list.tags().len(), "listed");
        Ok(Arc::new(list))
    }

    async fn fetch_manifest(&self, repository: &Repository, reference: &str) -> Outcome<Manifest> {
        let ask = |place: Repository| async move { self.session(&place).await?.manifest(reference).await };
        self.anywhere(repository, ask).await
    }

    async fn fetch_created(
        &self,
        repository: &Repository,
        reference: &str,
        platform: Option<&Platform>,
    ) -> Outcome<Option<Timestamp>> {
        let ask = |place: Repository| async move { self.session(&place).await?.created(reference, platform).await };
        self.anywhere(repository, ask).await
    }

    /// The time that a config tells, fetched once.
    pub(crate) async fn config_time(&self, session: &Session<'_>, digest: &str) -> Outcome<Option<Timestamp>> {
        let cell = self.config_times.cell((session.repository.clone(), digest.to_owned()));
        cell.get_or_init(|| session.fetch_config_time(digest)).await.clone()
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

    async fn created(
        &self,
        repository: &Repository,
        reference: &str,
        platform: Option<&Platform>,
    ) -> Outcome<Option<Timestamp>> {
        let cell = self.created.cell((repository.clone(), reference.to_owned(), platform.cloned()));
        cell.get_or_init(|| self.fetch_created(repository, reference, platform)).await.clone()
    }
}

#[async_trait::async_trait]
impl Artifacts for OciRegistry {
    async fn manifest_document(&self, repository: &Repository, reference: &str) -> Outcome<ManifestDocument> {
        let ask = |place: Repository| async move { self.session(&place).await?.document(reference).await };
        self.anywhere(repository, ask).await
    }

    async fn fetch_blob(
        &self,
        repository: &Repository,
        digest: &str,
        limit: u64,
        sink: &mut dyn BlobSink,
    ) -> Outcome<u64> {
        for mirror in self.mirrors.places(repository)? {
            match self.fetch_blob_at(&mirror, digest, limit, &mut *sink).await {
                Ok(size) => return Ok(size),
                Err(error) => self.mirrors.failed(&mirror, &error),
            }
        }
        self.fetch_blob_at(repository, digest, limit, sink).await
    }

    async fn push_blob(&self, repository: &Repository, content: Bytes) -> Outcome<PushedBlob> {
        let ask = |place: Repository| {
            let content = content.clone();
            async move { self.session(&place).await?.push_blob(content).await }
        };
        self.at(repository, &ask).await
    }

    async fn push_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        media_type: &str,
        document: Bytes,
    ) -> Outcome<String> {
        let ask = |place: Repository| {
            let document = document.clone();
            async move { self.session(&place).await?.push_document(reference, media_type, document).await }
        };
        self.at(repository, &ask).await
    }
}
