//! When an image was created, by its config.

use jiff::Timestamp;
use serde::Deserialize;

use crate::artifact::ManifestDocument;
use crate::platform::Platform;
use crate::session::{Outcome, Session};

const MAX_CONFIG: u64 = 8 << 20;
/// Other artifacts, such as charts, have configs of their own.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// A manifest or index, as far as it matters here.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Option<Vec<Child>>,
    #[serde(default)]
    config: Option<Reference>,
    #[serde(default)]
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Child {
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    media_type: String,
    digest: String,
}

#[derive(Deserialize)]
struct Annotations {
    #[serde(default, rename = "org.opencontainers.image.created")]
    created: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    created: Option<String>,
}

impl Session<'_> {
    /// Of an index: of the platform, or the newest of all.
    pub(crate) async fn created(&self, reference: &str, platform: Option<&Platform>) -> Outcome<Option<Timestamp>> {
        let document = self.document(reference).await?;
        let parsed = self.parsed(&document)?;
        let Some(children) = parsed.manifests else {
            return self.created_of(&parsed).await;
        };
        // Attestations stand beside images as `unknown/unknown`.
        let runnable = children.iter().filter(|child| child.platform.as_ref().is_none_or(Platform::is_known));
        let wanted: Vec<_> = match platform {
            Some(platform) => runnable
                .filter(|child| child.platform.as_ref().is_some_and(|own| platform.covers(own)))
                .take(1)
                .collect(),
            None => runnable.collect(),
        };
        let times = wanted.into_iter().map(|child| self.created_of_child(&child.digest));
        let times = futures::future::try_join_all(times).await?;
        Ok(times.into_iter().flatten().max())
    }

    async fn created_of_child(&self, digest: &str) -> Outcome<Option<Timestamp>> {
        let document = self.document(digest).await?;
        self.created_of(&self.parsed(&document)?).await
    }

    async fn created_of(&self, manifest: &Document) -> Outcome<Option<Timestamp>> {
        let config = manifest.config.as_ref().filter(|config| IMAGE_CONFIGS.contains(&config.media_type.as_str()));
        let told = match config {
            Some(config) => self.registry.config_time(self, &config.digest).await?,
            None => None,
        };
        let annotated = || time(manifest.annotations.as_ref()?.created.as_deref()?);
        Ok(told.or_else(annotated))
    }

    /// The time that a config tells.
    pub(crate) async fn fetch_config_time(&self, digest: &str) -> Outcome<Option<Timestamp>> {
        let mut bytes = Vec::new();
        self.fetch_blob(digest, MAX_CONFIG, &mut bytes).await?;
        let config: Config = serde_json::from_slice(&bytes).map_err(|e| {
            self.invalid(&format!("the image config is not valid (line {}, column {})", e.line(), e.column()))
        })?;
        Ok(config.created.as_deref().and_then(time))
    }

    fn parsed(&self, document: &ManifestDocument) -> Outcome<Document> {
        serde_json::from_slice(&document.bytes)
            .map_err(|e| self.invalid(&format!("the manifest is not valid (line {}, column {})", e.line(), e.column())))
    }
}

/// A time; the zero of Go or Unix, which reproducible builds write, is none.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|time: &Timestamp| time.as_second() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_nonsense_are_no_time() {
        for text in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "", "yesterday"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("2024-05-06T07:08:09.123456789+02:00").map(|t| t.as_second()), Some(1_714_972_089));
    }

    #[test]
    fn the_annotation_has_its_name() {
        let document: Document =
            serde_json::from_str(r#"{"annotations": {"org.opencontainers.image.created": "x", "other": "y"}}"#)
                .unwrap();
        assert_eq!(document.annotations.unwrap().created.as_deref(), Some("x"));
    }
}
