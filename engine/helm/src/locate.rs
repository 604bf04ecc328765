//! Finds the folder of a chart.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use windlass_yaml::{Dialect, Source, parse_first};

use crate::config::{ChartConfig, ChartSource, GitRef};
use crate::error::{HelmError, RenderFailure, failed};
use crate::identity::{ChartMetadata, chart_yaml, name_from_address, read_metadata};
use crate::pulled::{pulled_base, pulled_dir, shared_commit_dir};

/// A chart that can be rendered.
#[derive(Debug)]
pub(crate) struct LocatedChart {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
}

/// Gives charts that are pulled while rendering (`skipPrePull`).
#[async_trait]
pub trait OnDemandCharts: Send + Sync {
    /// The folder of a chart; it stays as it is until the end of the run.
    ///
    /// # Errors
    /// The chart can not be had.
    async fn chart(&self, source: &ChartSource) -> Result<PathBuf, PullFailure>;

    /// The folder of a chart whose git repository is overridden by a local directory, which then counts more than what
    /// was pulled before.
    ///
    /// # Errors
    /// There is an override, and the chart is not in it.
    async fn overridden(&self, source: &ChartSource) -> Result<Option<PathBuf>, PullFailure>;
}

/// Why a chart can not be had, as the puller tells it.
pub type PullFailure = Box<dyn std::error::Error + Send + Sync>;

/// `source_dir` is the original folder of the `helm-chart.yaml`.
pub(crate) async fn locate(
    config: &ChartConfig,
    source_dir: &Path,
    source_root: &Path,
    on_demand: Option<&dyn OnDemandCharts>,
) -> Result<LocatedChart, HelmError> {
    if let ChartSource::Local { path } = &config.source {
        return locate_local(path, source_dir, source_root);
    }
    let name = name_from_address(&config.source)?.unwrap_or_default();
    let dir = match fetch(config, on_demand).await {
        Ok(None) => locate_pulled(config, &name, source_dir, source_root),
        Ok(Some(dir)) => Ok(dir),
        Err(error) => Err(RenderFailure::Pull(error)),
    };
    let dir =
        dir.map_err(|source| HelmError::Render { chart: name.clone(), release: config.release_name.clone(), source })?;
    Ok(LocatedChart { name, dir })
}

/// Nothing when the chart is to be one of those that were pulled before.
async fn fetch(config: &ChartConfig, charts: Option<&dyn OnDemandCharts>) -> Result<Option<PathBuf>, PullFailure> {
    match charts {
        Some(charts) if config.skip_pre_pull => charts.chart(&config.source).await.map(Some),
        Some(charts) => charts.overridden(&config.source).await,
        None => Ok(None),
    }
}

fn locate_local(path: &str, source_dir: &Path, source_root: &Path) -> Result<LocatedChart, HelmError> {
    if Path::new(path).is_absolute() {
        return Err(HelmError::AbsolutePath { path: path.to_owned() });
    }
    let dir = join(source_dir, path);
    if !dir.starts_with(source_root) {
        return Err(HelmError::Outside { path: dir, root: source_root.to_owned() });
    }
    let file = chart_yaml(&dir);
    let metadata = read_metadata(&file).map_err(|source| HelmError::NoChartYaml { path: file.clone(), source })?;
    let bad = |reason: String| HelmError::BadChartYaml { path: file.clone(), reason };
    let ChartMetadata { name, .. } = metadata.map_err(bad)?;
    if name.is_empty() {
        return Err(bad("the chart has no name".to_owned()));
    }
    match first_escape(&dir, source_root).map_err(failed("inspect", &dir))? {
        None => Ok(LocatedChart { name, dir }),
        Some(path) => Err(HelmError::Outside { path, root: source_root.to_owned() }),
    }
}

fn locate_pulled(
    config: &ChartConfig,
    name: &str,
    source_dir: &Path,
    source_root: &Path,
) -> Result<PathBuf, RenderFailure> {
    if config.skip_pre_pull {
        return Err(RenderFailure::PullUnavailable { name: name.to_owned() });
    }
    let not_pulled = || RenderFailure::NotPulled { name: name.to_owned() };
    let relative = pulled_dir(&config.source)?.ok_or_else(not_pulled)?;
    let base = pulled_base(source_dir, source_root).ok_or(RenderFailure::NoPulledBase)?;
    let dir = chart_dir(&base, &relative, &config.source);
    let file = chart_yaml(&dir);
    let metadata = read_metadata(&file).map_err(|_| not_pulled())?;
    let metadata = metadata.map_err(|reason| RenderFailure::BadChartYaml { path: file, reason })?;
    if let ChartSource::Oci { version, .. } | ChartSource::Repository { version, .. } = &config.source
        && *version != metadata.version
    {
        return Err(RenderFailure::WrongVersion {
            name: name.to_owned(),
            desired: version.clone(),
            pulled: metadata.version,
        });
    }
    match first_escape(&dir, source_root) {
        Ok(None) => Ok(dir),
        Ok(Some(path)) => Err(RenderFailure::Outside { path, root: source_root.to_owned() }),
        Err(_) => Err(not_pulled()),
    }
}

/// Older tools have one place for all commits of a repository; it counts when it holds the wanted one.
fn chart_dir(base: &Path, relative: &Path, source: &ChartSource) -> PathBuf {
    let dir = base.join(relative);
    let ChartSource::Git(chart) = source else { return dir };
    let shared = shared_commit_dir(chart).map(|shared| base.join(shared)).filter(|_| !dir.exists());
    match (shared, &chart.reference) {
        (Some(shared), Some(GitRef::Commit(commit))) if checked_out_commit(&shared).as_ref() == Some(commit) => shared,
        _ => dir,
    }
}

fn checked_out_commit(dir: &Path) -> Option<String> {
    let text = fs::read_to_string(dir.join(".git-info.yaml")).ok()?;
    let document = parse_first(&Source::new(".git-info.yaml", text), Dialect::GoV2).ok()?;
    Some(document.value.get("checkedOutCommit")?.as_str()?.to_owned())
}

/// Joins as Go does: `..` is taken literally, before links are followed.
pub(crate) fn join(dir: &Path, relative: &str) -> PathBuf {
    let mut path = dir.to_owned();
    for component in Path::new(relative).components() {
        match component {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// The first place outside of `root` to which a link of the chart, or on the way to it, leads.
///
/// # Errors
/// The chart can not be read.
pub fn first_escape(dir: &Path, root: &Path) -> io::Result<Option<PathBuf>> {
    let root = fs::canonicalize(root)?;
    let real = fs::canonicalize(dir)?;
    if !real.starts_with(&root) {
        return Ok(Some(real));
    }
    let mut folders = vec![real];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_symlink() {
                match fs::canonicalize(entry.path()) {
                    Ok(target) if !target.starts_with(&root) => return Ok(Some(target)),
                    // Inside, so its content is checked where it is; or dangling, which Helm reports.
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }
    Ok(None)
}
