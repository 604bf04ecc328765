//! Stage 1: the tags of repositories, each asked once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use windlass_registry::{Registry, Repository, TagList};

/// Lists on their way at the same time; the registry client bounds each host further.
const CONCURRENCY: usize = 16;

/// Tags by image as written, or why they are not known.
#[derive(Debug, Clone, Default)]
pub struct TagInventory {
    lists: BTreeMap<String, Result<Arc<TagList>, String>>,
}

impl TagInventory {
    /// The tags of an image.
    ///
    /// # Errors
    /// The registry's answer in words.
    pub fn tags(&self, image: &str) -> Result<&[String], String> {
        match self.lists.get(image) {
            Some(Ok(list)) => Ok(list.tags()),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err(format!("`{image}` was not scanned")),
        }
    }

    /// All images in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Result<usize, &str>)> {
        self.lists.iter().map(|(image, list)| match list {
            Ok(list) => (image.as_str(), Ok(list.tags().len())),
            Err(reason) => (image.as_str(), Err(reason.as_str())),
        })
    }
}

/// Lists the tags of all images; one that fails does not stop the others.
pub async fn scan(images: BTreeSet<String>, registry: &dyn Registry) -> TagInventory {
    let list = |image: String| async move {
        let found = match Repository::parse(&image) {
            Ok(repository) => registry.list_tags(&repository).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        (image, found)
    };
    let lists = stream::iter(images).map(list).buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await;
    TagInventory { lists: lists.into_iter().collect() }
}
