//! Everything before the first look at the cluster's objects: every flow starts here.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_cluster::{Cluster, Discovery, Scope};
use windlass_model::event::Events;
use windlass_model::object_ref::Gvk;
use windlass_template::{Engine, EngineOptions};

use crate::aws;
use crate::collect::{self, PinnedObjects, RenderedScopes, Scopes};
use crate::error::Error;
use crate::images::{self, ImageMode, ImageOptions, ImageRequest, ResolvedImages};
use crate::inclusion::Inclusion;
use crate::keep::{self, Keeping, ResultOptions, SecretValues};
use crate::load::{self, LoadRequest};
use crate::mask;
use crate::ports::{AwsIdentity, Ports};
use crate::render::{self, ChartCapabilities, RenderRequest, RenderedFiles};
use crate::sops::Decryption;
use crate::target::{self, ResolvedTarget, TargetRequest};
use crate::tree::{self, ProjectNode, TreeRequest};
use crate::vars::{Notices, Remote};
use crate::write;

const POSTPROCESSING: &str = "Postprocessing objects";
const WRITING: &str = "Writing rendered objects";

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
    /// What becomes of the result.
    pub results: ResultOptions,
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

    fn files(&self) -> RenderedFiles {
        match self {
            Self::Temporary(_) => RenderedFiles::WhenNeeded,
            Self::Kept(_) => RenderedFiles::Wanted,
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
    /// Where the result goes.
    pub keeping: Keeping,
    /// Whether the result shows the values of Secrets.
    pub secret_values: SecretValues,
    /// What no result may show.
    pub secrets: Arc<windlass_masking::SecretValues>,
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
    prepare_for(request, mode, Need::Nothing, ports, events).await
}

/// What a flow can not do without.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Need {
    /// It goes on without a cluster.
    Nothing,
    /// It ends before rendering, with this message.
    Cluster(&'static str),
}

/// [`prepare`], ending early when what the flow needs is not there.
pub(crate) async fn prepare_for(
    request: &Request,
    mode: ImageMode,
    need: Need,
    ports: Ports<'_>,
    events: &dyn Events,
) -> Result<Prepared, Error> {
    let engine = engine(ports);
    let project = load::load(&request.load, events)?;
    let target = target::resolve(project, &request.target, &engine, events)?;
    aws::check_profile(&target.target.aws, ports.environment, events);
    let started = crate::clock::now();
    let cluster = connect(request.connection, &target, ports).await?;
    if let (Need::Cluster(message), None) = (need, &cluster) {
        return Err(Error::NoCluster { message });
    }
    let target = target.with_context(cluster.as_ref().map_or("", |c| c.context()));
    // Whether the result can be kept must be known before anything is written; nothing waits for it before that.
    let (keeping, rendered) = tokio::join!(
        keep::open(request.results.store.as_ref(), cluster.as_ref(), events),
        render(request, mode, &engine, &target, cluster.as_ref(), ports, events),
    );
    let Rendered { tree, objects, positions, images } = rendered?;
    let (keeping, secret_values) = (keeping?, request.results.secret_values);
    let secrets = Arc::clone(ports.secrets);
    Ok(Prepared { target, tree, objects, positions, images, cluster, started, keeping, secret_values, secrets })
}

/// The part of [`Prepared`] that comes from the project's files.
struct Rendered {
    tree: ProjectNode,
    objects: PinnedObjects,
    positions: Vec<Option<Vec<usize>>>,
    images: ResolvedImages,
}

async fn render(
    request: &Request,
    mode: ImageMode,
    engine: &Engine,
    target: &ResolvedTarget,
    cluster: Option<&Arc<dyn Cluster>>,
    ports: Ports<'_>,
    events: &dyn Events,
) -> Result<Rendered, Error> {
    let identity = AwsIdentity { config: &target.target.aws, cluster: cluster.map(AsRef::as_ref) };
    let decryption = Decryption::new(ports.keys, identity, ports.secrets);
    let tree_request = TreeRequest {
        engine,
        environment: ports.environment,
        sources: &**ports.sources,
        remote: Remote {
            stores: ports.stores,
            web: ports.web,
            secrets: ports.secrets,
            aws: &target.target.aws,
            decryption: &decryption,
        },
        cluster: cluster.map(AsRef::as_ref),
        events,
        notices: &Notices::default(),
    };
    let tree = tree::load(target, tree_request).await?;
    let items = tree::flatten(&tree, tree_request).await?;
    let discovery = cluster.map(|c| c.discovery());
    let capabilities = capabilities(request, cluster.map(AsRef::as_ref), discovery.as_deref());
    let render_request = RenderRequest {
        engine,
        helper: ports.helper,
        output_dir: request.output.dir(),
        files: request.output.files(),
        inclusion: &request.inclusion,
        capabilities: &capabilities,
        decryption: &decryption,
        charts: ports.charts,
        cluster: cluster.map(AsRef::as_ref),
        sources: &**ports.sources,
        web: ports.web,
    };
    let rendered = render::render(items, render_request, events).await?;
    events.start(POSTPROCESSING);
    let local = collect::collect(rendered, &target.target.discriminator);
    let known = KnownScopes(discovery.as_deref());
    let scopes = RenderedScopes::new(&local, &known);
    let image_request = ImageRequest {
        options: &request.images,
        target: &target.target,
        policies: &target.project.policies,
        mode,
        scopes: &scopes,
    };
    let (local, images) =
        images::resolve(local, image_request, ports.registry, cluster.map(AsRef::as_ref), events).await?;
    events.finish(POSTPROCESSING);
    events.start(WRITING);
    if let RenderOutput::Kept(dir) = &request.output {
        write::write_rendered(&local, dir)?;
    }
    events.finish(WRITING);
    let positions = local.items.iter().map(|item| item.node.position.clone()).collect();
    let objects = collect::pin(local, cluster.is_some().then_some(&scopes));
    mask::register_secrets(objects.items.iter().flat_map(|item| &item.objects).map(|object| &**object), ports.secrets);
    Ok(Rendered { tree, objects, positions, images })
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
