//! Step 3 without files: items whose objects follow from the rendered texts alone.
//!
//! Most items are a folder of manifests, or an overlay of another item. Writing them to disk only to read them again
//! would cost more than everything else that rendering does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use windlass_kustomize::{Built, BuiltInMemory, MemoryTree, build_generated};
use windlass_template::{RenderedDir, RenderedFile};

use super::charts::is_chart_config;
use super::{RenderRequest, RenderedFiles};
use crate::tree::ItemNode;

/// The objects per item; `None` where files are needed.
pub(super) fn build_all(
    items: &[Arc<ItemNode>],
    files: &[RenderedDir],
    request: RenderRequest<'_>,
) -> Vec<Option<BuiltInMemory>> {
    if request.files == RenderedFiles::Wanted {
        return items.iter().map(|_| None).collect();
    }
    let trees = Trees::of(items, files);
    tokio::task::block_in_place(|| items.par_iter().zip(files).map(|(item, files)| trees.build(item, files)).collect())
}

/// What was rendered of each source that has kustomizations: they may refer to files of other items.
struct Trees<'f>(BTreeMap<usize, MemoryTree<'f>>);

impl<'f> Trees<'f> {
    fn of(items: &[Arc<ItemNode>], files: &'f [RenderedDir]) -> Self {
        let with_files = || items.iter().zip(files);
        let needed: BTreeSet<usize> =
            with_files().filter(|(_, files)| has_kustomization(files)).map(|(item, _)| item.source.id).collect();
        let tree = |source| {
            let of_source = with_files().filter(move |(item, _)| item.source.id == source);
            MemoryTree::new(of_source.flat_map(|(item, files)| {
                let dir = dir_in_source(item);
                let place = move |path: &Path| dir.as_ref().map(|dir| dir.join(path));
                files.files.iter().filter_map(move |(path, file)| Some((place(path)?, file.as_bytes())))
            }))
        };
        Self(needed.into_iter().map(|source| (source, tree(source))).collect())
    }

    fn build(&self, item: &ItemNode, files: &RenderedDir) -> Option<BuiltInMemory> {
        let has_charts = files.files.keys().any(|path| is_chart_config(path));
        if item.dir.is_none() || item.config.only_render && !has_charts {
            return Some(BuiltInMemory::default());
        }
        if item.config.only_render || item.config.recursive || has_charts || !files.links.is_empty() {
            return None;
        }
        let namespace = item.inherited.override_namespace.as_deref();
        if has_kustomization(files) {
            return self.0.get(&item.source.id)?.build(&dir_in_source(item)?, namespace);
        }
        let objects = build_generated(texts(files)?, namespace)?;
        Some(BuiltInMemory { built: Built { objects, warnings: Vec::new() }, annotations: BTreeMap::new() })
    }
}

/// The texts directly in an item's folder.
fn texts(files: &RenderedDir) -> Option<Vec<(&Path, &str)>> {
    let own = files.files.iter().filter(|(path, _)| path.components().count() == 1);
    own.map(|(path, file)| match file {
        RenderedFile::Text(text) => Some((path.as_path(), text.as_str())),
        RenderedFile::Binary(_) => None,
    })
    .collect()
}

fn has_kustomization(files: &RenderedDir) -> bool {
    ["kustomization.yml", "kustomization.yaml"].iter().any(|name| files.files.contains_key(Path::new(name)))
}

/// The folder that an item would be written to, below that of its source.
fn dir_in_source(item: &ItemNode) -> Option<PathBuf> {
    let dir = item.render_dir.as_ref()?.strip_prefix(item.source.id.to_string()).ok()?;
    Some(dir.to_owned())
}
