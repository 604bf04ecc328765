//! Why a chart can not be had.

use std::io;
use std::path::PathBuf;

use windlass_helm::{HelmError, RenderFailure};
use windlass_registry::{RegistryError, RepositoryError as BadReference};
use windlass_sources::SourceError;

use crate::archive::ArchiveError;
use crate::repository::RepositoryError;

/// Fetching a chart failed.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The repository over HTTP.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The address of a chart in a registry.
    #[error("invalid chart address `{url}`: {source}")]
    Reference {
        /// As written.
        url: String,
        /// Why.
        #[source]
        source: BadReference,
    },
    /// What the registry has under the tag is no chart.
    #[error("`{url}` is no Helm chart: {reason}")]
    NoChart {
        /// The chart with its tag.
        url: String,
        /// Why.
        reason: String,
    },
    /// The git repository.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The git repository has no chart there.
    #[error("`{sub_dir}` of {url} has no Chart.yaml")]
    NoChartInGit {
        /// The repository.
        url: String,
        /// The folder.
        sub_dir: String,
    },
    /// A folder of a git repository that leads out of it, or to another file than one of the repository.
    #[error("path {} is not inside directory {}", path.display(), root.display())]
    Outside {
        /// Where it leads.
        path: PathBuf,
        /// What it has to stay in.
        root: PathBuf,
    },
    /// The archive.
    #[error("chart \"{chart}\" version \"{version}\": {source}")]
    Archive {
        /// The chart.
        chart: String,
        /// Its version.
        version: String,
        /// Why.
        #[source]
        source: ArchiveError,
    },
    /// The archive holds another version than asked for.
    #[error("chart \"{chart}\": version \"{wanted}\" was asked for, but its Chart.yaml says \"{got}\"")]
    OtherVersion {
        /// The chart.
        chart: String,
        /// As asked for.
        wanted: String,
        /// As found.
        got: String,
    },
    /// A pulled chart's `Chart.yaml` is broken.
    #[error("unmarshalling {} failed: {reason}", path.display())]
    BadChartYaml {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The address of the chart.
    #[error(transparent)]
    Place(#[from] RenderFailure),
    /// `helm-chart.yaml`.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// A file or folder.
    #[error("{action} `{}`: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A worker thread ended.
    #[error("a worker thread ended: {0}")]
    Worker(String),
}

pub(crate) fn failed(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> ChartError {
    let path = path.to_owned();
    move |source| ChartError::Io { action, path, source }
}
