//! Gets one version of a chart into the cache, from wherever it is.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use windlass_helm::{
    ChartMetadata, ChartSource, GitChart, GitRef, OnDemandCharts, PullFailure, first_escape, pulled_dir,
};
use windlass_model::event::{Event, Events};
use windlass_model::source::{GitReference, GitSource, GitUrl};
use windlass_registry::{Artifacts, Registry, RegistryError, Repository};
use windlass_sources::{CheckedOut, Refs, SourceState, Sources};

use crate::archive::{ArchiveLimits, unpack};
use crate::cache::{CachedChart, Slot};
use crate::error::{ChartError, failed};
use crate::repository::{ArchivePlace, ChartRepositories};
use crate::swap;

/// Written into the folder of a chart from git.
pub(crate) const GIT_INFO: &str = ".git-info.yaml";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Written before Helm 3.7.
const OLD_CHART_LAYER: &str = "application/tar+gzip";
const MAX_ARCHIVE: u64 = 100 << 20;

/// What charts are fetched through.
#[derive(Clone)]
pub struct ChartPorts {
    /// Repositories over HTTP.
    pub repositories: Arc<ChartRepositories>,
    /// Tags of charts in registries.
    pub registry: Arc<dyn Registry>,
    /// Their content.
    pub artifacts: Arc<dyn Artifacts>,
    /// Git repositories.
    pub sources: Arc<dyn Sources>,
    /// Where fetched charts are kept.
    pub cache: PathBuf,
    /// Bounds of archives.
    pub limits: ArchiveLimits,
}

/// Fetches charts. Cheap to clone.
#[derive(Clone)]
pub struct Charts {
    ports: ChartPorts,
}

impl std::fmt::Debug for Charts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Charts").field("cache", &self.ports.cache).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

impl Charts {
    /// Fetches nothing yet.
    #[must_use]
    pub fn new(ports: ChartPorts) -> Self {
        Self { ports }
    }

    pub(crate) fn cache(&self) -> &Path {
        &self.ports.cache
    }

    /// A version in the cache: fetched before, or now.
    pub(crate) async fn fetch(&self, source: &ChartSource) -> Result<CachedChart, ChartError> {
        let relative = pulled_dir(source)?.ok_or_else(|| ChartError::Worker("local charts are not fetched".into()))?;
        let slot = Slot::open(&self.ports.cache, &relative).await?;
        match source {
            ChartSource::Git(chart) => self.fetch_git(slot, chart).await,
            _ => match slot.fresh() {
                Some(chart) => Ok(chart),
                None => self.fetch_archive(slot, source).await,
            },
        }
    }

    async fn fetch_archive(&self, slot: Slot, source: &ChartSource) -> Result<CachedChart, ChartError> {
        let name = source.chart_name()?.unwrap_or_default();
        let version = source.version_label();
        let (bytes, digest) = match source {
            ChartSource::Repository { url, name, version } => self.download(url, name, version).await?,
            ChartSource::Oci { url, version } => self.download_artifact(url, &version.replace('+', "_")).await?,
            ChartSource::Local { .. } | ChartSource::Git(_) => return Err(ChartError::Worker("no archive".into())),
        };
        let limits = self.ports.limits;
        let filled = tokio::task::spawn_blocking(move || {
            slot.put(&digest, |dir| {
                unpack(&*bytes, dir, limits).map_err(|source| ChartError::Archive {
                    chart: name.clone(),
                    version: version.clone(),
                    source,
                })?;
                check_version(dir, &name, &version)
            })
        });
        filled.await.map_err(|error| ChartError::Worker(error.to_string()))?
    }

    async fn download(&self, url: &str, name: &str, version: &str) -> Result<(Vec<u8>, String), ChartError> {
        match self.ports.repositories.place(url, name, version).await? {
            ArchivePlace::Http { url: archive, digest } => {
                let (bytes, hex) = self.ports.repositories.archive(url, &archive, digest.as_deref()).await?;
                Ok((bytes, format!("sha256:{hex}")))
            }
            ArchivePlace::Oci(reference) => {
                let (repository, tag) = split_tag(&reference, version);
                self.download_artifact(&repository, &tag).await
            }
        }
    }

    async fn download_artifact(&self, url: &str, tag: &str) -> Result<(Vec<u8>, String), ChartError> {
        let repository = repository(url)?;
        let no_chart = |reason: &str| ChartError::NoChart { url: format!("{url}:{tag}"), reason: reason.to_owned() };
        let document = self.ports.artifacts.manifest_document(&repository, tag).await?;
        let manifest: Manifest =
            serde_json::from_slice(&document.bytes).map_err(|_| no_chart("its manifest can not be read"))?;
        let layer = manifest.layers.iter().find(|layer| matches!(&*layer.media_type, CHART_LAYER | OLD_CHART_LAYER));
        let layer = layer.ok_or_else(|| no_chart("it has no layer with a chart"))?;
        let mut bytes = Vec::new();
        self.ports.artifacts.fetch_blob(&repository, &layer.digest, MAX_ARCHIVE, &mut bytes).await?;
        Ok((bytes, layer.digest.clone()))
    }

    async fn fetch_git(&self, slot: Slot, chart: &GitChart) -> Result<CachedChart, ChartError> {
        let checked_out = self.ports.sources.git(&git_source(chart)?).await?;
        let sub_dir = chart.sub_dir.clone().unwrap_or_default();
        let dir = confined(&checked_out, &sub_dir)?;
        let root = checked_out.root.clone();
        if !dir.join("Chart.yaml").is_file() {
            return Err(ChartError::NoChartInGit { url: chart.url.text.clone(), sub_dir });
        }
        let info = GitInfo::of(&checked_out.state, chart);
        let filled = tokio::task::spawn_blocking(move || {
            let Some(info) = info else {
                // Used where it is: several releases of it may be rendered at the same time, and what is in the cache
                // is of the repository.
                return match first_escape(&dir, &root).map_err(failed("inspect", &dir))? {
                    None => Ok(CachedChart { dir, origin: "override".to_owned() }),
                    Some(path) => Err(ChartError::Outside { path, root }),
                };
            };
            slot.put(&info.origin(), |into| {
                copy_chart(&dir, into, &root)?;
                let file = into.join(GIT_INFO);
                std::fs::write(&file, info.text()).map_err(failed("write", &file))
            })
        });
        filled.await.map_err(|error| ChartError::Worker(error.to_string()))?
    }

    /// All versions there are, in no order; tags of git repositories.
    pub(crate) async fn versions(&self, source: &ChartSource) -> Result<Vec<String>, ChartError> {
        match source {
            ChartSource::Local { .. } => Ok(Vec::new()),
            ChartSource::Repository { url, name, .. } => Ok(self.ports.repositories.versions(url, name).await?),
            ChartSource::Oci { url, .. } => {
                let tags = self.ports.registry.list_tags(&repository(url)?).await?;
                // Registries have no `+` in tags; Helm writes `_`.
                Ok(tags.tags().iter().map(|tag| tag.replace('_', "+")).collect())
            }
            ChartSource::Git(chart) => match self.ports.sources.git_refs(&git_source(chart)?.url).await? {
                Refs::Override => Ok(Vec::new()),
                Refs::Remote(refs) => {
                    let tags = refs.iter().filter_map(|found| found.name.strip_prefix("refs/tags/"));
                    Ok(tags.map(str::to_owned).collect())
                }
            },
        }
    }
}

/// Charts that are pulled while rendering.
pub struct OnDemand<'a> {
    /// Fetches them.
    pub charts: &'a Charts,
    /// Is told about it.
    pub events: &'a dyn Events,
}

#[async_trait]
impl OnDemandCharts for OnDemand<'_> {
    async fn chart(&self, source: &ChartSource) -> Result<PathBuf, PullFailure> {
        let name = source.chart_name()?.unwrap_or_default();
        let text = format!("Pulling Helm Chart {name} with version {}", source.version_label());
        self.events.emit(Event::Info { text });
        Ok(self.charts.fetch(source).await?.dir)
    }

    async fn overridden(&self, source: &ChartSource) -> Result<Option<PathBuf>, PullFailure> {
        let ChartSource::Git(chart) = source else { return Ok(None) };
        if !self.charts.ports.sources.is_overridden(&git_source(chart)?.url)? {
            return Ok(None);
        }
        Ok(Some(self.charts.fetch(source).await?.dir))
    }
}

/// What `.git-info.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GitInfo {
    reference: String,
    commit: String,
}

impl GitInfo {
    fn of(state: &SourceState, chart: &GitChart) -> Option<Self> {
        let SourceState::Commit { reference, commit } = state else { return None };
        let written = match &chart.reference {
            Some(GitRef::Commit(commit)) => Some(commit.clone()),
            Some(_) => Some(ChartSource::Git(chart.clone()).version_label()),
            None => None,
        };
        let reference = written.or_else(|| reference.clone()).unwrap_or_default();
        Some(Self { reference, commit: commit.clone() })
    }

    fn origin(&self) -> String {
        format!("git:{}@{}", self.reference, self.commit)
    }

    fn text(&self) -> String {
        let mut fields = serde_json::Map::new();
        fields.insert("checkedOutRef".to_owned(), reference_fields(&self.reference));
        fields.insert("checkedOutCommit".to_owned(), self.commit.clone().into());
        windlass_yaml::to_string(&serde_json::Value::Object(fields))
    }
}

fn reference_fields(reference: &str) -> serde_json::Value {
    let (field, name) = match (reference.strip_prefix("refs/tags/"), reference.strip_prefix("refs/heads/")) {
        (Some(tag), _) => ("tag", tag),
        (_, Some(branch)) => ("branch", branch),
        _ => ("commit", reference),
    };
    serde_json::json!({ field: name })
}

fn git_source(chart: &GitChart) -> Result<GitSource, ChartError> {
    let url = GitUrl::parse(&chart.url.text)
        .map_err(|error| ChartError::NoChart { url: chart.url.text.clone(), reason: error.to_string() })?;
    let reference = chart.reference.as_ref().map(|reference| match reference {
        GitRef::Branch(name) => GitReference::Branch(name.clone()),
        GitRef::Tag(name) => GitReference::Tag(name.clone()),
        GitRef::Commit(name) => GitReference::Commit(name.clone()),
    });
    Ok(GitSource { url, reference })
}

fn repository(url: &str) -> Result<Repository, ChartError> {
    let bare = url.strip_prefix("oci://").unwrap_or(url).trim_end_matches('/');
    Repository::parse(bare).map_err(|source| ChartError::Reference { url: url.to_owned(), source })
}

/// `oci://host:5000/chart:tag`, where the tag may be absent.
fn split_tag(reference: &str, version: &str) -> (String, String) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (reference.to_owned(), version.replace('+', "_")),
    }
}

/// The folder of a chart in a checkout, from which nothing leads out.
fn confined(checked_out: &CheckedOut, sub_dir: &str) -> Result<PathBuf, ChartError> {
    let root = std::fs::canonicalize(&checked_out.root).map_err(failed("resolve", &checked_out.root))?;
    let outside = |path: PathBuf| ChartError::Outside { path, root: root.clone() };
    if Path::new(sub_dir).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside(checked_out.root.join(sub_dir)));
    }
    let dir = root.join(sub_dir);
    let real = std::fs::canonicalize(&dir).map_err(failed("open", &dir))?;
    if real.starts_with(&root) { Ok(real) } else { Err(outside(real)) }
}

fn copy_chart(from: &Path, into: &Path, root: &Path) -> Result<(), ChartError> {
    swap::copy(from, into, root).map_err(failed("copy", from))
}

/// What is in a registry or index under a version has that version.
fn check_version(dir: &Path, chart: &str, wanted: &str) -> Result<(), ChartError> {
    let path = dir.join("Chart.yaml");
    let metadata = ChartMetadata::read(dir).map_err(failed("read", &path))?;
    let metadata = metadata.map_err(|reason| ChartError::BadChartYaml { path, reason })?;
    if metadata.version == wanted {
        return Ok(());
    }
    Err(ChartError::OtherVersion { chart: chart.to_owned(), wanted: wanted.to_owned(), got: metadata.version })
}

/// Whether the error says that there is no such chart or version.
pub(crate) fn is_missing(error: &RegistryError) -> bool {
    matches!(error, RegistryError::ManifestNotFound { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_registries_are_split_off() {
        let split = |text: &str| split_tag(text, "1.0.0+b");
        assert_eq!(split("oci://a:5000/c:2"), ("oci://a:5000/c".into(), "2".into()));
        assert_eq!(split("oci://a:5000/c"), ("oci://a:5000/c".into(), "1.0.0_b".into()));
    }

    #[test]
    fn git_info_has_the_form_of_kluctl() {
        let info = GitInfo { reference: "refs/tags/v1".into(), commit: "0a".into() };
        assert_eq!(info.text(), "checkedOutCommit: 0a\ncheckedOutRef:\n  tag: v1\n");
    }

    #[cfg(unix)]
    #[test]
    fn folders_of_checkouts_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::os::unix::fs::symlink(dir.path(), root.join("link")).unwrap();
        let checked_out = CheckedOut { root, state: SourceState::Override };
        assert!(confined(&checked_out, "a").is_ok());
        for sub_dir in ["..", "a/../..", "link", "/etc"] {
            assert!(matches!(confined(&checked_out, sub_dir), Err(ChartError::Outside { .. })), "{sub_dir}");
        }
        assert!(matches!(confined(&checked_out, "missing"), Err(ChartError::Io { .. })));
    }
}
