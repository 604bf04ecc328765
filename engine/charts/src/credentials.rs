//! Who may read which chart repository.

use std::path::PathBuf;

use globset::GlobBuilder;
use secrecy::SecretString;
use url::Url;

/// One entry; the first that matches a repository is used.
#[derive(Clone, Default)]
pub struct RepositoryCredentials {
    /// Which repositories it is for.
    pub place: Place,
    /// Basic authentication.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// Client certificate, PEM.
    pub cert_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
    /// Certificates to trust in place of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Trust any certificate.
    pub insecure_skip_tls_verify: bool,
    /// Send the credentials to other hosts too, when the index names these.
    pub pass_credentials_all: bool,
    /// Where the entry came from, for errors.
    pub origin: String,
}

/// Which repositories an entry is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host with its port, and a glob for the path; an empty one matches all.
    Host {
        /// As in the address.
        host: String,
        /// `*` stays within an element, `**` does not.
        path: String,
    },
    /// One repository, but for a slash at its end.
    Repository(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Host { host: String::new(), path: String::new() }
    }
}

impl std::fmt::Debug for RepositoryCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepositoryCredentials")
            .field("place", &self.place)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl RepositoryCredentials {
    /// Whether it is for this repository.
    pub(crate) fn matches(&self, repository: &Url) -> bool {
        match &self.place {
            Place::Host { host, path } => *host == authority(repository) && glob_matches(path, repository.path()),
            Place::Repository(url) => {
                url.strip_suffix('/').unwrap_or(url)
                    == repository.as_str().strip_suffix('/').unwrap_or(repository.as_str())
            }
        }
    }
}

/// Host and port as written; a port that is the scheme's default is not kept by the parser.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn glob_matches(glob: &str, path: &str) -> bool {
    if glob.is_empty() {
        return true;
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    let glob = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(host: &str, path: &str) -> RepositoryCredentials {
        let place = Place::Host { host: host.to_owned(), path: path.to_owned() };
        RepositoryCredentials { place, ..RepositoryCredentials::default() }
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn hosts_match_with_their_port() {
        assert!(entry("a:8080", "").matches(&url("http://a:8080/x")));
        assert!(!entry("a", "").matches(&url("http://a:8080/x")));
        assert!(!entry("b", "").matches(&url("http://a")));
    }

    #[test]
    fn globs_are_for_the_whole_path() {
        let repository = url("https://a/team/stable");
        for (glob, wanted) in [
            ("team/*", true),
            ("**", true),
            ("*", false),
            ("team", false),
            ("team/stable/", false),
            ("{x,team}/s*", true),
        ] {
            assert_eq!(entry("a", glob).matches(&repository), wanted, "{glob}");
        }
    }

    #[test]
    fn helms_own_entries_are_for_one_address() {
        let entry = RepositoryCredentials { place: Place::Repository("https://a/x/".into()), ..Default::default() };
        assert!(entry.matches(&url("https://a/x")));
        assert!(!entry.matches(&url("https://a/y")));
        assert!(!entry.matches(&url("https://a/x/y")));
    }

    #[test]
    fn secrets_are_not_shown() {
        let entry =
            RepositoryCredentials { username: Some("u".into()), password: Some("hidden".into()), ..entry("a", "") };
        assert!(!format!("{entry:?}").contains("hidden"));
    }
}
