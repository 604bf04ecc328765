//! The platforms that an image is built for.

use serde::Deserialize;
use windlass_registry::{Artifacts, Platform, Repository};

const MAX_CONFIG: u64 = 8 << 20;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Option<Vec<Child>>,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Child {
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Config {
    digest: String,
}

/// Of an index: its entries; of a single image: what its config says.
pub(super) async fn of(repository: &Repository, tag: &str, registry: &dyn Artifacts) -> Result<Vec<Platform>, String> {
    let told = |error: windlass_registry::RegistryError| error.to_string();
    let bad = |what: &str, error: serde_json::Error| format!("{repository}:{tag}: the {what} is not valid: {error}");
    let manifest = registry.manifest_document(repository, tag).await.map_err(told)?;
    let document: Document = serde_json::from_slice(&manifest.bytes).map_err(|error| bad("manifest", error))?;
    if let Some(children) = document.manifests {
        return Ok(children.into_iter().filter_map(|child| child.platform).collect());
    }
    let Some(config) = document.config else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    registry.fetch_blob(repository, &config.digest, MAX_CONFIG, &mut bytes).await.map_err(told)?;
    // Configs of other artifacts name no platform.
    Ok(serde_json::from_slice::<Platform>(&bytes).into_iter().collect())
}
