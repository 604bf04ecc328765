//! Changes and commits of a local work tree, through the user's `git`.
//!
//! The program knows the user's configuration, attributes and filters; a commit without them would be another one.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Variables that would send `git` to another repository.
const SCRUBBED: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// A work tree.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: PathBuf,
}

/// `git` could not do it.
#[derive(Debug, thiserror::Error)]
pub enum WorkTreeError {
    /// The program is missing.
    #[error("start `git`: {0}; it is needed for commits, install it")]
    Start(#[source] io::Error),
    /// It refused.
    #[error("git {command}: {message}")]
    Refused {
        /// The subcommand.
        command: String,
        /// Its last words.
        message: String,
    },
    /// A commit needs an author.
    #[error("author field is required: set `user.name` and `user.email` with `git config`")]
    NoAuthor,
}

/// One path that differs from the last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute.
    pub path: PathBuf,
    /// Whether git does not know it.
    pub untracked: bool,
}

impl WorkTree {
    /// The work tree around `dir`, if there is one.
    #[must_use]
    pub fn around(dir: &Path) -> Option<Self> {
        let root = dir.ancestors().find(|folder| folder.join(".git").exists())?;
        Some(Self { root: root.to_owned() })
    }

    /// The top folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Changed, staged and untracked files; ignored ones are none.
    ///
    /// # Errors
    /// `git` is missing or refuses.
    pub fn changes(&self) -> Result<Vec<Change>, WorkTreeError> {
        let output = self.git(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"])?;
        Ok(output
            .split(|byte| *byte == 0)
            .filter_map(|entry| {
                let path = String::from_utf8_lossy(entry.get(3..)?).into_owned();
                Some(Change { path: self.root.join(path), untracked: entry.starts_with(b"??") })
            })
            .collect())
    }

    /// Whether commits have an author that someone configured.
    ///
    /// # Errors
    /// There is none.
    pub fn check_author(&self) -> Result<(), WorkTreeError> {
        match self.git(["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"]) {
            Err(WorkTreeError::Refused { .. }) => Err(WorkTreeError::NoAuthor),
            outcome => outcome.map(drop),
        }
    }

    /// Commits everything at and below `paths`, new and removed files too, and nothing else. No hook runs.
    ///
    /// # Errors
    /// There is nothing to commit, no author, or `git` refuses.
    pub fn commit(&self, paths: &[PathBuf], message: &str) -> Result<(), WorkTreeError> {
        let args = |first: &[&str]| {
            let first = first.iter().map(|arg| OsStr::new(arg).to_owned());
            first.chain(paths.iter().map(|path| path.clone().into_os_string())).collect::<Vec<_>>()
        };
        self.git(args(&["add", "--all", "--"]))?;
        let commit = ["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", "--message", message, "--"];
        self.git(args(&commit)).map(drop)
    }

    fn git<I, S>(&self, args: I) -> Result<Vec<u8>, WorkTreeError>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(&args).stdin(Stdio::null()).env("LC_ALL", "C");
        // Names of files are names, not patterns.
        command.env("GIT_LITERAL_PATHSPECS", "1").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
        SCRUBBED.iter().for_each(|name| {
            command.env_remove(name);
        });
        let output = command.output().map_err(WorkTreeError::Start)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        let words = if words.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { words };
        let command =
            args.iter().map(|arg| arg.to_string_lossy()).find(|arg| !arg.starts_with('-') && !arg.contains('='));
        Err(WorkTreeError::Refused {
            command: command.unwrap_or_default().into_owned(),
            message: words.trim().lines().last().unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn repository() -> (tempfile::TempDir, WorkTree) {
        let dir = tempfile::tempdir().unwrap();
        let work_tree = WorkTree { root: dir.path().to_owned() };
        work_tree.git(["init", "--quiet"]).unwrap();
        for (name, value) in [("user.name", "Test"), ("user.email", "test@example.com")] {
            work_tree.git(["config", name, value]).unwrap();
        }
        fs::write(dir.path().join("a b.txt"), "1").unwrap();
        work_tree.commit(&[dir.path().join("a b.txt")], "first").unwrap();
        (dir, work_tree)
    }

    #[test]
    fn a_work_tree_is_found_from_below() {
        let (dir, _) = repository();
        fs::create_dir_all(dir.path().join("x/y")).unwrap();
        assert_eq!(WorkTree::around(&dir.path().join("x/y")).unwrap().root(), dir.path());
        assert!(WorkTree::around(&tempfile::tempdir().unwrap().path().join("x")).is_none());
    }

    #[test]
    fn only_the_named_paths_are_committed() {
        let (dir, work_tree) = repository();
        fs::write(dir.path().join("a b.txt"), "2").unwrap();
        fs::write(dir.path().join("other"), "1").unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::write(dir.path().join("d/new"), "1").unwrap();
        work_tree.commit(&[dir.path().join("a b.txt"), dir.path().join("d")], "second").unwrap();
        let left = work_tree.changes().unwrap();
        assert_eq!(left, [Change { path: dir.path().join("other"), untracked: true }]);
    }

    #[test]
    fn removed_files_are_committed_too() {
        let (dir, work_tree) = repository();
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::write(dir.path().join("d/old"), "1").unwrap();
        work_tree.commit(&[dir.path().join("d")], "second").unwrap();
        fs::remove_file(dir.path().join("d/old")).unwrap();
        fs::write(dir.path().join("d/new"), "1").unwrap();
        assert!(work_tree.changes().unwrap().iter().any(|change| !change.untracked));
        work_tree.commit(&[dir.path().join("d")], "third").unwrap();
        assert_eq!(work_tree.changes().unwrap(), []);
    }

    #[test]
    fn an_empty_commit_and_a_missing_repository_are_errors() {
        let (dir, work_tree) = repository();
        assert!(matches!(work_tree.commit(&[dir.path().join("a b.txt")], "again"), Err(WorkTreeError::Refused { .. })));
        let nowhere = WorkTree { root: tempfile::tempdir().unwrap().path().to_owned() };
        assert!(matches!(nowhere.changes(), Err(WorkTreeError::Refused { command, .. }) if command == "status"));
    }
}
