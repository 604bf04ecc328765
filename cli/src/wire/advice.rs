//! What an engine error says beyond its text: the place in the user's files, and what to do next.

mod fetching;

use std::error::Error;
use std::path::Path;

use windlass_cloud::CloudError;
use windlass_cluster::ClusterError;
use windlass_deploy::config_file::ConfigError;
use windlass_deploy::error::Error as EngineError;
use windlass_deploy::images::ImageFailure;
use windlass_deploy::render::KustomizeFailure;
use windlass_deploy::target::TargetError;
use windlass_helm::ConfigError as ChartConfigError;
use windlass_kustomize::{KustomizeError, ManifestProblem};
use windlass_model::location::Location;
use windlass_sops::SopsError;
use windlass_template::{ErrorKind, TemplateError};
use windlass_yaml::YamlError;

const LOG_IN: &str = "the cluster does not accept the credentials of the kubeconfig: log in again, or choose another \
                      context with `--context`";
const NO_ANSWER: &str = "check that the cluster runs and that the kubeconfig names its address; `--context` and \
                         `--kubeconfig` choose another one";
const UNDEFINED: &str = "define it in `vars` or `args`, or give it a value with `| default(..)`";
const NO_TEMPLATE: &str = "names are looked up from the folder of the item up to the project's root; `./name` means \
                           the folder of the template itself";
const NO_IMAGE: &str = "name one with `-F IMAGE=RESULT` or `--fixed-images-file`, or change what `images.get_image` \
                        asks for";
const NO_TARGETS: &str = "no target can be used here: the warnings above may say why, or `--project-dir` names another \
                          project";

/// Place and next step of an error, as far as they are known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Advice {
    pub(super) at: Option<Location>,
    pub(super) hint: Option<String>,
    /// From the place outwards: who included, imported or called it.
    pub(super) way: Vec<String>,
}

impl Advice {
    /// Looks through all causes; the innermost knows best.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut advice = Self::default();
        let mut cause = Some(error);
        while let Some(current) = cause {
            advice.at = place(current).or(advice.at);
            advice.hint = hint(current).or(advice.hint);
            if let Some(template) = current.downcast_ref::<TemplateError>() {
                let outer = template.frames().iter().skip(1);
                advice.way = outer.map(|frame| format!("from {}, in {}", frame.at, frame.part)).collect();
            }
            cause = current.source();
        }
        advice
    }
}

fn place(error: &(dyn Error + 'static)) -> Option<Location> {
    if let Some(ConfigError::Yaml(yaml)) = error.downcast_ref() {
        return Some(yaml.location().clone());
    }
    if let Some(chart) = error.downcast_ref::<ChartConfigError>() {
        return chart.location().cloned();
    }
    if let Some(yaml) = error.downcast_ref::<YamlError>() {
        return Some(yaml.location().clone());
    }
    if let Some(sops) = sops(error) {
        return sops.location().cloned();
    }
    error.downcast_ref::<TemplateError>()?.location().cloned()
}

/// A file that cannot be decrypted; errors hold it in a box.
fn sops<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e SopsError> {
    error.downcast_ref().or_else(|| error.downcast_ref::<Box<SopsError>>().map(|boxed| &**boxed))
}

fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(sops) = sops(error) {
        return sops.hint();
    }
    if let Some(next) = fetching::hint(error) {
        return Some(next);
    }
    if let Some(EngineError::Target(error)) = error.downcast_ref() {
        return of_target(error);
    }
    if let Some(error) = error.downcast_ref::<TemplateError>() {
        return match error.kind() {
            ErrorKind::Undefined => Some(UNDEFINED.to_owned()),
            ErrorKind::NotFound => Some(NO_TEMPLATE.to_owned()),
            _ => None,
        };
    }
    if let Some(KustomizeFailure::Build { dir, source }) = error.downcast_ref() {
        return of_kustomization(dir, source);
    }
    if let Some(ImageFailure::Unresolved(_)) = error.downcast_ref() {
        return Some(NO_IMAGE.to_owned());
    }
    if let Some(error) = error.downcast_ref::<CloudError>() {
        return error.hint();
    }
    match error.downcast_ref::<ClusterError>()? {
        ClusterError::Unauthorized(_) => Some(LOG_IN.to_owned()),
        ClusterError::Transport { .. } | ClusterError::Timeout { .. } => Some(NO_ANSWER.to_owned()),
        _ => None,
    }
}

fn of_kustomization(dir: &Path, error: &KustomizeError) -> Option<String> {
    use ManifestProblem::{NoKind, NoMetadata, NoName};
    let KustomizeError::BadResource { resource, problem, .. } = error else { return None };
    let incomplete = matches!(problem, NoMetadata | NoKind { .. } | NoName { .. });
    let file = dir.join(resource);
    incomplete.then(|| format!("every object in `{}` needs `apiVersion`, `kind` and `metadata.name`", file.display()))
}

fn of_target(error: &TargetError) -> Option<String> {
    match error {
        TargetError::Unknown { available, .. } | TargetError::NotSelected { available } if !available.is_empty() => {
            Some(format!("the project has: {}", available.join(", ")))
        }
        TargetError::Unknown { .. } | TargetError::NotSelected { .. } => Some(NO_TARGETS.to_owned()),
        TargetError::NoneUsable | TargetError::Broken(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn an_unknown_target_lists_the_others() {
        let unknown = |available: &[&str]| {
            let available = available.iter().map(|name| (*name).to_owned()).collect();
            Advice::of(&EngineError::Target(TargetError::Unknown { name: "x".into(), available })).hint
        };
        assert_eq!(unknown(&["dev", "prod"]).as_deref(), Some("the project has: dev, prod"));
        assert_eq!(unknown(&[]).as_deref(), Some(NO_TARGETS));
    }

    #[test]
    fn the_innermost_cause_gives_the_advice() {
        let inner = windlass_template::FileError {
            path: PathBuf::from("app/x.yaml"),
            source: TemplateError::new(ErrorKind::Undefined, "'x' is undefined"),
        };
        assert_eq!(Advice::of(&inner).hint.as_deref(), Some(UNDEFINED));
    }

    #[test]
    fn a_wrong_helm_chart_yaml_is_shown_where_it_is_wrong() {
        for (text, line) in [("helmChart:\n  releaseName: r\n  pth: x\n", 3), ("\nhelmChart: {releaseName: r}\n", 2)] {
            let error = windlass_helm::ChartConfig::parse(text, Path::new("helm-chart.yaml")).expect_err("an error");
            let error = windlass_charts::PullError::Project(error.into());
            let at = Advice::of(&error).at.expect("a place");
            assert_eq!((at.source.name.as_str(), at.line()), ("helm-chart.yaml", line));
        }
    }

    #[test]
    fn errors_without_advice_have_none() {
        assert_eq!(Advice::of(&EngineError::Refused { message: "aborted" }), Advice::default());
    }
}
