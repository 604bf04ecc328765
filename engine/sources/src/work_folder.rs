//! A folder for the files of one run. A run that was killed leaves its folder to the next one, which removes it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const PREFIX: &str = "sources-";
const LOCK: &str = "lock";

/// Removed when dropped.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    dir: tempfile::TempDir,
    lock_path: PathBuf,
    /// Tells other runs that this one lives; the system lets go when the process dies.
    _lock: File,
}

impl WorkFolder {
    /// A new folder below `base`, after those of dead runs are removed.
    pub(crate) fn create(base: &Path) -> io::Result<Self> {
        fs::create_dir_all(base)?;
        sweep(base);
        loop {
            let lock = tempfile::Builder::new().prefix(PREFIX).suffix(".lock").tempfile_in(base)?;
            lock.as_file().lock()?;
            // Another run may have swept the file away between its creation and its lock.
            if !lock.path().exists() {
                continue;
            }
            let (lock, lock_path) = lock.keep().map_err(|error| error.error)?;
            let name = lock_path.with_extension("").file_name().map(ToOwned::to_owned).unwrap_or_default();
            let dir = tempfile::Builder::new().prefix(&name).suffix(".d").rand_bytes(0).tempdir_in(base)?;
            return Ok(Self { dir, lock_path, _lock: lock });
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // Before the lock goes: afterwards both would belong to the next run's sweep.
        let _ = fs::remove_dir_all(self.dir.path());
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Removes the folders whose lock nobody holds.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !is_ours || path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => {
                let _ = fs::remove_dir_all(path.with_extension("d"));
                let _ = fs::remove_file(&path);
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(base: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(base).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_vanishes_with_its_run() {
        let base = tempfile::tempdir().unwrap();
        let folder = WorkFolder::create(base.path()).unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        drop(folder);
        assert_eq!(names(base.path()), Vec::<String>::new());
    }

    #[test]
    fn folders_of_dead_runs_are_removed_and_others_are_not() {
        let base = tempfile::tempdir().unwrap();
        let living = WorkFolder::create(base.path()).unwrap();
        fs::create_dir_all(base.path().join("sources-dead.d/x")).unwrap();
        fs::write(base.path().join("sources-dead.lock"), "").unwrap();
        fs::write(base.path().join("other"), "").unwrap();
        let next = WorkFolder::create(base.path()).unwrap();
        assert!(living.path().is_dir() && next.path().is_dir() && base.path().join("other").exists());
        assert!(!names(base.path()).iter().any(|name| name.contains("dead")));
    }
}
