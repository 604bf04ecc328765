//! Step 3, before anything is built: what kustomizations name by address is fetched and laid beside the rendered files.
//!
//! Repositories come from the run's own [`Sources`](windlass_sources::Sources), with their cache, credentials and
//! overrides. Each lies once below the rendered root, and the entry becomes a path to it, so that whoever builds the
//! kustomization reads local files only. Remote bases may have remote bases: each round fetches what the one before
//! has brought, in parallel.

mod copy;
mod cycle;
mod entries;
mod error;
mod fetch;
mod rewrite;
mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use windlass_kustomize::BuiltInMemory;

use super::RenderRequest;
use crate::multi_error::Errors;
use crate::tree::ItemNode;
use cycle::Graph;
use fetch::{Fetched, fetch};
use rewrite::Rewrites;
use tree::{Folder, Found, Places, read_folder};

pub(super) use copy::keep;
pub use error::{RemoteBaseError, RemoteBaseProblem};

/// Fetches under way at the same time.
const CONCURRENCY: usize = 8;

/// Remote bases inside of remote bases.
const MAX_DEPTH: usize = 16;

/// Remote entries of one run.
const MAX_ENTRIES: usize = 4096;

/// Fetches the remote entries of all items that are built from files.
pub(super) async fn localise(
    items: &[Arc<ItemNode>],
    ready: &[Option<BuiltInMemory>],
    request: RenderRequest<'_>,
) -> Result<(), Errors<RemoteBaseError>> {
    let mut walk = Walk::default();
    let mut level = tokio::task::block_in_place(|| tree::starts(items, ready, request));
    let mut total = 0;
    for depth in 0.. {
        let found = tokio::task::block_in_place(|| walk.read(level));
        total += found.len();
        if depth == MAX_DEPTH || total > MAX_ENTRIES {
            walk.errors.extend(found.into_iter().next().map(|found| found.refuse(RemoteBaseProblem::TooDeep)));
            break;
        }
        if found.is_empty() {
            break;
        }
        let fetched: Vec<_> =
            stream::iter(&found).map(|found| fetch(&found.entry, request)).buffered(CONCURRENCY).collect().await;
        level = tokio::task::block_in_place(|| walk.settle(found, fetched));
    }
    walk.graph.cycle().into_iter().for_each(|error| walk.errors.push(error));
    Errors::check(walk.errors)
}

#[derive(Default)]
struct Walk {
    /// Folders that were read, as they are on disk.
    seen: BTreeSet<PathBuf>,
    places: Places,
    graph: Graph,
    errors: Vec<RemoteBaseError>,
}

impl Walk {
    /// The remote entries of these folders, and of the local folders that they lead to.
    fn read(&mut self, folders: Vec<Folder>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut waiting: Vec<Folder> = folders.into_iter().rev().collect();
        while let Some(folder) = waiting.pop() {
            if !self.seen.insert(folder.dir.clone()) {
                continue;
            }
            let read = read_folder(&folder);
            for next in &read.folders {
                self.graph.local(&folder, next);
            }
            waiting.extend(read.folders.into_iter().rev());
            found.extend(read.found);
            self.errors.extend(read.errors);
        }
        found
    }

    /// Lays down what was fetched and leads the entries to it. Returns the folders that are new.
    fn settle(&mut self, found: Vec<Found>, fetched: Vec<Result<Fetched, RemoteBaseProblem>>) -> Vec<Folder> {
        let mut rewrites = Rewrites::default();
        let mut folders = Vec::new();
        for (found, fetched) in found.into_iter().zip(fetched) {
            let placed = fetched.and_then(|fetched| self.places.place(&found, fetched));
            match placed {
                Ok(placed) => {
                    rewrites.add(&found, &placed.path);
                    if let Some(folder) = placed.folder {
                        self.graph.remote(&found, &folder);
                        folders.push(folder);
                    }
                }
                Err(problem) => self.errors.push(found.refuse(problem)),
            }
        }
        self.errors.extend(rewrites.write());
        folders
    }
}
