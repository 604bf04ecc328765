//! The directory trees that templates may see (spec 01 section 2, "source").

use std::path::{Component, Path, PathBuf};

/// One source: the main project's repository, or the checkout of an include.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTree {
    /// 0 is the main project; further sources count up in load order.
    pub id: usize,
    /// Absolute root directory.
    pub root: PathBuf,
}

/// A path of the project leaves its source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path `{path}` leaves the source directory `{}`", root.display())]
pub struct OutsideSource {
    /// The path as written.
    pub path: String,
    /// The root it has to stay in.
    pub root: PathBuf,
}

impl SourceTree {
    /// Joins `path` (relative, or absolute meaning relative to `dir`) to `dir`, lexically normalised.
    ///
    /// # Errors
    /// When the result lies above the source root.
    pub fn join(&self, dir: &Path, path: &str) -> Result<PathBuf, OutsideSource> {
        let mut joined = dir.to_path_buf();
        for component in Path::new(path).components() {
            match component {
                Component::Normal(part) => joined.push(part),
                Component::ParentDir => {
                    joined.pop();
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        if joined.starts_with(&self.root) {
            Ok(joined)
        } else {
            Err(OutsideSource { path: path.into(), root: self.root.clone() })
        }
    }

    /// Whether the real place of an existing path is in the source: a symbolic link could lead elsewhere.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, path: &Path) -> Result<(), OutsideSource> {
        let real = path.canonicalize().unwrap_or_else(|_| path.into());
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
        if real.starts_with(&root) {
            return Ok(());
        }
        Err(OutsideSource { path: self.relative(path), root: self.root.clone() })
    }

    /// `dir` relative to the root with `/` separators; `.` for the root itself.
    pub fn relative(&self, dir: &Path) -> String {
        let relative = dir.strip_prefix(&self.root).unwrap_or(dir);
        let parts: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        if parts.is_empty() { ".".into() } else { parts.join("/") }
    }
}

/// The nearest ancestor of `dir` (itself included) with a `.git` directory or file (worktree, submodule).
pub fn find_repository_root(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|d| d.join(".git").exists()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceTree {
        SourceTree { id: 0, root: "/src/repo".into() }
    }

    #[test]
    fn dot_dot_may_move_inside_the_source() {
        let joined = source().join(Path::new("/src/repo/a/b"), "../c/./d").unwrap();
        assert_eq!(joined, Path::new("/src/repo/a/c/d"));
        assert_eq!(source().relative(&joined), "a/c/d");
        assert_eq!(source().relative(Path::new("/src/repo")), ".");
    }

    #[test]
    fn an_absolute_path_is_relative_to_the_directory() {
        assert_eq!(source().join(Path::new("/src/repo/a"), "/x").unwrap(), Path::new("/src/repo/a/x"));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_of_the_source_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("repo");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::os::unix::fs::symlink("..", root.join("a/up")).unwrap();
        std::os::unix::fs::symlink("../..", root.join("a/out")).unwrap();
        let source = SourceTree { id: 0, root: root.clone() };
        assert!(source.check(&root.join("a/up")).is_ok());
        assert_eq!(source.check(&root.join("a/out")).unwrap_err().path, "a/out");
    }

    #[test]
    fn leaving_the_source_is_refused() {
        let error = source().join(Path::new("/src/repo/a"), "../../x").unwrap_err();
        assert_eq!(error.path, "../../x");
        assert!(source().join(Path::new("/src/repo"), "../repo-other").is_err());
    }
}
