//! Keeps discovery answers on disk, one file per server. A cache that cannot be
//! read or written costs time, never a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::discovery::Found;

/// What was stored for this server.
pub(super) fn load(dir: Option<&Path>, server: &str) -> Option<Found> {
    let text = fs::read(file(dir?, server)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Stores for the next run.
pub(super) fn store(dir: Option<&Path>, server: &str, found: &Found) {
    let Some(dir) = dir else { return };
    if let Err(error) = write(&file(dir, server), found) {
        tracing::debug!(%error, server, "discovery not cached");
    }
}

fn file(dir: &Path, server: &str) -> PathBuf {
    let name: String = server.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    dir.join("kube-cache").join("discovery").join(format!("{name}.json"))
}

/// Through a file of its own, so that a parallel reader never sees half of it.
fn write(path: &Path, found: &Found) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&draft, serde_json::to_vec(found)?)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use crate::discovery::ApiGroup;

    use super::*;

    #[test]
    fn what_is_stored_is_found_for_the_same_server_only() {
        let dir = tempfile::tempdir().unwrap();
        let group = ApiGroup { name: "g".into(), ..ApiGroup::default() };
        let found = Found { groups: vec![group], ..Found::default() };
        store(Some(dir.path()), "https://127.0.0.1:1", &found);
        assert_eq!(load(Some(dir.path()), "https://127.0.0.1:1").unwrap().groups, found.groups);
        assert!(load(Some(dir.path()), "https://127.0.0.1:2").is_none());
    }

    #[test]
    fn a_damaged_file_counts_as_absent() {
        let dir = tempfile::tempdir().unwrap();
        store(Some(dir.path()), "s", &Found::default());
        fs::write(file(dir.path(), "s"), "{").unwrap();
        assert!(load(Some(dir.path()), "s").is_none());
    }
}
