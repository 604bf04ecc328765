//! Git repositories: facts about local ones, and cached copies of those on servers.
//!
//! Everything is in process but `ssh` and the user's credential helpers, so no `git` has to be installed.
//! Pushing changes is not here yet. The crate reads no environment: [`GitSettings`] carries everything.

mod checkout;
mod credentials;
mod error;
mod history;
mod info;
mod mirror;
mod remote;
mod repo_key;
mod settings;
mod worktree;

pub use credentials::GitCredentials;
pub use error::GitError;
pub use history::{HistoryError, latest_commit};
pub use info::{InfoError, read};
pub use mirror::{FoundCommit, Freshness, Mirror};
pub use repo_key::repo_key;
pub use settings::{CheckoutLimits, GitSettings, SshSettings};
pub use worktree::{Change, WorkTree, WorkTreeError};
