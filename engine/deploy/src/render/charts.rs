//! Step 2: Helm charts found in the rendered items.

use std::path::Path;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use windlass_charts::OnDemand;
use windlass_helm::{ChartRequest, HelmCapabilities, HelmError, RenderedChart, Values, render_chart};
use windlass_kustomize::HelmOutputFile;
use windlass_model::event::Events;
use windlass_template::{RenderedDir, RenderedFile};

use super::RenderRequest;
use super::lookup::LiveObjects;
use crate::multi_error::Errors;
use crate::tree::ItemNode;

/// Charts under way at the same time.
const CONCURRENCY: usize = 8;

/// What charts are told about the cluster; `None` means Helm's own defaults.
pub type ChartCapabilities = HelmCapabilities;

/// Files that charts of one item were rendered into.
pub(super) type ChartOutputs = Vec<HelmOutputFile>;

/// A chart that cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// Its configuration, the chart, or Helm.
    #[error(transparent)]
    Helm(#[from] HelmError),
}

/// A `helm-chart.yaml` in an item.
struct ChartFile<'a> {
    item: usize,
    node: &'a ItemNode,
    files: &'a RenderedDir,
    /// Relative to the item's directory.
    path: &'a Path,
}

/// Renders every chart of every item; the outputs per item, in item order.
pub(super) async fn render_all(
    items: &[Arc<ItemNode>],
    files: &[RenderedDir],
    request: RenderRequest<'_>,
    events: &dyn Events,
) -> Result<Vec<ChartOutputs>, Errors<ChartError>> {
    let charts = find(items, files);
    let rendered: Vec<_> =
        stream::iter(&charts).map(|chart| render(chart, request, events)).buffered(CONCURRENCY).collect().await;
    let mut outputs = vec![Vec::new(); items.len()];
    let mut errors = Vec::new();
    for (chart, result) in charts.iter().zip(rendered) {
        match result {
            Ok(rendered) => {
                rendered.warnings.into_iter().for_each(|text| events.warn(text));
                let config = chart.path.display().to_string();
                outputs[chart.item].push(HelmOutputFile { config, output: rendered.config.output });
            }
            Err(error) => errors.push(error),
        }
    }
    Errors::check(errors)?;
    Ok(outputs)
}

fn find<'a>(items: &'a [Arc<ItemNode>], files: &'a [RenderedDir]) -> Vec<ChartFile<'a>> {
    let mut charts = Vec::new();
    for (item, (node, files)) in items.iter().zip(files).enumerate() {
        let of_item = files.files.keys().filter(|path| is_chart_config(path));
        charts.extend(of_item.map(|path| ChartFile { item, node, files, path }));
    }
    charts
}

pub(super) fn is_chart_config(path: &Path) -> bool {
    matches!(path.file_name().and_then(|name| name.to_str()), Some("helm-chart.yaml" | "helm-chart.yml"))
}

async fn render(
    chart: &ChartFile<'_>,
    request: RenderRequest<'_>,
    events: &dyn Events,
) -> Result<RenderedChart, ChartError> {
    let dir = chart.path.parent().unwrap_or(Path::new(""));
    let item_dir = chart.node.dir.clone().unwrap_or_default();
    let rendered_item = request.output_dir.join(chart.node.render_dir.clone().unwrap_or_default());
    let on_demand = request.charts.map(|charts| OnDemand { charts, events });
    let lookup = request.cluster.map(LiveObjects);
    let chart_request = ChartRequest {
        config: &rendered_item.join(chart.path),
        render_root: &request.output_dir.join(chart.node.source.id.to_string()),
        source_dir: &item_dir.join(dir),
        source_root: &chart.node.source.root,
        values: values(chart, dir, &rendered_item),
        capabilities: request.capabilities.clone(),
        on_demand: on_demand.as_ref().map(|charts| charts as _),
        lookup: lookup.as_ref().map(|live| live as _),
    };
    Ok(render_chart(chart_request, request.helper).await?)
}

/// The values file beside the chart, as it was rendered.
fn values(chart: &ChartFile<'_>, dir: &Path, rendered_item: &Path) -> Option<Values> {
    for name in ["helm-values.yml", "helm-values.yaml"] {
        let path = dir.join(name);
        let Some(text) = chart.files.files.get(&path).and_then(RenderedFile::as_text) else { continue };
        let path = rendered_item.join(path);
        return Some(Values { path, text: text.to_owned() });
    }
    None
}
