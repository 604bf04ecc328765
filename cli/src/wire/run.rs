//! One run of a flow: the request, and everything it may reach.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use windlass_deploy::inclusion::Inclusion;
use windlass_deploy::load::LoadRequest;
use windlass_deploy::stop::StopSignal;
use windlass_deploy::target::TargetRequest;
use windlass_deploy::{Connection, Ports, RenderOutput, Request, ResultOptions};
use windlass_kustomize::GoHelper;
use windlass_model::event::Events as _;
use windlass_registry::OciRegistry;
use windlass_sources::Sources;
use windlass_template::DebugSink;

use super::connector::KubeConnector;
use super::repository::LocalRepository;
use super::source_names::SourceNames;
use super::stores::RealStores;
use super::{charts, failure, folders, images, project_dir, registry, sources};
use crate::app::App;
use crate::diagnostics::{EngineFailure, Failure};
use crate::env_vars::Environment;
use crate::printer::{Mark, Printer};
use crate::progress::Progress;
use crate::settings::{TargetCommand, TargetSettings};

/// Real doors and the request for one run.
pub(super) struct Run {
    request: Request,
    environment: Environment,
    connector: KubeConnector,
    registry: Arc<OciRegistry>,
    sources: Arc<dyn Sources>,
    helper: GoHelper,
    charts: windlass_charts::Charts,
    repository: LocalRepository,
    stores: RealStores,
    debug: Arc<dyn DebugSink>,
    progress: Arc<Progress>,
    /// Rendered files that nobody asked to keep.
    temporary: Option<TempDir>,
}

impl Run {
    /// Puts the settings together; connects to nothing yet. With `keeps` the user will read the render folder.
    pub(super) fn new(app: &App, settings: &TargetCommand, keeps: bool) -> Result<Self, Failure> {
        Self::with_results(app, settings, keeps, ResultOptions::default())
    }

    /// As [`Self::new`], for commands that have a result.
    pub(super) fn with_results(
        app: &App,
        settings: &TargetCommand,
        keeps: bool,
        results: ResultOptions,
    ) -> Result<Self, Failure> {
        let environment = app.environment.clone();
        let progress = Arc::new(Progress::new(app.printer.clone()));
        app.printer.hide(settings.credentials.secrets());
        settings.target.args.warnings.iter().for_each(|warning| progress.warn(warning.clone()));
        let cache = folders::cache_dir(&environment);
        let (output, temporary) = match &settings.render_output_dir {
            Some(dir) => (RenderOutput::Kept(absolute(dir)?), None),
            None => {
                let dir = folders::temporary(&environment, "render")
                    .map_err(|error| Failure::Output { text: format!("create a temporary folder: {error}") })?;
                let path = dir.path().to_owned();
                (if keeps { RenderOutput::Kept(path) } else { RenderOutput::Temporary(path) }, Some(dir))
            }
        };
        let registry = registry::open(&settings.credentials, &environment, &app.printer)?;
        let sources =
            sources::open(&settings.project, &settings.credentials, &environment, registry.clone(), progress.clone());
        let charts = charts::open(&settings.credentials, &environment, registry.clone(), sources.clone());
        Ok(Self {
            request: request(settings, output, results)?,
            connector: KubeConnector::new(
                &settings.connection,
                &environment,
                Some(cache.join("kube-cache").join("discovery")),
                progress.clone(),
            ),
            registry,
            sources,
            helper: GoHelper::new(cache.join("gohelper")),
            charts,
            repository: LocalRepository,
            stores: RealStores::new(environment.clone(), app.printer.clone(), progress.clone()),
            debug: Arc::new(DebugLines(app.printer.clone())),
            environment,
            progress,
            temporary,
        })
    }

    /// What the flow shall do.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// What the flow may reach.
    pub(super) fn doors<'a>(&'a self, stop: &'a StopSignal) -> windlass_deploy::flows::Run<'a> {
        windlass_deploy::flows::Run { ports: self.ports(), events: &*self.progress, stop }
    }

    /// Ends the display of progress and turns an error into what is shown.
    pub(super) fn ended<T>(&self, outcome: Result<T, windlass_deploy::Error>) -> Result<T, Failure> {
        self.progress.clear();
        outcome.map_err(|error| match failure(error) {
            Failure::Engine(failure) => Failure::Engine(self.named(failure)),
            other => other,
        })
    }

    /// Folders of includes are gone when the user reads the error.
    fn named(&self, EngineFailure { text, at, hint, way }: EngineFailure) -> EngineFailure {
        let names = SourceNames::new(self.sources.names());
        let hint = hint.map(|hint| names.apply(&hint));
        let way = way.iter().map(|line| names.apply(line)).collect();
        EngineFailure { text: names.apply(&text), at: at.map(|at| names.apply_to(at)), hint, way }
    }

    /// The render folder, which stays only with `keeps`.
    pub(super) fn finish(self, keeps: bool) -> PathBuf {
        match (self.temporary, self.request.output) {
            (Some(dir), _) if keeps => dir.keep(),
            (Some(dir), _) => dir.path().to_owned(),
            (None, RenderOutput::Kept(dir) | RenderOutput::Temporary(dir)) => dir,
        }
    }

    fn ports(&self) -> Ports<'_> {
        Ports {
            connector: &self.connector,
            registry: &*self.registry,
            sources: &self.sources,
            helper: &self.helper,
            charts: Some(&self.charts),
            repository: &self.repository,
            environment: self.environment.all(),
            stores: &self.stores,
            web: &self.stores,
            keys: &self.stores,
            secrets: self.progress.secrets(),
            debug: &self.debug,
        }
    }
}

fn absolute(dir: &std::path::Path) -> Result<PathBuf, Failure> {
    std::path::absolute(dir)
        .map_err(|error| Failure::Output { text: crate::files::open_error(&dir.display().to_string(), &error) })
}

/// Where the project is.
pub(super) fn load_request(settings: &TargetCommand) -> Result<LoadRequest, Failure> {
    Ok(LoadRequest {
        project_dir: project_dir(&settings.project)?,
        config_file: settings.project.config.as_ref().map(|file| file.value.clone()),
        external_args: settings.target.args.values.clone(),
    })
}

fn request(settings: &TargetCommand, output: RenderOutput, results: ResultOptions) -> Result<Request, Failure> {
    let TargetSettings { target, name_override, discriminator, args: _ } = settings.target.clone();
    let filters = settings.inclusion.clone();
    Ok(Request {
        load: load_request(settings)?,
        target: TargetRequest {
            name: target.map(|text| text.value),
            name_override: name_override.map(|text| text.value),
            discriminator: discriminator.map(|text| text.value),
            context: settings.connection.context.clone().map(|text| text.value),
        },
        inclusion: Inclusion {
            include_tags: filters.include_tags.into_iter().collect(),
            exclude_tags: filters.exclude_tags.into_iter().collect(),
            include_dirs: filters.include_dirs.into_iter().collect(),
            exclude_dirs: filters.exclude_dirs.into_iter().collect(),
        },
        images: images::options(&settings.images)?,
        output,
        connection: if settings.connection.offline { Connection::Offline } else { Connection::Online },
        kubernetes_version: settings.connection.kubernetes_version.clone().map(|text| text.value),
        results,
    })
}

/// Shows what `debug_print` prints.
struct DebugLines(Arc<Printer>);

impl DebugSink for DebugLines {
    fn message(&self, text: &str) {
        self.0.line(Mark::Info, &format!("debug_print: {text}"));
    }
}
