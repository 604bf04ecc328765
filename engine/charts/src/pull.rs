//! `helm-pull`: what `.helm-charts` has is what the project's `helm-chart.yaml` files want.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use sha2::{Digest, Sha256};
use windlass_helm::{BASE_NAME, ChartMetadata, ChartSource, pulled_dir};
use windlass_model::event::{Event, Events};

use crate::cache::{CachedChart, lock};
use crate::digests::Digests;
use crate::error::{ChartError, failed};
use crate::fetch::{Charts, GIT_INFO, is_missing};
use crate::project::{ChartFile, ProjectError, chart_files};
use crate::swap;

/// Charts under way at the same time.
pub(crate) const CONCURRENCY: usize = 8;

/// What became of a pull. Messages have been told as events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PullReport {
    /// Versions that are in place now.
    pub pulled: usize,
    /// Versions that could not be fetched.
    pub failed: usize,
}

/// Pulling could not start or end.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The project's charts can not be listed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A file or folder of `.helm-charts`.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// Whether each version is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    All,
    RemovalsOnly,
}

/// A version that the project wants in `.helm-charts`.
#[derive(Debug, Clone)]
struct Wanted {
    chart: String,
    source: ChartSource,
}

/// Pulls all charts of the project. Nothing is removed unless everything could be fetched.
///
/// # Errors
/// The project can not be read, or `.helm-charts` not written.
pub async fn pull(project: &Path, charts: &Charts, events: &dyn Events) -> Result<PullReport, PullError> {
    pull_with(project, charts, Voice::All, events).await
}

pub(crate) async fn pull_with(
    project: &Path,
    charts: &Charts,
    voice: Voice,
    events: &dyn Events,
) -> Result<PullReport, PullError> {
    let wanted = wanted(&chart_files(project)?)?;
    let base = project.join(BASE_NAME);
    let lock_file = project_lock(charts.cache(), project);
    let _lock = tokio::task::spawn_blocking(move || lock(&lock_file))
        .await
        .map_err(|error| ChartError::Worker(error.to_string()))??;
    swap::clean(&base).map_err(failed("clean", &base))?;
    if voice == Voice::All {
        for Wanted { chart, source } in wanted.values() {
            let text = format!("Pulling Chart with version {}", source.version_label());
            events.emit(Event::Item { item: chart.clone(), text });
        }
    }
    let fetched: Vec<_> = futures::stream::iter(wanted.values())
        .map(|wanted| charts.fetch(&wanted.source))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut digests = Digests::read(&base);
    let mut report = PullReport::default();
    for ((dir, wanted), outcome) in wanted.iter().zip(fetched) {
        match outcome {
            Ok(chart) => {
                install(&base, dir, &chart)?;
                report.pulled += 1;
                note(&mut digests, dir, wanted, &chart, events);
            }
            Err(error) => {
                report.failed += 1;
                events.emit(Event::Error { text: format!("{}: {}", wanted.chart, describe(&error, &wanted.source)) });
            }
        }
    }
    if report.failed == 0 {
        let keep: BTreeSet<&PathBuf> = wanted.keys().collect();
        remove_unused(&base, &keep, &mut digests, events)?;
    }
    digests.write(&base)?;
    Ok(report)
}

/// Whether a pull would change nothing that can be seen without asking anybody.
///
/// # Errors
/// The project can not be read.
pub fn is_up_to_date(project: &Path) -> Result<bool, PullError> {
    let wanted = wanted(&chart_files(project)?)?;
    let base = project.join(BASE_NAME);
    let all_there = wanted.iter().all(|(dir, wanted)| is_pulled(&base.join(dir), &wanted.source));
    Ok(all_there && version_dirs(&base)?.iter().all(|dir| wanted.contains_key(dir)))
}

fn is_pulled(dir: &Path, source: &ChartSource) -> bool {
    let Ok(Ok(metadata)) = ChartMetadata::read(dir) else { return false };
    match source {
        ChartSource::Git(_) => dir.join(GIT_INFO).is_file(),
        _ => metadata.version == source.version_label(),
    }
}

/// Each version once, by its folder.
fn wanted(files: &[ChartFile]) -> Result<BTreeMap<PathBuf, Wanted>, ChartError> {
    let mut wanted = BTreeMap::new();
    for file in files.iter().filter(|file| !file.config.skip_pre_pull) {
        if let Some(dir) = pulled_dir(&file.config.source)? {
            wanted
                .entry(dir)
                .or_insert_with(|| Wanted { chart: file.name.clone(), source: file.config.source.clone() });
        }
    }
    Ok(wanted)
}

/// One pull at a time for a project. The file is not in the project, where it would be committed.
fn project_lock(cache: &Path, project: &Path) -> PathBuf {
    let digest = Sha256::digest(project.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    cache.join("projects").join(format!("{name}.lock"))
}

fn install(base: &Path, dir: &Path, chart: &CachedChart) -> Result<(), ChartError> {
    let staging = swap::staging(base).map_err(failed("create a folder in", base))?;
    let new = staging.path().join("chart");
    swap::copy(&chart.dir, &new, &chart.dir).map_err(failed("copy", &chart.dir))?;
    let target = base.join(dir);
    swap::replace(&new, &target, staging.path()).map_err(failed("replace", &target))
}

/// A version that is not what it was is worth a look.
fn note(digests: &mut Digests, dir: &Path, wanted: &Wanted, chart: &CachedChart, events: &dyn Events) {
    let label = wanted.source.version_label();
    if let Some(before) = digests.get(dir).filter(|before| before.starts_with("sha256:") && **before != *chart.origin) {
        let text = format!(
            "{}: version {label} has changed in its repository: it was {before} and is {} now; review the change in {BASE_NAME}",
            wanted.chart, chart.origin
        );
        events.emit(Event::Warning { text });
    }
    digests.set(dir, &chart.origin);
}

fn remove_unused(
    base: &Path,
    keep: &BTreeSet<&PathBuf>,
    digests: &mut Digests,
    events: &dyn Events,
) -> Result<(), ChartError> {
    for dir in version_dirs(base)?.into_iter().filter(|dir| !keep.contains(dir)) {
        events.emit(Event::Info { text: format!("Removing unused Chart with version {}", label(&dir)) });
        let target = base.join(&dir);
        let staging = swap::staging(base).map_err(failed("create a folder in", base))?;
        swap::remove(&target, staging.path()).map_err(failed("remove", &target))?;
        swap::remove_empty_parents(&target, base);
        digests.remove(&dir);
    }
    Ok(())
}

fn label(dir: &Path) -> String {
    let text = dir.display().to_string().replace('\\', "/");
    match text.find("/refs/") {
        Some(start) => text[start + 1..].trim_start_matches("refs/commits/").to_owned(),
        None => text.rsplit('/').next().unwrap_or(&text).to_owned(),
    }
}

/// The folders with a `Chart.yaml`, relative to `base`; sub-charts inside of these are not looked for.
fn version_dirs(base: &Path) -> Result<Vec<PathBuf>, ChartError> {
    let mut found = Vec::new();
    let mut folders = vec![base.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed("read", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(failed("read", &folder))?;
            let hidden = folder == base && entry.file_name().to_string_lossy().starts_with('.');
            if hidden || !entry.file_type().map_err(failed("read", &folder))?.is_dir() {
                continue;
            }
            let path = entry.path();
            if path.join("Chart.yaml").is_file() {
                found.extend(path.strip_prefix(base).map(Path::to_owned));
            } else {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What is missing is told in the same words wherever it is missing.
fn describe(error: &ChartError, source: &ChartSource) -> String {
    match (error, source) {
        (ChartError::Registry(inner), ChartSource::Oci { url, version }) if is_missing(inner) => {
            let chart = source.chart_name().ok().flatten().unwrap_or_default();
            format!("chart \"{chart}\" version \"{version}\" not found in {url} repository")
        }
        _ => error.to_string(),
    }
}
