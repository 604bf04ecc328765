//! Everything the client is told from outside.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

/// Settings of an [`OciRegistry`](crate::OciRegistry).
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// Explicit entries: flags first, then environment sets; the first that matches is used.
    pub credentials: Vec<RegistryCredentials>,
    /// Docker's and Podman's login files, best first; the first that exists is read.
    pub auth_files: Vec<PathBuf>,
    /// What holds for hosts without an entry that says otherwise.
    pub defaults: TlsDefaults,
    /// How to reach the outside.
    pub proxy: Proxy,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try.
    pub retry: RetrySettings,
    /// The most requests at a time per host, however well it answers; 0 means 32.
    pub requests_per_host: usize,
    /// Sent as `User-Agent`; empty means `windlass`.
    pub user_agent: String,
    /// Where to look first.
    pub mirrors: Vec<Mirrors>,
    /// Keeps tag lists on disk; absent keeps none.
    pub cache: Option<CacheSettings>,
}

/// Other places that have what a registry has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Where the entry comes from, for messages.
    pub origin: String,
    /// The registry that is mirrored, or `*` for all.
    pub host: String,
    /// Hosts, with port and possibly a path in front of the repository's; tried in order before the registry itself.
    pub places: Vec<String>,
}

/// Tag lists on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// The folder; made when needed.
    pub folder: PathBuf,
    /// How long a list is used without asking; afterwards the registry is asked whether it has changed.
    pub ttl: Duration,
}

/// One entry for a registry or a part of it.
#[derive(Debug, Clone, Default)]
pub struct RegistryCredentials {
    /// Where the entry comes from, for messages: `KLUCTL_REGISTRY_1_*`, `--registry-username`.
    pub origin: String,
    /// Host with port, or `*` for all.
    pub host: String,
    /// Glob on the repository path; `*` does not cross `/`, `**` does. Absent matches all.
    pub repository: Option<String>,
    /// Who to be; absent leaves that to the auth files.
    pub login: Option<Login>,
    /// Transport options, which count even when there is no login.
    pub tls: TlsOptions,
}

/// Credentials of one entry.
#[derive(Debug, Clone)]
pub enum Login {
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A token that goes straight into requests.
    Bearer(SecretString),
    /// A token that is exchanged for short-lived ones.
    Identity(SecretString),
}

impl Login {
    /// The secret part, for masking.
    pub fn secret(&self) -> &str {
        match self {
            Self::Basic { username: _, password: secret } | Self::Bearer(secret) | Self::Identity(secret) => {
                secret.expose_secret()
            }
        }
    }
}

/// Transport options of one entry; absent means the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether certificates are verified.
    pub verify: Option<bool>,
    /// Whether to speak plain HTTP.
    pub plain_http: Option<bool>,
    /// A PEM bundle that replaces the system's roots.
    pub ca_file: Option<PathBuf>,
    /// A client certificate (PEM); needs the key.
    pub cert_file: Option<PathBuf>,
    /// Its key (PEM).
    pub key_file: Option<PathBuf>,
}

/// Defaults for all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsDefaults {
    /// Accept any certificate.
    pub insecure_skip_verify: bool,
    /// Speak plain HTTP.
    pub plain_http: bool,
}

/// How to reach the outside.
#[derive(Debug, Clone, Default)]
pub enum Proxy {
    /// As the system says (`HTTPS_PROXY`, `NO_PROXY`, …).
    #[default]
    System,
    /// Directly.
    None,
    /// Through this proxy.
    Url {
        /// `http://`, `https://` or `socks5://`, possibly with user and password.
        url: SecretString,
        /// Hosts that are reached directly, in `NO_PROXY` form.
        no_proxy: Option<String>,
    },
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For one request, body included.
    pub request: Duration,
    /// For a whole listing, all pages and retries included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(60), total: Duration::from_secs(300) }
    }
}

/// How often to try a request that failed in a way that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Attempts in all.
    pub attempts: u32,
    /// Wait before the second; doubles each time.
    pub base: Duration,
    /// The longest wait of our own choice.
    pub max: Duration,
    /// The longest wait a registry may ask for.
    pub max_retry_after: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(300),
            max: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(90),
        }
    }
}
