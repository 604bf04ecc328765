//! Cache and temporary folders.

use std::io;
use std::path::PathBuf;

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

fn temporary_base(environment: &Environment) -> PathBuf {
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
