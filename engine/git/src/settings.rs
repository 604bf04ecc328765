//! Everything the client is told from outside.

use std::path::PathBuf;
use std::time::Duration;

use crate::GitCredentials;

/// Settings of a [`GitCache`](crate::GitCache).
#[derive(Debug, Clone, Default)]
pub struct GitSettings {
    /// Where mirrors are kept.
    pub cache_dir: PathBuf,
    /// A mirror that is younger is used as it is.
    pub update_interval: Duration,
    /// Explicit entries: flags first, then environment sets; the first that matches is used.
    pub credentials: Vec<GitCredentials>,
    /// Files of git's credential store, best first.
    pub credential_files: Vec<PathBuf>,
    /// `~/.netrc`.
    pub netrc: Option<PathBuf>,
    /// Ask the helpers that git is configured with, through the `git` program, when a server wants a login.
    pub credential_helpers: bool,
    /// How `ssh` is run.
    pub ssh: SshSettings,
    /// Sent as `User-Agent`; empty means `git/windlass`.
    pub user_agent: String,
    /// What a checkout may hold.
    pub limits: CheckoutLimits,
}

/// How `ssh` is run.
#[derive(Debug, Clone, Default)]
pub struct SshSettings {
    /// The program; empty means `ssh`.
    pub program: PathBuf,
    /// Files with host keys that replace the user's; empty means `ssh`'s own files.
    pub known_hosts: Vec<PathBuf>,
    /// Accept any host key.
    pub accept_any_host: bool,
    /// A user sits at a terminal: `ssh` may ask for passphrases and about hosts that it has never seen.
    pub interactive: bool,
}

/// What a checkout may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckoutLimits {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of all files.
    pub total: u64,
    /// Files and directories.
    pub entries: u64,
    /// Directories in each other.
    pub depth: u64,
}

impl Default for CheckoutLimits {
    fn default() -> Self {
        Self { file: 1 << 30, total: 8 << 30, entries: 1_000_000, depth: 128 }
    }
}
