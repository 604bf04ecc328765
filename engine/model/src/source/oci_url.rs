//! Addresses of OCI repositories: `oci://host[:port]/repository`.

use std::fmt;

use super::{SourceKey, SourceKind};

/// An address of an OCI repository, without tag and digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciUrl {
    host: String,
    repository: String,
}

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OciUrlError {
    /// Another scheme.
    #[error("unsupported scheme {scheme}, must be oci://")]
    Scheme {
        /// The scheme; empty when there is none.
        scheme: String,
    },
    /// No repository, or a tag or digest in it.
    #[error("invalid oci url `{text}`: {reason}")]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl OciUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Another scheme, no repository, or a tag or digest in it.
    pub fn parse(text: &str) -> Result<Self, OciUrlError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        if scheme != "oci" {
            return Err(OciUrlError::Scheme { scheme: scheme.to_owned() });
        }
        let malformed = |reason| OciUrlError::Malformed { text: text.to_owned(), reason };
        let (host, repository) = rest.split_once('/').ok_or_else(|| malformed("there is no repository"))?;
        let repository = repository.trim_matches('/');
        if host.is_empty() || host.contains('@') {
            return Err(malformed("the host is missing, or credentials are in it"));
        }
        if repository.is_empty() {
            return Err(malformed("there is no repository"));
        }
        if repository.contains([':', '@']) {
            return Err(malformed("tag and digest belong into `ref`"));
        }
        Ok(Self { host: host.to_owned(), repository: repository.to_owned() })
    }

    /// Host with port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path of the repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Identity of the repository.
    pub fn key(&self) -> SourceKey {
        SourceKey::new(SourceKind::Oci, &self.host, &self.repository)
    }
}

impl fmt::Display for OciUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_repository_are_split() {
        let url = OciUrl::parse("oci://reg.example:5000/team/app/").unwrap();
        assert_eq!((url.host(), url.repository()), ("reg.example:5000", "team/app"));
        assert_eq!(url.key().to_string(), "oci://reg.example:5000/team/app");
    }

    #[test]
    fn other_texts_are_refused() {
        let error = |text: &str| OciUrl::parse(text).unwrap_err().to_string();
        assert_eq!(error("https://e.example.com/a"), "unsupported scheme https, must be oci://");
        assert_eq!(error("reg.example/a"), "unsupported scheme , must be oci://");
        assert!(error("oci://reg.example").ends_with("there is no repository"));
        assert!(error("oci://reg.example/").ends_with("there is no repository"));
        assert!(error("oci://reg.example/a:v1").ends_with("tag and digest belong into `ref`"));
        assert!(error("oci://me@reg.example/a").contains("credentials"));
    }
}
