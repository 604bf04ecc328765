//! Where the files of a kustomization come from: a folder on disk, or texts that were never written.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::KustomizeError;
use crate::unsure::{Certain, Unsure, ensure};

/// The names that Kustomize looks for in a folder.
pub(crate) const KUSTOMIZATION_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Larger files are left to the helper.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Files below a root that is never left.
pub(crate) trait Files {
    /// Finds what an entry of a kustomization in `dir` means.
    fn locate(&self, dir: &Path, entry: &str) -> Place;

    /// The kustomizations of a folder, in the order of Kustomize's own search.
    fn kustomizations(&self, dir: &Path) -> Vec<PathBuf>;

    /// The content of a file that was located.
    fn read(&self, path: &Path) -> Certain<Cow<'_, [u8]>>;

    /// As [`read`](Self::read), of a text.
    fn read_text(&self, path: &Path) -> Certain<Cow<'_, str>> {
        match self.read(path)? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Unsure("not UTF-8")),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Unsure("not UTF-8")),
        }
    }

    /// The file that an entry means.
    fn load(&self, dir: &Path, entry: &str) -> Certain<Cow<'_, [u8]>> {
        match self.locate(dir, entry) {
            Place::File(path) => self.read(&path),
            Place::Dir(_) | Place::Missing { .. } | Place::Unknown => Err(Unsure("no such file")),
        }
    }

    /// The text that an entry means.
    fn load_text(&self, dir: &Path, entry: &str) -> Certain<Cow<'_, str>> {
        match self.locate(dir, entry) {
            Place::File(path) => self.read_text(&path),
            Place::Dir(_) | Place::Missing { .. } | Place::Unknown => Err(Unsure("no such file")),
        }
    }
}

/// What an entry means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Dir(PathBuf),
    /// With the first part of the path that does not exist.
    Missing {
        path: PathBuf,
        missing: PathBuf,
    },
    /// A URL, outside of the root, or anything else that only Kustomize can judge.
    Unknown,
}

/// A folder on disk.
pub(crate) struct Disk {
    /// Canonical; nothing outside of it is read.
    pub(crate) root: PathBuf,
}

impl Files for Disk {
    fn locate(&self, dir: &Path, entry: &str) -> Place {
        if !is_local(entry) {
            return Place::Unknown;
        }
        let path = join(dir, entry);
        if !path.starts_with(&self.root) {
            return Place::Unknown;
        }
        match fs::canonicalize(&path) {
            Ok(real) if real == path => place(path),
            // Errors name the path with its links.
            Ok(real) if real.starts_with(&self.root) => {
                if real.is_dir() {
                    Place::Dir(real)
                } else {
                    Place::File(path)
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing(path),
            Ok(_) | Err(_) => Place::Unknown,
        }
    }

    fn kustomizations(&self, dir: &Path) -> Vec<PathBuf> {
        kustomizations_in(dir)
    }

    fn read(&self, path: &Path) -> Certain<Cow<'_, [u8]>> {
        let size = fs::metadata(path).map_err(|_| Unsure("unreadable file"))?.len();
        ensure(size <= MAX_FILE_BYTES, "a large file")?;
        fs::read(path).map(Cow::Owned).map_err(|_| Unsure("unreadable file"))
    }
}

fn place(path: PathBuf) -> Place {
    if path.is_dir() { Place::Dir(path) } else { Place::File(path) }
}

fn missing(path: PathBuf) -> Place {
    let mut missing = path.as_path();
    while let Some(parent) = missing.parent() {
        match fs::canonicalize(parent) {
            // Below a link Kustomize names other places, and a dangling link is another error.
            Ok(real) if real != parent || fs::symlink_metadata(missing).is_ok() => return Place::Unknown,
            Ok(_) => break,
            Err(_) => missing = parent,
        }
    }
    let missing = missing.to_owned();
    Place::Missing { path, missing }
}

/// Whether Kustomize can not take an entry for a URL.
pub(crate) fn is_local(entry: &str) -> bool {
    !entry.is_empty()
        && !Path::new(entry).is_absolute()
        && !entry.contains([':', '@', '?', '\\'])
        && !entry.contains("//")
        && !entry.to_ascii_lowercase().starts_with("github.com")
}

/// Joins as Go does: `..` is taken literally, before links are followed.
pub(crate) fn join(dir: &Path, entry: &str) -> PathBuf {
    let mut path = dir.to_owned();
    for component in Path::new(entry).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

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

pub(crate) fn kustomizations_in(dir: &Path) -> Vec<PathBuf> {
    KUSTOMIZATION_NAMES.iter().map(|name| dir.join(name)).filter(|path| path.is_file()).collect()
}
