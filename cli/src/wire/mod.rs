//! Builds the engine's requests and ports from settings, and calls its flows.

mod advice;
mod automation;
mod charts;
mod connector;
mod explain;
mod folders;
mod images;
mod oci_push;
mod registry;
mod repository;
mod results;
mod run;
mod source_names;
mod sources;
mod stores;

use std::error::Error;
use std::path::PathBuf;

use windlass_deploy::apply::{OnError, ReadinessWait};
use windlass_deploy::flows::{
    Consent, DeleteOptions, DeployOptions, DiffOptions, ImageList, ListForm, Outcome, PokeOptions, PruneOptions,
    Validator, delete as delete_flow, deploy as deploy_flow, diff as diff_flow, list_images as list_images_flow,
    poke_images as poke_flow, prune as prune_flow, render as render_flow, validator,
};
use windlass_deploy::stop::StopSignal;
use windlass_diff::IgnoreFlags;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{CommandResult, ValidateResult};
use windlass_template::{Engine, EngineOptions, Ports};

pub(crate) use automation::{Automation, elect, index, markers, plan, scan, tags};
pub(crate) use charts::{Answer, helm_pull, helm_update};
pub(crate) use explain::{Explained, explain};
pub(crate) use oci_push::oci_push;

use advice::Advice;
use run::Run;

use crate::app::App;
use crate::diagnostics::{EngineFailure, Failure};
use crate::settings::{
    ApplySettings, Caution, DeploySettings, DiffSettings, IgnoreSettings, ListImagesSettings, PokeImagesSettings,
    ProjectSettings, RemoveSettings, RenderSettings, ValidateSettings,
};

/// What `render` leaves.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Where the files are.
    pub(crate) dir: PathBuf,
    /// All objects in item order.
    pub(crate) objects: Vec<serde_json::Value>,
}

/// Project directory as an absolute path.
pub(crate) fn project_dir(settings: &ProjectSettings) -> Result<PathBuf, Failure> {
    let dir = settings.dir.as_ref().map_or_else(|| PathBuf::from("."), |dir| dir.value.clone());
    let absolute = std::path::absolute(&dir).and_then(std::fs::canonicalize);
    absolute.map_err(|error| Failure::Output { text: crate::files::open_error(&dir.display().to_string(), &error) })
}

/// An engine for texts that need neither images nor git.
pub(crate) fn plain_engine() -> Engine {
    Engine::new(EngineOptions::default(), Ports::default())
}

/// An engine error as it is shown.
pub(crate) fn failure(error: impl Error + 'static) -> Failure {
    let Advice { at, hint, way } = Advice::of(&error);
    Failure::Engine(EngineFailure { text: error.to_string(), at, hint, way })
}

/// Renders and writes the files.
pub(crate) async fn render(app: &App, settings: &RenderSettings, stop: &StopSignal) -> Result<Rendered, Failure> {
    let keeps = !settings.print_all || settings.common.render_output_dir.is_some();
    let run = Run::new(app, &settings.common, keeps)?;
    let prepared = run.ended(render_flow(run.request(), run.doors(stop)).await)?;
    let objects = prepared.objects.items.iter().flat_map(|item| item.objects.iter().map(|object| object.0.clone()));
    let objects = objects.collect();
    Ok(Rendered { dir: run.finish(keeps), objects })
}

/// Lists the images.
pub(crate) async fn list_images(
    app: &App,
    settings: &ListImagesSettings,
    stop: &StopSignal,
) -> Result<ImageList, Failure> {
    let run = Run::new(app, &settings.common, false)?;
    let form = if settings.simple { ListForm::Simple } else { ListForm::Full };
    run.ended(list_images_flow(run.request(), form, run.doors(stop)).await)
}

/// Compares.
pub(crate) async fn diff(app: &App, settings: &DiffSettings, stop: &StopSignal) -> Result<CommandResult, Failure> {
    let run = Run::with_results(app, &settings.common, false, results::shown(&settings.output))?;
    let IgnoreSettings { tags, labels, annotations, kluctl_metadata } = settings.ignore;
    let options = DiffOptions {
        force_apply: settings.apply.force_apply,
        on_error: on_error(settings.apply),
        ignore: IgnoreFlags { tags, labels, annotations, kluctl_metadata },
    };
    run.ended(diff_flow(run.request(), options, run.doors(stop)).await)
}

/// `confirm` gets the preview.
pub(crate) async fn deploy(
    app: &App,
    settings: &DeploySettings,
    stop: &StopSignal,
    confirm: &(dyn Fn(&CommandResult) -> bool + Send + Sync),
) -> Result<Outcome, Failure> {
    let results = results::kept(&settings.results, settings.caution, &settings.output);
    let run = Run::with_results(app, &settings.common, false, results)?;
    let options = DeployOptions {
        consent: consent(settings.caution, confirm),
        force_apply: settings.apply.force_apply,
        on_error: on_error(settings.apply),
        abort_on_error: settings.apply.abort_on_error,
        readiness: if settings.no_wait {
            ReadinessWait::No
        } else {
            ReadinessWait::UpTo(settings.apply.readiness_timeout)
        },
        prune: settings.prune,
    };
    run.ended(deploy_flow(run.request(), options, run.doors(stop)).await)
}

/// `confirm` gets what will be deleted; not called when there is nothing.
pub(crate) async fn prune(
    app: &App,
    settings: &RemoveSettings,
    stop: &StopSignal,
    confirm: &(dyn Fn(&[ObjectRef]) -> bool + Send + Sync),
) -> Result<Outcome, Failure> {
    let results = results::kept(&settings.results, settings.caution, &settings.output);
    let run = Run::with_results(app, &settings.common, false, results)?;
    let options = PruneOptions { consent: removal_consent(settings.caution, confirm) };
    run.ended(prune_flow(run.request(), options, run.doors(stop)).await)
}

/// As [`prune`]; the discriminator of the flag only finds objects.
pub(crate) async fn delete(
    app: &App,
    settings: &RemoveSettings,
    stop: &StopSignal,
    confirm: &(dyn Fn(&[ObjectRef]) -> bool + Send + Sync),
) -> Result<Outcome, Failure> {
    let mut common = settings.common.clone();
    let discriminator = common.target.discriminator.take().map(|text| text.value);
    let results = results::kept(&settings.results, settings.caution, &settings.output);
    let run = Run::with_results(app, &common, false, results)?;
    let options = DeleteOptions {
        consent: removal_consent(settings.caution, confirm),
        discriminator: discriminator.as_deref(),
        wait: !settings.no_wait,
    };
    run.ended(delete_flow(run.request(), options, run.doors(stop)).await)
}

/// `confirm` gets the context's name.
pub(crate) async fn poke_images(
    app: &App,
    settings: &PokeImagesSettings,
    stop: &StopSignal,
    confirm: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<Outcome, Failure> {
    let results = results::kept(&settings.results, settings.caution, &settings.output);
    let run = Run::with_results(app, &settings.common, false, results)?;
    let options = PokeOptions { consent: consent(settings.caution, confirm) };
    run.ended(poke_flow(run.request(), options, run.doors(stop)).await)
}

/// Checks once, or until everything is ready or the time to wait is over.
pub(crate) async fn validate(
    app: &App,
    settings: &ValidateSettings,
    stop: &StopSignal,
    passes: impl Fn(&ValidateResult) -> bool,
) -> Result<ValidateResult, Failure> {
    let run = Run::new(app, &settings.common, false)?;
    let checker: Validator = run.ended(validator(run.request(), run.doors(stop)).await)?;
    let start = std::time::Instant::now();
    loop {
        let result = checker.attempt(run.doors(stop)).await;
        let is_last = passes(&result) || start.elapsed() >= settings.wait;
        if is_last || !stop.sleep(settings.sleep).await {
            return Ok(result);
        }
    }
}

fn on_error(settings: ApplySettings) -> OnError {
    match settings {
        ApplySettings { force_replace_on_error: true, replace_on_error: true, .. } => OnError::ReplaceOrRecreate,
        ApplySettings { force_replace_on_error: true, .. } => OnError::Recreate,
        ApplySettings { replace_on_error: true, .. } => OnError::Replace,
        _ => OnError::Report,
    }
}

fn consent<'a, T: ?Sized>(caution: Caution, ask: &'a (dyn Fn(&T) -> bool + Send + Sync)) -> Consent<'a, T> {
    match caution {
        Caution { dry_run: true, .. } => Consent::DryRun,
        Caution { yes: true, .. } => Consent::Given,
        _ => Consent::Ask(ask),
    }
}

/// The list of what will be deleted is shown in any case, so `ask` is always called; it knows when not to ask.
fn removal_consent<'a>(
    caution: Caution,
    ask: &'a (dyn Fn(&[ObjectRef]) -> bool + Send + Sync),
) -> Consent<'a, [ObjectRef]> {
    if caution.dry_run { Consent::ShownDryRun(ask) } else { Consent::Ask(ask) }
}
