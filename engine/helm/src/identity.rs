//! The name of a chart, and what its `Chart.yaml` says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_yaml::{Dialect, DuplicateKeys, ReadOptions, Source, parse_first};

use crate::config::{ChartSource, GitChart, GitRef};
use crate::error::HelmError;

/// The fields of a `Chart.yaml` that matter here.
#[derive(Debug, PartialEq, Eq)]
pub struct ChartMetadata {
    /// The chart's name.
    pub name: String,
    /// The chart's version.
    pub version: String,
}

impl ChartMetadata {
    /// Of the chart in `dir`; the inner error says what is wrong with the file's content.
    ///
    /// # Errors
    /// There is no readable `Chart.yaml`.
    pub fn read(dir: &Path) -> Result<Result<Self, String>, std::io::Error> {
        read_metadata(&chart_yaml(dir))
    }
}

impl ChartSource {
    /// The chart's name, if its address tells it; a local chart's is in its `Chart.yaml`.
    ///
    /// # Errors
    /// The address ends with something that can not be a name.
    pub fn chart_name(&self) -> Result<Option<String>, HelmError> {
        name_from_address(self)
    }

    /// The version as people read it; `refs/tags/<tag>` for git.
    #[must_use]
    pub fn version_label(&self) -> String {
        match self {
            Self::Local { .. } => String::new(),
            Self::Oci { version, .. } | Self::Repository { version, .. } => version.clone(),
            Self::Git(GitChart { reference, .. }) => match reference {
                Some(GitRef::Tag(tag)) => format!("refs/tags/{tag}"),
                Some(GitRef::Branch(branch)) => format!("refs/heads/{branch}"),
                Some(GitRef::Commit(commit)) => commit.clone(),
                None => "HEAD".to_owned(),
            },
        }
    }
}

/// The chart's name, if its address tells it; a local chart's is in its `Chart.yaml`.
pub(crate) fn name_from_address(source: &ChartSource) -> Result<Option<String>, HelmError> {
    let name = match source {
        ChartSource::Local { .. } => return Ok(None),
        ChartSource::Repository { name, .. } => name.as_str(),
        ChartSource::Oci { url, .. } => last_element(url),
        ChartSource::Git(GitChart { url, sub_dir, .. }) => last_element(sub_dir.as_deref().unwrap_or(&url.path)),
    };
    if name.contains(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '_' | '-')) {
        Ok(Some(name.to_owned()))
    } else {
        Err(HelmError::BadChartName { name: name.to_owned() })
    }
}

fn last_element(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// `Chart.yaml` is preferred to `Chart.yml`.
pub(crate) fn chart_yaml(dir: &Path) -> PathBuf {
    let (preferred, other) = (dir.join("Chart.yaml"), dir.join("Chart.yml"));
    if !preferred.exists() && other.is_file() { other } else { preferred }
}

/// Reads a `Chart.yaml`; the inner error is a reason.
pub(crate) fn read_metadata(path: &Path) -> Result<Result<ChartMetadata, String>, std::io::Error> {
    let text = fs::read_to_string(path)?;
    let source = Source::new(path.display().to_string(), text);
    let options = ReadOptions::new(Dialect::GoV2).duplicate_keys(DuplicateKeys::LastWins);
    Ok(match parse_first(&source, options) {
        Ok(document) => {
            let text = |field: &str| match document.value.get(field) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            Ok(ChartMetadata { name: text("name"), version: text("version") })
        }
        Err(error) => Err(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git_url::GitUrl;

    fn oci(url: &str) -> ChartSource {
        ChartSource::Oci { url: url.to_owned(), version: "1".to_owned() }
    }

    #[test]
    fn names_come_from_the_last_element() {
        assert_eq!(name_from_address(&oci("oci://a/b/pepper/")).unwrap().as_deref(), Some("pepper"));
        let git = |sub_dir: Option<&str>| {
            ChartSource::Git(GitChart {
                url: GitUrl::parse("https://a/Ops/Charts.git").unwrap(),
                reference: None,
                sub_dir: sub_dir.map(str::to_owned),
            })
        };
        assert_eq!(name_from_address(&git(None)).unwrap().as_deref(), Some("charts"));
        assert_eq!(name_from_address(&git(Some("charts/Salt"))).unwrap().as_deref(), Some("Salt"));
    }

    #[test]
    fn a_name_without_letters_is_refused() {
        assert!(matches!(name_from_address(&oci("oci://a/123")), Err(HelmError::BadChartName { .. })));
    }
}
