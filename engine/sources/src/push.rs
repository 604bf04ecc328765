//! Makes an artifact of a project and pushes it: what includes fetch, and what Flux reads (spec 04 section 7.13).

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use windlass_registry::{Artifacts, PushedBlob, RegistryError, Repository};

use crate::pack::{PackError, Packed, pack};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// Why an artifact is not in the registry.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The project cannot be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The registry does not take it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Packs the project in `dir` and pushes it under a tag; answers the digest of its manifest.
///
/// # Errors
/// See [`PushError`].
pub async fn push(
    dir: &Path,
    repository: &Repository,
    tag: &str,
    annotations: &BTreeMap<String, String>,
    registry: &dyn Artifacts,
) -> Result<String, PushError> {
    let Packed { archive, content } = pack(dir)?;
    let config = Bytes::from(config(&content));
    drop(content);
    // The manifest comes last: nobody sees an artifact with a part missing.
    let layer = registry.push_blob(repository, Bytes::from(archive)).await?;
    let config = registry.push_blob(repository, config).await?;
    let manifest = Bytes::from(manifest(&config, &layer, annotations));
    Ok(registry.push_manifest(repository, tag, MANIFEST, manifest).await?)
}

fn manifest(config: &PushedBlob, layer: &PushedBlob, annotations: &BTreeMap<String, String>) -> String {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": config.size, "digest": config.digest},
        "layers": [{"mediaType": LAYER, "size": layer.size, "digest": layer.digest}],
        "annotations": annotations,
    });
    manifest.to_string()
}

/// The form of an image's configuration, so that image tools can check the layer against it.
fn config(content: &[u8]) -> String {
    let hex: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "architecture": "",
        "os": "",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{hex}")]},
    })
    .to_string()
}
