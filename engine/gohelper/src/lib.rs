//! The one bridge to Go: Helm's template engine and Kustomize's build API, as libraries in a small helper program.
//!
//! The program is embedded (feature `bundled-go`), unpacked once into a cache folder, started at the first request,
//! kept for the run, and fed many requests in parallel. Without the feature the programs `helm` and `kustomize`
//! are used, from folders which the caller names.
//!
//! Not for deciding what needs Go: that is the work of the crates above.

#[cfg(feature = "bundled-go")]
mod connection;
mod error;
mod lookup;
mod request;
#[cfg(feature = "bundled-go")]
mod unpack;

#[cfg(any(test, not(feature = "bundled-go")))]
#[cfg_attr(feature = "bundled-go", allow(dead_code, unreachable_pub, reason = "only its tests use it in this build"))]
mod programs;

#[cfg(feature = "bundled-go")]
mod bundled;

#[cfg(feature = "bundled-go")]
pub use bundled::GoHelper;
#[cfg(not(feature = "bundled-go"))]
pub use programs::GoHelper;

pub use error::HelperError;
pub use lookup::{Lookup, LookupQuestion};
pub use request::{HelmCapabilities, HelmRequest, HelperVersion, KustomizeRequest, Output};
