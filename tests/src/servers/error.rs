//! Why a sandbox server could not be built, started or used.

use std::io;
use std::path::PathBuf;

/// A server of the sandbox could not be built, started or used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file of the sandbox could not be read or written.
    #[error("{action} `{}`", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("start `{program}`")]
    Spawn {
        /// Name of the program.
        program: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("`{program}` failed:\n{stderr}")]
    Failed {
        /// Name and arguments of the program.
        program: String,
        /// What it said.
        stderr: String,
    },
    /// A server ended instead of becoming ready.
    #[error("`{server}` ended while starting, its log ends with:\n{log}")]
    Ended {
        /// Name of the server.
        server: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server did not become ready in time.
    #[error("`{server}` did not become ready in {seconds} s, its log ends with:\n{log}")]
    NotReady {
        /// Name of the server.
        server: String,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },
    /// The supervisor of the servers is gone.
    #[error("the supervisor of the servers ended")]
    SupervisorGone,
    /// A request to a server of the sandbox failed.
    #[error("request `{what}`: {reason}")]
    Request {
        /// Method and path.
        what: String,
        /// Status or cause.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("create a certificate: {0}")]
    Certificate(String),
}

impl SandboxError {
    /// For `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
