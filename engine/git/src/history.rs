//! The newest commit that touched a file (spec 02 section A10, `load_latest_git_commit`).

use std::path::{Path, PathBuf};

use gix::ObjectId;

/// The history of a file cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No repository contains the file.
    #[error("no git repository contains `{}`", path.display())]
    NoRepository {
        /// The file.
        path: PathBuf,
    },
    /// No commit reachable from HEAD touched it.
    #[error("No commits found for path: {}", path.display())]
    NoCommit {
        /// The file.
        path: PathBuf,
    },
    /// The repository is damaged or incomplete (a shallow clone, say).
    #[error("read history of `{}`: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

/// The full id of the newest commit reachable from HEAD that touched `file`; renames are not followed.
///
/// # Errors
/// See [`HistoryError`].
pub fn latest_commit(file: &Path) -> Result<String, HistoryError> {
    let dir = file.parent().unwrap_or(file);
    let repo = gix::discover(dir).map_err(|_| HistoryError::NoRepository { path: file.into() })?;
    let unreadable = |message: String| HistoryError::Unreadable { path: file.into(), message };
    let relative = relative_path(&repo, file).ok_or_else(|| HistoryError::NoRepository { path: file.into() })?;
    let none = || HistoryError::NoCommit { path: file.into() };
    let head = repo.head_id().map_err(|_| none())?;
    let walk = repo
        .rev_walk([head.detach()])
        .sorting(gix::revision::walk::Sorting::ByCommitTime(
            gix::traverse::commit::simple::CommitTimeOrder::NewestFirst,
        ))
        .all()
        .map_err(|e| unreadable(e.to_string()))?;
    for info in walk {
        let info = info.map_err(|e| unreadable(e.to_string()))?;
        if touches(&repo, info.id, &relative).map_err(unreadable)? {
            return Ok(info.id.to_string());
        }
    }
    Err(none())
}

fn relative_path(repo: &gix::Repository, file: &Path) -> Option<PathBuf> {
    let root = repo.workdir()?.canonicalize().ok()?;
    file.canonicalize().ok()?.strip_prefix(root).ok().map(Path::to_path_buf)
}

/// Whether the file differs from every parent's.
fn touches(repo: &gix::Repository, id: ObjectId, path: &Path) -> Result<bool, String> {
    let commit = repo.find_commit(id).map_err(|e| e.to_string())?;
    let own = blob_at(repo, id, path)?;
    let mut parents = commit.parent_ids().map(|id| id.detach()).collect::<Vec<_>>().into_iter().peekable();
    if parents.peek().is_none() {
        return Ok(own.is_some());
    }
    for parent in parents {
        if blob_at(repo, parent, path)? == own {
            return Ok(false);
        }
    }
    Ok(true)
}

fn blob_at(repo: &gix::Repository, commit: ObjectId, path: &Path) -> Result<Option<ObjectId>, String> {
    let commit = repo.find_commit(commit).map_err(|e| e.to_string())?;
    let tree = commit.tree().map_err(|e| e.to_string())?;
    let entry = tree.lookup_entry_by_path(path).map_err(|e| e.to_string())?;
    Ok(entry.map(|entry| entry.object_id()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(dir: &Path, args: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let output = Command::new("git").current_dir(dir).args(identity).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(dir: &Path, file: &str, text: &str) -> String {
        std::fs::write(dir.join(file), text).unwrap();
        git(dir, &["add", "-A"]);
        git(dir, &["commit", "-q", "-m", "x"]);
        git(dir, &["rev-parse", "HEAD"])
    }

    #[test]
    fn the_newest_commit_that_changed_the_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        commit(dir.path(), "a", "1");
        let wanted = commit(dir.path(), "a", "2");
        commit(dir.path(), "b", "1");
        assert_eq!(latest_commit(&dir.path().join("a")).unwrap(), wanted);
    }

    #[test]
    fn an_untracked_file_has_no_commit() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q"]);
        commit(dir.path(), "a", "1");
        std::fs::write(dir.path().join("new"), "").unwrap();
        let error = latest_commit(&dir.path().join("new")).unwrap_err();
        assert!(error.to_string().starts_with("No commits found for path: "));
    }

    #[test]
    fn a_file_outside_of_repositories_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let error = latest_commit(&dir.path().join("a")).unwrap_err();
        assert!(matches!(error, HistoryError::NoRepository { .. }));
    }

    #[test]
    fn info_tells_branch_remote_and_dirt() {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "-b", "main"]);
        let id = commit(dir.path(), "a", "1");
        git(dir.path(), &["remote", "add", "origin", "https://git.example.com/a.git"]);
        let info = crate::read(dir.path(), "sub").unwrap();
        assert_eq!((info.commit.as_str(), info.dirty, info.sub_dir.as_str()), (id.as_str(), false, "sub"));
        assert_eq!(info.git_ref, Some(windlass_model::result::GitRef::Branch("main".into())));
        assert_eq!(info.url.as_deref(), Some("https://git.example.com/a.git"));
        std::fs::write(dir.path().join("new"), "").unwrap();
        assert!(crate::read(dir.path(), "").unwrap().dirty);
    }

    #[test]
    fn no_repository_is_empty_and_a_broken_one_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(crate::read(dir.path(), "x").unwrap(), windlass_model::result::GitInfo::default());
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        assert!(crate::read(dir.path(), "").is_err());
    }
}
