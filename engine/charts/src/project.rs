//! The charts of a project: every `helm-chart.yaml`, unrendered.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use windlass_helm::{BASE_NAME, ChartConfig, ChartSource, HelmError};

/// A `helm-chart.yaml` with a chart that has to be pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The file.
    pub path: PathBuf,
    /// Its folder, relative to the project; `.` for the project itself.
    pub dir: String,
    /// Its content.
    pub config: ChartConfig,
    /// Of the chart.
    pub name: String,
}

/// The project's charts can not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A folder or file can not be read.
    #[error("read `{}`: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is wrong.
    #[error(transparent)]
    Config(#[from] HelmError),
}

/// All charts below `project` that are not local, sorted by path.
///
/// # Errors
/// A file can not be read or is wrong; the first one in order of paths.
pub fn chart_files(project: &Path) -> Result<Vec<ChartFile>, ProjectError> {
    let mut paths = Vec::new();
    find(project, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        files.extend(read(project, path)?);
    }
    Ok(files)
}

fn read(project: &Path, path: PathBuf) -> Result<Option<ChartFile>, ProjectError> {
    let text = fs::read_to_string(&path).map_err(|source| ProjectError::Read { path: path.clone(), source })?;
    let config = ChartConfig::parse(&text, &path)?;
    if let ChartSource::Local { .. } = config.source {
        return Ok(None);
    }
    let name = config.source.chart_name()?.unwrap_or_default();
    let folder = path.parent().unwrap_or(project);
    let dir = folder.strip_prefix(project).unwrap_or(folder).display().to_string().replace('\\', "/");
    let dir = if dir.is_empty() { ".".to_owned() } else { dir };
    Ok(Some(ChartFile { path, dir, config, name }))
}

/// Links are not followed, as they may lead in circles and out of the project.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ProjectError> {
    let failed = |source| ProjectError::Read { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (kind, name) = (entry.file_type().map_err(failed)?, entry.file_name());
        if kind.is_dir() && name != BASE_NAME && name != ".git" {
            find(&entry.path(), found)?;
        } else if !kind.is_dir() && (name == "helm-chart.yaml" || name == "helm-chart.yml") {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    const CHART: &str = "helmChart: {repo: 'https://a', chartName: c, chartVersion: 1.0.0, releaseName: r}";

    #[test]
    fn charts_are_found_at_any_depth() {
        let dir = project(&[
            ("z/helm-chart.yaml", CHART),
            ("helm-chart.yml", CHART),
            ("a/b/helm-chart.yaml", CHART),
            ("a/local/helm-chart.yaml", "helmChart: {path: x, releaseName: r}"),
            (".git/helm-chart.yaml", "["),
            (".helm-charts/x/helm-chart.yaml", "["),
            ("a/Helm-Chart.yaml", "["),
        ]);
        let dirs: Vec<String> = chart_files(dir.path()).unwrap().into_iter().map(|file| file.dir).collect();
        assert_eq!(dirs, ["a/b", ".", "z"]);
    }

    #[test]
    fn the_first_wrong_file_is_named() {
        let dir = project(&[("b/helm-chart.yaml", "x: 1"), ("a/helm-chart.yaml", "helmChart: {releaseName: r}")]);
        let error = chart_files(dir.path()).unwrap_err().to_string();
        assert!(error.contains("a/helm-chart.yaml failed"), "{error}");
    }

    #[test]
    fn a_missing_project_is_an_error() {
        let dir = project(&[]);
        assert!(matches!(chart_files(&dir.path().join("x")), Err(ProjectError::Read { .. })));
    }
}
