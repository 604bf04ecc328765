//! What can go wrong between windlass and the helper.

use std::io;
use std::path::PathBuf;

/// A request to the helper failed.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// The helper program could not be put into the cache folder.
    #[error("unpack the Helm and Kustomize helper into `{}`", path.display())]
    Unpack {
        /// The wanted place.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The helper program, or a program used in its place, did not start.
    #[error("start `{}`", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The helper ended while a request was under way.
    #[error("the Helm and Kustomize helper ended unexpectedly{}", last_words(stderr))]
    Lost {
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// The helper gave an answer that is not part of the protocol, or refused ours.
    #[error("the Helm and Kustomize helper gave an unusable answer: {message}")]
    Protocol {
        /// What is wrong with it.
        message: String,
    },
    /// Helm or Kustomize refused the input; the message is the library's own.
    #[error("{message}")]
    Build {
        /// The library's message.
        message: String,
    },
    /// The result holds something that JSON can not express, such as an infinite number.
    #[error("{message}")]
    Encoding {
        /// What can not be expressed.
        message: String,
    },
    /// This build carries no helper, and the program that would do the same is not installed.
    #[error(
        "`{program}` was not found in PATH: this build of windlass does not contain Helm and Kustomize \
         (feature `bundled-go`), so it needs the program; install `{program}`, or use a build with the feature"
    )]
    ProgramMissing {
        /// `helm` or `kustomize`.
        program: &'static str,
    },
}

fn last_words(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}
