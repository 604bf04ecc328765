//! Step 3: kustomizations, natively on all cores; those that need the helper go to it together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use rayon::prelude::*;
use windlass_kustomize::{
    Built, BuiltInMemory, KustomizeError, PrepareOptions, Prepared, build, build_native, prepare,
};
use windlass_model::event::Events;

use super::charts::ChartOutputs;
use super::{KustomizeFailure, RenderRequest, RenderedItem};
use crate::multi_error::Errors;
use crate::tree::ItemNode;

/// Requests to the helper under way at the same time.
const HELPER_CONCURRENCY: usize = 8;

/// One item between the native and the helper's turn.
enum Turn {
    Done(Built),
    Helper,
}

struct Work {
    prepared: Option<Prepared>,
    annotations: BTreeMap<String, String>,
    turn: Turn,
}

impl Work {
    /// Without files, or without objects.
    fn done(built: Built, annotations: BTreeMap<String, String>) -> Self {
        Self { prepared: None, annotations, turn: Turn::Done(built) }
    }
}

/// Builds the kustomization of every item, in item order.
pub(super) async fn build_all(
    items: Vec<Arc<ItemNode>>,
    ready: Vec<Option<BuiltInMemory>>,
    outputs: &[ChartOutputs],
    request: RenderRequest<'_>,
    events: &dyn Events,
) -> Result<Vec<RenderedItem>, Errors<KustomizeFailure>> {
    let native: Vec<Result<Work, KustomizeFailure>> = tokio::task::block_in_place(|| {
        let items = items.par_iter().zip(ready).zip(outputs);
        items.map(|((item, ready), outputs)| native(item, ready, outputs, request)).collect()
    });
    let finished = stream::iter(items.iter().zip(native))
        .map(|(item, work)| finish(item, work, request, events))
        .buffered(HELPER_CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    let mut rendered = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for result in finished {
        match result {
            Ok(item) => rendered.push(item),
            Err(error) => errors.push(error),
        }
    }
    Errors::check(errors)?;
    Ok(rendered)
}

fn native(
    item: &ItemNode,
    ready: Option<BuiltInMemory>,
    outputs: &ChartOutputs,
    request: RenderRequest<'_>,
) -> Result<Work, KustomizeFailure> {
    if let Some(BuiltInMemory { built, annotations }) = ready {
        return Ok(Work::done(built, annotations));
    }
    let nothing = || Work::done(Built::default(), BTreeMap::new());
    let (Some(dir), Some(place)) = (&item.dir, place(item, request)) else { return Ok(nothing()) };
    if item.config.only_render {
        return Ok(nothing());
    }
    let options = PrepareOptions {
        item: item.source_dir.clone().unwrap_or_default(),
        recursive: item.config.recursive,
        override_namespace: item.inherited.override_namespace.clone(),
        helm_outputs: outputs.clone(),
    };
    let build = || {
        let prepared = prepare(&place.dir, &options)?;
        let turn = match build_native(&place.dir, &place.root, &prepared)? {
            Some(built) => Turn::Done(built),
            None => Turn::Helper,
        };
        let annotations = prepared.annotations.clone();
        Ok(Work { prepared: Some(prepared), annotations, turn })
    };
    build().map_err(|source| failure(dir, source))
}

async fn finish(
    item: &Arc<ItemNode>,
    work: Result<Work, KustomizeFailure>,
    request: RenderRequest<'_>,
    events: &dyn Events,
) -> Result<RenderedItem, KustomizeFailure> {
    let Work { prepared, annotations, turn } = work?;
    let built = match (turn, &prepared, place(item, request)) {
        (Turn::Helper, Some(prepared), Some(place)) => {
            let built = build(&place.dir, &place.root, prepared, request.helper).await;
            built.map_err(|source| failure(item.dir.as_deref().unwrap_or(&place.dir), source))?
        }
        (Turn::Done(built), ..) => built,
        (Turn::Helper, ..) => Built::default(),
    };
    built.warnings.into_iter().for_each(|text| events.warn(text));
    Ok(RenderedItem { node: item.clone(), objects: built.objects, annotations })
}

/// Where the item was rendered, and the directory that kustomize must not leave.
struct RenderedPlace {
    dir: PathBuf,
    root: PathBuf,
}

fn place(item: &ItemNode, request: RenderRequest<'_>) -> Option<RenderedPlace> {
    let dir = request.output_dir.join(item.render_dir.as_ref()?);
    Some(RenderedPlace { dir, root: request.output_dir.join(item.source.id.to_string()) })
}

fn failure(dir: &Path, source: KustomizeError) -> KustomizeFailure {
    let dir = dir.to_path_buf();
    if source.is_encoding() {
        KustomizeFailure::Encoding { dir, source }
    } else {
        KustomizeFailure::Build { dir, source }
    }
}
