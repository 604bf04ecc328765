//! Packs a project for a registry (spec 04 section 7.13): the same files always become the same bytes.
//!
//! Only directories and regular files are packed. `.git` and what `.gitignore` files in the project ignore stay
//! out; ignore files above the project and of the user do not count.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ignore::WalkBuilder;
use tar::{Builder, EntryType, Header};

/// Why a project cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The project cannot be walked.
    #[error("list the files of `{}`: {message}", dir.display())]
    List {
        /// The project.
        dir: PathBuf,
        /// Why.
        message: String,
    },
    /// A file cannot be read.
    #[error("read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file that no archive can hold.
    #[error("pack `{}`: {source}", path.display())]
    Pack {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// An archive.
pub(crate) struct Packed {
    /// Compressed.
    pub(crate) archive: Vec<u8>,
    /// Before compression: what image tools call the diff id.
    pub(crate) content: Vec<u8>,
}

/// Packs everything below `dir`.
///
/// # Errors
/// See [`PackError`].
pub(crate) fn pack(dir: &Path) -> Result<Packed, PackError> {
    let mut builder = Builder::new(Vec::new());
    let unreadable = |error: ignore::Error| PackError::List { dir: dir.to_path_buf(), message: error.to_string() };
    for entry in walk(dir) {
        let entry = entry.map_err(unreadable)?;
        let Ok(name) = entry.path().strip_prefix(dir) else { continue };
        if name.as_os_str().is_empty() {
            continue;
        }
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            append(&mut builder, name, EntryType::Directory, 0o755, &[])?;
        } else if kind.is_file() {
            let (mode, content) = read(entry.path())?;
            append(&mut builder, name, EntryType::Regular, mode, &content)?;
        }
    }
    let failed = |source| PackError::Pack { path: dir.to_path_buf(), source };
    let content = builder.into_inner().map_err(failed)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    io::Write::write_all(&mut encoder, &content).map_err(failed)?;
    Ok(Packed { archive: encoder.finish().map_err(failed)?, content })
}

fn walk(dir: &Path) -> ignore::Walk {
    WalkBuilder::new(dir)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(Ord::cmp)
        .build()
}

fn read(path: &Path) -> Result<(u32, Vec<u8>), PackError> {
    let failed = |source| PackError::Read { path: path.to_path_buf(), source };
    let mode = fs::metadata(path).map(|meta| mode(&meta)).map_err(failed)?;
    Ok((mode, fs::read(path).map_err(failed)?))
}

/// As git keeps it, so that the `umask` of a machine does not matter.
fn mode(metadata: &fs::Metadata) -> u32 {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0 {
        return 0o755;
    }
    let _ = metadata;
    0o644
}

fn append(
    builder: &mut Builder<Vec<u8>>,
    name: &Path,
    kind: EntryType,
    mode: u32,
    content: &[u8],
) -> Result<(), PackError> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut path = slashed(name);
    if kind.is_dir() {
        path.push(b'/');
    }
    let failed = |source| PackError::Pack { path: name.to_path_buf(), source };
    builder.append_data(&mut header, path_of(&path), content).map_err(failed)
}

/// The name with `/` on every system.
fn slashed(name: &Path) -> Vec<u8> {
    let parts = name.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.as_encoded_bytes()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join(&b'/')
}

#[cfg(unix)]
fn path_of(name: &[u8]) -> &Path {
    Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name))
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn names(dir: &Path) -> Vec<String> {
        let packed = pack(dir).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed.archive[..]));
        let entries = archive.entries().unwrap();
        entries.map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap()).collect()
    }

    #[test]
    fn the_same_files_become_the_same_bytes() {
        let files = [("b/x", "1"), ("a", "2"), ("b.c", "3")];
        let mut turned = files;
        turned.reverse();
        let (one, two) = (project(&files), project(&turned));
        assert_eq!(pack(one.path()).unwrap().archive, pack(two.path()).unwrap().archive);
        assert_eq!(names(one.path()), ["a", "b/", "b/x", "b.c"]);
    }

    #[test]
    fn times_and_owners_are_left_out_and_programs_stay_programs() {
        let dir = project(&[("run", "x"), ("text", "y")]);
        #[cfg(unix)]
        fs::set_permissions(dir.path().join("run"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let packed = pack(dir.path()).unwrap();
        let mut archive = tar::Archive::new(&packed.content[..]);
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            seen.push((text, header.mode().unwrap()));
        }
        assert_eq!(seen, [("x".to_owned(), 0o755), ("y".to_owned(), 0o644)]);
    }

    #[test]
    fn ignored_files_and_the_repository_stay_out() {
        let dir = project(&[
            (".gitignore", "/out\n*.log\n!keep.log\n"),
            (".git/config", ""),
            (".helmignore", ""),
            ("out/x", ""),
            ("sub/out/x", ""),
            ("a.log", ""),
            ("sub/keep.log", ""),
            ("sub/.gitignore", "secret\nbuild/\n"),
            ("sub/secret", ""),
            ("sub/build/x", ""),
            ("sub/.git", "gitdir: x"),
            ("secret", ""),
        ]);
        let expected =
            [".gitignore", ".helmignore", "secret", "sub/", "sub/.gitignore", "sub/keep.log", "sub/out/", "sub/out/x"];
        assert_eq!(names(dir.path()), expected);
    }

    #[test]
    fn ignore_files_above_the_project_do_not_count() {
        let dir = project(&[(".gitignore", "a\n"), (".git/info/exclude", "b\n"), ("p/a", ""), ("p/b", "")]);
        assert_eq!(names(&dir.path().join("p")), ["a", "b"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_special_files_are_left_out() {
        let dir = project(&[("a", "1")]);
        std::os::unix::fs::symlink("a", dir.path().join("file-link")).unwrap();
        std::os::unix::fs::symlink(".", dir.path().join("dir-link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn long_names_come_back() {
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(150));
        let dir = project(&[(&long, "1")]);
        assert_eq!(names(dir.path()).last(), Some(&long));
    }

    #[test]
    fn a_missing_project_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        assert!(matches!(pack(&gone), Err(PackError::List { dir, .. }) if dir == gone));
    }
}
