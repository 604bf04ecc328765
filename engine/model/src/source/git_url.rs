//! Addresses of git repositories, and the key that identifies one whatever the transport.

use std::fmt;

use serde::{Serialize, Serializer};
use url::Url;

/// An address of a git server.
#[derive(Clone, PartialEq, Eq)]
pub struct GitUrl {
    /// As written.
    text: String,
    /// The scp form spelled out.
    url: Url,
}

/// Why a text is no address of a git server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// A path or a `file://` address.
    #[error("file:// protocol is not supported: {text}")]
    Local {
        /// The text.
        text: String,
    },
    /// No address at all.
    #[error("invalid git url: {reason}")]
    Malformed {
        /// Why; the text is left out, as it may hold a password.
        reason: String,
    },
}

/// Kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A git repository.
    Git,
    /// An OCI repository.
    Oci,
}

/// Identity of a repository: kind, host with port, path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// Kind.
    pub kind: SourceKind,
    /// Host, with a port that is not the default.
    pub host: String,
    /// Path without leading and trailing slash.
    pub path: String,
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            SourceKind::Git => "git",
            SourceKind::Oci => "oci",
        };
        write!(f, "{scheme}://{}/{}", self.host, self.path)
    }
}

impl SourceKey {
    /// A key of a repository of this kind; git keys are brought to normal form.
    pub fn new(kind: SourceKind, host: &str, path: &str) -> Self {
        let path = path.trim_matches('/');
        match kind {
            SourceKind::Oci => Self { kind, host: host.to_owned(), path: path.to_owned() },
            SourceKind::Git => {
                let path = path.to_lowercase();
                let path = path.strip_suffix(".git").unwrap_or(&path).trim_matches('/');
                Self { kind, host: host.to_lowercase(), path: path.to_owned() }
            }
        }
    }
}

impl GitUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Local paths and texts that are no address. Schemes that nobody can fetch are told when fetching.
    pub fn parse(text: &str) -> Result<Self, GitUrlError> {
        let local = || GitUrlError::Local { text: text.to_owned() };
        let url = match text.contains("://") {
            true => Url::parse(text),
            false => Url::parse(&from_scp(text).ok_or_else(local)?),
        };
        let url = url.map_err(|error| GitUrlError::Malformed { reason: error.to_string() })?;
        if url.scheme() == "file" || url.host_str().is_none_or(str::is_empty) {
            return Err(local());
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// As written; may hold a password, so never show it: [`fmt::Display`] does.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Lower case.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Whether the address is reached through `ssh`.
    pub fn is_ssh(&self) -> bool {
        matches!(self.scheme(), "ssh" | "git+ssh" | "git")
    }

    /// The user in the address.
    pub fn user(&self) -> Option<&str> {
        Some(self.url.username()).filter(|user| !user.is_empty())
    }

    /// The password in the address.
    pub fn password(&self) -> Option<&str> {
        self.url.password()
    }

    /// The host in lower case.
    pub fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_lowercase()
    }

    /// The port when it is not the scheme's default.
    pub fn port(&self) -> Option<u16> {
        self.url.port().filter(|port| Some(*port) != default_port(self.scheme()))
    }

    /// Host with a port that is not the default.
    pub fn authority(&self) -> String {
        self.port().map_or_else(|| self.host(), |port| format!("{}:{port}", self.host()))
    }

    /// The path as the server gets it.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Path in lower case, without `.git`, leading and trailing slash: what credentials and keys are matched with.
    pub fn normal_path(&self) -> String {
        self.key().path
    }

    /// Last element of the path, without `.git`.
    pub fn name(&self) -> &str {
        let path = self.path().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        last.strip_suffix(".git").unwrap_or(last)
    }

    /// Identity of the repository.
    pub fn key(&self) -> SourceKey {
        SourceKey::new(SourceKind::Git, &self.authority(), self.path())
    }

    /// The address without user and password.
    pub fn without_login(&self) -> Url {
        let mut url = self.url.clone();
        // Both fail only for addresses without host, which this type does not hold.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url
    }
}

/// As written, but for a password.
impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.url.password().is_none() {
            return f.write_str(&self.text);
        }
        let mut url = self.url.clone();
        let _ = url.set_password(Some("*****"));
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitUrl({self})")
    }
}

impl Serialize for GitUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `[user@]host:path` and `[user@]host:port:path`.
fn from_scp(text: &str) -> Option<String> {
    let (host, rest) = text.split_once(':')?;
    // One letter is a drive of Windows.
    if host.len() < 2 || host.contains('/') {
        return None;
    }
    let (port, path) = match rest.split_once(':') {
        Some((port, path)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (format!(":{port}"), path)
        }
        _ => (String::new(), rest),
    };
    Some(format!("ssh://{host}{port}/{}", path.trim_start_matches('/')))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "ssh" | "git" | "git+ssh" => Some(22),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        GitUrl::parse(text).unwrap().key().to_string()
    }

    #[test]
    fn all_spellings_of_a_repository_have_one_key() {
        for text in [
            "https://git.example.com/Team/shop.git",
            "https://user@GIT.example.com:443/team/shop/",
            "ssh://git@git.example.com:22/team/shop.git",
            "git@git.example.com:team/shop.git",
            "git.example.com:22:team/shop",
        ] {
            assert_eq!(key(text), "git://git.example.com/team/shop", "{text}");
        }
        assert_eq!(key("http://h:8080/a.git"), "git://h:8080/a");
        assert_eq!(key("git@h.x:2222:a/b"), "git://h.x:2222/a/b");
    }

    #[test]
    fn passwords_are_not_shown() {
        let url = GitUrl::parse("https://me:s3cret@h/a").unwrap();
        assert!(!format!("{url} {url:?}").contains("s3cret"));
        assert_eq!((url.user(), url.password()), (Some("me"), Some("s3cret")));
        assert_eq!(url.without_login().as_str(), "https://h/a");
        let error = GitUrl::parse("https://me:s3cret@h:port/a").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn local_addresses_are_refused() {
        for text in ["/srv/git/a.git", "../a", "file:///srv/a.git", "C:/a", ""] {
            let error = GitUrl::parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("file:// protocol is not supported: {text}"));
        }
    }

    #[test]
    fn ssh_addresses_are_known() {
        for (text, is_ssh) in
            [("git@h.x:a", true), ("git+ssh://h/a", true), ("git://h/a", true), ("https://h/a", false)]
        {
            assert_eq!(GitUrl::parse(text).unwrap().is_ssh(), is_ssh, "{text}");
        }
        assert_eq!(GitUrl::parse("git@h.x:Team/Shop.git/").unwrap().name(), "Shop");
    }
}
