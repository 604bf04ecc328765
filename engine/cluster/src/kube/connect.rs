//! Opens the connection: credentials, server version, discovery.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use http::Method;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};

use super::transport::{Call, Patience, Transport};
use super::{KubeCluster, cache, discovery};
use crate::discovery::Discovery;
use crate::error::{ClusterError, RequestContext};
use crate::kubeconfig::ChosenContext;
use crate::port::ServerVersion;

/// How to connect.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// Folder for the discovery cache; none switches it off.
    pub cache_dir: Option<PathBuf>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Certificates, tokens, or a credential plugin of the kubeconfig do not work.
    #[error("prepare credentials of context `{context}`: {message}")]
    Credentials {
        /// Context.
        context: String,
        /// What is wrong.
        message: String,
    },
    /// The server does not answer, or refuses.
    #[error("connect to cluster at `{server}` (context `{context}`): {source}")]
    Unreachable {
        /// Address.
        server: String,
        /// Context.
        context: String,
        /// Why.
        #[source]
        source: ClusterError,
    },
}

impl KubeCluster {
    /// Connects: runs credential plugins, reads the server's version and what it serves.
    pub async fn connect(chosen: ChosenContext, options: ConnectOptions) -> Result<Self, ConnectError> {
        let ChosenContext { name, kubeconfig, context_key } = chosen;
        let credentials = |message: String| ConnectError::Credentials { context: name.clone(), message };
        let selection = KubeConfigOptions { context: Some(context_key), ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &selection)
            .await
            .map_err(|error| credentials(error.to_string()))?;
        // Retries are ours, with a ceiling: kube's own policy may sleep for a quarter of an hour.
        config.default_retry = false;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        // Credential plugins run while the client is built, and they block.
        let client = tokio::task::spawn_blocking(move || Client::try_from(config))
            .await
            .map_err(|error| credentials(error.to_string()))?
            .map_err(|error| credentials(error.to_string()))?;
        let transport = Transport::new(client);
        let unreachable = |source| ConnectError::Unreachable { server: server.clone(), context: name.clone(), source };
        let cached = cache::load(options.cache_dir.as_deref(), &server);
        let validators = cached.as_ref().map(|found| found.validators.clone()).unwrap_or_default();
        // The version is asked for once: a server that is not there is an error at once.
        let (version, fetched) =
            tokio::try_join!(server_version(&transport), discovery::fetch(&transport, &validators))
                .map_err(unreachable)?;
        let found = match fetched {
            Some(found) => {
                cache::store(options.cache_dir.as_deref(), &server, &found);
                found
            }
            None => cached.unwrap_or_default(),
        };
        Ok(Self {
            transport,
            context: name,
            version,
            cache_dir: options.cache_dir,
            discovery: RwLock::new(Arc::new(Discovery::new(found.groups))),
            validators: tokio::sync::Mutex::new(found.validators),
            generation: AtomicU64::new(0),
            server,
        })
    }
}

async fn server_version(transport: &Transport) -> Result<ServerVersion, ClusterError> {
    let call = Call::new(Method::GET, "/version".into()).patience(Patience::Once);
    let body = transport.send(&call).await?.into_success(&call)?.body;
    serde_json::from_slice(&body).map_err(|error| ClusterError::Decode {
        request: RequestContext { method: "GET", path: "/version".into() },
        message: error.to_string(),
    })
}
