//! What templates may reach outside of files: images, git history, a debug sink.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The functions behind `images.*` and `version.*`.
///
/// Filters travel as their printed form (`semver()`, `prefix("x")`), so a
/// filter object and a filter text are the same thing here.
pub trait ImageFunctions: Send + Sync {
    /// `images.get_image(..)`: the placeholder for an image.
    ///
    /// # Errors
    /// A text for the template author: a bad image name or filter.
    fn get_image(&self, positional: &[Value], named: &Map<String, Value>) -> Result<String, String>;

    /// `version.NAME(..)`: the printed form of a filter.
    ///
    /// # Errors
    /// A text for the template author: an unknown filter or bad arguments.
    fn version(&self, name: &str, positional: &[Value], named: &Map<String, Value>) -> Result<String, String>;
}

/// The repository around a file, for `load_latest_git_commit`.
pub trait GitHistory: Send + Sync {
    /// The full id of the newest commit reachable from HEAD that touched `file`.
    ///
    /// # Errors
    /// A text for the template author: no repository, or no commit for the file.
    fn latest_commit(&self, file: &Path) -> Result<String, String>;
}

/// Takes what `debug_print` prints.
pub trait DebugSink: Send + Sync {
    /// One message, without the `debug_print: ` prefix and final newline.
    fn message(&self, text: &str);
}

/// Everything a template can reach beside files and variables.
///
/// An absent port makes the function that needs it an error when called.
#[derive(Clone, Default)]
pub struct Ports {
    /// `images.*` and `version.*`.
    pub images: Option<Arc<dyn ImageFunctions>>,
    /// `load_latest_git_commit`.
    pub git: Option<Arc<dyn GitHistory>>,
    /// `debug_print`.
    pub debug: Option<Arc<dyn DebugSink>>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports")
            .field("images", &self.images.is_some())
            .field("git", &self.git.is_some())
            .field("debug", &self.debug.is_some())
            .finish()
    }
}
