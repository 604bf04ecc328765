//! The key that identifies a repository whatever the transport (spec 01 section 11.1).

use url::Url;

/// `git://host[:port]/path`, lower case, without default port, `.git` and trailing slash.
///
/// `None` when the text is no URL of a git server (a local path, say).
pub fn repo_key(remote: &str) -> Option<String> {
    let url = parse(remote)?;
    let host = url.host_str()?.to_lowercase();
    let port = match (url.port(), url.scheme()) {
        (None | Some(22), _) | (Some(80), "http") | (Some(443), "https") => String::new(),
        (Some(port), _) => format!(":{port}"),
    };
    let path = url.path().to_lowercase();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_matches('/');
    Some(format!("git://{host}{port}/{path}"))
}

/// Takes the scp form `[user@]host:[port:]path` for what it means.
fn parse(remote: &str) -> Option<Url> {
    if remote.contains("://") {
        return Url::parse(remote).ok().filter(|url| url.scheme() != "file");
    }
    let (host, path) = remote.split_once(':')?;
    if host.contains('/') || host.len() < 2 {
        return None;
    }
    let (port, path) = match path.split_once(':') {
        Some((port, path)) if port.bytes().all(|b| b.is_ascii_digit()) => (format!(":{port}"), path),
        _ => (String::new(), path),
    };
    Url::parse(&format!("ssh://{host}{port}/{}", path.trim_start_matches('/'))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_repository_have_one_key() {
        for remote in [
            "https://git.example.com/Team/shop.git",
            "https://user@GIT.example.com:443/team/shop/",
            "ssh://git@git.example.com:22/team/shop.git",
            "git@git.example.com:team/shop.git",
            "git.example.com:22:team/shop",
        ] {
            assert_eq!(repo_key(remote).as_deref(), Some("git://git.example.com/team/shop"), "{remote}");
        }
    }

    #[test]
    fn other_ports_stay() {
        assert_eq!(repo_key("http://h:8080/a.git").as_deref(), Some("git://h:8080/a"));
        assert_eq!(repo_key("git@h:2222:a/b").as_deref(), Some("git://h:2222/a/b"));
    }

    #[test]
    fn local_paths_have_no_key() {
        for remote in ["/srv/git/a.git", "../a", "file:///srv/a.git", "C:/a", ""] {
            assert_eq!(repo_key(remote), None, "{remote}");
        }
    }
}
