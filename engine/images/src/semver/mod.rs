//! Semantic versions and ranges as Flux, Helm and Argo read them.
//!
//! Neither the `semver` crate nor the npm ports give these answers: versions
//! are loose (`v1.2`), ranges know `||`, hyphens and wildcards, and one
//! pre-release in a group admits all of that group. Spec 06 5.3 and 5.4.

mod range;
mod selection;
mod version;

pub use range::{RangeError, SemverRange};
pub use selection::SemverSelection;
pub use version::SemverVersion;
