//! The only registry client: complete tag lists and digests over the OCI distribution API.
//!
//! A [`TagList`] is always the whole list; anything less is an error. Each
//! repository is listed once per client, later callers wait for the first.
//! Credentials go to the host they belong to and nowhere else. The crate reads
//! no environment: [`RegistrySettings`] carries everything.
//!
//! The client is written on `reqwest` rather than on `oci-client`, which
//! ignores the `Link` header, has no retry, no identity tokens and no client
//! certificates; what would remain of it is less than the adapters around it.

mod auth;
mod credentials;
mod docker_config;
mod env_sets;
mod error;
mod fake;
mod host;
mod http;
mod link;
mod oci;
mod repository;
mod retry;
mod settings;
mod tags;

use std::sync::Arc;

pub use env_sets::{EnvError, EnvSettings};
pub use error::RegistryError;
pub use fake::FakeRegistry;
pub use oci::OciRegistry;
pub use repository::{Repository, RepositoryError};
pub use settings::{
    Login, Proxy, RegistryCredentials, RegistrySettings, RetrySettings, Timeouts, TlsDefaults, TlsOptions,
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
}
