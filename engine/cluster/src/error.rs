//! Why a request to the cluster failed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use windlass_model::object_ref::Gvk;

/// The request that failed: what to look for in the server's audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// HTTP method.
    pub method: &'static str,
    /// Path without host and query.
    pub path: String,
}

impl fmt::Display for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// One entry of `status.details.causes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct StatusCause {
    /// Type, such as `FieldManagerConflict`.
    #[serde(rename = "reason")]
    pub kind: String,
    /// Text, such as `conflict with "M"`.
    pub message: String,
    /// Field as the server writes it, such as `.spec.replicas`.
    pub field: String,
}

/// A request that the server answered with an error status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFailure {
    /// The request.
    pub request: RequestContext,
    /// HTTP status.
    pub code: u16,
    /// Machine-readable reason, such as `Invalid`; may be empty.
    pub reason: String,
    /// The server's message.
    pub message: String,
    /// Details per field.
    pub causes: Vec<StatusCause>,
}

/// Why a request to the cluster failed. Display is the server's own message
/// where there is one; callers add what they were doing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// The object does not exist.
    #[error("{}", .0.message)]
    NotFound(Box<ApiFailure>),
    /// The credentials do not permit the request.
    #[error("{}", .0.message)]
    Forbidden(Box<ApiFailure>),
    /// The server did not accept the credentials.
    #[error("{}", .0.message)]
    Unauthorized(Box<ApiFailure>),
    /// Another writer owns fields (with causes) or was faster (without).
    #[error("{}", .0.message)]
    Conflict(Box<ApiFailure>),
    /// Any other error status.
    #[error("{}", .0.message)]
    Server(Box<ApiFailure>),
    /// The server serves no such kind in this version.
    #[error("no matches for kind \"{}\" in version \"{}\"", .0.kind, .0.api_version())]
    UnknownKind(Gvk),
    /// A namespaced kind was asked for by name without namespace.
    #[error("an empty namespace may not be set when a resource name is provided")]
    MissingNamespace,
    /// No name given.
    #[error("resource name may not be empty")]
    MissingName,
    /// No answer in time.
    #[error("{request}: no answer within {} s", limit.as_secs())]
    Timeout {
        /// The request.
        request: RequestContext,
        /// How long was waited.
        limit: Duration,
    },
    /// No usable connection.
    #[error("{request}: {source}")]
    Transport {
        /// The request.
        request: RequestContext,
        /// Why.
        source: Arc<TransportError>,
    },
    /// The answer is not what the API promises.
    #[error("{request}: unreadable answer: {message}")]
    Decode {
        /// The request.
        request: RequestContext,
        /// What is wrong with it.
        message: String,
    },
    /// `kube-system` has no UID.
    #[error("kube-system namespace has no uid")]
    NoClusterId,
}

/// A failure below HTTP, printed with all its causes.
#[derive(Debug)]
pub struct TransportError(Box<dyn std::error::Error + Send + Sync>);

impl TransportError {
    pub(crate) fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client library's own layer says nothing.
        let text = self.0.to_string();
        let mut shown = text.strip_prefix("ServiceError: ").unwrap_or(&text).to_owned();
        f.write_str(&shown)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !shown.contains(&text) {
                write!(f, ": {text}")?;
                shown = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl ClusterError {
    /// Sorts an error status into its variant.
    pub fn from_failure(failure: ApiFailure) -> Self {
        let failure = Box::new(failure);
        match failure.code {
            404 => Self::NotFound(failure),
            403 => Self::Forbidden(failure),
            401 => Self::Unauthorized(failure),
            409 if failure.reason != "AlreadyExists" => Self::Conflict(failure),
            _ => Self::Server(failure),
        }
    }

    /// The object does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// The credentials do not permit the request, or were not accepted.
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Forbidden(_) | Self::Unauthorized(_))
    }

    /// The credentials do not permit the request.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden(_))
    }

    /// The kind is not served.
    pub fn is_unknown_kind(&self) -> bool {
        matches!(self, Self::UnknownKind(_))
    }

    /// Another writer was in the way.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// The server's failure, where it answered.
    pub fn failure(&self) -> Option<&ApiFailure> {
        match self {
            Self::NotFound(failure)
            | Self::Forbidden(failure)
            | Self::Unauthorized(failure)
            | Self::Conflict(failure)
            | Self::Server(failure) => Some(failure),
            Self::UnknownKind(_)
            | Self::MissingNamespace
            | Self::MissingName
            | Self::Timeout { .. }
            | Self::Transport { .. }
            | Self::Decode { .. }
            | Self::NoClusterId => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: u16, reason: &str) -> ApiFailure {
        ApiFailure {
            request: RequestContext { method: "GET", path: "/api/v1/nodes/a".into() },
            code,
            reason: reason.into(),
            message: "m".into(),
            causes: Vec::new(),
        }
    }

    #[test]
    fn an_existing_object_is_not_a_field_conflict() {
        assert!(!ClusterError::from_failure(failure(409, "AlreadyExists")).is_conflict());
        assert!(ClusterError::from_failure(failure(409, "Conflict")).is_conflict());
    }

    #[test]
    fn unknown_kind_names_kind_and_version() {
        let error = ClusterError::UnknownKind(Gvk::from_api_version("example.org/v1", "Gizmo"));
        assert_eq!(error.to_string(), "no matches for kind \"Gizmo\" in version \"example.org/v1\"");
    }

    #[test]
    fn transport_errors_show_each_cause_once() {
        let inner = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused");
        let error = TransportError::new(std::io::Error::other(inner));
        assert_eq!(error.to_string(), "refused");
    }
}
