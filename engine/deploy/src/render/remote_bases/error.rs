//! Why an address in a kustomization cannot be used.

use std::io;
use std::path::PathBuf;

use windlass_kustomize::RemoteEntryError;
use windlass_model::location::Location;
use windlass_model::source::GitUrlError;
use windlass_sources::SourceError;

use crate::ports::StoreFailure;

/// An entry of a kustomization that leads to another host, and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{at}: `{entry}`: {problem}")]
pub struct RemoteBaseError {
    /// The entry.
    pub at: Location,
    /// Its text, without login.
    pub entry: String,
    /// Why.
    #[source]
    pub problem: RemoteBaseProblem,
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum RemoteBaseProblem {
    /// The address.
    #[error(transparent)]
    Entry(#[from] RemoteEntryError),
    /// The address of the repository.
    #[error(transparent)]
    Url(#[from] GitUrlError),
    /// The repository cannot be fetched.
    #[error("fetch the repository: {0}")]
    Source(#[from] SourceError),
    /// No such branch, tag or commit.
    #[error("{url} has no branch, tag or full commit hash `{reference}`; {known}")]
    NoReference {
        /// What was asked for.
        reference: String,
        /// The repository.
        url: String,
        /// What there is.
        known: String,
    },
    /// Fetching took too long.
    #[error("the repository was not fetched within {seconds} s; raise `timeout` in the address")]
    Timeout {
        /// The limit.
        seconds: f64,
    },
    /// Submodules were asked for.
    #[error(
        "the repository has submodules, which are not fetched; remove `submodules` from the address and name their repositories in `resources`"
    )]
    Submodules,
    /// No such folder in the repository.
    #[error("there is no folder `{}` in the repository{hint}", dir.display())]
    NoFolder {
        /// The folder.
        dir: PathBuf,
        /// Where else to look.
        hint: &'static str,
    },
    /// A path of a remote base leaves its repository.
    #[error("the path leads out of the repository; a remote base reads only files of its own repository")]
    Outside,
    /// An encrypted file.
    #[error(
        "the file is encrypted with SOPS, and files of remote bases are not decrypted; include its repository with a `git` item of the deployment instead"
    )]
    Encrypted,
    /// Bases need each other.
    #[error("these kustomizations need each other: {}; remove one of these entries", chain.join(" -> "))]
    Cycle {
        /// From a kustomization to itself.
        chain: Vec<String>,
    },
    /// More than anybody needs.
    #[error("too many remote bases, or too many inside of each other; copy some of them into the project")]
    TooDeep,
    /// A component must be a folder.
    #[error("a component is a folder, and this is a file; name it in `resources`")]
    FileAsComponent,
    /// The address cannot be read.
    #[error("read the address: {0}")]
    Web(#[source] StoreFailure),
    /// The server has an error.
    #[error("the server answered with status {status}; check the address, or put the file into the project")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// A page for people.
    #[error("the address leads to a web page; use the address of the plain file")]
    WebPage,
    /// A file or folder.
    #[error("{action} `{}`: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl RemoteBaseProblem {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
