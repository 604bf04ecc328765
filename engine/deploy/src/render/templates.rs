//! Step 1: the files of every item through the template engine.

use std::sync::Arc;

use rayon::prelude::*;
use windlass_template::{DirectoryRequest, FileError, RenderedDir, SearchPath};

use super::{RenderRequest, TemplateFailure};
use crate::multi_error::Errors;
use crate::tree::ItemNode;

/// The rendered files of every item, in item order; empty for items without `path`.
pub(super) async fn render_all(
    items: &[Arc<ItemNode>],
    request: RenderRequest<'_>,
) -> Result<Vec<RenderedDir>, Errors<TemplateFailure>> {
    let results: Vec<Result<RenderedDir, Vec<FileError>>> =
        tokio::task::block_in_place(|| items.par_iter().map(|item| render_item(item, request)).collect());
    let mut rendered = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for result in results {
        match result {
            Ok(files) => rendered.push(files),
            Err(failed) => errors.extend(failed.into_iter().map(TemplateFailure)),
        }
    }
    Errors::check(errors)?;
    Ok(rendered)
}

fn render_item(item: &ItemNode, request: RenderRequest<'_>) -> Result<RenderedDir, Vec<FileError>> {
    let Some(dir) = &item.dir else { return Ok(RenderedDir::default()) };
    let dirs = std::iter::once(dir.clone()).chain(item.inherited.search_dirs.iter().cloned());
    let search = SearchPath::new(dirs).within(&item.source.root);
    request.engine.batch(item.vars.clone(), search).render_dir(&DirectoryRequest {
        item_dir: dir,
        target_dir: None,
        source_root: &item.source.root,
    })
}

/// Writes the files of every item to its place below the output directory.
pub(super) fn write_all(
    items: &[Arc<ItemNode>],
    files: &[RenderedDir],
    request: RenderRequest<'_>,
) -> Result<(), Errors<TemplateFailure>> {
    let write = |(item, files): (&Arc<ItemNode>, &RenderedDir)| match &item.render_dir {
        Some(place) => files.write(&request.output_dir.join(place)).err().map(TemplateFailure),
        None => None,
    };
    let failed = tokio::task::block_in_place(|| items.par_iter().zip(files).filter_map(write).collect());
    Errors::check(failed)
}
