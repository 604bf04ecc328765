//! `helm-update`: which charts have a newer version; on demand writes it, pulls it, commits it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use windlass_helm::{BASE_NAME, ChartSource, GitChart, GitRef, set_version};
use windlass_model::event::{Event, Events};

use crate::error::{ChartError, failed};
use crate::fetch::Charts;
use crate::project::{ChartFile, ProjectError, chart_files};
use crate::pull::{CONCURRENCY, PullError, Voice, is_up_to_date, pull_with};
use crate::swap;
use crate::versions::{VersionError, is_newer, latest};

/// What to do with newer versions.
#[derive(Clone, Copy, Default)]
pub struct UpdateOptions<'a> {
    /// Write them into the files and pull them.
    pub upgrade: bool,
    /// Commit each.
    pub commit: bool,
    /// Asks before each file.
    pub ask: Option<&'a (dyn Fn(&Choice) -> bool + Send + Sync)>,
}

/// A newer version of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Folder of the `helm-chart.yaml` in the project.
    pub dir: String,
    /// The chart.
    pub chart: String,
    /// Its version now.
    pub old: String,
    /// The newer one.
    pub new: String,
}

/// The repository around the project.
pub trait WorkTree: Send + Sync {
    /// Files that are changed, staged, or not tracked (`true`), as absolute paths.
    ///
    /// # Errors
    /// The repository can not be read.
    fn changes(&self) -> Result<Vec<(PathBuf, bool)>, WorkTreeError>;

    /// Whether a commit would have an author.
    ///
    /// # Errors
    /// It would not.
    fn check_author(&self) -> Result<(), WorkTreeError>;

    /// Commits everything at and below these paths, and nothing else.
    ///
    /// # Errors
    /// The commit can not be made.
    fn commit(&self, paths: &[PathBuf], message: &str) -> Result<(), WorkTreeError>;
}

/// As the repository tells it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WorkTreeError(pub String);

/// Updating could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There are changes below `.helm-charts`.
    #[error("--commit can only be used when .helm-chart directory is clean")]
    ChartsChanged,
    /// There are other changes.
    #[error("--commit can only be used when the git worktree is unmodified")]
    WorkTreeChanged,
    /// Commits would hold more than the update.
    #[error(".helm-charts is not up-to-date. Please run helm-pull before")]
    NotPulled,
    /// The repository.
    #[error("failed to commit: {0}")]
    WorkTree(#[from] WorkTreeError),
    /// Versions of some charts are not known.
    #[error("{}", list(.0))]
    Versions(Vec<ChartError>),
    /// The project's charts can not be listed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A file can not be written.
    #[error(transparent)]
    Chart(Box<ChartError>),
    /// Pulling.
    #[error(transparent)]
    Pull(Box<PullError>),
}

impl From<ChartError> for UpdateError {
    fn from(error: ChartError) -> Self {
        Self::Chart(Box::new(error))
    }
}

impl From<PullError> for UpdateError {
    fn from(error: PullError) -> Self {
        Self::Pull(Box::new(error))
    }
}

/// In the form scripts know.
fn list(errors: &[ChartError]) -> String {
    let lines: String = errors.iter().map(|error| format!("\t* {error}\n")).collect();
    match errors.len() {
        1 => format!("1 error occurred:\n{lines}\n"),
        count => format!("{count} errors occurred:\n{lines}\n"),
    }
}

/// The files that have a chart in one version and shall have it in another.
type Step<'a> = Vec<(&'a ChartFile, Choice)>;

/// One version of one chart.
type Versioned = (String, String);

/// Updates; the answer is how many charts failed. Messages have been told as events.
///
/// # Errors
/// It could not start, or had to end.
pub async fn update(
    project: &Path,
    charts: &Charts,
    work_tree: &dyn WorkTree,
    options: UpdateOptions<'_>,
    events: &dyn Events,
) -> Result<usize, UpdateError> {
    let files: Vec<ChartFile> =
        chart_files(project)?.into_iter().filter(|file| can_update(&file.config.source)).collect();
    if options.commit {
        check_clean(project, work_tree, options.upgrade)?;
    }
    let versions = query(&files, charts, events).await?;
    download(&files, charts, events).await;
    let mut errors = 0;
    let mut steps: BTreeMap<(String, String, String), Step<'_>> = BTreeMap::new();
    for file in &files {
        let key = key(&file.config.source);
        let all = versions.get(&key).map(Vec::as_slice).unwrap_or_default();
        match choose(file, all) {
            Ok(None) => {}
            Ok(Some(choice)) if file.config.skip_update => {
                events.emit(Event::Info { text: format!("{}: Skipped update to version {}", choice.dir, choice.new) });
            }
            Ok(Some(choice)) => {
                let Choice { dir, chart, old, new } = &choice;
                let text = format!("{dir}: Chart {chart} (old version {old}) has new version {new} available");
                events.emit(Event::Info { text });
                if options.upgrade && options.ask.is_none_or(|ask| ask(&choice)) {
                    steps.entry((key, choice.old.clone(), choice.new.clone())).or_default().push((file, choice));
                }
            }
            Err(error) => {
                errors += 1;
                events.emit(Event::Error { text: format!("{}: {error}", file.dir) });
            }
        }
    }
    for step in steps.values() {
        errors += upgrade(project, charts, work_tree, step, options.commit, events).await?;
    }
    Ok(errors)
}

/// Charts of git repositories that are at a branch or commit have no version.
fn can_update(source: &ChartSource) -> bool {
    match source {
        ChartSource::Git(GitChart { reference, .. }) => matches!(reference, Some(GitRef::Tag(_))),
        ChartSource::Local { .. } => false,
        ChartSource::Oci { .. } | ChartSource::Repository { .. } => true,
    }
}

/// What distinguishes a chart from others, whatever its version.
fn key(source: &ChartSource) -> String {
    match source {
        ChartSource::Local { path } => path.clone(),
        ChartSource::Oci { url, .. } => url.clone(),
        ChartSource::Repository { url, name, .. } => format!("{} / {name}", url.trim_end_matches('/')),
        ChartSource::Git(GitChart { url, sub_dir, .. }) => {
            format!("{}://{}:{:?}/{} / {}", url.scheme, url.host, url.port, url.path, sub_dir.as_deref().unwrap_or(""))
        }
    }
}

fn check_clean(project: &Path, work_tree: &dyn WorkTree, upgrade: bool) -> Result<(), UpdateError> {
    let base = project.join(BASE_NAME);
    let changes = work_tree.changes()?;
    if changes.iter().any(|(path, untracked)| !untracked && !path.starts_with(&base)) {
        return Err(UpdateError::WorkTreeChanged);
    }
    if changes.iter().any(|(path, _)| path.starts_with(&base)) {
        return Err(UpdateError::ChartsChanged);
    }
    if !is_up_to_date(project)? {
        return Err(UpdateError::NotPulled);
    }
    if upgrade {
        work_tree.check_author()?;
    }
    Ok(())
}

async fn query(
    files: &[ChartFile],
    charts: &Charts,
    events: &dyn Events,
) -> Result<BTreeMap<String, Vec<String>>, UpdateError> {
    let mut distinct: BTreeMap<String, &ChartFile> = BTreeMap::new();
    for file in files {
        distinct.entry(key(&file.config.source)).or_insert(file);
    }
    for file in distinct.values() {
        events.emit(Event::Item { item: file.name.clone(), text: "Querying versions".to_owned() });
    }
    let found: Vec<_> = futures::stream::iter(distinct.values())
        .map(|file| charts.versions(&file.config.source))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let (mut versions, mut errors) = (BTreeMap::new(), Vec::new());
    for ((key, file), outcome) in distinct.into_iter().zip(found) {
        match outcome {
            Ok(list) => {
                versions.insert(key, list);
            }
            Err(error) => {
                events.emit(Event::Error { text: format!("{}: {error}", file.name) });
                errors.push(error);
            }
        }
    }
    if errors.is_empty() { Ok(versions) } else { Err(UpdateError::Versions(errors)) }
}

/// Fills the cache with what is used now. A version that is gone does not keep anybody from a newer one.
async fn download(files: &[ChartFile], charts: &Charts, events: &dyn Events) {
    let mut distinct: BTreeMap<Versioned, &ChartFile> = BTreeMap::new();
    for file in files {
        distinct.entry((key(&file.config.source), file.config.source.version_label())).or_insert(file);
    }
    for ((_, version), file) in &distinct {
        let text = format!("Downloading Chart with version {version} into cache");
        events.emit(Event::Item { item: file.name.clone(), text });
    }
    let fetched: Vec<_> = futures::stream::iter(distinct.values())
        .map(|file| charts.fetch(&file.config.source))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (file, outcome) in distinct.values().zip(fetched) {
        if let Err(error) = outcome {
            events.emit(Event::Warning { text: format!("{}: {error}", file.name) });
        }
    }
}

fn choose(file: &ChartFile, versions: &[String]) -> Result<Option<Choice>, VersionError> {
    let current = bare_version(&file.config.source);
    let latest = latest(versions, file.config.update_constraints.as_deref(), current)?;
    if !is_newer(current, latest) {
        return Ok(None);
    }
    let (old, new) = (file.config.source.version_label(), with_version(&file.config.source, latest).version_label());
    Ok(Some(Choice { dir: file.dir.clone(), chart: file.name.clone(), old, new }))
}

fn bare_version(source: &ChartSource) -> &str {
    match source {
        ChartSource::Oci { version, .. } | ChartSource::Repository { version, .. } => version,
        ChartSource::Git(GitChart { reference: Some(GitRef::Tag(tag)), .. }) => tag,
        ChartSource::Git(_) | ChartSource::Local { .. } => "",
    }
}

fn with_version(source: &ChartSource, new: &str) -> ChartSource {
    let mut source = source.clone();
    match &mut source {
        ChartSource::Oci { version, .. } | ChartSource::Repository { version, .. } => new.clone_into(version),
        ChartSource::Git(chart) => chart.reference = Some(GitRef::Tag(new.to_owned())),
        ChartSource::Local { .. } => {}
    }
    source
}

/// One chart from one version to another, in all files that have it.
async fn upgrade(
    project: &Path,
    charts: &Charts,
    work_tree: &dyn WorkTree,
    step: &[(&ChartFile, Choice)],
    commit: bool,
    events: &dyn Events,
) -> Result<usize, UpdateError> {
    let Some((first, Choice { chart, old, new, .. })) = step.first() else { return Ok(0) };
    let version = new.strip_prefix("refs/tags/").unwrap_or(new);
    // Before the first file is written it is certain that the new version can be had.
    if let Err(error) = charts.fetch(&with_version(&first.config.source, version)).await {
        events.emit(Event::Error { text: format!("{chart}: {error}") });
        return Ok(1);
    }
    let mut edits = Vec::new();
    for (file, _) in step {
        let text = fs::read_to_string(&file.path).map_err(failed("read", &file.path))?;
        edits.push((&file.path, set_version(&text, &file.path, version).map_err(ChartError::Helm)?));
    }
    for ((path, text), (_, choice)) in edits.iter().zip(step) {
        swap::rewrite(path, text.as_bytes()).map_err(failed("write", path))?;
        events.emit(Event::Info { text: format!("{}: Updated Chart version to {new}", choice.dir) });
    }
    events.emit(Event::Info { text: format!("Upgrading Chart {chart} from version {old} to {new}") });
    let failed = pull_with(project, charts, Voice::RemovalsOnly, events).await?.failed;
    if failed == 0 && commit {
        let mut paths: BTreeSet<PathBuf> = edits.iter().map(|(path, _)| (*path).clone()).collect();
        paths.insert(project.join(BASE_NAME));
        let message = format!("Updated helm chart {chart} from version {old} to version {new}");
        let paths: Vec<PathBuf> = paths.into_iter().filter(|path| path.exists()).collect();
        work_tree.commit(&paths, &message)?;
        events.emit(Event::Info { text: format!("Committed helm chart {chart} with version {new}") });
    }
    Ok(failed)
}
