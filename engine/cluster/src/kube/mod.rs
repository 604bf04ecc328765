//! A real API server, spoken to over HTTPS.

mod cache;
mod connect;
mod discovery;
mod limiter;
mod paths;
mod requests;
mod retry;
mod status;
mod transport;
mod yaml_safe;

pub use connect::{ConnectError, ConnectOptions};

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use windlass_model::object_ref::Gvk;

use crate::discovery::{ApiResource, Discovery};
use crate::error::ClusterError;
use crate::port::ServerVersion;
use transport::Transport;

/// A connected API server.
pub struct KubeCluster {
    transport: Transport,
    context: String,
    server: String,
    version: ServerVersion,
    cache_dir: Option<PathBuf>,
    discovery: RwLock<Arc<Discovery>>,
    /// Validators of the last answer; the lock lets one refresh run at a time.
    validators: tokio::sync::Mutex<discovery::Validators>,
    /// Counts refreshes, so that callers which waited for one do not start another.
    generation: AtomicU64,
}

impl KubeCluster {
    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    fn known(&self) -> Arc<Discovery> {
        self.discovery.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn refresh(&self) -> Result<Arc<Discovery>, ClusterError> {
        let seen = self.generation.load(Ordering::Acquire);
        let mut validators = self.validators.lock().await;
        if self.generation.load(Ordering::Acquire) != seen {
            return Ok(self.known());
        }
        validators.expire();
        if let Some(found) = discovery::fetch(&self.transport, &validators).await? {
            cache::store(self.cache_dir.as_deref(), &self.server, &found);
            *validators = found.validators;
            *self.discovery.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Discovery::new(found.groups));
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(self.known())
    }

    fn resource(&self, gvk: &Gvk) -> Result<ApiResource, ClusterError> {
        self.known().resource(gvk).cloned().ok_or_else(|| ClusterError::UnknownKind(gvk.clone()))
    }
}
