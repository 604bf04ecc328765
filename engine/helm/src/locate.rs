//! Finds the folder of a chart.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::config::{ChartConfig, ChartSource};
use crate::error::{HelmError, RenderFailure, failed};
use crate::identity::{Metadata, chart_yaml, name_from_address, read_metadata};
use crate::pulled::{pulled_base, pulled_dir};

/// A chart that can be rendered.
#[derive(Debug)]
pub(crate) struct LocatedChart {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
}

/// `source_dir` is the original folder of the `helm-chart.yaml`.
pub(crate) fn locate(config: &ChartConfig, source_dir: &Path, source_root: &Path) -> Result<LocatedChart, HelmError> {
    if let ChartSource::Local { path } = &config.source {
        return locate_local(path, source_dir, source_root);
    }
    let name = name_from_address(&config.source)?.unwrap_or_default();
    let dir = locate_pulled(config, &name, source_dir, source_root).map_err(|source| HelmError::Render {
        chart: name.clone(),
        release: config.release_name.clone(),
        source,
    })?;
    Ok(LocatedChart { name, dir })
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
    let Metadata { name, .. } = metadata.map_err(bad)?;
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
    let dir = base.join(relative);
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
fn first_escape(dir: &Path, root: &Path) -> io::Result<Option<PathBuf>> {
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
