//! [`GoHelper`] over the embedded program.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::connection::{Answer, Connection};
use crate::request::HelmParams;
use crate::unpack::unpack;
use crate::{HelmRequest, HelperError, HelperVersion, KustomizeRequest, Lookup, Output};

/// Gives access to Helm and Kustomize. Cheap to create and to clone; clones share one process.
#[derive(Clone)]
pub struct GoHelper {
    shared: Arc<Shared>,
}

struct Shared {
    cache_dir: PathBuf,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl std::fmt::Debug for GoHelper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoHelper").field("cache_dir", &self.shared.cache_dir).finish_non_exhaustive()
    }
}

impl GoHelper {
    /// Remembers the folder for the unpacked program; nothing is started before the first request.
    #[must_use]
    pub fn new(cache_dir: PathBuf) -> Self {
        Self { shared: Arc::new(Shared { cache_dir, connection: Mutex::new(None) }) }
    }

    /// Names the folders in which a build without the embedded program looks for `helm` and `kustomize`.
    ///
    /// This build has it embedded and looks nowhere.
    #[must_use]
    pub fn with_search_path(self, _folders: Vec<PathBuf>) -> Self {
        self
    }

    /// Builds a kustomization.
    pub async fn kustomize_build(&self, request: KustomizeRequest) -> Result<Output, HelperError> {
        self.objects("kustomize.build", &request, None).await
    }

    /// Renders a chart.
    pub async fn helm_template(&self, request: HelmRequest) -> Result<Output, HelperError> {
        self.objects("helm.template", &HelmParams { request: &request, lookup: false }, None).await
    }

    /// Renders a chart whose templates may ask for live objects; in [`Self::helm_template`] they find nothing.
    pub async fn helm_template_live(&self, request: HelmRequest, lookup: &dyn Lookup) -> Result<Output, HelperError> {
        self.objects("helm.template", &HelmParams { request: &request, lookup: true }, Some(lookup)).await
    }

    /// The versions inside the helper.
    pub async fn version(&self) -> Result<HelperVersion, HelperError> {
        let answer = self.call("version", &(), None).await?;
        decode(answer.result)
    }

    async fn objects<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        lookup: Option<&dyn Lookup>,
    ) -> Result<Output, HelperError> {
        let Answer { mut result, warnings } = self.call(method, params, lookup).await?;
        match result.get_mut("objects").map(Value::take) {
            Some(Value::Array(objects)) => Ok(Output { objects, warnings }),
            _ => Err(HelperError::Protocol { message: format!("`{method}` gave no objects") }),
        }
    }

    async fn call<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        lookup: Option<&dyn Lookup>,
    ) -> Result<Answer, HelperError> {
        self.connection().await?.call(method, params, lookup).await
    }

    /// The running helper; starts one at the first call, and again after one has ended.
    async fn connection(&self) -> Result<Arc<Connection>, HelperError> {
        let mut connection = self.shared.connection.lock().await;
        if let Some(running) = connection.as_ref().filter(|running| running.is_alive()) {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(Connection::start(&unpack(&self.shared.cache_dir)?)?);
        *connection = Some(Arc::clone(&started));
        Ok(started)
    }
}

fn decode<T: serde::de::DeserializeOwned>(result: Value) -> Result<T, HelperError> {
    serde_json::from_value(result).map_err(|error| HelperError::Protocol { message: error.to_string() })
}
