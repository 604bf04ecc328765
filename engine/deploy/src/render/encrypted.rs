//! Encrypted files of items: decrypted in memory, written nowhere but into a private folder.
//!
//! A file that cannot be decrypted matters only to those who read it: an item may lie beside the secrets of another
//! environment. Such a file is left out of what Helm and Kustomize see, so that ciphertext is never deployed.

mod references;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use rayon::prelude::*;
use windlass_sops::{Format, SopsError};
use windlass_template::{RenderedDir, RenderedFile};

use super::RenderRequest;
use super::charts::is_chart_config;
use crate::multi_error::Errors;
use crate::sops::{EncryptedFileError, Masking};
use crate::tree::ItemNode;

/// Files under way at the same time; key services are far away.
const CONCURRENCY: usize = 8;

/// The rendered files of all items, and the same in clear.
pub(super) struct Files {
    /// As rendered; the user may keep these.
    pub(super) rendered: Vec<RenderedDir>,
    /// What Helm and Kustomize read; `None` when nothing is encrypted.
    decrypted: Option<Vec<RenderedDir>>,
}

impl Files {
    /// What Helm and Kustomize read.
    pub(super) fn clear(&self) -> &[RenderedDir] {
        self.decrypted.as_deref().unwrap_or(&self.rendered)
    }

    /// Whether anything was decrypted.
    pub(super) fn has_secrets(&self) -> bool {
        self.decrypted.is_some()
    }
}

/// An encrypted file.
struct Found {
    item: usize,
    /// Relative to the item.
    path: PathBuf,
}

/// Decrypts the encrypted files of every item.
pub(super) async fn decrypt(
    items: &[Arc<ItemNode>],
    rendered: Vec<RenderedDir>,
    request: RenderRequest<'_>,
) -> Result<Files, Errors<EncryptedFileError>> {
    let found = find(&rendered);
    if found.is_empty() {
        return Ok(Files { rendered, decrypted: None });
    }
    let opened: Vec<_> = stream::iter(&found)
        .map(|file| open(&items[file.item], &rendered[file.item], &file.path, request))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut clear = rendered.clone();
    let mut failed: BTreeMap<usize, BTreeMap<PathBuf, SopsError>> = BTreeMap::new();
    for (file, outcome) in found.into_iter().zip(opened) {
        let files = &mut clear[file.item].files;
        match outcome {
            Ok(Some(content)) => {
                files.insert(file.path, content);
            }
            Ok(None) => {}
            Err(error) => {
                files.remove(&file.path);
                failed.entry(file.item).or_default().insert(file.path, error);
            }
        }
    }
    let mut errors = Vec::new();
    for (item, failed) in failed {
        let Some(dir) = &items[item].dir else { continue };
        for (path, source) in failed {
            if references::are_read(&path, &rendered[item], items[item].config.recursive) {
                errors.push(EncryptedFileError { path: dir.join(path), source: Box::new(source) });
            }
        }
    }
    Errors::check(errors)?;
    Ok(Files { rendered, decrypted: Some(clear) })
}

fn find(rendered: &[RenderedDir]) -> Vec<Found> {
    let of_item = |(item, files): (usize, &RenderedDir)| -> Vec<Found> {
        let texts = files.files.iter().filter_map(|(path, file)| Some((path, RenderedFile::as_text(file)?)));
        let encrypted = texts.filter(|(path, text)| {
            let format = Format::of_name(&path.to_string_lossy());
            !is_chart_config(path) && !is_chart_file(path, files) && format.is_encrypted(text.as_bytes())
        });
        encrypted.map(|(path, _)| Found { item, path: path.clone() }).collect()
    };
    let per_item = || rendered.par_iter().enumerate().map(of_item).collect::<Vec<_>>();
    tokio::task::block_in_place(per_item).into_iter().flatten().collect()
}

/// The files of a chart are the chart's business, except for the values that the item gives it.
fn is_chart_file(path: &Path, files: &RenderedDir) -> bool {
    let is_chart =
        |dir: &Path| ["Chart.yaml", "Chart.yml"].iter().any(|name| files.files.contains_key(&dir.join(name)));
    !references::is_values(path) && path.ancestors().skip(1).any(is_chart)
}

async fn open(
    item: &ItemNode,
    files: &RenderedDir,
    path: &Path,
    request: RenderRequest<'_>,
) -> Result<Option<RenderedFile>, SopsError> {
    let Some(text) = files.files.get(path).and_then(RenderedFile::as_text) else { return Ok(None) };
    let source = item.dir.as_ref().map(|dir| dir.join(path)).unwrap_or_else(|| path.to_owned());
    // A file that is gone by now was changed too.
    let original = std::fs::read(&source).ok();
    let content = request.decryption.open(&source, text, original.as_deref(), Masking::Values).await?;
    Ok(content.map(|mut content| match String::from_utf8(std::mem::take(&mut *content)) {
        Ok(text) => RenderedFile::Text(text),
        Err(error) => RenderedFile::Binary(error.into_bytes()),
    }))
}
