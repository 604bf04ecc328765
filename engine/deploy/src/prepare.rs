//! Everything before the first look at the cluster's objects: every flow starts here.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_cluster::{Cluster, Discovery, Scope};
use windlass_images::fixed::FixedImages;
use windlass_model::event::Events;
use windlass_model::object_ref::Gvk;
use windlass_template::{Engine, EngineOptions};

use crate::collect::{self, PinnedObjects, RenderedScopes, Scopes};
use crate::error::Error;
use crate::images::{self, ImageMode, ImageRequest, ResolvedImages};
use crate::inclusion::Inclusion;
use crate::load::{self, LoadRequest};
use crate::ports::Ports;
use crate::render::{self, ChartCapabilities, RenderRequest};
use crate::target::{self, ResolvedTarget, TargetRequest};
use crate::tree::{self, ProjectNode, TreeRequest};
use crate::write;

/// What the caller wants rendered, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The project.
    pub load: LoadRequest,
    /// The target.
    pub target: TargetRequest,
    /// Which items.
    pub inclusion: Inclusion,
    /// How images are found.
    pub images: ImageOptions,
    /// Where files are rendered to.
    pub output: RenderOutput,
    /// Whether a cluster takes part.
    pub connection: Connection,
    /// `.Capabilities.KubeVersion` of charts.
    pub kubernetes_version: Option<String>,
}

/// How images are found.
#[derive(Debug, Clone, Default)]
pub struct ImageOptions {
    /// Entries of `--fixed-images-file` and `-F`, later ones win.
    pub fixed: FixedImages,
    /// `-u`: ask the registry for every image.
    pub update: bool,
    /// `--offline-images`: never ask the registry.
    pub offline: bool,
}

/// The render directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderOutput {
    /// Only this run reads it; the caller removes it.
    Temporary(PathBuf),
    /// The user will read it, so it gets `.rendered.yml` files.
    Kept(PathBuf),
}

impl RenderOutput {
    fn dir(&self) -> &PathBuf {
        match self {
            Self::Temporary(dir) | Self::Kept(dir) => dir,
        }
    }
}

/// Whether a cluster takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Connect when a cluster is configured.
    Online,
    /// `--offline-kubernetes`.
    Offline,
}

/// A project up to its final objects.
pub struct Prepared {
    /// The target.
    pub target: ResolvedTarget,
    /// The deployment projects.
    pub tree: ProjectNode,
    /// The objects as they go to the cluster.
    pub objects: PinnedObjects,
    /// Per item in the same order: position in the tree, for results.
    pub positions: Vec<Option<Vec<usize>>>,
    /// How each image was decided.
    pub images: ResolvedImages,
    /// The connection, if there is one.
    pub cluster: Option<Arc<dyn Cluster>>,
    /// RFC 3339 time at which the project was loaded.
    pub started: String,
}

/// Loads, renders and resolves.
///
/// # Errors
/// The first stage that fails.
pub async fn prepare(
    request: &Request,
    mode: ImageMode,
    ports: Ports<'_>,
    events: &dyn Events,
) -> Result<Prepared, Error> {
    let engine = engine(ports);
    let project = load::load(&request.load, events)?;
    let target = target::resolve(project, &request.target, &engine, events)?;
    let started = crate::clock::now();
    let cluster = connect(request.connection, &target, ports).await?;
    let target = target.with_context(cluster.as_ref().map_or("", |c| c.context()));
    let tree_request = TreeRequest { engine: &engine, environment: ports.environment, connected: cluster.is_some() };
    let tree = tree::load(&target, tree_request, events)?;
    let items = tree::flatten(&tree, tree_request)?;
    let discovery = cluster.as_ref().map(|c| c.discovery());
    let capabilities = capabilities(request, cluster.as_deref(), discovery.as_deref());
    let render_request = RenderRequest {
        engine: &engine,
        helper: ports.helper,
        output_dir: request.output.dir(),
        inclusion: &request.inclusion,
        capabilities: &capabilities,
    };
    let rendered = render::render(items, render_request, events).await?;
    let local = collect::collect(rendered, &target.target.discriminator);
    let known = KnownScopes(discovery.as_deref());
    let scopes = RenderedScopes::new(&local, &known);
    let image_request = ImageRequest { options: &request.images, target: &target.target, mode, scopes: &scopes };
    let (local, images) = images::resolve(local, image_request, ports.registry, cluster.as_deref(), events).await?;
    if let RenderOutput::Kept(dir) = &request.output {
        write::write_rendered(&local, dir)?;
    }
    let positions = local.items.iter().map(|item| item.node.position.clone()).collect();
    let objects = collect::pin(local, cluster.is_some().then_some(&scopes));
    Ok(Prepared { target, tree, objects, positions, images, cluster, started })
}

fn engine(ports: Ports<'_>) -> Engine {
    let template_ports = windlass_template::Ports {
        images: Some(Arc::new(images::TemplateFunctions)),
        git: ports.repository.history(),
        debug: Some(ports.debug.clone()),
    };
    Engine::new(EngineOptions::default(), template_ports)
}

async fn connect(
    connection: Connection,
    target: &ResolvedTarget,
    ports: Ports<'_>,
) -> Result<Option<Arc<dyn Cluster>>, Error> {
    match connection {
        Connection::Offline => Ok(None),
        Connection::Online => ports.connector.connect(target.target.context.as_deref()).await.map_err(Error::Connect),
    }
}

fn capabilities(request: &Request, cluster: Option<&dyn Cluster>, discovery: Option<&Discovery>) -> ChartCapabilities {
    let server = cluster.map(|c| c.server_version().git_version.clone());
    ChartCapabilities {
        kube_version: request.kubernetes_version.clone().or(server),
        api_versions: discovery.map(Discovery::api_versions),
    }
}

struct KnownScopes<'a>(Option<&'a Discovery>);

impl Scopes for KnownScopes<'_> {
    fn is_namespaced(&self, gvk: &Gvk) -> Option<bool> {
        self.0?.scope(gvk).map(|scope| scope == Scope::Namespaced)
    }
}
