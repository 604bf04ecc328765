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
mod files;
mod identity;
mod kustomization;
mod listing;
mod manifest;
mod memory;
mod namespace;
mod prepare;
mod references;

pub use build::{Built, build, build_native};
pub use error::{KustomizeError, ManifestProblem};
pub use kustomization::{NativeBuild, Plan, plan};
pub use memory::build_generated;
pub use prepare::{HelmOutputFile, PrepareOptions, Prepared, prepare};
pub use windlass_gohelper::GoHelper;
