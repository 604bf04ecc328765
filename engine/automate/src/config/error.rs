//! What can be wrong with the configuration.

use std::path::PathBuf;

use windlass_model::location::Location;
use windlass_yaml::YamlError;

use crate::set::WalkError;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("open {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A text or its shape.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The content of an entry.
    #[error("{at}: {reason}")]
    Entry {
        /// Where.
        at: Location,
        /// What.
        reason: String,
    },
    /// The same address twice.
    #[error("{at}: {what} `{address}` is defined twice, before at {first}")]
    Twice {
        /// The second definition.
        at: Location,
        /// The first.
        first: Location,
        /// `policy`, `repository`, …
        what: &'static str,
        /// The address.
        address: String,
    },
    /// Files of a glob.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// A glob or path that names no file.
    #[error("{place}`{glob}` names no file")]
    NoFile {
        /// Where it is written, with `: `; empty for a flag.
        place: String,
        /// The glob.
        glob: String,
    },
}

impl ConfigError {
    /// The place in the user's files.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Yaml(error) => Some(error.location()),
            Self::Entry { at, .. } | Self::Twice { at, .. } => Some(at),
            Self::Read { .. } | Self::Walk(_) | Self::NoFile { .. } => None,
        }
    }
}
