//! Puts elections into files: finds markers, decides what each becomes, and
//! replaces exactly the bytes of the values.
//!
//! [`plan`] reads and decides and writes nothing; [`apply`] writes what was
//! planned. Spec 06 7 and 14.6.

mod document;
mod elections;
mod file;
mod lines;
mod marker;
mod place;
mod quote;
mod walk;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use windlass_images::project_policy::Address;

pub use document::ObjectIdentity;
pub use elections::{Elected, Elections, PolicyState};
pub(crate) use file::similar;
pub use file::{Change, MarkerReport, MarkerState, PlannedFile};
pub use marker::{Field, Marker, parse as parse_marker};
pub use walk::{Scope, WalkError, WorkFile, files};
pub use write::{WriteError, apply};

/// What the files have and what would be written.
#[derive(Debug, Clone, Default)]
pub struct EditSet {
    /// Every marker, by file and place.
    pub markers: Vec<MarkerReport>,
    /// The files that would change.
    pub files: Vec<PlannedFile>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl EditSet {
    /// All changes, by file and place.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.files.iter().flat_map(|file| file.changes.iter())
    }

    /// The content that the files would have, for the next update of the run.
    pub fn overlay(&self) -> BTreeMap<PathBuf, Arc<[u8]>> {
        self.files.iter().map(|file| (file.real.clone(), file.after.as_slice().into())).collect()
    }

    /// Adds the edits of a later update, which was planned on top of this one's [`overlay`](Self::overlay).
    pub fn extend(&mut self, later: Self) {
        let Self { markers, files, warnings } = later;
        let known = |a: &MarkerReport, b: &MarkerReport| (&a.file, a.line, a.column) == (&b.file, b.line, b.column);
        for marker in markers {
            match self.markers.iter_mut().find(|own| known(own, &marker)) {
                Some(own) if own.state == MarkerState::Unresolved => *own = marker,
                Some(_) => {}
                None => self.markers.push(marker),
            }
        }
        for mut file in files {
            match self.files.iter_mut().find(|own| own.real == file.real && !own.again) {
                Some(own) if !file.again => {
                    own.after = file.after;
                    own.changes.append(&mut file.changes);
                }
                _ => self.files.push(file),
            }
        }
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}

/// Reads the files and decides; the same files and elections give the same set.
pub fn plan(files: &[WorkFile], elections: &Elections, options: &PlanOptions) -> EditSet {
    let planned: Vec<_> = files.par_iter().map(|work| file::plan(work, elections, options)).collect();
    let mut set = EditSet::default();
    let mut written: BTreeSet<PathBuf> = BTreeSet::new();
    for mut found in planned {
        set.markers.append(&mut found.markers);
        set.warnings.append(&mut found.warnings);
        if let Some(mut file) = found.file {
            // A file that is reached under two names is recorded under both and written once.
            file.again = !written.insert(file.real.clone());
            set.files.push(file);
        }
    }
    set
}

/// How [`plan`] decides where the spec leaves a choice.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Write an empty value for `:digest` when there is no digest, as Flux does.
    pub allow_empty_digest: bool,
    /// Refuse to write over another repository's image instead of warning.
    pub match_image: bool,
    /// Only these kinds of changes; empty means all.
    pub only: Vec<crate::change_kind::ChangeKind>,
    /// Policies whose downgrades are not written.
    pub no_downgrade: BTreeSet<Address>,
    /// Policies whose downgrades are written with a warning.
    pub warn_downgrade: BTreeSet<Address>,
    /// Content that earlier updates of the same run gave to files.
    pub overlay: BTreeMap<PathBuf, Arc<[u8]>>,
}
