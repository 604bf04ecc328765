//! The questions which the helper answers, as plain values.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One `kustomize build`.
#[derive(Debug, Clone, Serialize)]
pub struct KustomizeRequest {
    /// The folder with the kustomization.
    pub dir: PathBuf,
    /// Every file that is read must be inside this folder, after symbolic links are followed.
    pub root: PathBuf,
}

/// One rendering of a chart, as the dry-run of an installation does it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmRequest {
    /// The unpacked chart.
    pub chart_dir: PathBuf,
    /// `.Release.Name`.
    pub release_name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// The text of the values file; may be empty.
    pub values: String,
    /// The name of the values file in errors.
    pub values_name: String,
    /// What the cluster can do.
    #[serde(flatten)]
    pub capabilities: HelmCapabilities,
    /// Leave out the chart's `crds/`.
    #[serde(rename = "skipCRDs")]
    pub skip_crds: bool,
}

/// A request whose templates may ask about the cluster, or not.
#[cfg(feature = "bundled-go")]
#[derive(Serialize)]
pub(crate) struct HelmParams<'a> {
    #[serde(flatten)]
    pub(crate) request: &'a HelmRequest,
    pub(crate) lookup: bool,
}

/// Values may hold secrets, so they are left out.
impl std::fmt::Debug for HelmRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HelmRequest")
            .field("chart_dir", &self.chart_dir)
            .field("release_name", &self.release_name)
            .field("namespace", &self.namespace)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// `.Capabilities` of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HelmCapabilities {
    /// The version of the cluster; `None` is Helm's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_version: Option<String>,
    /// Exactly the API versions of the cluster (`apps/v1` and `apps/v1/Deployment`); `None` is Helm's default list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_versions: Option<Vec<String>>,
}

/// Rendered objects, and what the library wanted to tell about them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Output {
    /// The objects, in the library's order.
    pub objects: Vec<Value>,
    /// Warnings and notes, one a line, without time.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Versions of what does the work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HelperVersion {
    /// Helm's version, e.g. `v4.2.2`.
    pub helm: String,
    /// Version of Kustomize's API, e.g. `v0.21.1`.
    pub kustomize: String,
    /// The Go toolchain.
    pub go: String,
}
