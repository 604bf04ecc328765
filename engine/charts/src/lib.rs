//! Where charts come from: repositories over HTTP, registries, git; and the folders they are pulled into.
//!
//! [`Charts`] fetches a version into the user's cache, [`pull()`] fills a project's `.helm-charts`, [`update()`] looks
//! for newer versions and writes them into the project. A folder of a version is always whole: it is prepared beside
//! and put in place in one step, so that a killed run leaves nothing that the next one would take for a chart.
//!
//! Not for: rendering (`windlass-helm`), talking to registries and git servers (their crates are behind ports).

mod archive;
mod cache;
mod credentials;
mod digests;
mod error;
mod fetch;
mod http;
mod index;
mod project;
mod pull;
mod repository;
mod swap;
mod update;
mod versions;

pub use archive::{ArchiveError, ArchiveLimits};
pub use credentials::{Place, RepositoryCredentials};
pub use error::ChartError;
pub use fetch::{ChartPorts, Charts, OnDemand};
pub use http::FetchError;
pub use project::{ChartFile, ProjectError, chart_files};
pub use pull::{PullError, PullReport, is_up_to_date, pull};
pub use repository::{ChartRepositories, RepositoryError};
pub use update::{Choice, UpdateError, UpdateOptions, WorkTree, WorkTreeError, update};
pub use versions::VersionError;
