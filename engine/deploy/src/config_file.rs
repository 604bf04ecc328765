//! Finds, reads and decodes configuration files (spec 01 sections 1.1 and 1.2).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use windlass_model::location::Source;
use windlass_template::Batch;
use windlass_yaml::{Dialect, YamlError};

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("open {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The text or its content is wrong.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The content breaks rules between fields.
    #[error("{}", violations.join("\n"))]
    Invalid {
        /// One sentence per broken rule, in upstream's wording.
        violations: Vec<String>,
    },
}

/// A well-known file in `dir` under its preferred or its other extension.
pub fn find(dir: &Path, names: [&str; 2]) -> Option<PathBuf> {
    names.iter().map(|name| dir.join(name)).find(|path| path.is_file())
}

/// `.kluctl.yml` or `.kluctl.yaml`; windlass accepts its own name too.
pub fn find_project_config(dir: &Path) -> Option<PathBuf> {
    find(dir, [".kluctl.yml", ".kluctl.yaml"]).or_else(|| find(dir, [".windlass.yml", ".windlass.yaml"]))
}

/// `.kluctl-library.yaml` or `.yml`.
pub fn find_library_config(dir: &Path) -> Option<PathBuf> {
    find(dir, [".kluctl-library.yaml", ".kluctl-library.yml"])
}

/// `deployment.yml` or `.yaml`.
pub fn find_deployment(dir: &Path) -> Option<PathBuf> {
    find(dir, ["deployment.yml", "deployment.yaml"])
}

/// `kustomization.yml` or `.yaml`.
pub fn find_kustomization(dir: &Path) -> Option<PathBuf> {
    find(dir, ["kustomization.yml", "kustomization.yaml"])
}

/// Reads a file as text (byte order marks honoured).
///
/// # Errors
/// The file is unreadable or no text.
pub fn read_text(path: &Path) -> Result<Arc<Source>, ConfigError> {
    let bytes = std::fs::read(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let name = path.display().to_string();
    let text = windlass_yaml::decode(&bytes, &name)?.into_owned();
    Ok(Source::new(name, text))
}

/// Decodes the first document of a text; an empty one is the zero value.
///
/// # Errors
/// Syntax, unknown fields, wrong types: with position.
pub fn decode<T: DeserializeOwned + Default>(source: &Arc<Source>) -> Result<T, ConfigError> {
    let document = windlass_yaml::parse_first(source, Dialect::GoV2)?;
    if document.value.is_null() { Ok(T::default()) } else { Ok(windlass_yaml::from_document(&document)?) }
}

/// [`read_text`] and [`decode`].
///
/// # Errors
/// As these.
pub fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ConfigError> {
    decode(&read_text(path)?)
}
/// `batch` for the conditions and variables that stand in the deployment file of `dir`: errors point there.
pub(crate) fn standing_in(batch: Batch, dir: &Path) -> Batch {
    match find_deployment(dir).and_then(|file| read_text(&file).ok()) {
        Some(file) => batch.standing_in(file),
        None => batch,
    }
}
