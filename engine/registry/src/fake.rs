//! A registry in memory, for tests of stages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Manifest, Registry, RegistryError, Repository, TagList};

/// Repositories by full name, and a record of what was asked.
#[derive(Debug, Default)]
pub struct FakeRegistry {
    repositories: BTreeMap<String, Result<Arc<TagList>, RegistryError>>,
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

    /// Adds a repository that answers with an error.
    #[must_use]
    pub fn failing(mut self, image: &str, error: RegistryError) -> Self {
        self.repositories.insert(name(image), Err(error));
        self
    }

    /// What was asked so far, in order: `tags REPOSITORY`, `manifest REPOSITORY REFERENCE`.
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
        let tags = self.tags(repository)?;
        if !tags.tags().iter().any(|tag| tag == reference) {
            return Err(RegistryError::ManifestNotFound {
                repository: repository.to_string(),
                reference: reference.to_owned(),
                message: "MANIFEST_UNKNOWN".into(),
            });
        }
        Ok(Manifest {
            digest: crate::http::sha256_digest(format!("{repository}:{reference}").as_bytes()),
            media_type: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
