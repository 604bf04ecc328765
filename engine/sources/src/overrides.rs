//! Local directories that stand for repositories (spec 01 section 12).

use std::path::{Component, Path, PathBuf};

use windlass_model::source::SourceKey;

use crate::SourceError;

/// One override of a repository, or of all repositories below a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOverride {
    /// The repository, or the group.
    pub key: SourceKey,
    /// Everything below the path is replaced.
    pub is_group: bool,
    /// Relative to the current directory, as the user gave it.
    pub dir: PathBuf,
}

/// The directory for a repository: that of the first override that fits and is usable.
pub(crate) fn find(overrides: &[SourceOverride], key: &SourceKey) -> Result<Option<PathBuf>, SourceError> {
    for candidate in overrides.iter().filter(|o| o.key.kind == key.kind && o.key.host == key.host) {
        let Some(dir) = candidate.place(key)? else { continue };
        match dir.metadata() {
            Ok(found) if found.is_dir() => return Ok(Some(dir)),
            Ok(_) => return Err(SourceError::OverrideNotADirectory { key: key.to_string(), dir }),
            // A group may lack some of its repositories, but one directory was meant for one repository.
            Err(_) if candidate.is_group => {}
            Err(_) => return Err(SourceError::OverrideMissing { key: key.to_string(), dir }),
        }
    }
    Ok(None)
}

impl SourceOverride {
    fn place(&self, key: &SourceKey) -> Result<Option<PathBuf>, SourceError> {
        if !self.is_group {
            return Ok((self.key.path == key.path).then(|| self.dir.clone()));
        }
        let rest = key.path.strip_prefix(&self.key.path).and_then(|rest| rest.strip_prefix('/'));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else { return Ok(None) };
        let dir = self.dir.join(rest);
        if leaves(&self.dir, rest) {
            return Err(SourceError::OverrideOutside { key: key.to_string(), dir });
        }
        Ok(Some(dir))
    }
}

/// Whether `rest` leads out of `dir`, through its text or through links.
fn leaves(dir: &Path, rest: &str) -> bool {
    if !Path::new(rest).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return true;
    }
    match (dir.canonicalize(), dir.join(rest).canonicalize()) {
        (Ok(root), Ok(real)) => !real.starts_with(root),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use windlass_model::source::SourceKind;

    use super::*;

    fn entry(path: &str, is_group: bool, dir: PathBuf) -> SourceOverride {
        SourceOverride { key: SourceKey::new(SourceKind::Git, "h", path), is_group, dir }
    }

    fn key(path: &str) -> SourceKey {
        SourceKey::new(SourceKind::Git, "h", path)
    }

    #[test]
    fn the_first_usable_override_wins() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("g/lib")).unwrap();
        std::fs::create_dir_all(base.path().join("one")).unwrap();
        let overrides = [
            entry("Team/one.git", false, base.path().join("one")),
            entry("team", true, base.path().join("nowhere")),
            entry("team", true, base.path().join("g")),
        ];
        assert_eq!(find(&overrides, &key("team/one")).unwrap(), Some(base.path().join("one")));
        assert_eq!(find(&overrides, &key("team/lib")).unwrap(), Some(base.path().join("g/lib")));
        assert_eq!(find(&overrides, &key("team/other")).unwrap(), None);
        assert_eq!(find(&overrides, &key("teams/lib")).unwrap(), None);
        assert_eq!(find(&overrides, &SourceKey::new(SourceKind::Oci, "h", "team/one")).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("file");
        std::fs::write(&file, "").unwrap();
        let text = |entry: SourceOverride| find(&[entry], &key("a/b")).unwrap_err().to_string();
        let expected = format!("can not override repo git://h/a/b. {} is not a directory", file.display());
        assert_eq!(text(entry("a/b", false, file)), expected);
        assert!(text(entry("a/b", false, base.path().join("typo"))).ends_with("does not exist"));
    }

    #[test]
    fn a_group_stays_in_its_directory() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("g")).unwrap();
        std::fs::create_dir_all(base.path().join("secret")).unwrap();
        let overrides = [entry("a", true, base.path().join("g"))];
        assert!(matches!(find(&overrides, &key("a/../secret")), Err(SourceError::OverrideOutside { .. })));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret", base.path().join("g/link")).unwrap();
            assert!(matches!(find(&overrides, &key("a/link")), Err(SourceError::OverrideOutside { .. })));
        }
    }
}
