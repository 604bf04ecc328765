//! Refuses items with encrypted files: nothing after this step would notice them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use windlass_template::{RenderedDir, RenderedFile};

use crate::multi_error::Errors;
use crate::sops::is_encrypted;
use crate::tree::ItemNode;

/// An encrypted file of an item.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is encrypted with SOPS, which this version of windlass can not decrypt yet; decrypt it before, or leave the \
     item out",
    path.display()
)]
pub struct EncryptedFile {
    /// The file in the source.
    pub path: PathBuf,
}

/// Looks at the rendered texts of every item.
pub(super) fn refuse(items: &[Arc<ItemNode>], files: &[RenderedDir]) -> Result<(), Errors<EncryptedFile>> {
    let found = tokio::task::block_in_place(|| {
        let per_item = items.par_iter().zip(files).map(|(item, files)| of_item(item, files));
        per_item.collect::<Vec<_>>()
    });
    Errors::check(found.into_iter().flatten().collect())
}

fn of_item(item: &ItemNode, files: &RenderedDir) -> Vec<EncryptedFile> {
    let Some(dir) = &item.dir else { return Vec::new() };
    let texts = files.files.iter().filter_map(|(path, file)| Some((path, RenderedFile::as_text(file)?)));
    let encrypted = texts.filter(|(path, text)| !is_chart_file(path, files) && is_encrypted(path, text));
    encrypted.map(|(path, _)| EncryptedFile { path: dir.join(path) }).collect()
}

/// The files of a chart are the chart's business, except for the values that the item gives it.
fn is_chart_file(path: &Path, files: &RenderedDir) -> bool {
    let is_values = matches!(path.file_name().and_then(|n| n.to_str()), Some("helm-values.yaml" | "helm-values.yml"));
    let is_chart =
        |dir: &Path| ["Chart.yaml", "Chart.yml"].iter().any(|name| files.files.contains_key(&dir.join(name)));
    !is_values && path.ancestors().skip(1).any(is_chart)
}
