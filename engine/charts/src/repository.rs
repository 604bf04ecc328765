//! Chart repositories over HTTP: which versions there are, and their archives.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use crate::credentials::RepositoryCredentials;
use crate::http::{FetchError, RepositoryClient, shown};
use crate::index::Index;

/// The largest public index has 40 MB.
const MAX_INDEX: u64 = 256 << 20;
/// Of a packaged chart.
const MAX_ARCHIVE: u64 = 100 << 20;

/// Why a repository has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// The index, or an archive, can not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The index makes no sense.
    #[error("looks like \"{url}\" is not a valid chart repository or cannot be reached: {reason}")]
    Index {
        /// The repository.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The index does not name the chart.
    #[error("helm chart {chart} not found in Repo index")]
    NoChart {
        /// The chart.
        chart: String,
    },
    /// The index does not name this version.
    #[error("chart \"{chart}\" version \"{version}\" not found in {url} repository")]
    NoVersion {
        /// The chart.
        chart: String,
        /// The version.
        version: String,
        /// The repository.
        url: String,
    },
    /// The index names no archive.
    #[error("chart \"{chart}\" version \"{version}\" has no downloadable URLs")]
    NoUrl {
        /// The chart.
        chart: String,
        /// The version.
        version: String,
    },
    /// The archive is not what the index says.
    #[error("checksum mismatch of {url}: the index says sha256:{wanted}, the archive has sha256:{got}")]
    Checksum {
        /// The archive.
        url: String,
        /// As the index says.
        wanted: String,
        /// As it is.
        got: String,
    },
}

/// Where a version's archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchivePlace {
    /// Below or beside the repository.
    Http { url: Url, digest: Option<String> },
    /// In a registry.
    Oci(String),
}

/// All chart repositories of a run. Each index is fetched once, later callers wait for it.
pub struct ChartRepositories {
    credentials: Vec<RepositoryCredentials>,
    user_agent: String,
    indexes: Mutex<BTreeMap<String, Arc<OnceCell<Arc<Opened>>>>>,
}

struct Opened {
    client: RepositoryClient,
    base: Url,
    index: Index,
}

impl std::fmt::Debug for ChartRepositories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChartRepositories").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl ChartRepositories {
    /// Asks nobody yet. The first credentials that match a repository are used.
    #[must_use]
    pub fn new(credentials: Vec<RepositoryCredentials>, user_agent: &str) -> Self {
        Self { credentials, user_agent: user_agent.to_owned(), indexes: Mutex::default() }
    }

    /// All versions of a chart, in the order of the index.
    pub(crate) async fn versions(&self, repository: &str, chart: &str) -> Result<Vec<String>, RepositoryError> {
        let opened = self.open(repository).await?;
        let versions =
            opened.index.versions(chart).ok_or_else(|| RepositoryError::NoChart { chart: chart.to_owned() })?;
        Ok(versions.iter().map(|entry| entry.version.clone()).collect())
    }

    /// Where the archive of a version is.
    pub(crate) async fn place(
        &self,
        repository: &str,
        chart: &str,
        version: &str,
    ) -> Result<ArchivePlace, RepositoryError> {
        let opened = self.open(repository).await?;
        let entries = opened.index.versions(chart).unwrap_or_default();
        let (chart, version) = (chart.to_owned(), version.to_owned());
        let Some(entry) = entries.iter().find(|entry| entry.version == version) else {
            return Err(RepositoryError::NoVersion { chart, version, url: repository.to_owned() });
        };
        let Some(url) = entry.urls.first() else {
            return Err(RepositoryError::NoUrl { chart, version });
        };
        if url.starts_with("oci://") {
            return Ok(ArchivePlace::Oci(url.clone()));
        }
        let url = opened.resolve(url)?;
        Ok(ArchivePlace::Http { url, digest: entry.digest.clone() })
    }

    /// An archive, checked; with its SHA-256 in hex.
    pub(crate) async fn archive(
        &self,
        repository: &str,
        url: &Url,
        wanted: Option<&str>,
    ) -> Result<(Vec<u8>, String), RepositoryError> {
        let opened = self.open(repository).await?;
        let bytes = opened.client.get(url, MAX_ARCHIVE).await?;
        let got: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        match wanted {
            Some(wanted) if wanted != got => {
                Err(RepositoryError::Checksum { url: shown(url), wanted: wanted.to_owned(), got })
            }
            _ => Ok((bytes, got)),
        }
    }

    async fn open(&self, repository: &str) -> Result<Arc<Opened>, RepositoryError> {
        let cell = Arc::clone(self.indexes.lock().await.entry(repository.to_owned()).or_default());
        cell.get_or_try_init(|| self.load(repository)).await.cloned()
    }

    async fn load(&self, repository: &str) -> Result<Arc<Opened>, RepositoryError> {
        let bad = |reason: String| FetchError::Address { url: repository.to_owned(), reason };
        let mut base = Url::parse(repository).map_err(|error| bad(error.to_string()))?;
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let credentials = self.credentials.iter().find(|entry| entry.matches(&without_slash(&base, repository)));
        let client = RepositoryClient::open(base.clone(), credentials.cloned(), &self.user_agent)?;
        let mut address = base.join("index.yaml").map_err(|error| bad(error.to_string()))?;
        address.set_query(base.query());
        let bytes = client.get(&address, MAX_INDEX).await?;
        let wrong = |reason: String| RepositoryError::Index { url: repository.to_owned(), reason };
        let index = tokio::task::spawn_blocking(move || {
            let text = String::from_utf8(bytes).map_err(|_| "index.yaml is no UTF-8 text".to_owned())?;
            Index::parse(&text, "index.yaml")
        });
        let index = index.await.map_err(|error| wrong(error.to_string()))?.map_err(wrong)?;
        Ok(Arc::new(Opened { client, base, index }))
    }
}

/// Credentials are looked up by the address as written.
fn without_slash(base: &Url, written: &str) -> Url {
    Url::parse(written).unwrap_or_else(|_| base.clone())
}

impl Opened {
    /// An address of the index, which may be relative; the repository's query (a token) goes along.
    fn resolve(&self, text: &str) -> Result<Url, FetchError> {
        let bad = |reason: String| FetchError::Address { url: text.to_owned(), reason };
        let mut url = self.base.join(text).map_err(|error| bad(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("only http, https and oci are supported".to_owned()));
        }
        if url.query().is_none() && Url::parse(text).is_err() {
            url.set_query(self.base.query());
        }
        Ok(url)
    }
}
