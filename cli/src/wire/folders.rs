//! Cache and temporary folders.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::env_vars::Environment;

/// Where downloads and unpacked programs are kept.
pub(super) fn cache_dir(environment: &Environment) -> PathBuf {
    let set = |name: &str| environment.get(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let own = environment.setting("CACHE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let home = || {
        environment
            .home()
            .map(|home| if cfg!(target_os = "macos") { home.join("Library/Caches") } else { home.join(".cache") })
    };
    own.or_else(|| set("XDG_CACHE_HOME").or_else(home).map(|dir| dir.join("windlass")))
        .unwrap_or_else(|| temporary_base(environment).join("cache"))
}

/// A new folder that only this user can read; removed when dropped.
pub(super) fn temporary(environment: &Environment, purpose: &str) -> io::Result<TempDir> {
    let base = temporary_base(environment);
    std::fs::create_dir_all(&base)?;
    tempfile::Builder::new().prefix(&format!("{purpose}-")).tempdir_in(base)
}

/// A new private folder for what must not outlive this process, in memory where the system has such a place.
///
/// It is removed when dropped. A process that is killed cannot do that, so the next one removes what has no owner.
pub(super) fn private(environment: &Environment, purpose: &str) -> io::Result<OwnedFolder> {
    let wanted = environment.setting("BASE_TMP_DIR").is_some_and(|dir| !dir.is_empty());
    let in_memory = environment.get("XDG_RUNTIME_DIR").filter(|dir| !wanted && !dir.is_empty()).map(PathBuf::from);
    let base = in_memory.filter(|dir| dir.is_dir()).unwrap_or_else(|| temporary_base(environment));
    std::fs::create_dir_all(&base)?;
    let prefix = format!("windlass-{purpose}-");
    sweep(&base, &prefix);
    OwnedFolder::create(&base, &prefix)
}

/// A private folder beside a lock that tells whether its owner lives.
pub(super) struct OwnedFolder {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl OwnedFolder {
    fn create(base: &Path, prefix: &str) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix(prefix).suffix(".lock").tempfile_in(base)?;
        made.as_file().lock()?;
        let (held, lock) = made.keep().map_err(|error| error.error)?;
        let created = Self { folder: lock.with_extension(""), lock, _held: held };
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&created.folder)?;
        Ok(created)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for OwnedFolder {
    fn drop(&mut self) {
        // What is left here has no owner, so another run removes it.
        if std::fs::remove_dir_all(&self.folder).is_ok() {
            let _ = std::fs::remove_file(&self.lock);
        }
    }
}

/// Removes the folders of processes that are gone. What cannot be removed now will be another time.
fn sweep(base: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(prefix) || !name.ends_with(".lock") {
            continue;
        }
        let orphaned = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if orphaned {
            let _ = std::fs::remove_dir_all(path.with_extension(""));
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Where temporary folders are made.
pub(super) fn temporary_base(environment: &Environment) -> PathBuf {
    match environment.setting("BASE_TMP_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => environment.temp_dir(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_variable_beats_the_users_cache_folder() {
        let of = |pairs: &[(&str, &str)]| cache_dir(&Environment::of(pairs));
        assert_eq!(of(&[("KLUCTL_CACHE_DIR", "k"), ("XDG_CACHE_HOME", "x")]), PathBuf::from("k"));
        assert_eq!(of(&[("KLUCTL_CACHE_DIR", "k"), ("WINDLASS_CACHE_DIR", "w")]), PathBuf::from("w"));
        assert_eq!(of(&[("XDG_CACHE_HOME", "x"), ("HOME", "h")]), PathBuf::from("x/windlass"));
    }

    #[test]
    #[cfg(unix)]
    fn private_folders_vanish_also_those_of_killed_processes() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().expect("temp dir");
        let text = base.path().display().to_string();
        let environment = Environment::of(&[("XDG_RUNTIME_DIR", &text)]);
        let orphan = base.path().join("windlass-decrypted-dead");
        std::fs::create_dir(&orphan).expect("folder");
        std::fs::write(orphan.join("plain"), "x").expect("file");
        std::fs::write(base.path().join("windlass-decrypted-dead.lock"), "").expect("lock");
        let living = private(&environment, "decrypted").expect("folder");
        assert!(!orphan.exists());
        assert_eq!(living.path().metadata().expect("folder").permissions().mode() & 0o777, 0o700);
        let second = private(&environment, "decrypted").expect("folder");
        assert!(living.path().is_dir(), "a folder in use must stay");
        drop((living, second));
        assert_eq!(base.path().read_dir().expect("base").count(), 0);
    }

    #[test]
    fn temporary_folders_vanish() {
        let base = tempfile::tempdir().expect("temp dir");
        let text = base.path().display().to_string();
        let made = temporary(&Environment::of(&[("KLUCTL_BASE_TMP_DIR", &text)]), "render").expect("folder");
        let path = made.path().to_owned();
        assert!(path.starts_with(base.path()) && path.is_dir());
        drop(made);
        assert!(!path.exists());
    }
}
