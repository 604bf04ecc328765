//! Writes the files of a commit to a folder.
//!
//! As in upstream there are no filters, no submodules and no LFS: what is in the repository is written. The copy
//! shares its objects with the mirror and has a `.git` of its own, so that history can be read in it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::objs::tree::EntryKind;

use crate::mirror::{FoundCommit, Mirror, open};
use crate::{CheckoutLimits, GitError};

impl Mirror {
    /// Writes the files of a commit to `dir`, which must be empty.
    ///
    /// # Errors
    /// The mirror is damaged, the repository holds what may not be written, or the folder cannot be written to.
    pub fn check_out(&self, commit: &FoundCommit, dir: &Path, limits: CheckoutLimits) -> Result<(), GitError> {
        let repository = open(self.dir())?;
        let damaged = |message: String| GitError::Damaged { path: self.dir().into(), message };
        let tree = repository
            .find_commit(commit.id)
            .map_err(|error| damaged(error.to_string()))?
            .tree_id()
            .map_err(|error| damaged(error.to_string()))?
            .detach();
        let mut writer = Writer { mirror: self, repository: &repository, limits, total: 0, entries: 0 };
        writer.directory(tree, dir, "", 0)?;
        write_git_folder(self.dir(), commit, dir)
    }
}

struct Writer<'a> {
    mirror: &'a Mirror,
    repository: &'a gix::Repository,
    limits: CheckoutLimits,
    total: u64,
    entries: u64,
}

impl Writer<'_> {
    fn damaged(&self, error: impl ToString) -> GitError {
        GitError::Damaged { path: self.mirror.dir().into(), message: error.to_string() }
    }

    fn too_large(&self, path: &str, what: &'static str, limit: u64) -> GitError {
        GitError::TooLarge { url: self.mirror.url().to_owned(), path: path.to_owned(), what, limit }
    }

    /// Directories and files are always new, so nothing is ever written through a link of the repository.
    fn directory(&mut self, tree: ObjectId, dir: &Path, path: &str, depth: u64) -> Result<(), GitError> {
        if depth > self.limits.depth {
            return Err(self.too_large(path, "directories are nested deeper than the limit", self.limits.depth));
        }
        let tree = self.repository.find_tree(tree).map_err(|error| self.damaged(error))?;
        for entry in tree.iter() {
            let entry = entry.map_err(|error| self.damaged(error))?;
            let name = entry.filename().to_str_lossy().into_owned();
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if let Some(reason) = unsafe_name(entry.filename()) {
                return Err(GitError::Unsafe { url: self.mirror.url().to_owned(), path, reason });
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.too_large(&path, "there are more files than the limit", self.limits.entries));
            }
            let name = gix::path::from_bstr(entry.filename()).map_err(|error| self.damaged(error))?;
            let target = dir.join(name);
            let id = entry.id().detach();
            match entry.mode().kind() {
                EntryKind::Tree => {
                    fs::create_dir(&target).map_err(write_error(&target))?;
                    self.directory(id, &target, &path, depth + 1)?;
                }
                // A submodule is an empty directory.
                EntryKind::Commit => fs::create_dir(&target).map_err(write_error(&target))?,
                EntryKind::Link => self.link(id, &target, &path)?,
                EntryKind::Blob => self.file(id, &target, &path, false)?,
                EntryKind::BlobExecutable => self.file(id, &target, &path, true)?,
            }
        }
        Ok(())
    }

    fn blob(&mut self, id: ObjectId, path: &str) -> Result<Vec<u8>, GitError> {
        let size = self.repository.find_header(id).map_err(|error| self.damaged(error))?.size();
        if size > self.limits.file {
            return Err(self.too_large(path, "the file is larger than the limit", self.limits.file));
        }
        self.total += size;
        if self.total > self.limits.total {
            return Err(self.too_large(path, "all files together are larger than the limit", self.limits.total));
        }
        Ok(self.repository.find_blob(id).map_err(|error| self.damaged(error))?.take_data())
    }

    fn file(&mut self, id: ObjectId, target: &Path, path: &str, executable: bool) -> Result<(), GitError> {
        let content = self.blob(id, path)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
        #[cfg(not(unix))]
        let _ = executable;
        options.open(target).and_then(|mut file| file.write_all(&content)).map_err(write_error(target))
    }

    /// Links are written as they are; whoever reads through one checks where it leads.
    fn link(&mut self, id: ObjectId, target: &Path, path: &str) -> Result<(), GitError> {
        let content = self.blob(id, path)?;
        #[cfg(unix)]
        {
            let leads_to = gix::path::from_bstr(content.as_bstr()).map_err(|error| self.damaged(error))?;
            std::os::unix::fs::symlink(leads_to, target).map_err(write_error(target))
        }
        #[cfg(not(unix))]
        fs::write(target, content).map_err(write_error(target))
    }
}

fn write_error(path: &Path) -> impl FnOnce(std::io::Error) -> GitError {
    let path = path.to_path_buf();
    move |source| GitError::Write { path, source }
}

/// Names that would leave the folder, or change how git or the system treats it.
fn unsafe_name(name: &gix::bstr::BStr) -> Option<&'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Some("it is no name");
    }
    if name.contains(&b'/') || name.contains(&0) || cfg!(windows) && name.find_byteset(b"\\:").is_some() {
        return Some("the name holds a separator");
    }
    name.eq_ignore_ascii_case(b".git").then_some("the name is reserved for git")
}

/// A repository of its own at the commit, with the objects of the mirror.
fn write_git_folder(mirror: &Path, commit: &FoundCommit, dir: &Path) -> Result<(), GitError> {
    let git = dir.join(".git");
    let write = |path: &str, text: String| {
        let path = git.join(path);
        let parent = path.parent().unwrap_or(&git);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).map_err(write_error(&path))
    };
    let objects = std::path::absolute(mirror).unwrap_or_else(|_| mirror.into()).join("objects");
    fs::create_dir_all(git.join("refs")).map_err(write_error(&git))?;
    write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n".to_owned())?;
    write("objects/info/alternates", format!("{}\n", objects.display()))?;
    let branch = commit.reference.as_deref().filter(|name| name.starts_with("refs/heads/"));
    match branch {
        Some(name) => {
            write("packed-refs", format!("# pack-refs with: peeled fully-peeled sorted \n{} {name}\n", commit.id))?;
            write("HEAD", format!("ref: {name}\n"))
        }
        None => write("HEAD", format!("{}\n", commit.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_away_are_refused() {
        for name in ["", ".", "..", "a/b", "a\0", ".git", ".GIT"] {
            assert!(unsafe_name(name.into()).is_some(), "{name:?}");
        }
        for name in ["a", "...", ".github", "git", "ä"] {
            assert!(unsafe_name(name.into()).is_none(), "{name:?}");
        }
    }
}
