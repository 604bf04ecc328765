//! What can go wrong with a registry. Texts never hold secrets.

use std::time::Duration;

/// A registry did not give what was asked.
///
/// Cheap to clone: everybody who waits for one listing gets the same error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The host name does not resolve.
    #[error("registry `{host}` is unknown: {reason}")]
    UnknownHost {
        /// The host.
        host: String,
        /// The resolver's text.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("connect to registry `{host}`: {reason}")]
    Connect {
        /// The host.
        host: String,
        /// What happened.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error(
        "TLS with registry `{host}`: {reason}; give its CA with KLUCTL_REGISTRY_<n>_CA_FILE, or switch verification off with \
         KLUCTL_REGISTRY_<n>_TLSVERIFY=0 (0, not 1) for KLUCTL_REGISTRY_<n>_HOST={host}"
    )]
    Tls {
        /// The host.
        host: String,
        /// What happened.
        reason: String,
    },
    /// Too slow.
    #[error("registry `{host}` did not answer in {limit:?} ({what})")]
    Timeout {
        /// The host.
        host: String,
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
    },
    /// Credentials are missing, wrong, expired or not sufficient.
    #[error(
        "registry `{host}` refused access to `{repository}` ({status}): {tried}; use `docker login {host}` or set \
         KLUCTL_REGISTRY_<n>_HOST, KLUCTL_REGISTRY_<n>_USERNAME and KLUCTL_REGISTRY_<n>_PASSWORD"
    )]
    Unauthorized {
        /// The host.
        host: String,
        /// The repository.
        repository: String,
        /// HTTP status.
        status: u16,
        /// Which credentials were tried, without their values.
        tried: String,
    },
    /// Credentials could not be obtained.
    #[error("credentials for registry `{host}` from {origin}: {reason}")]
    Credentials {
        /// The host.
        host: String,
        /// Where they should have come from.
        origin: String,
        /// What happened.
        reason: String,
    },
    /// No such repository.
    #[error("repository `{repository}` does not exist: {message}")]
    RepositoryNotFound {
        /// The repository.
        repository: String,
        /// The registry's words.
        message: String,
    },
    /// No such tag or digest.
    #[error("`{repository}` has no `{reference}`: {message}")]
    ManifestNotFound {
        /// The repository.
        repository: String,
        /// The tag or digest.
        reference: String,
        /// The registry's words.
        message: String,
    },
    /// The registry answered with an error, also after retries.
    #[error("registry `{host}` answered {status} for `{repository}`: {message}")]
    Status {
        /// The host.
        host: String,
        /// The repository.
        repository: String,
        /// HTTP status.
        status: u16,
        /// The registry's words.
        message: String,
    },
    /// The registry wants us to wait longer than we do.
    #[error("registry `{host}` allows no more requests for now (retry after {wait:?})")]
    Throttled {
        /// The host.
        host: String,
        /// What it asked for.
        wait: Duration,
    },
    /// The list of tags cannot be known completely.
    #[error("the tag list of `{repository}` is incomplete: {reason}")]
    Incomplete {
        /// The repository.
        repository: String,
        /// What stopped the listing.
        reason: String,
    },
    /// An answer that makes no sense.
    #[error("registry `{host}` sent an invalid answer for `{repository}`: {reason}")]
    InvalidAnswer {
        /// The host.
        host: String,
        /// The repository.
        repository: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that can be no tag.
    #[error("`{tag}` cannot be a tag of `{repository}`: letters, digits, `_`, `.` and `-`, at most 128")]
    InvalidTag {
        /// The repository.
        repository: String,
        /// The text, escaped.
        tag: String,
    },
    /// More than is accepted.
    #[error("registry `{host}` sent more than {limit} bytes for `{what}`")]
    TooLarge {
        /// The host.
        host: String,
        /// What was fetched.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// Content that is not what its digest says.
    #[error("`{repository}` sent content with digest `{got}` where `{wanted}` was asked for")]
    DigestMismatch {
        /// The repository.
        repository: String,
        /// What was asked for.
        wanted: String,
        /// What came.
        got: String,
    },
    /// A digest that cannot be checked.
    #[error("`{digest}` is no digest that can be checked (`sha256:…` or `sha512:…`)")]
    UnknownDigest {
        /// The text.
        digest: String,
    },
    /// A download could not be written.
    #[error("write the download: {reason}")]
    Sink {
        /// What happened.
        reason: String,
    },
    /// A setting that cannot be used, such as an unreadable certificate.
    #[error("registry settings for `{host}` ({origin}): {reason}")]
    Settings {
        /// The host.
        host: String,
        /// Which setting.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
}
