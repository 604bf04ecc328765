//! The cluster that settings and kubeconfig name.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_cluster::Cluster;
use windlass_cluster::kube::{ConnectOptions, KubeCluster};
use windlass_cluster::kubeconfig::{InCluster, KubeconfigSources, NO_KUBECONFIG_WARNING, choose_context};
use windlass_deploy::{ConnectFailure, Connector};
use windlass_model::event::{Event, Events};

use crate::env_vars::Environment;
use crate::progress::Progress;
use crate::settings::ConnectionSettings;

const TITLE: &str = "Initializing k8s client";

/// Connects by kubeconfig.
pub(super) struct KubeConnector {
    sources: KubeconfigSources,
    cache_dir: Option<PathBuf>,
    progress: Arc<Progress>,
}

impl KubeConnector {
    /// Looks nowhere yet.
    pub(super) fn new(
        settings: &ConnectionSettings,
        environment: &Environment,
        cache_dir: Option<PathBuf>,
        progress: Arc<Progress>,
    ) -> Self {
        let sources = KubeconfigSources {
            explicit: settings.kubeconfig.as_ref().map(|file| file.value.clone()),
            paths: paths(environment),
            in_cluster: in_cluster(environment),
        };
        Self { sources, cache_dir, progress }
    }
}

/// The files of `KUBECONFIG`, else the one in the home directory.
fn paths(environment: &Environment) -> Vec<PathBuf> {
    match environment.get("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => environment.home().map(|home| home.join(".kube").join("config")).into_iter().collect(),
    }
}

fn in_cluster(environment: &Environment) -> Option<InCluster> {
    Some(InCluster {
        host: environment.get("KUBERNETES_SERVICE_HOST")?.to_owned(),
        port: environment.get("KUBERNETES_SERVICE_PORT")?.to_owned(),
        account_dir: PathBuf::from(InCluster::ACCOUNT_DIR),
    })
}

#[async_trait::async_trait]
impl Connector for KubeConnector {
    async fn connect(&self, context: Option<&str>) -> Result<Option<Arc<dyn Cluster>>, ConnectFailure> {
        let Some(chosen) = choose_context(&self.sources, context)? else {
            self.progress.warn(NO_KUBECONFIG_WARNING.to_owned());
            return Ok(None);
        };
        self.progress.emit(Event::StageStarted { title: TITLE.to_owned(), total: 0 });
        let cluster = KubeCluster::connect(chosen, ConnectOptions { cache_dir: self.cache_dir.clone() }).await?;
        self.progress.emit(Event::StageFinished { title: TITLE.to_owned() });
        Ok(Some(Arc::new(cluster)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubeconfig_is_a_list_of_files_or_the_one_at_home() {
        let of = |pairs: &[(&str, &str)]| paths(&Environment::of(pairs));
        assert_eq!(of(&[("HOME", "h"), ("KUBECONFIG", "a::b")]), [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(of(&[("HOME", "h"), ("KUBECONFIG", "")]), [PathBuf::from("h/.kube/config")]);
        assert!(of(&[]).is_empty());
    }
}
