//! `.helm-charts/digests.yaml`: what each pulled chart was made of, so that a version that changes is noticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use windlass_yaml::{Dialect, Source, parse_first, to_string};

use crate::error::{ChartError, failed};
use crate::swap;

const FILE: &str = "digests.yaml";

/// Folder of a version, relative to `.helm-charts`, with `/` → origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digests(BTreeMap<String, String>);

impl Digests {
    /// A file that is not there or not readable is empty: it only serves to notice changes.
    pub(crate) fn read(base: &Path) -> Self {
        let text = fs::read_to_string(base.join(FILE)).unwrap_or_default();
        let Ok(document) = parse_first(&Source::new(FILE, text), Dialect::GoV2) else { return Self::default() };
        let charts = document.value.get("charts").and_then(Value::as_object);
        let entries =
            charts.into_iter().flatten().filter_map(|(dir, origin)| Some((dir.clone(), origin.as_str()?.into())));
        Self(entries.collect())
    }

    pub(crate) fn get(&self, dir: &Path) -> Option<&str> {
        self.0.get(&key(dir)).map(String::as_str)
    }

    pub(crate) fn set(&mut self, dir: &Path, origin: &str) {
        self.0.insert(key(dir), origin.to_owned());
    }

    pub(crate) fn remove(&mut self, dir: &Path) {
        self.0.remove(&key(dir));
    }

    /// Written only when something changed; without charts there is no file.
    pub(crate) fn write(&self, base: &Path) -> Result<(), ChartError> {
        let file = base.join(FILE);
        if *self == Self::read(base) {
            return Ok(());
        }
        if self.0.is_empty() {
            return fs::remove_file(&file).map_err(failed("remove", &file));
        }
        let text = to_string(&serde_json::json!({ "charts": self.0 }));
        let staging = swap::staging(base).map_err(failed("create a folder in", base))?;
        swap::write_file(&file, text.as_bytes(), staging.path()).map_err(failed("write", &file))
    }
}

fn key(dir: &Path) -> String {
    let parts: PathBuf = dir.components().collect();
    parts.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let base = tempfile::tempdir().unwrap();
        let mut digests = Digests::read(base.path());
        digests.set(Path::new("https_a/c/1.0.0"), "sha256:ab");
        digests.write(base.path()).unwrap();
        let text = fs::read_to_string(base.path().join(FILE)).unwrap();
        assert_eq!(text, "charts:\n  https_a/c/1.0.0: sha256:ab\n");
        let mut read = Digests::read(base.path());
        assert_eq!(read.get(Path::new("https_a/c/1.0.0")), Some("sha256:ab"));
        read.remove(Path::new("https_a/c/1.0.0"));
        read.write(base.path()).unwrap();
        assert!(!base.path().join(FILE).exists());
    }

    #[test]
    fn a_broken_file_is_empty() {
        let base = tempfile::tempdir().unwrap();
        for text in ["charts: [", "charts: 5", "charts: {a: 5}", "\u{0}"] {
            fs::write(base.path().join(FILE), text).unwrap();
            assert_eq!(Digests::read(base.path()), Digests::default(), "{text}");
        }
    }
}
