//! `index.yaml` of a chart repository.

use std::collections::BTreeMap;

use serde_json::Value;
use windlass_yaml::{Dialect, DuplicateKeys, ReadOptions, Source, parse_first};

/// All charts of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    charts: BTreeMap<String, Vec<IndexEntry>>,
}

/// One version of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) version: String,
    /// Where the archive is; relative to the repository.
    pub(crate) urls: Vec<String>,
    /// SHA-256 of the archive, in hex, where the repository tells it.
    pub(crate) digest: Option<String>,
}

impl Index {
    /// Reads the text; the error is a reason. Entries that make no sense are left out, as Helm does.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, String> {
        let value = match text.trim_start().starts_with('{') {
            // Some repositories write JSON, which reads much faster.
            true => serde_json::from_str(text).map_err(|error| error.to_string())?,
            false => {
                let options = ReadOptions::new(Dialect::GoV2).duplicate_keys(DuplicateKeys::LastWins);
                parse_first(&Source::new(name, text), options).map_err(|error| error.to_string())?.value
            }
        };
        if value.get("apiVersion").and_then(Value::as_str).unwrap_or_default().is_empty() {
            return Err("no API version specified".to_owned());
        }
        let charts = match value.get("entries") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(entries)) => {
                entries.iter().map(|(name, versions)| (name.clone(), of_chart(versions))).collect()
            }
            Some(_) => return Err("`entries` is no map".to_owned()),
        };
        Ok(Self { charts })
    }

    /// The versions of a chart.
    pub(crate) fn versions(&self, chart: &str) -> Option<&[IndexEntry]> {
        self.charts.get(chart).map(Vec::as_slice).filter(|versions| !versions.is_empty())
    }
}

fn of_chart(versions: &Value) -> Vec<IndexEntry> {
    versions.as_array().into_iter().flatten().filter_map(entry).collect()
}

fn entry(value: &Value) -> Option<IndexEntry> {
    let text = |field: &str| match value.get(field)? {
        Value::String(text) => Some(text.clone()),
        // Written without quotes, as `version: 1.2`.
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let urls = value.get("urls").and_then(Value::as_array).into_iter().flatten();
    Some(IndexEntry {
        version: text("version").filter(|version| !version.is_empty())?,
        urls: urls.filter_map(|url| url.as_str().map(str::to_owned)).collect(),
        digest: text("digest")
            .map(|digest| digest.trim_start_matches("sha256:").to_lowercase())
            .filter(|d| !d.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_urls_and_digests() {
        let index = Index::parse(
            "apiVersion: v1\nentries:\n  one:\n  - {version: 1.1.0, urls: [one-1.1.0.tgz], digest: AB}\n  - {version: 2, urls: []}\n  - null\n  - {urls: [x]}\n  none: []\n",
            "x",
        )
        .unwrap();
        let versions = index.versions("one").unwrap();
        assert_eq!(versions.iter().map(|entry| entry.version.as_str()).collect::<Vec<_>>(), ["1.1.0", "2"]);
        assert_eq!(versions[0].digest.as_deref(), Some("ab"));
        assert_eq!(index.versions("none"), None);
        assert_eq!(index.versions("two"), None);
    }

    #[test]
    fn json_is_read_too() {
        let index = Index::parse(r#" {"apiVersion":"v1","entries":{"a":[{"version":"1.0.0","urls":["a"]}]}}"#, "x");
        assert_eq!(index.unwrap().versions("a").unwrap().len(), 1);
    }

    #[test]
    fn bad_indexes_are_refused() {
        for (text, reason) in [
            ("", "no API version specified"),
            ("<html></html>", "no API version specified"),
            ("entries: {}", "no API version specified"),
            ("apiVersion: v1\nentries: [a]", "`entries` is no map"),
            ("{\"apiVersion\": ", "EOF"),
            ("apiVersion: v1\nentries: {", "x:2:"),
        ] {
            let error = Index::parse(text, "x").unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
