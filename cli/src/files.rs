//! Texts of file errors: what was tried, then the reason, in the words that scripts know.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// `open a.yaml: no such file or directory`.
pub(crate) fn open_error(path: &str, error: &Error) -> String {
    let reason = match error.kind() {
        ErrorKind::NotFound => "no such file or directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "is a directory".to_owned(),
        ErrorKind::NotADirectory => "not a directory".to_owned(),
        _ => error.to_string(),
    };
    format!("open {path}: {reason}")
}

/// Creates or truncates a file and writes `text`.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| open_error(&path.display().to_string(), &error))
}
