//! Lays files of other hosts below the rendered root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use windlass_kustomize::REMOTE_DIR;
use windlass_sops::Format;

use super::error::RemoteBaseProblem;

/// Makes an empty folder in [`REMOTE_DIR`]; what a project may have put there itself is removed, links not followed.
pub(super) fn fresh_dir(rendered: &Path, dir: &Path) -> Result<(), RemoteBaseProblem> {
    let parent = rendered.join(REMOTE_DIR);
    if fs::symlink_metadata(&parent).is_ok_and(|found| !found.is_dir()) {
        fs::remove_file(&parent).map_err(RemoteBaseProblem::io("remove", &parent))?;
    }
    fs::create_dir_all(&parent).map_err(RemoteBaseProblem::io("create", &parent))?;
    let removed = match fs::symlink_metadata(dir) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(dir),
        Ok(_) => fs::remove_file(dir),
        Err(_) => Ok(()),
    };
    removed.and_then(|()| fs::create_dir(dir)).map_err(RemoteBaseProblem::io("create", dir))
}

/// Writes a file that only its owner can read, in place of any file or link.
pub(super) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        fs::remove_file(path)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

/// What a copy of a repository does not have, by path in the repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Links that lead out of it.
    pub(super) outside: BTreeSet<PathBuf>,
    /// Files that SOPS encrypted: what is not decrypted must not be deployed.
    pub(super) encrypted: BTreeSet<PathBuf>,
}

/// Copies a repository into an empty folder, without `.git`.
pub(super) fn copy_repository(from: &Path, to: &Path) -> Result<LeftOut, RemoteBaseProblem> {
    let root = from.canonicalize().map_err(RemoteBaseProblem::io("resolve", from))?;
    let mut left_out = LeftOut::default();
    copy_dir(&root, Path::new(""), to, &mut left_out).map_err(RemoteBaseProblem::io("copy", from))?;
    Ok(left_out)
}

/// Whether a file of this name and content is one that SOPS encrypted.
pub(super) fn is_encrypted(name: &Path, content: &[u8]) -> bool {
    Format::of_name(&name.to_string_lossy()).is_encrypted(content)
}

fn copy_dir(root: &Path, inner: &Path, to: &Path, left_out: &mut LeftOut) -> io::Result<()> {
    for entry in fs::read_dir(root.join(inner))? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        let (kind, path) = (entry.file_type()?, inner.join(entry.file_name()));
        let target = to.join(&path);
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_dir(root, &path, to, left_out)?;
        } else if kind.is_symlink() {
            let leads_to = fs::read_link(entry.path())?;
            let stays = leads_to.is_relative()
                && entry.path().canonicalize().is_ok_and(|real| {
                    real.strip_prefix(root).is_ok_and(|inner| inner.components().all(|part| part.as_os_str() != ".git"))
                });
            if stays {
                link(&leads_to, &target)?;
            } else {
                left_out.outside.insert(path);
            }
        } else if kind.is_file() {
            if is_encrypted(&path, &fs::read(entry.path())?) {
                left_out.encrypted.insert(path);
            } else {
                fs::copy(entry.path(), &target)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(leads_to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(leads_to, at)
}

#[cfg(not(unix))]
fn link(leads_to: &Path, at: &Path) -> io::Result<()> {
    let source = at.parent().unwrap_or(at).join(leads_to);
    if source.is_file() { fs::copy(source, at).map(drop) } else { Ok(()) }
}

/// Copies what lies beside the rendered files of one source to a directory that the user keeps.
pub(in crate::render) fn keep(built: &Path, kept: &Path) -> io::Result<()> {
    let (from, to) = (built.join(REMOTE_DIR), kept.join(REMOTE_DIR));
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(&to)?;
    copy_dir(&from.canonicalize()?, Path::new(""), &to, &mut LeftOut::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for dir in [from.join("a"), from.join(".git"), to.clone()] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(from.join("a/file"), "x").unwrap();
        fs::write(from.join(".git/config"), "x").unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        for (leads_to, at) in [
            ("a/file", "in"),
            ("../secret", "out"),
            ("../../later", "dangling"),
            ("/etc", "absolute"),
            (".git/config", "git"),
        ] {
            link(Path::new(leads_to), &from.join(at)).unwrap();
        }
        let LeftOut { outside, encrypted } = copy_repository(&from, &to).unwrap();
        assert!(encrypted.is_empty());
        assert_eq!(outside, ["absolute", "dangling", "git", "out"].map(PathBuf::from).into());
        assert_eq!(fs::read_to_string(to.join("in")).unwrap(), "x");
        assert!(!to.join(".git").exists() && fs::symlink_metadata(to.join("out")).is_err());
    }

    #[test]
    fn encrypted_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir(&to).unwrap();
        let text =
            "data: ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]\nsops:\n    mac: ENC[x]\n    version: 3.9.0\n";
        fs::write(from.join("a/secret.yaml"), text).unwrap();
        fs::write(from.join("a/plain.yaml"), "sops: true\n").unwrap();
        let left_out = copy_repository(&from, &to).unwrap();
        assert_eq!(left_out.encrypted, [PathBuf::from("a/secret.yaml")].into());
        assert!(to.join("a/plain.yaml").exists() && !to.join("a/secret.yaml").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("x")).unwrap();
        let rendered = folder.path().join("rendered");
        fs::create_dir(&rendered).unwrap();
        link(&elsewhere, &rendered.join(REMOTE_DIR)).unwrap();
        fresh_dir(&rendered, &rendered.join(REMOTE_DIR).join("x")).unwrap();
        assert!(rendered.join(REMOTE_DIR).canonicalize().unwrap().starts_with(rendered.canonicalize().unwrap()));
    }
}
