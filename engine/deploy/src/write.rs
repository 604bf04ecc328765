//! Writes `.rendered.yml` beside the rendered files (spec 01 section 8.7).

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use crate::collect::{LocalItem, LocalObjects};

/// A rendered file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write `{}`: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The system's answer.
    #[source]
    pub source: std::io::Error,
}

/// Writes the objects of every item below `dir`, before namespaces are fixed.
///
/// # Errors
/// The first file that cannot be written.
pub fn write_rendered(objects: &LocalObjects, dir: &Path) -> Result<(), WriteError> {
    objects.items.par_iter().try_for_each(|item| write_item(item, dir))
}

fn write_item(item: &LocalItem, dir: &Path) -> Result<(), WriteError> {
    let Some(place) = &item.node.render_dir else { return Ok(()) };
    let path = dir.join(place).join(".rendered.yml");
    let values: Vec<Value> = item.objects.iter().map(|object| object.0.clone()).collect();
    let text = windlass_yaml::to_string_documents(&values);
    write_private(&path, &text).map_err(|source| WriteError { path, source })
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
