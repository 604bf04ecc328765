//! Why a repository cannot be fetched, cached or checked out. Texts never hold credentials.

use std::path::PathBuf;

/// Why a repository cannot be fetched, cached or checked out.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// A scheme that nobody speaks.
    #[error("transport: unsupported scheme \"{scheme}\"")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// The server wants other credentials, or any.
    #[error(
        "{url}: the server refuses access (HTTP {status}); {}",
        match login { Some(origin) => format!("check the credentials of {origin}"), None => LOGIN_ADVICE.to_owned() }
    )]
    Login {
        /// The repository.
        url: String,
        /// 401 or 403.
        status: u16,
        /// Where the refused credentials came from.
        login: Option<String>,
    },
    /// There is no repository, or it is hidden from this user.
    #[error(
        "{url}: repository not found; check the url{}",
        if *anonymous { format!(", or, when the repository is private, {LOGIN_ADVICE}") } else { String::new() }
    )]
    NotFound {
        /// The repository.
        url: String,
        /// No credentials were sent.
        anonymous: bool,
    },
    /// Another answer of an HTTP server.
    #[error("{url}: {message}")]
    Http {
        /// The repository.
        url: String,
        /// What happened.
        message: String,
    },
    /// The host's key is not the known one.
    #[error(
        "{url}: the SSH host key of `{host}` has changed; this can be an attack. When the change is expected, remove \
         the old key with `ssh-keygen -R {host}` and add the new one to the known_hosts file"
    )]
    HostKeyChanged {
        /// The repository.
        url: String,
        /// The host, in the form of known_hosts files.
        host: String,
    },
    /// The host's key is not known, and nobody can be asked.
    #[error(
        "{url}: the SSH host key of `{host}` is not known; add it to ~/.ssh/known_hosts, name a file with \
         --git-ssh-known-hosts-file or SSH_KNOWN_HOSTS"
    )]
    HostKeyUnknown {
        /// The repository.
        url: String,
        /// The host, in the form of known_hosts files.
        host: String,
    },
    /// `ssh` failed.
    #[error("{url}: ssh: {message}")]
    Ssh {
        /// The repository.
        url: String,
        /// What it said.
        message: String,
    },
    /// The server's answers make no sense, or the connection broke.
    #[error("{url}: {message}")]
    Protocol {
        /// The repository.
        url: String,
        /// What happened.
        message: String,
    },
    /// A file that is told by settings cannot be used.
    #[error("{origin}: {}: {message}", path.display())]
    Setting {
        /// Where the setting came from.
        origin: String,
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The cache folder cannot be used.
    #[error("git cache `{}`: {message}", path.display())]
    Cache {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A cached repository lacks objects or cannot be read.
    #[error("git cache `{}` is damaged: {message}", path.display())]
    Damaged {
        /// The mirror.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The branch, tag or commit does not exist.
    #[error("ref {reference} not found")]
    NoReference {
        /// In upstream's form: `{branch tag commit}`.
        reference: String,
    },
    /// The server does not say what its default branch is.
    #[error("{url}: the repository has no default branch; give `ref.branch`, `ref.tag` or `ref.commit`")]
    NoDefaultBranch {
        /// The repository.
        url: String,
    },
    /// A file in the repository that may not be written.
    #[error("{url}: refused to check out `{path}`: {reason}")]
    Unsafe {
        /// The repository.
        url: String,
        /// The file.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// More than may be checked out.
    #[error("{url}: refused to check out `{path}`: {what} of {limit}")]
    TooLarge {
        /// The repository.
        url: String,
        /// The file at which the limit was reached.
        path: String,
        /// The limit's name.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The copy cannot be written.
    #[error("write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

const LOGIN_ADVICE: &str = "give credentials with --git-username and --git-password, or with KLUCTL_GIT_HOST, KLUCTL_GIT_USERNAME and \
     KLUCTL_GIT_PASSWORD";
