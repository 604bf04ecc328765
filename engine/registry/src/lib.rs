//! The only registry client: complete tag lists and digests over the OCI distribution API.
//!
//! A [`TagList`] is always the whole list; anything less is an error. Each
//! repository is listed once per client, later callers wait for the first.
//! Credentials go to the host they belong to and nowhere else. The crate reads
//! no environment: [`RegistrySettings`] carries everything.
//!
//! [`Registry`] answers questions about images; [`Artifacts`], implemented by the
//! same [`OciRegistry`] with the same credentials, retries and TLS, fetches and
//! pushes what is stored in a registry (charts, included projects):
//!
//! ```no_run
//! # use windlass_registry::{Artifacts, RegistryError, Repository};
//! # async fn example(registry: &dyn Artifacts, repository: &Repository) -> Result<(), RegistryError> {
//! let manifest = registry.manifest_document(repository, "1.2.0").await?;
//! // … read the layer's digest from `manifest.bytes`, which are those of `manifest.digest` …
//! # let digest = "";
//! let mut archive = Vec::new(); // or a `std::fs::File`
//! registry.fetch_blob(repository, digest, 64 << 20, &mut archive).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The client is written on `reqwest` rather than on `oci-client`, which
//! ignores the `Link` header, has no retry, no identity tokens and no client
//! certificates; what would remain of it is less than the adapters around it.

mod artifact;
mod auth;
mod blob;
mod cache;
mod cloud;
mod connection;
mod created;
mod credentials;
mod digest;
mod docker_config;
mod env_sets;
mod error;
mod fake;
mod host;
mod http;
mod link;
mod manifest;
mod mirrors;
mod oci;
mod platform;
mod quota;
mod repository;
mod retry;
mod session;
mod settings;
mod tags;

use std::sync::Arc;

pub use jiff::Timestamp;

pub use artifact::{Artifacts, BlobSink, ManifestDocument, PushedBlob};
pub use cloud::{CloudLogin, CloudLogins};
pub use credentials::LoginSink;
pub use env_sets::{EnvError, EnvSettings};
pub use error::RegistryError;
pub use fake::FakeRegistry;
pub use oci::OciRegistry;
pub use platform::{Platform, PlatformError};
pub use repository::{Repository, RepositoryError};
pub use settings::{
    CacheSettings, Login, Mirrors, Proxy, RegistryCredentials, RegistrySettings, RetrySettings, Timeouts, TlsDefaults,
    TlsOptions,
};

/// All tags of one repository, in byte order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagList {
    tags: Vec<String>,
}

impl TagList {
    /// Takes tags in any order.
    pub fn new(mut tags: Vec<String>) -> Self {
        tags.sort_unstable();
        tags.dedup();
        Self { tags }
    }

    /// The tags.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }
}

/// What a tag or digest points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:…`, of the index when there is one.
    pub digest: String,
    /// Its media type, when told.
    pub media_type: Option<String>,
}

/// A source of tags and digests.
#[async_trait::async_trait]
pub trait Registry: Send + Sync {
    /// The complete list of tags; asked once per repository.
    async fn list_tags(&self, repository: &Repository) -> Result<Arc<TagList>, RegistryError>;

    /// Digest and type of a tag.
    async fn manifest(&self, repository: &Repository, reference: &str) -> Result<Manifest, RegistryError>;

    /// When the image of a tag or digest was created; of an index: the image of `platform`, or the newest.
    ///
    /// `None` when nothing tells it, which includes the zero times of reproducible builds and an
    /// index without the platform. Asked once each; ask for many at a time.
    async fn created(
        &self,
        repository: &Repository,
        reference: &str,
        platform: Option<&Platform>,
    ) -> Result<Option<Timestamp>, RegistryError>;
}
