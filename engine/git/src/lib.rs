//! Facts about local git repositories.
//!
//! Reading only; fetching includes and pushing changes are not here yet.

mod history;
mod info;
mod repo_key;

pub use history::{HistoryError, latest_commit};
pub use info::{InfoError, read};
pub use repo_key::repo_key;
