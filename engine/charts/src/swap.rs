//! Puts finished folders into place: at every moment there is the old one, the new one, or none, never a half one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Prefix of unfinished folders.
const STAGING: &str = ".windlass-staging-";

/// A folder below `base` for unfinished work; removed when dropped, or by [`clean`] if the process was killed.
pub(crate) fn staging(base: &Path) -> io::Result<TempDir> {
    fs::create_dir_all(base)?;
    tempfile::Builder::new().prefix(STAGING).tempdir_in(base)
}

/// The same beside `dir`, under a name of its own. What a killed run left there is removed first, so the caller keeps
/// other runs away from `dir`.
pub(crate) fn staging_beside(dir: &Path) -> io::Result<TempDir> {
    let folder = dir.parent().unwrap_or(Path::new("."));
    let name = format!("{STAGING}{}", dir.file_name().unwrap_or_default().to_string_lossy());
    match fs::remove_dir_all(folder.join(&name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(folder)?,
    }
    tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(folder)
}

/// Removes what killed runs left. The caller keeps other runs away.
pub(crate) fn clean(base: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Moves `new` to `target`; what was there ends in `staging`. Both are on one file system.
pub(crate) fn replace(new: &Path, target: &Path, staging: &Path) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::symlink_metadata(target).is_err() {
        return fs::rename(new, target);
    }
    if exchange(new, target) {
        return Ok(());
    }
    remove(target, staging)?;
    fs::rename(new, target)
}

/// Takes `target` away in one step; its content ends in `staging`.
pub(crate) fn remove(target: &Path, staging: &Path) -> io::Result<()> {
    let trash = tempfile::Builder::new().prefix("old-").tempdir_in(staging)?.keep();
    fs::rename(target, trash.join("content"))
}

/// One step, where the system has it.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_one: &Path, _other: &Path) -> bool {
    false
}

/// Writes a small file in one step; while unfinished it is in `staging`.
pub(crate) fn write_file(path: &Path, content: &[u8], staging: &Path) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix("file-").tempfile_in(staging)?;
    io::Write::write_all(&mut file, content)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Replaces the content of a user's file in one step; its permissions stay.
pub(crate) fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let permissions = fs::metadata(&real)?.permissions();
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(real.parent().unwrap_or(Path::new(".")))?;
    io::Write::write_all(&mut file, content)?;
    file.as_file().set_permissions(permissions)?;
    file.persist(&real).map(drop).map_err(|error| error.error)
}

/// Deeper than any chart; more is a link that leads to a folder above itself.
const MAX_DEPTH: usize = 40;

/// Copies files and folders; links inside of `root` are followed, others refused. Git's own folder stays behind.
pub(crate) fn copy(from: &Path, to: &Path, root: &Path) -> io::Result<()> {
    copy_folder(from, to, &fs::canonicalize(root)?, 0)
}

fn copy_folder(from: &Path, to: &Path, root: &Path, depth: usize) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other(format!(
            "`{}` is nested too deep, or links to a folder above it",
            from.display()
        )));
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        let (source, target) = (real(&entry, root)?, to.join(entry.file_name()));
        let kind = fs::symlink_metadata(&source)?.file_type();
        if kind.is_dir() {
            copy_folder(&source, &target, root, depth + 1)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        } else {
            return Err(io::Error::other(format!("`{}` is neither file nor folder", source.display())));
        }
    }
    Ok(())
}

fn real(entry: &fs::DirEntry, root: &Path) -> io::Result<PathBuf> {
    let path = entry.path();
    if !entry.file_type()?.is_symlink() {
        return Ok(path);
    }
    let real = fs::canonicalize(&path)?;
    if real.starts_with(root) {
        return Ok(real);
    }
    Err(io::Error::other(format!("the link `{}` leads to `{}`, outside of its source", path.display(), real.display())))
}

/// Removes folders that became empty, from `dir` up to `base`, which stays.
pub(crate) fn remove_empty_parents(dir: &Path, base: &Path) {
    let mut folder: Option<PathBuf> = dir.parent().map(Path::to_owned);
    while let Some(path) = folder.filter(|path| path.starts_with(base) && path != base) {
        if fs::remove_dir(&path).is_err() {
            return;
        }
        folder = path.parent().map(Path::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_the_place_of_another() {
        let base = tempfile::tempdir().unwrap();
        let staging = staging(base.path()).unwrap();
        let target = base.path().join("a/b/1.0.0");
        for text in ["one", "two"] {
            let new = staging.path().join("new");
            fs::create_dir(&new).unwrap();
            fs::write(new.join(text), text).unwrap();
            replace(&new, &target, staging.path()).unwrap();
            let _ = fs::remove_dir_all(&new);
        }
        let names: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["two"]);
        remove(&target, staging.path()).unwrap();
        remove_empty_parents(&target, base.path());
        assert!(!base.path().join("a").exists());
    }

    #[test]
    fn leftovers_of_killed_runs_are_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let kept = staging(base.path()).unwrap().keep();
        fs::create_dir(base.path().join("https_x")).unwrap();
        clean(base.path()).unwrap();
        assert!(!kept.exists() && base.path().join("https_x").exists());
        clean(&base.path().join("missing")).unwrap();
    }

    #[test]
    fn a_staging_folder_takes_the_place_of_what_a_killed_run_left() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("a/1.0.0");
        let killed = staging_beside(&dir).unwrap().keep();
        fs::write(killed.join("half"), "").unwrap();
        let next = staging_beside(&dir).unwrap();
        assert_eq!((next.path(), fs::read_dir(&killed).unwrap().count()), (&*killed, 0));
        drop(next);
        assert_eq!(fs::read_dir(base.path().join("a")).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_inside() {
        use std::os::unix::fs::symlink;
        let base = tempfile::tempdir().unwrap();
        let (root, to) = (base.path().join("root"), base.path().join("to"));
        let from = root.join("chart");
        fs::create_dir_all(from.join(".git")).unwrap();
        fs::write(root.join("common"), "text").unwrap();
        symlink("../common", from.join("file")).unwrap();
        copy(&from, &to, &root).unwrap();
        assert_eq!(fs::read(to.join("file")).unwrap(), b"text");
        assert!(!to.join(".git").exists());
        symlink(".", from.join("again")).unwrap();
        assert!(copy(&from, &to, &root).unwrap_err().to_string().contains("too deep"));
        fs::remove_file(from.join("again")).unwrap();
        symlink("/etc", from.join("link")).unwrap();
        assert!(copy(&from, &to, &root).unwrap_err().to_string().contains("outside of its source"));
    }
}
