//! Writes planned files: each atomically, and all of them or none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{EditSet, PlannedFile};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody wrote the file after it was read.
    #[error("`{file}` was changed while the edit was prepared; run the command again")]
    Changed {
        /// The file.
        file: String,
    },
    /// The disk said no.
    #[error("write `{file}`: {source}; no file was changed")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The disk said no after some files were written, and again when they were to be put back.
    #[error("write `{file}`: {source}; these files are changed already: {}", written.join(", "))]
    Partly {
        /// The file.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
        /// Files with their new content.
        written: Vec<String>,
    },
}

/// Writes all files of the set; after an error none is changed.
pub fn apply(set: &EditSet) -> Result<(), WriteError> {
    let files: Vec<&PlannedFile> = set.files.iter().filter(|file| !file.again).collect();
    let mut prepared = Vec::with_capacity(files.len());
    for file in &files {
        let now = std::fs::read(&file.real).map_err(|source| io(file, source))?;
        if now != *file.before {
            return Err(WriteError::Changed { file: file.name.clone() });
        }
        prepared.push(prepare(&file.real, &file.after).map_err(|source| io(file, source))?);
    }
    for (index, (file, temporary)) in files.iter().zip(prepared).enumerate() {
        if let Err(error) = temporary.persist(&file.real) {
            return Err(put_back(&files[..index], file, error.error));
        }
    }
    Ok(())
}

fn io(file: &PlannedFile, source: std::io::Error) -> WriteError {
    WriteError::Io { file: file.name.clone(), source }
}

/// The new content beside the file, with the file's mode.
fn prepare(real: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    let folder = real.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut temporary = tempfile::Builder::new().prefix(".windlass-").tempfile_in(folder)?;
    temporary.write_all(content)?;
    temporary.as_file().set_permissions(std::fs::metadata(real)?.permissions())?;
    temporary.as_file().sync_data()?;
    Ok(temporary)
}

/// Undoes what was written before `failed`.
fn put_back(written: &[&PlannedFile], failed: &PlannedFile, source: std::io::Error) -> WriteError {
    let mut left = Vec::new();
    for file in written {
        let restored = prepare(&file.real, &file.before);
        if restored.and_then(|old| old.persist(&file.real).map_err(|error| error.error)).is_err() {
            left.push(file.name.clone());
        }
    }
    let file = failed.name.clone();
    if left.is_empty() { WriteError::Io { file, source } } else { WriteError::Partly { file, source, written: left } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(dir: &Path, name: &str, before: &str, after: &str) -> PlannedFile {
        PlannedFile {
            name: name.into(),
            real: dir.join(name),
            again: false,
            before: before.as_bytes().into(),
            after: after.into(),
            changes: Vec::new(),
        }
    }

    fn set(files: Vec<PlannedFile>) -> EditSet {
        EditSet { files, ..EditSet::default() }
    }

    #[test]
    fn all_files_are_written_or_none() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        for name in ["a", "b"] {
            std::fs::write(dir.path().join(name), "old").unwrap();
        }
        let stale = set(vec![planned(dir.path(), "a", "old", "new"), planned(dir.path(), "b", "other", "new")]);
        assert!(matches!(apply(&stale), Err(WriteError::Changed { file }) if file == "b"));
        assert_eq!((read("a"), read("b")), ("old".into(), "old".into()));
        let gone = set(vec![planned(dir.path(), "a", "old", "new"), planned(dir.path(), "c", "", "new")]);
        assert!(matches!(apply(&gone), Err(WriteError::Io { file, .. }) if file == "c"));
        assert_eq!(read("a"), "old");
        apply(&set(vec![planned(dir.path(), "a", "old", "new"), planned(dir.path(), "b", "old", "new")])).unwrap();
        assert_eq!((read("a"), read("b")), ("new".into(), "new".into()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_rename_puts_the_others_back() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "old").unwrap();
        std::fs::write(dir.path().join("b"), "old").unwrap();
        let (first, second) = (planned(dir.path(), "a", "old", "new"), planned(dir.path(), "b", "old", "new"));
        std::fs::write(dir.path().join("a"), "new").unwrap();
        let error = put_back(&[&first], &second, std::io::Error::other("boom"));
        assert_eq!(error.to_string(), "write `b`: boom; no file was changed");
        assert_eq!(std::fs::read_to_string(dir.path().join("a")).unwrap(), "old");
    }
}
