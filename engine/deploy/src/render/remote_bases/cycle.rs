//! Which kustomization needs which; a circle is told with its way.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::error::{RemoteBaseError, RemoteBaseProblem};
use super::tree::{Folder, Found};

/// Folders and what they need.
#[derive(Default)]
pub(super) struct Graph {
    names: BTreeMap<PathBuf, String>,
    needs: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// By address, with the error that it would be.
    remote: Vec<(PathBuf, PathBuf, RemoteBaseError)>,
}

impl Graph {
    pub(super) fn local(&mut self, from: &Folder, to: &Folder) {
        for folder in [from, to] {
            self.names.entry(folder.dir.clone()).or_insert_with(|| folder.name());
        }
        self.needs.entry(from.dir.clone()).or_default().push(to.dir.clone());
    }

    pub(super) fn remote(&mut self, from: &Found, to: &Folder) {
        self.local(&from.folder, to);
        let error = from.refuse(RemoteBaseProblem::Cycle { chain: Vec::new() });
        self.remote.push((from.folder.dir.clone(), to.dir.clone(), error));
    }

    /// The first circle through another host; circles of local folders are told by those who build.
    pub(super) fn cycle(&mut self) -> Option<RemoteBaseError> {
        let (index, way) =
            self.remote.iter().enumerate().find_map(|(index, (from, to, _))| Some((index, self.way(to, from)?)))?;
        let (from, _, error) = self.remote.swap_remove(index);
        let name = |dir: &PathBuf| self.names.get(dir).cloned().unwrap_or_default();
        let chain = [&from].into_iter().chain(&way).map(name).collect();
        Some(RemoteBaseError { problem: RemoteBaseProblem::Cycle { chain }, ..error })
    }

    /// The shortest way, with both ends.
    fn way(&self, from: &Path, to: &Path) -> Option<Vec<PathBuf>> {
        let mut before: BTreeMap<&Path, &Path> = BTreeMap::from([(from, from)]);
        let mut waiting = VecDeque::from([from]);
        while let Some(dir) = waiting.pop_front() {
            if dir == to {
                let mut way = vec![dir.to_owned()];
                let mut dir = dir;
                while dir != from {
                    dir = before.get(dir)?;
                    way.push(dir.to_owned());
                }
                way.reverse();
                return Some(way);
            }
            for next in self.needs.get(dir).into_iter().flatten() {
                if !before.contains_key(next.as_path()) {
                    before.insert(next, dir);
                    waiting.push_back(next);
                }
            }
        }
        None
    }
}
