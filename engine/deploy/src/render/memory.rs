//! Step 3 without files: items whose objects follow from the rendered texts alone.
//!
//! Most items are a folder of manifests. Writing them to disk only to read
//! them again would cost more than everything else that rendering does.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use windlass_kustomize::build_generated;
use windlass_template::{RenderedDir, RenderedFile};

use super::charts::is_chart_config;
use super::{RenderRequest, RenderedFiles};
use crate::tree::ItemNode;

/// The objects per item; `None` where files are needed.
pub(super) fn build_all(
    items: &[Arc<ItemNode>],
    files: &[RenderedDir],
    request: RenderRequest<'_>,
) -> Vec<Option<Vec<Value>>> {
    if request.files == RenderedFiles::Wanted {
        return vec![None; items.len()];
    }
    tokio::task::block_in_place(|| items.par_iter().zip(files).map(|(item, files)| build(item, files)).collect())
}

fn build(item: &ItemNode, files: &RenderedDir) -> Option<Vec<Value>> {
    if item.dir.is_none() {
        return Some(Vec::new());
    }
    let has_charts = files.files.keys().any(|path| is_chart_config(path));
    if item.config.only_render || item.config.recursive || has_charts || !files.links.is_empty() {
        return None;
    }
    let mut texts: Vec<(&Path, &str)> = Vec::new();
    for (path, file) in files.files.iter().filter(|(path, _)| path.components().count() == 1) {
        match file {
            RenderedFile::Text(text) => texts.push((path, text)),
            RenderedFile::Binary(_) => return None,
        }
    }
    build_generated(texts, item.inherited.override_namespace.as_deref())
}
