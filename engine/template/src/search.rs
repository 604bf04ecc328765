//! Where `include`, `import`, `extends` and `load_*` find files.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The directories searched for other templates, in order.
///
/// For a file of a deployment item: the item's directory, then the directory
/// of its deployment project, then those of the including projects of the
/// same source. Inline texts have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPath {
    dirs: Arc<[PathBuf]>,
    root: Option<Arc<Path>>,
}

/// What a name led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// An existing file on the search path.
    File(PathBuf),
    /// Nothing; the name as it is shown to the user.
    Missing(String),
}

impl SearchPath {
    /// Directories in the order in which they are searched. They must be absolute.
    pub fn new(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { dirs: dirs.into_iter().map(|dir| normalize(&dir)).collect(), root: None }
    }

    /// Nothing is found.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Allows symbolic links that stay below `root` (the source root); without
    /// it a link must stay below the search directories.
    #[must_use]
    pub fn within(mut self, root: &Path) -> Self {
        self.root = Some(normalize(root).into());
        self
    }

    /// The directories.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Finds `name` as asked for by the template at `parent` (`None`: inline).
    pub(crate) fn find(&self, name: &str, parent: Option<&Path>) -> Found {
        if (name.starts_with("./") || name.starts_with("../"))
            && let Some(dir) = parent.and_then(Path::parent)
        {
            let path = normalize(&dir.join(name));
            return self.below(&path).unwrap_or_else(|| Found::Missing(path.display().to_string()));
        }
        let missing = || Found::Missing(name.to_owned());
        if Path::new(name).is_absolute() {
            return self.below(&normalize(Path::new(name))).unwrap_or_else(missing);
        }
        let Some(relative) = plain_relative(name) else { return missing() };
        self.dirs
            .iter()
            .map(|dir| dir.join(&relative))
            .find(|path| self.is_allowed_file(path))
            .map_or_else(missing, Found::File)
    }

    fn below(&self, path: &Path) -> Option<Found> {
        let below = self.dirs.iter().any(|dir| path.starts_with(dir));
        (below && self.is_allowed_file(path)).then(|| Found::File(path.to_owned()))
    }

    /// A regular file whose real place is not outside (a symbolic link could lead there).
    fn is_allowed_file(&self, path: &Path) -> bool {
        if !path.is_file() {
            return false;
        }
        let Ok(real) = path.canonicalize() else { return false };
        let allowed = |dir: &Path| dir.canonicalize().is_ok_and(|dir| real.starts_with(dir));
        self.root.as_deref().is_some_and(allowed) || self.dirs.iter().any(|dir| allowed(dir))
    }
}

/// `name` without empty and `.` parts; `None` when it climbs with `..`.
fn plain_relative(name: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => path.push(part),
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

/// Removes `.` and `..` parts by text, without looking at the disk.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            part => result.push(part),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> (tempfile::TempDir, SearchPath) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for file in ["root/item/own.j2", "root/item/sub/rel.j2", "root/both.j2", "root/item/both.j2", "outside.j2"] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let search = SearchPath::new([root.join("root/item"), root.join("root")]);
        (dir, search)
    }

    fn find(search: &SearchPath, name: &str, parent: Option<&str>) -> String {
        let base = search.dirs()[0].parent().unwrap().to_owned();
        let parent = parent.map(|p| base.join(p));
        match search.find(name, parent.as_deref()) {
            Found::File(path) => path.strip_prefix(&base).unwrap().display().to_string(),
            Found::Missing(name) => {
                format!("missing {}", name.replace(&base.parent().unwrap().display().to_string(), ""))
            }
        }
    }

    #[test]
    fn the_first_directory_wins() {
        let (_dir, search) = tree();
        assert_eq!(find(&search, "both.j2", None), "item/both.j2");
        assert_eq!(find(&search, "sub//./rel.j2", None), "item/sub/rel.j2");
    }

    #[test]
    fn dot_names_start_at_the_containing_file() {
        let (_dir, search) = tree();
        assert_eq!(find(&search, "../both.j2", Some("item/own.j2")), "both.j2");
        assert_eq!(find(&search, "./rel.j2", Some("item/sub/x.j2")), "item/sub/rel.j2");
        assert_eq!(find(&search, "./own.j2", None), "item/own.j2");
    }

    #[test]
    fn names_that_leave_the_search_path_are_missing() {
        let (_dir, search) = tree();
        assert_eq!(find(&search, "../../outside.j2", Some("item/own.j2")), "missing /outside.j2");
        assert_eq!(find(&search, "sub/../own.j2", None), "missing sub/../own.j2");
        assert_eq!(find(&search, "", None), "missing ");
        let absolute = search.dirs()[1].parent().unwrap().join("outside.j2");
        assert!(matches!(search.find(absolute.to_str().unwrap(), None), Found::Missing(_)));
        let inside = search.dirs()[1].join("both.j2");
        assert_eq!(search.find(inside.to_str().unwrap(), None), Found::File(inside));
        assert!(matches!(SearchPath::empty().find("both.j2", None), Found::Missing(_)));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_outside_is_missing() {
        let (_dir, search) = tree();
        let item = &search.dirs()[0];
        std::os::unix::fs::symlink(item.join("../../outside.j2"), item.join("link.j2")).unwrap();
        assert_eq!(find(&search, "link.j2", None), "missing link.j2");
        let wide = search.clone().within(item.parent().unwrap().parent().unwrap());
        assert_eq!(find(&wide, "link.j2", None), "item/link.j2");
    }
}
