//! Stage 4: templates, then Helm, then Kustomize, for all included items (spec 01 section 8).
//!
//! Each step runs over all items in parallel; its errors are collected and
//! end the pipeline after it.

mod charts;
mod encrypted;
mod kustomize;
mod lookup;
mod memory;
mod templates;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use windlass_charts::Charts;
use windlass_cluster::Cluster;
use windlass_kustomize::{GoHelper, KustomizeError};
use windlass_model::event::{Event, Events};
use windlass_template::{Engine, FileError};

use crate::inclusion::Inclusion;
use crate::multi_error::Errors;
use crate::traceback::Traceback;
use crate::tree::ItemNode;

pub use charts::{ChartCapabilities, ChartError};
pub use encrypted::EncryptedFile;

/// What rendering needs.
#[derive(Clone, Copy)]
pub struct RenderRequest<'a> {
    /// Renders the files.
    pub engine: &'a Engine,
    /// Builds what native code does not cover.
    pub helper: &'a GoHelper,
    /// Directory that gets `<source id>/<item dir>`.
    pub output_dir: &'a Path,
    /// Whether the rendered files are wanted, or only the objects.
    pub files: RenderedFiles,
    /// Which items.
    pub inclusion: &'a Inclusion,
    /// What charts are told about the cluster.
    pub capabilities: &'a ChartCapabilities,
    /// Fetches charts that are pulled while rendering.
    pub charts: Option<&'a Charts>,
    /// Answers `lookup` of charts.
    pub cluster: Option<&'a dyn Cluster>,
}

/// Whether rendered files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenderedFiles {
    /// Always: the user wants to see them.
    Wanted,
    /// Only if Helm or Kustomize have to read them.
    WhenNeeded,
}

/// All rendered items in flattened order.
#[derive(Debug)]
pub struct RenderedTree {
    /// The items.
    pub items: Vec<RenderedItem>,
}

/// One rendered item.
#[derive(Debug)]
pub struct RenderedItem {
    /// The item.
    pub node: Arc<ItemNode>,
    /// Objects in kustomize order; none for `onlyRender`.
    pub objects: Vec<Value>,
    /// Annotations of the item's kustomization.
    pub annotations: BTreeMap<String, String>,
}

/// Why rendering failed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The output directory cannot be prepared.
    #[error("prepare render directory `{}`: {source}", path.display())]
    OutputDir {
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// Templates.
    #[error(transparent)]
    Templates(#[from] Errors<TemplateFailure>),
    /// Files that cannot be decrypted.
    #[error(transparent)]
    Encrypted(#[from] Errors<EncryptedFile>),
    /// Charts.
    #[error(transparent)]
    Charts(#[from] Errors<ChartError>),
    /// Kustomizations.
    #[error(transparent)]
    Kustomize(#[from] Errors<KustomizeFailure>),
}

/// A file of an item that cannot be rendered; upstream's text ends its line.
#[derive(Debug, thiserror::Error)]
#[error("failed rendering template '{}': {}", .0.path.display(), Traceback(&.0.source))]
pub struct TemplateFailure(#[source] pub FileError);

/// A kustomization that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeFailure {
    /// Reading, preparing or building.
    #[error("building kustomize objects for {} failed. {source}", dir.display())]
    Build {
        /// The item's source directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: KustomizeError,
    },
    /// Objects that have no JSON form, noticed by upstream when it writes them.
    #[error("writing objects for {} failed: {source}", dir.display())]
    Encoding {
        /// The item's source directory.
        dir: PathBuf,
        /// Why.
        #[source]
        source: KustomizeError,
    },
}

/// Renders the included items of the list.
///
/// # Errors
/// All errors of the first step that has any.
pub async fn render(
    items: Vec<ItemNode>,
    request: RenderRequest<'_>,
    events: &dyn Events,
) -> Result<RenderedTree, RenderError> {
    let items: Vec<Arc<ItemNode>> =
        items.into_iter().filter(|item| is_included(item, request.inclusion)).map(Arc::new).collect();
    let files = step("Rendering templates", items.len(), events, templates::render_all(&items, request)).await?;
    encrypted::refuse(&items, &files)?;
    let objects = memory::build_all(&items, &files, request);
    if request.files == RenderedFiles::Wanted || objects.iter().any(Option::is_none) {
        clean_output(&items, request.output_dir)?;
        templates::write_all(&items, &files, request)?;
    }
    let charts = charts::render_all(&items, &files, request, events);
    let outputs = step("Rendering Helm Charts", items.len(), events, charts).await?;
    let count = items.len();
    let build = kustomize::build_all(items, objects, &outputs, request, events);
    let items = step("Building kustomize objects", count, events, build).await?;
    Ok(RenderedTree { items })
}

async fn step<T>(title: &str, total: usize, events: &dyn Events, work: impl Future<Output = T>) -> T {
    events.emit(Event::StageStarted { title: title.into(), total });
    let result = work.await;
    events.emit(Event::StageFinished { title: title.into() });
    result
}

/// Inclusion by tag and directory; some items always take part (spec 01 section 7.4).
fn is_included(item: &ItemNode, inclusion: &Inclusion) -> bool {
    let always = item.config.only_render || item.config.always_deploy || item.config.barrier;
    always || inclusion.includes(item.tags.iter().map(String::as_str), item.source_dir.as_deref())
}

/// Removes what an earlier run left in the places this run writes to.
fn clean_output(items: &[Arc<ItemNode>], output_dir: &Path) -> Result<(), RenderError> {
    let sources: std::collections::BTreeSet<usize> = items.iter().map(|item| item.source.id).collect();
    for dir in sources.iter().map(|id| output_dir.join(id.to_string())) {
        let failed = |source| RenderError::OutputDir { path: dir.clone(), source };
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(failed)?;
        }
        std::fs::create_dir_all(&dir).map_err(failed)?;
    }
    Ok(())
}
