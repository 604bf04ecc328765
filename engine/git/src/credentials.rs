//! Which credentials belong to a repository (spec 04 section 12.2).
//!
//! The first entry that matches is used. Entries come from flags and environment; then the files that `git` itself
//! stores logins in, then netrc.

mod files;
mod helper;

use std::path::PathBuf;

use globset::GlobBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use windlass_model::source::GitUrl;

pub(crate) use files::{netrc_login, stored_login};
pub(crate) use helper::helper_login;

/// One entry for a host or a part of it.
#[derive(Debug, Clone, Default)]
pub struct GitCredentials {
    /// Where the entry comes from, for messages.
    pub origin: String,
    /// Host with port; `*` for every host that is reached with SSH.
    pub host: String,
    /// Glob on the lower-case path; `*` does not cross `/`, `**` does. Absent matches all.
    pub path: Option<String>,
    /// The user; absent and `*` are any user of the URL.
    pub username: Option<String>,
    /// Password or token for HTTP.
    pub password: Option<SecretString>,
    /// Private key for SSH.
    pub ssh_key: Option<PathBuf>,
    /// Host keys to accept; replaces the user's.
    pub known_hosts: Option<PathBuf>,
    /// PEM bundle that replaces the system's roots.
    pub ca: Option<PathBuf>,
}

/// User and password, and where they are from.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    pub(crate) origin: String,
}

impl Login {
    /// The value of an `Authorization` header.
    pub(crate) fn header(&self) -> String {
        use base64::Engine as _;
        let pair = format!("{}:{}", self.username, self.password.expose_secret());
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }
}

/// A key for SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SshKey {
    pub(crate) username: Option<String>,
    pub(crate) file: PathBuf,
}

impl GitCredentials {
    fn is_for(&self, url: &GitUrl) -> bool {
        let host = if self.host == "*" { url.is_ssh() } else { self.host.to_lowercase() == url.authority() };
        host && self.path.as_deref().is_none_or(|glob| matches(glob, &url.normal_path()))
    }

    /// The user to be when this entry is used; `None` when it is for another one.
    fn user(&self, url: &GitUrl) -> Option<Option<String>> {
        let own = self.username.as_deref().filter(|user| *user != "*" && !user.is_empty());
        match (url.user(), own) {
            (Some(wanted), Some(own)) if wanted != own => None,
            (Some(user), _) | (None, Some(user)) => Some(Some(user.to_owned())),
            // `*` stands for the user of the URL, which has none; an entry without user is for any.
            (None, None) if self.username.as_deref() == Some("*") => None,
            (None, None) => Some(None),
        }
    }

    fn login(&self, url: &GitUrl) -> Option<Login> {
        let password = self.password.clone().filter(|password| !password.expose_secret().is_empty())?;
        let username = self.user(url)??;
        Some(Login { username, password, origin: self.origin.clone() })
    }

    fn key(&self, url: &GitUrl) -> Option<SshKey> {
        let file = self.ssh_key.clone()?;
        Some(SshKey { username: self.user(url)?, file })
    }
}

/// An invalid pattern matches nothing.
fn matches(glob: &str, path: &str) -> bool {
    let glob = GlobBuilder::new(glob.trim_start_matches('/')).literal_separator(true).backslash_escape(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

/// The login of the first entry that has one for this HTTP address.
pub(crate) fn login(entries: &[GitCredentials], url: &GitUrl) -> Option<Login> {
    if let (Some(user), Some(password)) = (url.user(), url.password()) {
        return Some(Login {
            username: decoded(user),
            password: decoded(password).into(),
            origin: "the url".to_owned(),
        });
    }
    entries.iter().filter(|entry| entry.is_for(url)).find_map(|entry| entry.login(url))
}

/// The key of the first entry that has one for this SSH address.
pub(crate) fn ssh_key(entries: &[GitCredentials], url: &GitUrl) -> Option<SshKey> {
    entries.iter().filter(|entry| entry.is_for(url)).find_map(|entry| entry.key(url))
}

/// The known hosts of the first entry that has some for this SSH address.
pub(crate) fn known_hosts<'a>(entries: &'a [GitCredentials], url: &GitUrl) -> Option<&'a PathBuf> {
    entries.iter().filter(|entry| entry.is_for(url)).find_map(|entry| entry.known_hosts.as_ref())
}

/// The certificates of the first entry that has some for this address, and the entry's origin.
pub(crate) fn ca<'a>(entries: &'a [GitCredentials], url: &GitUrl) -> Option<(&'a PathBuf, &'a str)> {
    let of_host = entries.iter().filter(|entry| entry.is_for(url));
    of_host.filter_map(|entry| Some((entry.ca.as_ref()?, entry.origin.as_str()))).next()
}

/// Percent-encoded text as it was meant.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(host: &str, path: Option<&str>, username: Option<&str>, password: &str) -> GitCredentials {
        GitCredentials {
            origin: format!("entry of {host}"),
            host: host.to_owned(),
            path: path.map(str::to_owned),
            username: username.map(str::to_owned),
            password: Some(password.to_owned().into()),
            ..GitCredentials::default()
        }
    }

    fn found(entries: &[GitCredentials], url: &str) -> Option<(String, String)> {
        let login = login(entries, &GitUrl::parse(url).unwrap())?;
        Some((login.username, login.password.expose_secret().to_owned()))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn host_path_and_user_must_fit() {
        let entries = [
            entry("h:8443", None, Some("port"), "1"),
            entry("h", Some("team/*"), Some("team"), "2"),
            entry("h", Some("**"), Some("other"), "3"),
        ];
        assert_eq!(found(&entries, "https://h:8443/x"), pair("port", "1"));
        assert_eq!(found(&entries, "https://H/Team/Shop.git"), pair("team", "2"));
        assert_eq!(found(&entries, "https://h/team/a/b"), pair("other", "3"));
        assert_eq!(found(&entries, "https://other@h/team/shop"), pair("other", "3"));
        assert_eq!(found(&entries, "https://nobody@h/team/shop"), None);
        assert_eq!(found(&entries, "https://elsewhere/team/shop"), None);
    }

    #[test]
    fn a_star_is_any_user_of_the_url() {
        let entries = [entry("h", None, Some("*"), "1")];
        assert_eq!(found(&entries, "https://me@h/a"), pair("me", "1"));
        assert_eq!(found(&entries, "https://h/a"), None);
        assert_eq!(found(&[entry("h", None, None, "1")], "https://me@h/a"), pair("me", "1"));
        assert_eq!(found(&[entry("h", None, None, "1")], "https://h/a"), None);
    }

    #[test]
    fn all_hosts_are_for_ssh_only() {
        let mut any = entry("*", None, Some("git"), "1");
        any.ssh_key = Some("key".into());
        let key = |url: &str| ssh_key(std::slice::from_ref(&any), &GitUrl::parse(url).unwrap());
        assert_eq!(key("git@h.x:a").map(|key| key.file), Some("key".into()));
        assert_eq!(key("ssh://h/a").and_then(|key| key.username).as_deref(), Some("git"));
        assert_eq!(key("other@h.x:a"), None);
        assert_eq!(found(&[any], "https://h/a"), None);
    }

    #[test]
    fn a_key_needs_no_user() {
        let entry = GitCredentials { host: "h.x".into(), ssh_key: Some("key".into()), ..GitCredentials::default() };
        let key = ssh_key(std::slice::from_ref(&entry), &GitUrl::parse("me@h.x:a").unwrap());
        assert_eq!(key.unwrap().username.as_deref(), Some("me"));
    }

    #[test]
    fn certificates_need_no_login() {
        let entry = GitCredentials { host: "h".into(), ca: Some("ca.pem".into()), ..GitCredentials::default() };
        let entries = [entry];
        assert!(ca(&entries, &GitUrl::parse("https://h/a").unwrap()).is_some());
        assert!(ca(&entries, &GitUrl::parse("https://g/a").unwrap()).is_none());
    }

    #[test]
    fn a_login_in_the_url_wins() {
        let entries = [entry("h", None, Some("me"), "1")];
        assert_eq!(found(&entries, "https://me:p%40ss@h/a"), pair("me", "p@ss"));
    }

    #[test]
    fn secrets_do_not_show() {
        let entry = entry("h", None, Some("me"), "s3cret");
        assert!(!format!("{entry:?}").contains("s3cret"));
        let login = login(&[entry], &GitUrl::parse("https://h/a").unwrap()).unwrap();
        assert!(!format!("{login:?}").contains("s3cret"));
    }
}
