//! Step 2: Helm charts found in the rendered items.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_kustomize::HelmOutputFile;
use windlass_model::event::Events;
use windlass_template::RenderedDir;

use super::RenderRequest;
use crate::multi_error::Errors;
use crate::tree::ItemNode;

/// What charts are told about the cluster; `None` means Helm's own defaults.
#[derive(Debug, Clone, Default)]
pub struct ChartCapabilities {
    /// `.Capabilities.KubeVersion`.
    pub kube_version: Option<String>,
    /// `.Capabilities.APIVersions`.
    pub api_versions: Option<Vec<String>>,
}

/// Files that charts of one item were rendered into.
pub(super) type ChartOutputs = Vec<HelmOutputFile>;

/// A chart that cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// Charts are not connected yet.
    #[error("{}: Helm charts are not supported by this version of windlass yet", path.display())]
    Unsupported {
        /// The `helm-chart.yaml`.
        path: PathBuf,
    },
}

/// Renders every chart of every item; the outputs per item, in item order.
pub(super) async fn render_all(
    items: &[Arc<ItemNode>],
    files: &[RenderedDir],
    _request: RenderRequest<'_>,
    _events: &dyn Events,
) -> Result<Vec<ChartOutputs>, Errors<ChartError>> {
    let mut errors = Vec::new();
    for (item, files) in items.iter().zip(files) {
        for path in files.files.keys() {
            if matches!(path.file_name().and_then(|n| n.to_str()), Some("helm-chart.yaml" | "helm-chart.yml")) {
                let dir = item.dir.clone().unwrap_or_default();
                errors.push(ChartError::Unsupported { path: dir.join(path) });
            }
        }
    }
    Errors::check(errors)?;
    Ok(vec![Vec::new(); items.len()])
}
