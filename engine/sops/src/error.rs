//! Why a file cannot be decrypted. No variant holds a decrypted value or a key.

use std::fmt;

use windlass_model::location::Location;

use crate::cipher::CipherError;
use crate::shamir::ShareError;

/// A text that is not in the format of its name.
#[derive(Debug)]
pub struct SyntaxError {
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.at.source.name, self.at.line(), self.at.column(), self.reason)
    }
}

impl std::error::Error for SyntaxError {}

/// Why a file cannot be decrypted.
#[derive(Debug, thiserror::Error)]
pub enum SopsError {
    /// The text is not in the format of its name.
    #[error(transparent)]
    Syntax(#[from] Box<SyntaxError>),
    /// Bytes that are no text.
    #[error("the encrypted file is no UTF-8 text")]
    NotText,
    /// There is no metadata, or a part of it is missing or malformed.
    #[error("the SOPS metadata {problem}")]
    Metadata {
        /// What is wrong.
        problem: String,
    },
    /// A version that this code does not know.
    #[error("the file was written by SOPS {version}, which is not supported; versions up to 3 are")]
    Version {
        /// The version.
        version: String,
    },
    /// No key of enough groups could be used.
    #[error(transparent)]
    Keys(#[from] Box<KeysError>),
    /// The shares of the key groups do not fit.
    #[error("the shares of the key groups give no data key: {0}")]
    Shares(#[from] ShareError),
    /// The data key, or a value.
    #[error("{place} {source}")]
    Value {
        /// The value's path.
        place: String,
        /// Why.
        #[source]
        source: CipherError,
    },
    /// A value should be encrypted by the rules in the metadata, and is not.
    #[error("`{path}` is not encrypted, although the file's rules say so")]
    PlainValue {
        /// The value's path.
        path: String,
    },
    /// The content is not what was encrypted.
    #[error("the content was changed after it had been encrypted: its authentication code (`sops.mac`) does not fit")]
    Mac,
    /// A decrypted value has no form in the file's format.
    #[error("a decrypted value is no text, which this format can not hold")]
    NoForm,
}

/// The keys of the file that were tried.
#[derive(Debug)]
pub struct KeysError {
    /// How many groups are needed.
    pub needed: usize,
    /// What happened, per key group.
    pub groups: Vec<GroupOutcome>,
}

/// What happened to a key group.
#[derive(Debug)]
pub enum GroupOutcome {
    /// It gave its share.
    Recovered,
    /// None of its keys could be used.
    Failed(Vec<KeyAttempt>),
}

/// A key that could not be used.
#[derive(Debug)]
pub struct KeyAttempt {
    /// Kind and name, e.g. `age age1…`.
    pub key: String,
    /// Why.
    pub reason: String,
    /// What the user can do.
    pub hint: Option<String>,
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recovered = self.groups.iter().filter(|group| matches!(group, GroupOutcome::Recovered)).count();
        match self.groups.len() {
            1 => write!(f, "no key of the file could be used:")?,
            count => write!(f, "{recovered} of {count} key groups could be used, {} are needed:", self.needed)?,
        }
        for (index, group) in self.groups.iter().enumerate() {
            let GroupOutcome::Failed(attempts) = group else { continue };
            for KeyAttempt { key, reason, .. } in attempts {
                let group = if self.groups.len() > 1 { format!("group {}: ", index + 1) } else { String::new() };
                write!(f, "\n  - {group}{key}: {reason}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for KeysError {}

impl KeysError {
    /// What the user can do, each once, in the order of the keys.
    #[must_use]
    pub fn hints(&self) -> Vec<&str> {
        let mut hints = Vec::new();
        for group in &self.groups {
            let GroupOutcome::Failed(attempts) = group else { continue };
            for hint in attempts.iter().filter_map(|attempt| attempt.hint.as_deref()) {
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        hints
    }
}

impl SopsError {
    /// What the user can do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Keys(keys) => Some(keys.hints().join("; ")).filter(|text| !text.is_empty()),
            Self::Mac | Self::Value { source: CipherError::Authentication, .. } => Some(
                "restore the file from its history, or edit it with `sops`, which writes a new authentication code"
                    .into(),
            ),
            Self::PlainValue { .. } => Some("encrypt the file again with `sops`".into()),
            _ => None,
        }
    }

    /// The place in the file, where one is known.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Syntax(error) => Some(&error.at),
            _ => None,
        }
    }
}
