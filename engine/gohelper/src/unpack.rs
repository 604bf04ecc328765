//! Puts the embedded helper program into the cache folder.
//!
//! Safe between processes: a file appears under its final name complete or not at all, and the name holds the
//! digest, so that versions do not disturb each other. An existing file is used only when its digest is right.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::HelperError;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gohelper.zst"));
static DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/gohelper.sha256"));

/// Prefix of files that are being written.
const UNFINISHED: &str = ".gohelper-";
/// Unpacking takes a second.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The path of the ready program below `cache_dir`.
pub(crate) fn unpack(cache_dir: &Path) -> Result<PathBuf, HelperError> {
    let path = cache_dir.join(file_name());
    ensure(&path).map_err(|source| HelperError::Unpack { path: path.clone(), source })?;
    Ok(path)
}

fn file_name() -> String {
    format!("gohelper-{}{}", &DIGEST[..16], std::env::consts::EXE_SUFFIX)
}

fn ensure(path: &Path) -> io::Result<()> {
    if digest_of(path)?.as_deref() == Some(DIGEST) {
        return Ok(());
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    remove_abandoned(dir);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(dir)?;
    zstd::stream::copy_decode(PACKED, file.as_file_mut())?;
    file.as_file_mut().flush()?;
    make_executable(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes what killed processes left, which is large. A young file may still be written by another process.
fn remove_abandoned(dir: &Path) {
    let is_old = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED))
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED)).filter(is_old) {
        // Another process may be doing the same.
        let _ = fs::remove_file(entry.path());
    }
}

#[cfg(unix)]
fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// `None` when there is no regular file.
fn digest_of(path: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_folder_gets_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let path = unpack(&dir.path().join("new")).unwrap();
        assert_eq!(digest_of(&path).unwrap().as_deref(), Some(DIGEST));
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file_name());
        fs::write(&path, "not a program").unwrap();
        unpack(dir.path()).unwrap();
        assert_eq!(digest_of(&path).unwrap().as_deref(), Some(DIGEST));
    }

    #[test]
    fn what_killed_processes_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let [old, young] = ["old", "young"].map(|name| dir.path().join(format!("{UNFINISHED}{name}")));
        fs::write(&young, "").unwrap();
        File::create(&old).unwrap().set_modified(std::time::SystemTime::now() - 2 * ABANDONED).unwrap();
        unpack(dir.path()).unwrap();
        assert!(!old.exists() && young.exists());
    }

    #[test]
    fn an_intact_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = unpack(dir.path()).unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        unpack(dir.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn a_link_in_place_of_the_file_is_replaced_not_followed() {
        #[cfg(unix)]
        {
            let dir = tempfile::tempdir().unwrap();
            let elsewhere = dir.path().join("elsewhere");
            fs::write(&elsewhere, "mine").unwrap();
            std::os::unix::fs::symlink(&elsewhere, dir.path().join(file_name())).unwrap();
            unpack(dir.path()).unwrap();
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
        }
    }

    #[test]
    fn a_cache_that_is_a_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(unpack(&file), Err(HelperError::Unpack { .. })));
    }
}
