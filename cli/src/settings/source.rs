//! Where a setting came from, and errors that say so.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line, as the user wrote the flag.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A key of the config file.
    ConfigFile { path: PathBuf, key: String },
    /// Nobody set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(written) => write!(f, "flag `{written}`"),
            Self::Variable(name) => write!(f, "environment variable `{name}`"),
            Self::ConfigFile { path, key } => write!(f, "key `{key}` of `{}`", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Sourced<T> {
    pub(crate) fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
}

/// A setting that cannot be used. Displays as the reason, which scripts know; [`SettingError::origin`] names the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct SettingError {
    pub(crate) reason: String,
    pub(crate) source_of_value: Source,
    pub(crate) hint: Option<String>,
}

impl SettingError {
    pub(crate) fn new(reason: impl Into<String>, source: &Source) -> Self {
        Self { reason: reason.into(), source_of_value: source.clone(), hint: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// `environment variable `KLUCTL_TIMEOUT``; nothing for a default.
    pub(crate) fn origin(&self) -> Option<String> {
        (self.source_of_value != Source::Default).then(|| self.source_of_value.to_string())
    }
}

/// All bad values of environment and config file, reported together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettingErrors(pub(crate) Vec<SettingError>);

impl std::error::Error for SettingErrors {}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        writeln!(f, "{} error{plural} occurred:", self.0.len())?;
        for error in &self.0 {
            writeln!(f, "\t* {error}")?;
        }
        writeln!(f)
    }
}
