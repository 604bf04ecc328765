//! Kustomization folder → objects.
//!
//! [`prepare`] makes sure that an item's folder has a kustomization and returns it. [`build`] gives its objects:
//! a kustomization that the native code covers completely is built in this process, any other goes to the
//! [`GoHelper`] whole. There is no result of which a part comes from here and a part from there.
//!
//! Not for: rendering the files, labels and annotations that the deployment adds, the order of applying.

mod annotations;
mod build;
mod error;
mod field_path;
mod files;
mod generators;
mod hash;
mod identity;
mod json_patch;
mod kustomization;
mod listing;
mod manifest;
mod memory;
mod merge_schema;
mod prepare;
mod references;
mod remote;
mod scalar;
mod selector;
mod strategic_merge;
mod trail;
mod transform;
mod unsure;

pub use build::{Built, build, build_native};
pub use error::{KustomizeError, ManifestProblem};
pub use memory::{BuiltInMemory, MemoryTree, build_generated};
pub use prepare::{HelmOutputFile, PrepareOptions, Prepared, prepare};
pub use remote::{REMOTE_DIR, RemoteBase, RemoteEntry, RemoteEntryError, inside, remote_entry, without_login};
pub use windlass_gohelper::GoHelper;
