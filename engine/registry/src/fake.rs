//! A registry in memory, for tests of stages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use crate::digest::{is_digest, sha256_digest};
use crate::{
    Artifacts, BlobSink, Manifest, ManifestDocument, Platform, PushedBlob, Registry, RegistryError, Repository, TagList,
};

/// Repositories by full name, and a record of what was asked.
#[derive(Debug, Default)]
pub struct FakeRegistry {
    repositories: BTreeMap<String, Result<Arc<TagList>, RegistryError>>,
    created: BTreeMap<(String, String), Timestamp>,
    documents: Mutex<BTreeMap<(String, String), ManifestDocument>>,
    blobs: Mutex<BTreeMap<(String, String), Bytes>>,
    asked: Mutex<Vec<String>>,
}

impl FakeRegistry {
    /// No repositories.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a repository by the name an image text would use.
    #[must_use]
    pub fn with(mut self, image: &str, tags: &[&str]) -> Self {
        let list = TagList::new(tags.iter().map(|tag| (*tag).to_owned()).collect());
        self.repositories.insert(name(image), Ok(Arc::new(list)));
        self
    }

    /// Says when the image of a tag was created (RFC 3339).
    ///
    /// # Panics
    /// The text is no time.
    #[must_use]
    pub fn created_at(mut self, image: &str, tag: &str, time: &str) -> Self {
        let time = time.parse().expect("a time of RFC 3339");
        self.created.insert((name(image), tag.to_owned()), time);
        self
    }

    /// Adds a repository that answers with an error.
    #[must_use]
    pub fn failing(mut self, image: &str, error: RegistryError) -> Self {
        self.repositories.insert(name(image), Err(error));
        self
    }

    /// What was asked so far, in order: `tags REPOSITORY`, `manifest REPOSITORY REFERENCE`, `created …`,
    /// `document …`, `blob …`, `push blob …`, `push manifest …`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, text: String) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn tags(&self, repository: &Repository) -> Result<Arc<TagList>, RegistryError> {
        self.repositories.get(&repository.to_string()).cloned().unwrap_or_else(|| {
            Err(RegistryError::RepositoryNotFound {
                repository: repository.to_string(),
                message: "NAME_UNKNOWN".into(),
            })
        })
    }

    fn check_tag(&self, repository: &Repository, reference: &str) -> Result<(), RegistryError> {
        let known = self.tags(repository)?.tags().iter().any(|tag| tag == reference);
        if known { Ok(()) } else { Err(not_found(repository, reference, "MANIFEST_UNKNOWN")) }
    }
}

fn name(image: &str) -> String {
    Repository::parse(image).map_or_else(|_| image.to_owned(), |repository| repository.to_string())
}

#[async_trait::async_trait]
impl Registry for FakeRegistry {
    async fn list_tags(&self, repository: &Repository) -> Result<Arc<TagList>, RegistryError> {
        self.note(format!("tags {repository}"));
        self.tags(repository)
    }

    async fn manifest(&self, repository: &Repository, reference: &str) -> Result<Manifest, RegistryError> {
        self.note(format!("manifest {repository} {reference}"));
        self.check_tag(repository, reference)?;
        Ok(Manifest { digest: sha256_digest(format!("{repository}:{reference}").as_bytes()), media_type: None })
    }

    async fn created(
        &self,
        repository: &Repository,
        reference: &str,
        _platform: Option<&Platform>,
    ) -> Result<Option<Timestamp>, RegistryError> {
        self.note(format!("created {repository} {reference}"));
        self.check_tag(repository, reference)?;
        Ok(self.created.get(&(repository.to_string(), reference.to_owned())).copied())
    }
}

/// Keeps what is pushed; nothing else can be fetched.
#[async_trait::async_trait]
impl Artifacts for FakeRegistry {
    async fn manifest_document(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<ManifestDocument, RegistryError> {
        self.note(format!("document {repository} {reference}"));
        let documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let found = documents.get(&(repository.to_string(), reference.to_owned())).cloned();
        found.ok_or_else(|| not_found(repository, reference, "MANIFEST_UNKNOWN"))
    }

    async fn fetch_blob(
        &self,
        repository: &Repository,
        digest: &str,
        limit: u64,
        sink: &mut dyn BlobSink,
    ) -> Result<u64, RegistryError> {
        self.note(format!("blob {repository} {digest}"));
        let blob = {
            let blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
            blobs.get(&(repository.to_string(), digest.to_owned())).cloned()
        };
        let blob = blob.ok_or_else(|| not_found(repository, digest, "BLOB_UNKNOWN"))?;
        if blob.len() as u64 > limit {
            let (host, what) = (repository.host().to_owned(), repository.path().to_owned());
            return Err(RegistryError::TooLarge { host, what, limit });
        }
        let written = sink.restart().and_then(|()| sink.write(&blob));
        written.map_err(|error| RegistryError::Sink { reason: error.to_string() })?;
        Ok(blob.len() as u64)
    }

    async fn push_blob(&self, repository: &Repository, content: Bytes) -> Result<PushedBlob, RegistryError> {
        let pushed = PushedBlob { digest: sha256_digest(&content), size: content.len() as u64 };
        self.note(format!("push blob {repository} {}", pushed.digest));
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.insert((repository.to_string(), pushed.digest.clone()), content);
        Ok(pushed)
    }

    async fn push_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        media_type: &str,
        document: Bytes,
    ) -> Result<String, RegistryError> {
        self.note(format!("push manifest {repository} {reference}"));
        let digest = sha256_digest(&document);
        if is_digest(reference) && reference != digest {
            let repository = repository.to_string();
            return Err(RegistryError::DigestMismatch { repository, wanted: reference.to_owned(), got: digest });
        }
        let document =
            ManifestDocument { bytes: document.to_vec(), digest: digest.clone(), media_type: media_type.to_owned() };
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        for name in [reference, &digest] {
            documents.insert((repository.to_string(), name.to_owned()), document.clone());
        }
        Ok(digest)
    }
}

fn not_found(repository: &Repository, reference: &str, message: &str) -> RegistryError {
    RegistryError::ManifestNotFound {
        repository: repository.to_string(),
        reference: reference.to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_pushed_can_be_fetched() {
        let fake = FakeRegistry::empty();
        let repository = Repository::parse("reg.example/charts/web").unwrap();
        let blob = fake.push_blob(&repository, Bytes::from_static(b"abc")).await.unwrap();
        let digest = fake.push_manifest(&repository, "1.0", "x/y", Bytes::from_static(b"{}")).await.unwrap();
        let document = fake.manifest_document(&repository, &digest).await.unwrap();
        assert_eq!((document.bytes.as_slice(), document.media_type.as_str()), (&b"{}"[..], "x/y"));
        let mut content = Vec::new();
        assert_eq!(fake.fetch_blob(&repository, &blob.digest, 3, &mut content).await, Ok(3));
        assert_eq!(content, b"abc");
        let too_large = fake.fetch_blob(&repository, &blob.digest, 2, &mut content).await;
        assert!(matches!(too_large, Err(RegistryError::TooLarge { .. })));
        assert!(fake.manifest_document(&repository, "2.0").await.is_err());
        assert!(fake.push_manifest(&repository, "sha256:00", "x/y", Bytes::new()).await.is_err());
    }

    #[tokio::test]
    async fn it_answers_and_records() {
        let fake = FakeRegistry::empty().with("nginx", &["2", "1", "1"]);
        let repository = Repository::parse("docker.io/nginx").unwrap();
        assert_eq!(fake.list_tags(&repository).await.unwrap().tags(), ["1", "2"]);
        assert!(fake.manifest(&repository, "1").await.unwrap().digest.starts_with("sha256:"));
        assert!(matches!(fake.manifest(&repository, "3").await, Err(RegistryError::ManifestNotFound { .. })));
        let other = Repository::parse("other").unwrap();
        assert!(matches!(fake.list_tags(&other).await, Err(RegistryError::RepositoryNotFound { .. })));
        assert_eq!(fake.asked()[0], "tags index.docker.io/library/nginx");
        let fake = fake.created_at("nginx", "1", "2024-01-01T00:00:00Z");
        assert!(fake.created(&repository, "1", None).await.unwrap().is_some());
        assert_eq!(fake.created(&repository, "2", None).await, Ok(None));
        assert!(fake.created(&repository, "3", None).await.is_err());
    }
}
