//! Manifests and indexes: digests, and the documents themselves.

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use url::Url;

use crate::Manifest;
use crate::artifact::ManifestDocument;
use crate::digest::{Hasher, is_digest, sha256_digest};
use crate::error::RegistryError;
use crate::http::Answer;
use crate::session::{Call, Outcome, Session};
use crate::tags::is_tag;

/// Indexes first: a digest shall name all platforms.
const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// What the specification lets registries refuse beyond.
const MAX_MANIFEST: usize = 4 << 20;

/// The part of a document that says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(default)]
    media_type: Option<String>,
}

impl Session<'_> {
    /// Digest and type, by the cheapest request that tells them.
    pub(crate) async fn manifest(&self, reference: &str) -> Outcome<Manifest> {
        let url = self.manifest_url(reference)?;
        let head = self.fetch(&Call::new(Method::HEAD, url.clone()).with("accept", ACCEPTED)).await?;
        if head.status == 404 {
            return Err(self.no_manifest(reference, &head));
        }
        if head.status == 200
            && let Some(digest) = told_digest(&head)
        {
            return Ok(Manifest { digest, media_type: content_type(&head) });
        }
        let document = self.document(reference).await?;
        Ok(Manifest { digest: document.digest, media_type: Some(document.media_type) })
    }

    /// The document, checked against its digest.
    pub(crate) async fn document(&self, reference: &str) -> Outcome<ManifestDocument> {
        let wanted = is_digest(reference).then(|| reference.to_owned());
        let url = self.manifest_url(reference)?;
        let answer = self.fetch(&Call::get(url).with("accept", ACCEPTED)).await?;
        match answer.status {
            200 => {}
            404 => return Err(self.no_manifest(reference, &answer)),
            _ => return Err(self.status(&answer)),
        }
        if answer.body.len() > MAX_MANIFEST {
            let host = self.repository.host().to_owned();
            let what = format!("{}:{reference}", self.repository);
            return Err(RegistryError::TooLarge { host, what, limit: MAX_MANIFEST as u64 });
        }
        let digest = match wanted.or_else(|| told_digest(&answer)) {
            Some(wanted) => {
                let mut hasher = Hasher::expecting(&wanted)?;
                hasher.update(&answer.body);
                self.same_digest(&wanted, hasher.finish())?
            }
            None => sha256_digest(&answer.body),
        };
        let media_type = content_type(&answer).filter(|kind| kind.contains("vnd."));
        let own = || serde_json::from_slice::<Typed>(&answer.body).ok()?.media_type;
        let media_type = media_type.or_else(own).or_else(|| content_type(&answer)).unwrap_or_default();
        Ok(ManifestDocument { bytes: answer.body, digest, media_type })
    }

    pub(crate) async fn push_document(&self, reference: &str, media_type: &str, document: Bytes) -> Outcome<String> {
        let digest = sha256_digest(&document);
        let url = self.manifest_url(reference)?;
        let call = Call::new(Method::PUT, url).with("content-type", media_type).pushing(Some(document));
        let answer = self.fetch(&call).await?;
        if !(200..300).contains(&answer.status) {
            return Err(self.status(&answer));
        }
        match told_digest(&answer).filter(|told| told.starts_with("sha256:")) {
            Some(told) => self.same_digest(&digest, told),
            None => Ok(digest),
        }
    }

    /// What is neither tag nor digest must not become a part of an address.
    fn manifest_url(&self, reference: &str) -> Outcome<Url> {
        if is_digest(reference) {
            Hasher::expecting(reference)?;
        } else if !is_tag(reference) {
            return Err(RegistryError::InvalidTag {
                repository: self.repository.to_string(),
                tag: reference.escape_default().to_string(),
            });
        }
        self.url(&format!("manifests/{reference}"))
    }

    pub(crate) fn same_digest(&self, wanted: &str, got: String) -> Outcome<String> {
        if wanted == got {
            return Ok(got);
        }
        Err(RegistryError::DigestMismatch { repository: self.repository.to_string(), wanted: wanted.to_owned(), got })
    }

    fn no_manifest(&self, reference: &str, answer: &Answer) -> RegistryError {
        RegistryError::ManifestNotFound {
            repository: self.repository.to_string(),
            reference: reference.to_owned(),
            message: answer.message(),
        }
    }
}

fn told_digest(answer: &Answer) -> Option<String> {
    answer.header("docker-content-digest").next().filter(|digest| is_digest(digest)).map(str::to_owned)
}

/// Without parameters.
fn content_type(answer: &Answer) -> Option<String> {
    let full = answer.header("content-type").next()?;
    Some(full.split(';').next().unwrap_or(full).trim().to_owned())
}
