//! What can be wrong with a chart item.

use std::io;
use std::path::{Path, PathBuf};

use windlass_gohelper::HelperError;
use windlass_model::location::Location;
use windlass_yaml::{YamlError, YamlErrorKind};

/// Rendering a chart item failed. Texts are those that scripts match on.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// A file could not be read or written.
    #[error("{action} `{}`", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// `helm-chart.yaml` is wrong.
    #[error("unmarshalling {} failed: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// `path` is absolute.
    #[error("absolute path is not allowed in helm-chart.yaml")]
    AbsolutePath {
        /// The path as written.
        path: String,
    },
    /// `path`, `output`, or a link inside of a chart leads out of the allowed folder.
    #[error("path {} is not inside directory {}", path.display(), root.display())]
    Outside {
        /// Where it leads.
        path: PathBuf,
        /// What it has to stay in.
        root: PathBuf,
    },
    /// A local chart has no readable `Chart.yaml`.
    #[error("opening {path} failed: open {path}: {}", reason(source), path = path.display())]
    NoChartYaml {
        /// The file that was looked for.
        path: PathBuf,
        /// Why it can not be read.
        #[source]
        source: io::Error,
    },
    /// `Chart.yaml` is no YAML or has no name.
    #[error("unmarshalling {} failed: {reason}", path.display())]
    BadChartYaml {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The chart's name, as derived from its address, can not be a name.
    #[error("invalid chart name `{name}`: it has no letter")]
    BadChartName {
        /// The derived name.
        name: String,
    },
    /// The kustomization beside `helm-chart.yaml` does not use the output.
    #[error("{}/kustomization.yaml does not include the rendered helm chart: {output}", dir.display())]
    NotListed {
        /// The folder, relative to the source root.
        dir: PathBuf,
        /// The output as configured.
        output: String,
    },
    /// The chart could not be found or rendered.
    #[error("rendering helm chart {chart} for release {release} has failed: {source}")]
    Render {
        /// The chart's name.
        chart: String,
        /// The release's name.
        release: String,
        /// Why.
        #[source]
        source: RenderFailure,
    },
}

/// What is wrong inside of a `helm-chart.yaml`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no YAML, or a field has the wrong type or does not exist.
    #[error("{}", yaml_cause(source))]
    Yaml {
        /// Where and why.
        #[source]
        source: Box<YamlError>,
    },
    /// Fields do not fit together.
    #[error("{}", violations(rules))]
    Invalid {
        /// The broken rules, as (field, rule).
        rules: Vec<(&'static str, &'static str)>,
        /// The field of the first one, or the mapping that misses it.
        at: Box<Location>,
    },
    /// `git` is wrong.
    #[error("{reason}")]
    Git {
        /// What is wrong.
        reason: String,
        /// Where.
        at: Box<Location>,
    },
    /// A version that was to be replaced can not.
    #[error("the version can not be replaced: {reason}")]
    Fixed {
        /// Why.
        reason: String,
    },
}

impl ConfigError {
    /// The place in the file.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Yaml { source } => Some(source.location()),
            Self::Invalid { at, .. } | Self::Git { at, .. } => Some(at),
            Self::Fixed { .. } => None,
        }
    }
}

/// Why a chart can not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderFailure {
    /// No folder `.helm-charts` between the item and the source root.
    #[error("can't determine pulled chart dir. No base dir for charts found")]
    NoPulledBase,
    /// `.helm-charts` does not have the chart in the wanted version.
    #[error(
        "Helm Chart {name} has not been pre-pulled, which is not allowed when skipPrePull is not enabled. \
         Run 'kluctl helm-pull' to pre-pull all Helm Charts"
    )]
    NotPulled {
        /// The chart's name.
        name: String,
    },
    /// `.helm-charts` has another version in the folder of the wanted one.
    #[error(
        "pre-pulled Helm Chart {name} need to be pulled (call 'kluctl helm-pull'). \
         Desired version is {desired} while pre-pulled version is {pulled}"
    )]
    WrongVersion {
        /// The chart's name.
        name: String,
        /// The version in `helm-chart.yaml`.
        desired: String,
        /// The version in `Chart.yaml`.
        pulled: String,
    },
    /// `skipPrePull` asks for pulling while rendering, which failed.
    #[error("{0}")]
    Pull(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// `skipPrePull` asks for pulling while rendering, and the caller can not.
    #[error("Helm Chart {name} has skipPrePull enabled, and charts can not be pulled here")]
    PullUnavailable {
        /// The chart's name.
        name: String,
    },
    /// `repo` has a scheme that is not supported.
    #[error("unsupported scheme in {url}")]
    UnsupportedScheme {
        /// The repository.
        url: String,
    },
    /// A pulled chart's `Chart.yaml` is no YAML.
    #[error("unmarshalling {} failed: {reason}", path.display())]
    BadChartYaml {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A link inside of a pulled chart leads out of the source.
    #[error("path {} is not inside directory {}", path.display(), root.display())]
    Outside {
        /// Where it leads.
        path: PathBuf,
        /// What it has to stay in.
        root: PathBuf,
    },
    /// Helm refused.
    #[error(transparent)]
    Helper(#[from] HelperError),
}

pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HelmError {
    let path = path.to_owned();
    move |source| HelmError::Io { action, path, source }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn yaml_cause(error: &YamlError) -> String {
    match error.kind() {
        YamlErrorKind::UnknownField { field, .. } => {
            format!("error unmarshaling JSON: while decoding JSON: json: unknown field \"{field}\"")
        }
        _ => error.to_string(),
    }
}

fn violations(rules: &[(&'static str, &'static str)]) -> String {
    let lines: Vec<String> = rules
        .iter()
        .map(|(field, rule)| {
            format!(
                "Key: 'HelmChartConfig.HelmChartConfig2.{field}' \
                 Error:Field validation for '{field}' failed on the '{rule}' tag"
            )
        })
        .collect();
    lines.join("\n")
}
