//! The user's cache of charts, shared by processes: one lock file beside each version.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use windlass_helm::ChartMetadata;

use crate::error::{ChartError, failed};
use crate::swap;

/// After this time a version is fetched again: someone may have replaced it.
const FRESH: Duration = Duration::from_secs(24 * 3600);

/// A version's place in the cache, locked.
pub(crate) struct Slot {
    dir: PathBuf,
    _lock: File,
}

/// A chart in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedChart {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// What it was made of: `sha256:…` of an archive, `git:<reference>@<commit>` of a repository.
    pub(crate) origin: String,
}

impl Slot {
    /// Waits until no other process works on this version.
    pub(crate) async fn open(cache: &Path, relative: &Path) -> Result<Self, ChartError> {
        let dir = cache.join(relative);
        let opened = tokio::task::spawn_blocking(move || lock(&with_suffix(&dir, ".lock")).map(|lock| (dir, lock)));
        let (dir, lock) = opened.await.map_err(|error| ChartError::Worker(error.to_string()))??;
        Ok(Self { dir, _lock: lock })
    }

    /// The chart as it is there, whatever its age.
    pub(crate) fn present(&self) -> Option<CachedChart> {
        let origin = fs::read_to_string(self.origin_file()).ok()?;
        matches!(ChartMetadata::read(&self.dir), Ok(Ok(_))).then(|| CachedChart { dir: self.dir.clone(), origin })
    }

    /// The chart, if it was fetched not long ago.
    pub(crate) fn fresh(&self) -> Option<CachedChart> {
        let written = fs::metadata(self.origin_file()).and_then(|metadata| metadata.modified()).ok()?;
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        self.present().filter(|_| age < FRESH)
    }

    /// Puts a chart here, which `fill` writes into an empty folder.
    pub(crate) fn put(
        &self,
        origin: &str,
        fill: impl FnOnce(&Path) -> Result<(), ChartError>,
    ) -> Result<CachedChart, ChartError> {
        let file = self.origin_file();
        if self.present().is_some_and(|present| present.origin == origin) {
            // Readers may be at work on it, so the same content is left alone.
            let touched = File::open(&file).and_then(|file| file.set_modified(SystemTime::now()));
            touched.map_err(failed("change the time of", &file))?;
            return Ok(CachedChart { dir: self.dir.clone(), origin: origin.to_owned() });
        }
        let staging = swap::staging_beside(&self.dir).map_err(failed("create a folder beside", &self.dir))?;
        let new = staging.path().join("chart");
        fs::create_dir(&new).map_err(failed("create", &new))?;
        fill(&new)?;
        // Without this file the folder counts as absent, so the two never disagree.
        let _ = fs::remove_file(&file);
        swap::replace(&new, &self.dir, staging.path()).map_err(failed("replace", &self.dir))?;
        swap::write_file(&file, origin.as_bytes(), staging.path()).map_err(failed("write", &file))?;
        Ok(CachedChart { dir: self.dir.clone(), origin: origin.to_owned() })
    }

    fn origin_file(&self) -> PathBuf {
        with_suffix(&self.dir, ".origin")
    }
}

/// Opens and locks a file; blocks.
pub(crate) fn lock(path: &Path) -> Result<File, ChartError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
    }
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path).map_err(failed("open", path))?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}

fn with_suffix(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(version: &str) -> impl FnOnce(&Path) -> Result<(), ChartError> {
        let text = format!("name: c\nversion: {version}\n");
        move |dir| fs::write(dir.join("Chart.yaml"), text).map_err(failed("write", dir))
    }

    async fn slot(cache: &Path) -> Slot {
        Slot::open(cache, Path::new("https_a/c/1.0.0")).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_put_is_there_for_the_next() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(slot(cache.path()).await.fresh(), None);
        let put = slot(cache.path()).await.put("sha256:a", chart("1.0.0")).unwrap();
        assert_eq!(slot(cache.path()).await.fresh(), Some(put));
    }

    #[tokio::test]
    async fn a_failed_fetch_keeps_what_was_there() {
        let cache = tempfile::tempdir().unwrap();
        let put = slot(cache.path()).await.put("sha256:a", chart("1.0.0")).unwrap();
        let broken = |_: &Path| Err(ChartError::Worker("broken".into()));
        assert!(slot(cache.path()).await.put("sha256:b", broken).is_err());
        assert_eq!(slot(cache.path()).await.present(), Some(put));
        let names = fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["https_a"]);
    }

    #[tokio::test]
    async fn a_folder_without_its_origin_is_none() {
        let cache = tempfile::tempdir().unwrap();
        slot(cache.path()).await.put("sha256:a", chart("1.0.0")).unwrap();
        fs::remove_file(cache.path().join("https_a/c/1.0.0.origin")).unwrap();
        assert_eq!(slot(cache.path()).await.present(), None);
        slot(cache.path()).await.put("sha256:b", chart("1.0.0")).unwrap();
        assert_eq!(slot(cache.path()).await.fresh().unwrap().origin, "sha256:b");
    }
}
