//! The model of `helm-chart.yaml`.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use windlass_model::location::Location;
use windlass_yaml::{Dialect, Document, PathElement, Source, from_document, from_value, parse_first};

use crate::error::{ConfigError, HelmError};
use crate::git_url::GitUrl;
use crate::validate::validate;

/// The output file when none is configured.
pub const DEFAULT_OUTPUT: &str = "helm-rendered.yaml";

/// A valid `helm-chart.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartConfig {
    /// Where the chart comes from.
    pub source: ChartSource,
    /// Which versions `helm-update` may choose.
    pub update_constraints: Option<String>,
    /// `.Release.Name`.
    pub release_name: String,
    /// The namespace for objects that name none.
    pub namespace: Option<String>,
    /// The output file, relative to `helm-chart.yaml`.
    pub output: String,
    /// Leave out the chart's `crds/`.
    pub skip_crds: bool,
    /// `helm-update` only reports.
    pub skip_update: bool,
    /// Pull when rendering.
    pub skip_pre_pull: bool,
}

/// Where a chart comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartSource {
    /// A folder of the project, relative to `helm-chart.yaml`.
    Local {
        /// The path as written.
        path: String,
    },
    /// `oci://host/path/to/chart`.
    Oci {
        /// The address.
        url: String,
        /// The tag.
        version: String,
    },
    /// A chart repository over HTTP.
    Repository {
        /// The address.
        url: String,
        /// The chart's name in the repository.
        name: String,
        /// The chart's version.
        version: String,
    },
    /// A folder in a git repository.
    Git(GitChart),
}

/// A chart in a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitChart {
    /// The repository.
    pub url: GitUrl,
    /// What to check out; the repository's default branch when absent.
    pub reference: Option<GitRef>,
    /// The chart's folder in the repository.
    pub sub_dir: Option<String>,
}

/// What to check out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitRef {
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, in full.
    Commit(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    #[serde(rename = "helmChart")]
    helm_chart: RawConfig,
}

/// The fields as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawConfig {
    pub(crate) repo: Option<String>,
    pub(crate) git: Option<Value>,
    pub(crate) path: Option<String>,
    pub(crate) chart_name: Option<String>,
    pub(crate) chart_version: Option<String>,
    pub(crate) update_constraints: Option<String>,
    pub(crate) release_name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) output: Option<String>,
    #[serde(rename = "skipCRDs")]
    pub(crate) skip_crds: bool,
    pub(crate) skip_update: bool,
    pub(crate) skip_pre_pull: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawGit {
    url: String,
    #[serde(rename = "ref")]
    reference: Option<RawRef>,
    #[serde(rename = "subDir")]
    sub_dir: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawRef {
    branch: Option<String>,
    tag: Option<String>,
    commit: Option<String>,
}

impl ChartConfig {
    /// Reads the text of a `helm-chart.yaml`; `path` is for errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, HelmError> {
        parse(text, path).map_err(|source| HelmError::Config { path: path.to_owned(), source })
    }
}

fn parse(text: &str, path: &Path) -> Result<ChartConfig, ConfigError> {
    let source = Source::new(path.display().to_string(), text);
    let document = parse_first(&source, Dialect::GoV2).map_err(yaml)?;
    let raw = if document.value.is_null() { File::default() } else { from_document(&document).map_err(yaml)? };
    let raw = raw.helm_chart;
    let rules = validate(&raw);
    if !rules.is_empty() {
        return Err(ConfigError::Invalid { at: Box::new(place(&document, &rules)), rules });
    }
    let source = chart_source(&document, &raw)?;
    let RawConfig { update_constraints, release_name, namespace, output, .. } = raw;
    let output = output.filter(|output| !output.is_empty()).unwrap_or_else(|| DEFAULT_OUTPUT.to_owned());
    Ok(ChartConfig {
        source,
        update_constraints,
        release_name,
        namespace: namespace.filter(|namespace| !namespace.is_empty()),
        output,
        skip_crds: raw.skip_crds,
        skip_update: raw.skip_update,
        skip_pre_pull: raw.skip_pre_pull,
    })
}

/// The field of the first broken rule; of a missing field the mapping's key.
fn place(document: &Document, rules: &[(&'static str, &'static str)]) -> Location {
    let sources: &[&str] = match rules.first() {
        // Each of these may be the one too many.
        Some(("repo", _)) => &["repo", "git", "path"],
        Some(("ReleaseName", _)) => &["releaseName"],
        Some((field, _)) => &[field],
        None => &[],
    };
    let path = |field: &str| [PathElement::from("helmChart"), field.into()];
    let present = sources.iter().map(|field| path(field)).find(|path| document.locate_key(path).is_some());
    document.key_location(present.as_ref().map_or(&["helmChart".into()][..], |path| &path[..]))
}

fn yaml(error: windlass_yaml::YamlError) -> ConfigError {
    ConfigError::Yaml { source: Box::new(error) }
}

/// Of a validated configuration.
fn chart_source(document: &Document, raw: &RawConfig) -> Result<ChartSource, ConfigError> {
    if let Some(path) = present(raw.path.as_deref()) {
        return Ok(ChartSource::Local { path: path.to_owned() });
    }
    if let Some(git) = &raw.git {
        return Ok(ChartSource::Git(git_chart(document, git)?));
    }
    let url = raw.repo.clone().unwrap_or_default();
    let version = raw.chart_version.clone().unwrap_or_default();
    Ok(match present(raw.chart_name.as_deref()) {
        Some(name) => ChartSource::Repository { url, name: name.to_owned(), version },
        None => ChartSource::Oci { url, version },
    })
}

pub(crate) fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn git_chart(document: &Document, value: &Value) -> Result<GitChart, ConfigError> {
    let raw = match value {
        Value::String(url) => RawGit { url: url.clone(), ..RawGit::default() },
        other => {
            let base: [PathElement; 2] = ["helmChart".into(), "git".into()];
            from_value(document, other, &base).map_err(yaml)?
        }
    };
    let wrong = |field: &str, reason: String| {
        let path = [PathElement::from("helmChart"), "git".into(), field.into()];
        let exact = document.locate(&path).is_some();
        ConfigError::Git { reason, at: Box::new(document.location(if exact { &path } else { &path[..2] })) }
    };
    let url = GitUrl::parse(&raw.url).map_err(|reason| wrong("url", reason))?;
    let reference = raw.reference.map(git_ref).transpose().map_err(|reason| wrong("ref", reason.to_owned()))?;
    Ok(GitChart { url, reference, sub_dir: raw.sub_dir.filter(|dir| !dir.is_empty()) })
}

fn git_ref(raw: RawRef) -> Result<GitRef, &'static str> {
    let RawRef { branch, tag, commit } = raw;
    let given = [branch.map(GitRef::Branch), tag.map(GitRef::Tag), commit.map(GitRef::Commit)];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(reference), None) => Ok(reference),
        (None, _) => Err("either branch, tag or commit must be set"),
        (Some(_), Some(_)) => Err("only one of the ref fields can be set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(fields: &str) -> ChartConfig {
        ChartConfig::parse(&format!("helmChart: {{{fields}}}"), Path::new("helm-chart.yaml")).unwrap()
    }

    fn refusal(text: &str) -> String {
        ChartConfig::parse(text, Path::new("helm-chart.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn a_local_chart_needs_a_path_and_a_release() {
        let config = config("path: ../chart, releaseName: r");
        assert_eq!(config.source, ChartSource::Local { path: "../chart".to_owned() });
        assert_eq!(config.output, DEFAULT_OUTPUT);
        assert_eq!(config.namespace, None);
    }

    #[test]
    fn scalars_become_strings() {
        let config =
            config("repo: 'https://example.com', chartName: x, chartVersion: 1.10, releaseName: 1, namespace: n");
        assert_eq!(config.release_name, "1");
        assert_eq!(config.namespace.as_deref(), Some("false"));
        assert!(matches!(config.source, ChartSource::Repository { version, .. } if version == "1.1"));
    }

    #[test]
    fn a_git_chart_has_two_forms() {
        let text = config("git: 'https://git.example.com/a/b.git', releaseName: r");
        assert!(matches!(text.source, ChartSource::Git(GitChart { reference: None, sub_dir: None, .. })));
        let map = config("git: {url: 'git@example.com:a/b', ref: {tag: 1.5}, subDir: c}, releaseName: r");
        let ChartSource::Git(chart) = map.source else { panic!("a git chart") };
        assert_eq!(chart.reference, Some(GitRef::Tag("1.5".to_owned())));
        assert_eq!(chart.sub_dir.as_deref(), Some("c"));
    }

    #[test]
    fn an_unknown_field_is_named() {
        assert_eq!(
            refusal("helmChart: {path: x, releaseName: r, credentialsId: x}"),
            "unmarshalling helm-chart.yaml failed: error unmarshaling JSON: while decoding JSON: \
             json: unknown field \"credentialsId\""
        );
    }

    #[test]
    fn broken_rules_are_told_in_the_known_form() {
        assert_eq!(
            refusal("helmChart: {releaseName: r}"),
            "unmarshalling helm-chart.yaml failed: Key: 'HelmChartConfig.HelmChartConfig2.repo' \
             Error:Field validation for 'repo' failed on the 'either repo, path or git must be specified' tag"
        );
    }

    #[test]
    fn errors_point_to_their_field() {
        for (fields, wanted) in [
            ("{path: a}", "helmChart"),
            ("{path: a, releaseName: ''}", "releaseName"),
            ("{path: a, releaseName: r, chartVersion: 1}", "chartVersion"),
            ("{path: a, git: 'https://h/x', releaseName: r}", "git"),
            ("{path: a, releaseName: r, chrt: 1}", "chrt"),
            ("{git: {url: nonsense}, releaseName: r}", "nonsense"),
            ("{git: {url: 'https://h/x', ref: {}}, releaseName: r}", "{}"),
        ] {
            let text = format!("# a comment\nhelmChart: {fields}\n");
            let error = ChartConfig::parse(&text, Path::new("helm-chart.yaml")).unwrap_err();
            let HelmError::Config { source, .. } = error else { panic!("a wrong file") };
            let at = source.location().unwrap();
            assert_eq!(&text[at.span.clone()], wanted, "{fields}: {source}");
        }
    }

    #[test]
    fn wrong_git_references_are_refused() {
        let git = |git: &str| refusal(&format!("helmChart: {{releaseName: r, git: {git}}}"));
        assert!(git("{url: 'https://a/b', ref: {}}").ends_with("either branch, tag or commit must be set"));
        assert!(
            git("{url: 'https://a/b', ref: {tag: a, branch: b}}").ends_with("only one of the ref fields can be set")
        );
        assert!(git("{url: 'file:///a/b'}").ends_with("file:// protocol is not supported: file:///a/b"));
        assert!(git("{url: 'https://a/b', nope: 1}").contains("unknown field \"nope\""));
    }
}
