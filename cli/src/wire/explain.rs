//! Explains images of a project, a policy of it, or a policy of flags.

use windlass_deploy::flows::{ExplainWhat, ExplainedImages, explain_images};
use windlass_deploy::images::explain_tags;
use windlass_deploy::load;
use windlass_deploy::stop::StopSignal;
use windlass_images::policy::TagReport;
use windlass_images::resolve::Election;
use windlass_model::event::Silent;

use super::run::Run;
use super::{failure, registry};
use crate::app::App;
use crate::diagnostics::Failure;
use crate::settings::{ExplainSubject, ImageExplainSettings};

/// What was found out.
pub(crate) enum Explained {
    /// One election.
    Policy { name: Option<String>, image: String, rule: String, tags: Result<TagReport, String> },
    /// Images of a target.
    Images(ExplainedImages),
}

/// Explains; asks registries, and the cluster when a target's images are explained.
pub(crate) async fn explain(
    app: &App,
    settings: &ImageExplainSettings,
    stop: &StopSignal,
) -> Result<Explained, Failure> {
    let what = match &settings.subject {
        ExplainSubject::AdHoc { image, election } => return policy(app, settings, None, image, election).await,
        ExplainSubject::Project => ExplainWhat::Every,
        ExplainSubject::Named(name) => {
            if let Some((image, election)) = of_project(settings, name)? {
                return policy(app, settings, Some(name.clone()), &image, &election).await;
            }
            ExplainWhat::Image(name.clone())
        }
    };
    let run = Run::new(app, &settings.common, false)?;
    run.ended(explain_images(run.request(), &what, run.doors(stop)).await).map(Explained::Images)
}

/// The policy of the project with this name.
fn of_project(settings: &ImageExplainSettings, name: &str) -> Result<Option<(String, Election)>, Failure> {
    let request = super::run::load_request(&settings.common)?;
    let project = load::load(&request, &Silent).map_err(|error| failure(windlass_deploy::Error::from(error)))?;
    Ok(project.policies.find(name).ok().map(|policy| {
        let (filter, rule) = (policy.filter.clone(), policy.policy.clone());
        (policy.image.clone(), Election { filter, policy: rule, digest: false })
    }))
}

async fn policy(
    app: &App,
    settings: &ImageExplainSettings,
    name: Option<String>,
    image: &str,
    election: &Election,
) -> Result<Explained, Failure> {
    app.printer.hide(settings.common.credentials.secrets());
    let registry = registry::open(&settings.common.credentials, &app.environment, &app.printer)?;
    let tags = explain_tags(image, election, &*registry).await;
    Ok(Explained::Policy { name, image: image.to_owned(), rule: election.policy.to_string(), tags })
}
