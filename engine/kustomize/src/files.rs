//! File access with the path in the error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::KustomizeError;

/// The names that Kustomize looks for in a folder.
pub(crate) const KUSTOMIZATION_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KustomizeError {
    let path = path.to_owned();
    move |source| KustomizeError::Io { action, path, source }
}

pub(crate) fn canonical(path: &Path) -> Result<PathBuf, KustomizeError> {
    fs::canonicalize(path).map_err(failed("resolve", path))
}

pub(crate) fn read_text(path: &Path) -> Result<String, KustomizeError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

/// Writes a file that only its owner can read; the mode of an existing file stays.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), KustomizeError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .map_err(failed("write", path))
}

/// The kustomizations of a folder, in the order of Kustomize's own search.
pub(crate) fn kustomizations_in(dir: &Path) -> Vec<PathBuf> {
    KUSTOMIZATION_NAMES.iter().map(|name| dir.join(name)).filter(|path| path.is_file()).collect()
}
