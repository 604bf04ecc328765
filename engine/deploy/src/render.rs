//! Stage 4: templates, then Helm, then Kustomize, for all included items (spec 01 section 8).
//!
//! Each step runs over all items in parallel; its errors are collected and
//! end the pipeline after it.

mod charts;
mod encrypted;
mod kustomize;
mod lookup;
mod memory;
mod remote_bases;
mod templates;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use windlass_charts::Charts;
use windlass_cluster::Cluster;
use windlass_kustomize::{GoHelper, KustomizeError};
use windlass_model::event::{Event, Events};
use windlass_sources::Sources;
use windlass_template::{Engine, FileError};

use crate::inclusion::Inclusion;
use crate::multi_error::Errors;
use crate::ports::Web;
use crate::sops::{Decryption, EncryptedFileError};
use crate::traceback::Traceback;
use crate::tree::ItemNode;

pub use charts::{ChartCapabilities, ChartError};
pub use remote_bases::{RemoteBaseError, RemoteBaseProblem};

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
    /// Decrypts files.
    pub decryption: &'a Decryption<'a>,
    /// Fetches charts that are pulled while rendering.
    pub charts: Option<&'a Charts>,
    /// Answers `lookup` of charts.
    pub cluster: Option<&'a dyn Cluster>,
    /// Fetches repositories that kustomizations name.
    pub sources: &'a dyn Sources,
    /// Fetches files that kustomizations name.
    pub web: &'a dyn Web,
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
    /// The folder for what was encrypted.
    #[error("create a private folder for decrypted files: {0}")]
    PrivateFolder(#[source] std::io::Error),
    /// Files that cannot be decrypted.
    #[error(transparent)]
    Encrypted(#[from] Errors<EncryptedFileError>),
    /// Charts.
    #[error(transparent)]
    Charts(#[from] Errors<ChartError>),
    /// What kustomizations name by address.
    #[error(transparent)]
    RemoteBases(#[from] Errors<RemoteBaseError>),
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
    let files = encrypted::decrypt(&items, files, request).await?;
    let objects = memory::build_all(&items, files.clear(), request);
    let needs_files = objects.iter().any(Option::is_none);
    let written = written::write(&items, &files, needs_files, request)?;
    let building = RenderRequest { output_dir: written.build_dir(), ..request };
    let charts = charts::render_all(&items, files.clear(), building, events);
    let outputs = step("Rendering Helm Charts", items.len(), events, charts).await?;
    let build = async {
        remote_bases::localise(&items, &objects, building).await?;
        Ok::<_, RenderError>(kustomize::build_all(items.clone(), objects, &outputs, building, events).await?)
    };
    let built = step("Building kustomize objects", items.len(), events, build).await?;
    written.keep_generated(&items, &outputs)?;
    Ok(RenderedTree { items: built })
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
