//! The files of a work tree that may carry markers. Spec 06 7.3.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Which files.
#[derive(Debug, Clone)]
pub enum Scope {
    /// YAML files below a path, or that one file, as Flux's `update.path`; `..` never leaves the root.
    Below(PathBuf),
    /// Globs from the root; empty `include` means YAML files.
    Globs {
        /// Files to take.
        include: Vec<String>,
        /// Files to leave out.
        exclude: Vec<String>,
    },
}

impl Default for Scope {
    fn default() -> Self {
        Self::Globs { include: Vec::new(), exclude: Vec::new() }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkFile {
    /// Path below the scope's root with `/`.
    pub name: String,
    /// The file itself, behind links.
    pub real: PathBuf,
}

/// Why files cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A glob does not parse.
    #[error("`{glob}` is no valid glob: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong.
        reason: String,
    },
    /// The path of the scope is not there.
    #[error("path `{path}` does not exist below the work tree")]
    Missing {
        /// The path as given.
        path: String,
    },
    /// A folder cannot be read.
    #[error("read `{}`: {source}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// All files of a scope in order of their names; `.git` and links out of the tree never count.
pub fn files(root: &Path, scope: &Scope) -> Result<Vec<WorkFile>, WalkError> {
    let root = real(root)?;
    let matcher = Matcher::new(scope)?;
    let (base, single) = match scope {
        Scope::Globs { .. } => (root.clone(), None),
        Scope::Below(path) => below(&root, path)?,
    };
    if let Some(file) = single {
        return Ok(accept(&root, &base, &file, &matcher).into_iter().collect());
    }
    let mut found = Vec::new();
    walk(&root, &base, &base, &matcher, &mut found)?;
    found.sort();
    Ok(found)
}

fn real(path: &Path) -> Result<PathBuf, WalkError> {
    path.canonicalize().map_err(|source| WalkError::Read { path: path.to_owned(), source })
}

/// The folder of a path, and the file when it names one.
fn below(root: &Path, path: &Path) -> Result<(PathBuf, Option<PathBuf>), WalkError> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    let missing = || WalkError::Missing { path: path.display().to_string() };
    let target = root.join(&clean).canonicalize().map_err(|_| missing())?;
    if !target.starts_with(root) {
        return Err(missing());
    }
    if target.is_dir() {
        return Ok((target, None));
    }
    let file = root.join(&clean);
    Ok((file.parent().unwrap_or(root).to_owned(), Some(file)))
}

fn walk(
    root: &Path,
    base: &Path,
    folder: &Path,
    matcher: &Matcher,
    found: &mut Vec<WorkFile>,
) -> Result<(), WalkError> {
    let error = |source| WalkError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let path = entry.path();
        let kind = entry.file_type().map_err(error)?;
        if kind.is_dir() {
            if entry.file_name() != ".git" {
                walk(root, base, &path, matcher, found)?;
            }
        } else {
            found.extend(accept(root, base, &path, matcher));
        }
    }
    Ok(())
}

/// The file under this name, when its name matches and it stays in the tree.
fn accept(root: &Path, base: &Path, path: &Path, matcher: &Matcher) -> Option<WorkFile> {
    let name = path.strip_prefix(base).ok()?.to_str()?.replace('\\', "/");
    if !matcher.takes(&name) {
        return None;
    }
    // Only links cost a look at the disk.
    let link = path.symlink_metadata().ok()?.is_symlink();
    let real = if link { path.canonicalize().ok()? } else { path.to_owned() };
    (real.is_file() && real.starts_with(root)).then_some(WorkFile { name, real })
}

struct Matcher {
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Matcher {
    fn new(scope: &Scope) -> Result<Self, WalkError> {
        let (include, exclude): (&[String], &[String]) = match scope {
            Scope::Below(_) => (&[], &[]),
            Scope::Globs { include, exclude } => (include, exclude),
        };
        let include = if include.is_empty() { None } else { Some(set(include)?) };
        Ok(Self { include, exclude: set(exclude)? })
    }

    fn takes(&self, name: &str) -> bool {
        let wanted = self.include.as_ref().map_or_else(|| is_manifest(name), |include| include.is_match(name));
        wanted && !self.exclude.is_match(name)
    }
}

/// `.yaml`, `.yml` and `Kustomization`.
fn is_manifest(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or(name);
    base.ends_with(".yaml") || base.ends_with(".yml") || base == "Kustomization"
}

fn set(globs: &[String]) -> Result<GlobSet, WalkError> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs.iter().collect::<BTreeSet<_>>() {
        builder.add(parsed(glob)?);
    }
    builder.build().map_err(|error| WalkError::Glob { glob: globs.join(", "), reason: error.kind().to_string() })
}

fn parsed(glob: &str) -> Result<Glob, WalkError> {
    GlobBuilder::new(glob.trim_start_matches("./"))
        .literal_separator(true)
        .build()
        .map_err(|error| WalkError::Glob { glob: glob.to_owned(), reason: error.kind().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        dir
    }

    fn names(root: &Path, scope: &Scope) -> Vec<String> {
        files(root, scope).unwrap().into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn globs_choose_from_the_root() {
        let dir = tree(&["a.yaml", "k/b.yml", "k/c.txt", "k/d/e.yaml", ".git/f.yaml"]);
        assert_eq!(names(dir.path(), &Scope::default()), ["a.yaml", "k/b.yml", "k/d/e.yaml"]);
        let globs = |include: &[&str], exclude: &[&str]| Scope::Globs {
            include: include.iter().map(|text| (*text).to_owned()).collect(),
            exclude: exclude.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(names(dir.path(), &globs(&["k/**"], &["**/e.yaml"])), ["k/b.yml", "k/c.txt"]);
        assert_eq!(names(dir.path(), &globs(&["*.yaml"], &[])), ["a.yaml"]);
    }

    #[test]
    fn what_can_not_be_walked_is_an_error() {
        let dir = tree(&["a.yaml"]);
        let bad = Scope::Globs { include: vec!["[".into()], exclude: Vec::new() };
        assert!(files(dir.path(), &bad).unwrap_err().to_string().starts_with("`[` is no valid glob"));
        let missing = files(dir.path(), &Scope::Below("nope".into())).unwrap_err();
        assert_eq!(missing.to_string(), "path `nope` does not exist below the work tree");
        assert!(files(&dir.path().join("nope"), &Scope::default()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_tree_do_not_count() {
        let dir = tree(&["in/a.yaml", "out/b.yaml"]);
        let root = dir.path().join("in");
        std::os::unix::fs::symlink("../out/b.yaml", root.join("link.yaml")).unwrap();
        std::os::unix::fs::symlink("a.yaml", root.join("own.yaml")).unwrap();
        assert_eq!(names(&root, &Scope::default()), ["a.yaml", "own.yaml"]);
        assert!(files(&root, &Scope::Below("link.yaml".into())).is_err());
    }
}
