//! Puts another version into the text of a `helm-chart.yaml`; every other byte stays.

use std::path::Path;

use windlass_yaml::{Dialect, Document, PathElement, Resolved, Source, parse_first, resolve};

use crate::config::{ChartConfig, ChartSource, GitRef};
use crate::error::{ConfigError, HelmError};

/// The text with the chart's version, or the tag of a chart in git, replaced.
///
/// # Errors
/// The text is not a valid `helm-chart.yaml`, or has no version to replace.
pub fn set_version(text: &str, path: &Path, version: &str) -> Result<String, HelmError> {
    let before = ChartConfig::parse(text, path)?;
    let fail = |reason: &str| HelmError::Config {
        path: path.to_owned(),
        source: ConfigError::Fixed { reason: reason.to_owned() },
    };
    let field: &[&str] = match &before.source {
        ChartSource::Repository { .. } | ChartSource::Oci { .. } => &["helmChart", "chartVersion"],
        ChartSource::Git(chart) if matches!(chart.reference, Some(GitRef::Tag(_))) => {
            &["helmChart", "git", "ref", "tag"]
        }
        ChartSource::Local { .. } | ChartSource::Git(_) => return Err(fail("the chart has none")),
    };
    let document = parse(text, path)?;
    let elements: Vec<PathElement> = field.iter().map(|name| (*name).into()).collect();
    let span = document.locate(&elements).ok_or_else(|| fail("it is not written in this file"))?;
    let old = text.get(span.clone()).unwrap_or_default();
    let edited = format!("{}{}{}", &text[..span.start], scalar(old, version), &text[span.end..]);
    // An alias, or an anchor that others use, would change more than this.
    let after = ChartConfig::parse(&edited, path)?;
    if after == with_version(before, version) { Ok(edited) } else { Err(fail("it is shared with another field")) }
}

fn parse(text: &str, path: &Path) -> Result<Document, HelmError> {
    let source = Source::new(path.display().to_string(), text);
    parse_first(&source, Dialect::GoV2).map_err(|error| HelmError::Config {
        path: path.to_owned(),
        source: ConfigError::Yaml { source: Box::new(error) },
    })
}

/// In the quotes of the old one; a plain one gets quotes when it would be read as something else than text.
fn scalar(old: &str, new: &str) -> String {
    let is_text = matches!(resolve(new, Dialect::GoV2), Resolved::Text)
        && !new.is_empty()
        && new.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-+/".contains(letter))
        && !new.starts_with('-');
    match old.chars().next() {
        Some('\'') => format!("'{}'", new.replace('\'', "''")),
        Some('"') => format!("\"{}\"", new.replace('\\', "\\\\").replace('"', "\\\"")),
        _ if is_text => new.to_owned(),
        _ => format!("\"{}\"", new.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn with_version(mut config: ChartConfig, new: &str) -> ChartConfig {
    match &mut config.source {
        ChartSource::Oci { version, .. } | ChartSource::Repository { version, .. } => new.clone_into(version),
        ChartSource::Git(chart) => chart.reference = Some(GitRef::Tag(new.to_owned())),
        ChartSource::Local { .. } => {}
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, version: &str) -> Result<String, String> {
        set_version(text, Path::new("helm-chart.yaml"), version).map_err(|error| error.to_string())
    }

    const TEXT: &str = "# top\nhelmChart:   # here\n  releaseName: r\n  chartVersion: 1.0.0 # why\n  chartName: x\n\n  repo: 'https://x'\n# end";

    #[test]
    fn only_the_version_changes() {
        assert_eq!(edited(TEXT, "1.1.0").unwrap(), TEXT.replace("1.0.0", "1.1.0"));
        let windows = TEXT.replace('\n', "\r\n");
        assert_eq!(edited(&windows, "1.1.0").unwrap(), windows.replace("1.0.0", "1.1.0"));
    }

    #[test]
    fn quotes_stay_and_come_where_they_are_needed() {
        let double = TEXT.replace("1.0.0", "\"1.0.0\"");
        assert_eq!(edited(&double, "2").unwrap(), TEXT.replace("1.0.0", "\"2\""));
        let single = TEXT.replace("1.0.0", "'1.0.0'");
        assert_eq!(edited(&single, "2.0.0").unwrap(), TEXT.replace("1.0.0", "'2.0.0'"));
        assert_eq!(edited(TEXT, "1.10").unwrap(), TEXT.replace("1.0.0", "\"1.10\""));
    }

    #[test]
    fn tags_of_git_charts_change() {
        let text = "helmChart: {git: {url: 'https://a/b', ref: {tag: v1}}, releaseName: r}";
        assert_eq!(edited(text, "v2").unwrap(), text.replace("v1", "v2"));
    }

    #[test]
    fn what_has_no_version_is_refused() {
        for text in [
            "helmChart: {path: x, releaseName: r}",
            "helmChart: {git: 'https://a/b', releaseName: r}",
            "helmChart: {git: {url: 'https://a/b', ref: {branch: v1}}, releaseName: r}",
        ] {
            assert!(edited(text, "1").unwrap_err().ends_with("the version can not be replaced: the chart has none"));
        }
        assert!(edited("helmChart: [", "1").is_err());
    }

    #[test]
    fn a_shared_version_is_refused() {
        let text = "helmChart:\n  repo: https://x\n  chartName: x\n  chartVersion: &v a1\n  releaseName: *v\n";
        assert!(edited(text, "b2").is_err());
        let other = "helmChart:\n  repo: https://x\n  chartName: x\n  releaseName: &v a1\n  chartVersion: *v\n";
        assert_eq!(edited(other, "b2").unwrap(), other.replace("*v", "b2"));
    }
}
