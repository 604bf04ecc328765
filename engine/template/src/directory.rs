//! Renders a deployment item's directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::engine::Batch;
use crate::error::{ErrorKind, TemplateError};
use crate::ignore_rules::IgnoreRules;

/// Which directory to render, and where to.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryRequest<'a> {
    /// The item's directory (absolute).
    pub item_dir: &'a Path,
    /// Where the result is written; `None` keeps it in memory only.
    pub target_dir: Option<&'a Path>,
    /// The root of the source; `.templateignore` files count from here on.
    pub source_root: &'a Path,
}

/// The content of a rendered (or copied) file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderedFile {
    /// UTF-8 text.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
}

impl RenderedFile {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }
}

/// What became of a directory; all paths are relative to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderedDir {
    /// Regular files.
    pub files: BTreeMap<PathBuf, RenderedFile>,
    /// Sub-directories, empty ones too.
    pub dirs: Vec<PathBuf>,
    /// Symbolic links and their targets, as they are in the source.
    pub links: BTreeMap<PathBuf, PathBuf>,
}

/// One file of a directory that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed rendering template '{}': {source}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: TemplateError,
}

impl FileError {
    fn io(path: &Path, action: &str, error: impl std::fmt::Display) -> Self {
        let message = format!("{action} `{}`: {error}", path.display());
        Self { path: path.to_owned(), source: TemplateError::new(ErrorKind::Io, message) }
    }
}

impl Batch {
    /// Renders every file of a directory and writes the result.
    ///
    /// # Errors
    /// All failing files, sorted by path; then nothing is written.
    pub fn render_dir(&self, request: &DirectoryRequest<'_>) -> Result<RenderedDir, Vec<FileError>> {
        let mut walk = Walk { batch: self, root: request.item_dir, result: RenderedDir::default(), errors: Vec::new() };
        match IgnoreRules::above(request.source_root, request.item_dir) {
            Ok(mut rules) => walk.directory(Path::new(""), &mut rules, Treatment::Render),
            Err((path, error)) => walk.errors.push(FileError::io(&path, "read", error)),
        }
        let Walk { result, mut errors, .. } = walk;
        if !errors.is_empty() {
            errors.sort_by(|left, right| left.path.cmp(&right.path));
            return Err(errors);
        }
        if let Some(target) = request.target_dir {
            result.write(target).map_err(|error| vec![error])?;
        }
        Ok(result)
    }
}

/// What happens to the files of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Render,
    /// Helm charts and `.git` hold no templates of ours.
    Copy,
}

struct Walk<'a> {
    batch: &'a Batch,
    root: &'a Path,
    result: RenderedDir,
    errors: Vec<FileError>,
}

impl Walk<'_> {
    fn directory(&mut self, relative: &Path, rules: &mut IgnoreRules, inherited: Treatment) {
        let dir = self.root.join(relative);
        let entries = match sorted_entries(&dir) {
            Ok(entries) => entries,
            Err(error) => return self.errors.push(FileError::io(&dir, "read", error)),
        };
        let has = |name: &str| entries.iter().any(|(entry, _)| entry == name);
        let is_root = relative.as_os_str().is_empty();
        let is_chart = has("Chart.yaml") || has("Chart.yml");
        let treatment = if is_chart && !is_root { Treatment::Copy } else { inherited };
        let depth = rules.depth();
        if treatment == Treatment::Render
            && has(".templateignore")
            && let Err((path, error)) = rules.enter(&dir)
        {
            self.errors.push(FileError::io(&path, "read", error));
        }
        for (name, kind) in entries {
            let path = relative.join(&name);
            let copied = name == ".git" || (is_chart && is_root && is_chart_part(&name));
            let treatment = if copied { Treatment::Copy } else { treatment };
            if kind.is_symlink() {
                self.link(path);
            } else if kind.is_dir() {
                self.result.dirs.push(path.clone());
                self.directory(&path, rules, treatment);
            } else if kind.is_file() {
                let ignored = treatment == Treatment::Render && rules.is_ignored(&self.root.join(&path));
                self.file(path, if ignored { Treatment::Copy } else { treatment });
            }
        }
        rules.leave_to(depth);
    }

    fn link(&mut self, path: PathBuf) {
        let source = self.root.join(&path);
        match fs::read_link(&source) {
            Ok(target) => {
                self.result.links.insert(path, target);
            }
            Err(error) => self.errors.push(FileError::io(&source, "read", error)),
        }
    }

    fn file(&mut self, path: PathBuf, treatment: Treatment) {
        let source = self.root.join(&path);
        let bytes = match fs::read(&source) {
            Ok(bytes) => bytes,
            Err(error) => return self.errors.push(FileError::io(&source, "read", error)),
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            // Not text, so not a template either, even if it happens to hold a `{`.
            Err(error) => {
                self.result.files.insert(path, RenderedFile::Binary(error.into_bytes()));
                return;
            }
        };
        let rendered = match treatment {
            Treatment::Copy => Ok(text),
            Treatment::Render => self.batch.render_text_of(&source, text),
        };
        match rendered {
            Ok(text) => {
                self.result.files.insert(path, RenderedFile::Text(text));
            }
            Err(error) => self.errors.push(FileError { path: source, source: error }),
        }
    }
}

/// What belongs to a chart when the item's own directory is one; the files
/// beside it (`helm-chart.yaml`, `kustomization.yaml`) are still ours to render.
fn is_chart_part(name: &OsStr) -> bool {
    let parts = [
        "Chart.yaml",
        "Chart.yml",
        "Chart.lock",
        "values.yaml",
        "values.yml",
        "values.schema.json",
        ".helmignore",
        "templates",
        "charts",
        "crds",
    ];
    parts.iter().any(|part| name == *part)
}

fn sorted_entries(dir: &Path) -> io::Result<Vec<(OsString, fs::FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry.file_type()?));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(entries)
}

impl RenderedDir {
    /// Writes files (0600), directories (0700), then links.
    ///
    /// # Errors
    /// The first entry that cannot be written.
    pub fn write(&self, target: &Path) -> Result<(), FileError> {
        let made = |path: &Path, result: io::Result<()>| result.map_err(|error| FileError::io(path, "write", error));
        made(target, create_dir(target))?;
        for dir in &self.dirs {
            let path = target.join(dir);
            made(&path, create_dir(&path))?;
        }
        for (file, content) in &self.files {
            let path = target.join(file);
            made(&path, write_new(&path, content.as_bytes()))?;
        }
        for (link, to) in &self.links {
            let path = target.join(link);
            made(&path, create_link(to, &path))?;
        }
        Ok(())
    }
}

fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates the file; an older one (or a link, which must not be followed) is replaced.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)?
        }
        other => other?,
    };
    file.write_all(bytes)
}

#[cfg(unix)]
fn create_link(to: &Path, path: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(to, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            std::os::unix::fs::symlink(to, path)
        }
        other => other,
    }
}

#[cfg(not(unix))]
fn create_link(_to: &Path, _path: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "symbolic links are not supported on this system"))
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
