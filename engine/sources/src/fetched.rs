//! Sources from git servers and registries, through the caches of this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::{OnceCell, Semaphore};
use windlass_git::{FoundCommit, GitError, GitSettings, Mirror};
use windlass_model::event::Events;
use windlass_model::source::{GitReference, GitSource, GitUrl, OciReference, OciSource, SourceKey};
use windlass_registry::Artifacts;

use crate::artifact::ArtifactCache;
use crate::once::OnceMap;
use crate::overrides::{self, SourceOverride};
use crate::work_folder::WorkFolder;
use crate::{CheckedOut, Refs, RemoteRef, SourceError, SourceState, Sources, UnpackLimits};

/// Servers that are asked at the same time.
const PARALLEL: usize = 8;

/// What [`FetchedSources`] is told from outside.
pub struct SourceSettings {
    /// Git servers and their cache.
    pub git: GitSettings,
    /// Where artifacts are kept.
    pub oci_cache_dir: PathBuf,
    /// What an artifact may hold.
    pub limits: UnpackLimits,
    /// Local directories, in the order in which they are tried.
    pub overrides: Vec<SourceOverride>,
    /// Where the folder of this run is made.
    pub work_base: PathBuf,
}

type Shared<T> = Result<Arc<T>, SourceError>;

/// The real [`Sources`]; each repository is asked once, each state is written once.
pub struct FetchedSources {
    settings: SourceSettings,
    registry: Arc<dyn Artifacts>,
    events: Arc<dyn Events>,
    permits: Semaphore,
    work: OnceCell<Result<WorkFolder, SourceError>>,
    mirrors: OnceMap<SourceKey, Shared<Mirror>>,
    checkouts: OnceMap<(SourceKey, String, Option<String>), Shared<CheckedOut>>,
    artifacts: OnceMap<(SourceKey, OciReference), Shared<CheckedOut>>,
    /// Overrides that the user was told about.
    told: Mutex<BTreeSet<SourceKey>>,
    names: Mutex<Vec<(PathBuf, String)>>,
}

impl FetchedSources {
    /// Stores the settings; asks nobody yet.
    pub fn new(settings: SourceSettings, registry: Arc<dyn Artifacts>, events: Arc<dyn Events>) -> Self {
        Self {
            settings,
            registry,
            events,
            permits: Semaphore::new(PARALLEL),
            work: OnceCell::new(),
            mirrors: OnceMap::new(),
            checkouts: OnceMap::new(),
            artifacts: OnceMap::new(),
            told: Mutex::default(),
            names: Mutex::default(),
        }
    }

    fn override_of(&self, key: &SourceKey, kind: &str, url: &str) -> Result<Option<PathBuf>, SourceError> {
        let Some(dir) = overrides::find(&self.settings.overrides, key)? else { return Ok(None) };
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            self.events.warn(format!("Overriding {kind} repo {url} with local directory {}", dir.display()));
        }
        Ok(Some(dir.canonicalize().unwrap_or(dir)))
    }

    /// A new folder for one source.
    async fn folder(&self, purpose: &str) -> Result<PathBuf, SourceError> {
        let base = self.settings.work_base.clone();
        let failed = |source: std::io::Error| SourceError::Folder { dir: base.clone(), source: Arc::new(source) };
        let work = self.work.get_or_init(|| async { WorkFolder::create(&base).map_err(failed) }).await;
        let work = work.as_ref().map_err(Clone::clone)?;
        let dir = tempfile::Builder::new().prefix(purpose).tempdir_in(work.path()).map_err(failed)?;
        Ok(dir.keep())
    }

    fn name(&self, root: &Path, name: String) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push((root.to_path_buf(), name));
    }

    async fn mirror(&self, url: &GitUrl) -> Shared<Mirror> {
        let open = async {
            let _permit = self.permits.acquire().await.map_err(SourceError::other)?;
            let (address, settings, events) = (url.clone(), self.settings.git.clone(), self.events.clone());
            let opened = tokio::task::spawn_blocking(move || {
                Mirror::open(&address, &settings, || events.info(format!("Updating git cache for {address}")))
            });
            let (mirror, _) = opened.await.map_err(SourceError::other)?.map_err(|error| of_git(error, url.clone()))?;
            Ok(Arc::new(mirror))
        };
        self.mirrors.get(url.key(), open).await
    }

    async fn check_out(&self, url: &GitUrl, mirror: Arc<Mirror>, commit: FoundCommit) -> Shared<CheckedOut> {
        let key = (url.key(), commit.id.to_string(), commit.reference.clone());
        let write = async {
            let written = self.write(mirror, &commit).await;
            let root = match written {
                Err(GitFailure::Git(GitError::Damaged { .. })) => {
                    let mirror = self.rebuild(url).await?;
                    self.write(mirror, &commit).await
                }
                other => other,
            };
            let root = root.map_err(|error| error.into_source_error(url))?;
            self.name(&root, format!("{url}@{}", commit.short_name()));
            let state = SourceState::Commit { reference: commit.reference.clone(), commit: commit.id.to_string() };
            Ok(Arc::new(CheckedOut { root, state }))
        };
        self.checkouts.get(key, write).await
    }

    async fn write(&self, mirror: Arc<Mirror>, commit: &FoundCommit) -> Result<PathBuf, GitFailure> {
        let dir = self.folder("git-").await.map_err(GitFailure::Source)?;
        let (commit, target, limits) = (commit.clone(), dir.clone(), self.settings.git.limits);
        let written = tokio::task::spawn_blocking(move || mirror.check_out(&commit, &target, limits));
        match written.await {
            Ok(written) => written.map(|()| dir).map_err(GitFailure::Git),
            Err(error) => Err(GitFailure::Source(SourceError::other(error))),
        }
    }

    /// Objects that were missing at last: the mirror is fetched anew, once more and for all.
    async fn rebuild(&self, url: &GitUrl) -> Shared<Mirror> {
        let (address, settings) = (url.clone(), self.settings.git.clone());
        let rebuilt = tokio::task::spawn_blocking(move || Mirror::rebuild(&address, &settings)).await;
        let mirror = rebuilt.map_err(SourceError::other)?.map_err(|error| of_git(error, url.clone()))?;
        let mirror = Arc::new(mirror);
        self.mirrors.put(url.key(), Ok(mirror.clone()));
        Ok(mirror)
    }

    async fn artifact(&self, source: &OciSource) -> Shared<CheckedOut> {
        let _permit = self.permits.acquire().await.map_err(SourceError::other)?;
        let cache = ArtifactCache {
            dir: self.settings.oci_cache_dir.clone(),
            registry: &*self.registry,
            limits: self.settings.limits,
        };
        let artifact = cache.resolve(source).await?;
        let root = self.folder("oci-").await?;
        cache.unpack(&artifact, &root).await?;
        self.name(&root, artifact.name.clone());
        let state = SourceState::Artifact { digest: artifact.digest };
        Ok(Arc::new(CheckedOut { root, state }))
    }
}

enum GitFailure {
    Git(GitError),
    Source(SourceError),
}

impl GitFailure {
    fn into_source_error(self, url: &GitUrl) -> SourceError {
        match self {
            Self::Git(error) => of_git(error, url.clone()),
            Self::Source(error) => error,
        }
    }
}

fn of_git(error: GitError, url: GitUrl) -> SourceError {
    match error {
        GitError::NoReference { reference } => SourceError::NoReference { reference, url: url.to_string() },
        other => SourceError::other(other),
    }
}

#[async_trait]
impl Sources for FetchedSources {
    async fn git(&self, source: &GitSource) -> Shared<CheckedOut> {
        let GitSource { url, reference } = source;
        if let Some(root) = self.override_of(&url.key(), "git", &url.to_string())? {
            return Ok(Arc::new(CheckedOut { root, state: SourceState::Override }));
        }
        let mirror = self.mirror(url).await?;
        let (asked, wanted) = (mirror.clone(), reference.clone());
        let commit = match &wanted {
            // Looks into the objects.
            Some(GitReference::Commit(_)) => tokio::task::spawn_blocking(move || asked.resolve(wanted.as_ref())).await,
            _ => Ok(mirror.resolve(wanted.as_ref())),
        };
        let commit = commit.map_err(SourceError::other)?.map_err(|error| of_git(error, url.clone()))?;
        self.check_out(url, mirror, commit).await
    }

    fn is_overridden(&self, url: &GitUrl) -> Result<bool, SourceError> {
        Ok(self.override_of(&url.key(), "git", &url.to_string())?.is_some())
    }

    async fn git_refs(&self, url: &GitUrl) -> Result<Refs, SourceError> {
        if self.override_of(&url.key(), "git", &url.to_string())?.is_some() {
            return Ok(Refs::Override);
        }
        let mirror = self.mirror(url).await?;
        let refs = mirror.refs().iter();
        Ok(Refs::Remote(refs.map(|(name, id)| RemoteRef { name: name.clone(), commit: id.to_string() }).collect()))
    }

    async fn oci(&self, source: &OciSource) -> Shared<CheckedOut> {
        let key = source.url.key();
        if let Some(root) = self.override_of(&key, "oci", &source.url.to_string())? {
            return Ok(Arc::new(CheckedOut { root, state: SourceState::Override }));
        }
        self.artifacts.get((key, source.reference.clone()), self.artifact(source)).await
    }

    fn names(&self) -> Vec<(PathBuf, String)> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
