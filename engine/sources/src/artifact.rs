//! Projects that are stored in an OCI registry (spec 01 section 11.3).
//!
//! Manifests and layers are cached by digest; a reference by digest that was fetched once needs no registry.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use windlass_model::source::{OciReference, OciSource};
use windlass_registry::{Artifacts, Repository};

use crate::SourceError;
use crate::unpack::{UnpackError, UnpackLimits, unpack};

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The address is none that a registry understands.
    #[error("{url}: {message}")]
    Address {
        /// The address.
        url: String,
        /// Why.
        message: String,
    },
    /// The manifest is none of an artifact.
    #[error("{url}: {message}")]
    Manifest {
        /// The artifact.
        url: String,
        /// Why.
        message: String,
    },
    /// The layer cannot be unpacked.
    #[error("{url}: {source}")]
    Unpack {
        /// The artifact.
        url: String,
        /// Why.
        #[source]
        source: UnpackError,
    },
    /// The cache cannot be used.
    #[error("oci cache `{}`: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Where the content of artifacts is kept, by digest.
pub(crate) struct ArtifactCache<'a> {
    pub(crate) dir: PathBuf,
    pub(crate) registry: &'a dyn Artifacts,
    pub(crate) limits: UnpackLimits,
}

/// A manifest that is understood.
pub(crate) struct Artifact {
    /// Digest of the manifest.
    pub(crate) digest: String,
    layer: Layer,
    repository: Repository,
    /// For messages.
    pub(crate) name: String,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    digest: String,
}

impl ArtifactCache<'_> {
    /// The manifest of a reference.
    pub(crate) async fn resolve(&self, source: &OciSource) -> Result<Artifact, SourceError> {
        let OciSource { url, reference: OciReference { tag, digest } } = source;
        let wanted = digest.as_deref().or(tag.as_deref()).unwrap_or("latest");
        let name = format!("{url}{}{wanted}", if digest.is_some() { "@" } else { ":" });
        let repository = Repository::parse(&format!("{}/{}", url.host(), url.repository())).map_err(|error| {
            SourceError::other(ArtifactError::Address { url: url.to_string(), message: error.to_string() })
        })?;
        if let Some(digest) = digest
            && let Some(bytes) = self.cached(digest)
        {
            return artifact(&bytes, digest.clone(), repository, name);
        }
        let document = self.registry.manifest_document(&repository, wanted).await.map_err(SourceError::other)?;
        self.keep(&document.digest, &document.bytes).map_err(SourceError::other)?;
        artifact(&document.bytes, document.digest, repository, name)
    }

    /// Unpacks an artifact into an empty folder.
    pub(crate) async fn unpack(&self, artifact: &Artifact, dir: &Path) -> Result<(), SourceError> {
        let layer = self.layer(artifact).await?;
        let (dir, limits, name) = (dir.to_path_buf(), self.limits, artifact.name.clone());
        let unpacked = tokio::task::spawn_blocking(move || {
            let mut file = File::open(&layer).map_err(|source| ArtifactError::Cache { path: layer, source })?;
            unpack(&mut file, &dir, limits).map_err(|source| ArtifactError::Unpack { url: name, source })
        });
        unpacked.await.map_err(SourceError::other)?.map_err(SourceError::other)
    }

    async fn layer(&self, artifact: &Artifact) -> Result<PathBuf, SourceError> {
        let digest = &artifact.layer.digest;
        let Some(path) = self.path(digest) else {
            let message = format!("the digest `{digest}` of the first layer is not supported");
            return Err(SourceError::other(ArtifactError::Manifest { url: artifact.name.clone(), message }));
        };
        if is_whole(&path, digest) {
            return Ok(path);
        }
        let failed = |source| SourceError::other(ArtifactError::Cache { path: path.clone(), source });
        let mut file = self.temporary().map_err(failed)?;
        self.registry
            .fetch_blob(&artifact.repository, digest, self.limits.packed, file.as_file_mut())
            .await
            .map_err(SourceError::other)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(path)
    }

    /// `None` for a digest that is no plain SHA-256: the text becomes a file name.
    fn path(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest.strip_prefix("sha256:")?;
        let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| self.dir.join(format!("sha256-{hex}")))
    }

    fn cached(&self, digest: &str) -> Option<Vec<u8>> {
        let path = self.path(digest)?;
        is_whole(&path, digest).then(|| fs::read(path).ok()).flatten()
    }

    fn keep(&self, digest: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        let Some(path) = self.path(digest) else { return Ok(()) };
        let failed = |source| ArtifactError::Cache { path: path.clone(), source };
        let mut file = self.temporary().map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        fs::create_dir_all(&self.dir)?;
        sweep(&self.dir);
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.dir)
    }
}

const UNFINISHED: &str = "unfinished-";

/// What a killed download left is removed after a day: a younger one may be another run's.
fn sweep(dir: &Path) {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > day) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether the file has the content that its digest stands for.
fn is_whole(path: &Path, digest: &str) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(_) => return false,
        }
    }
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    digest == format!("sha256:{hex}")
}

fn artifact(bytes: &[u8], digest: String, repository: Repository, name: String) -> Result<Artifact, SourceError> {
    let wrong = |message: String| SourceError::other(ArtifactError::Manifest { url: name.clone(), message });
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| wrong(format!("the manifest can not be read: {error}")))?;
    let layer = manifest.layers.into_iter().next();
    let layer = layer.ok_or_else(|| {
        wrong("it has no layer; an artifact made by `kluctl oci push` or `flux push artifact` is needed".to_owned())
    })?;
    Ok(Artifact { digest, layer, repository, name })
}
