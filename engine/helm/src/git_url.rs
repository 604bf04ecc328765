//! Addresses of git repositories, as far as charts need them: scheme, host, port, path.

use url::Url;

/// A git address in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitUrl {
    /// The text as written.
    pub text: String,
    /// `https`, `http`, `ssh`, `git+ssh` or `git`.
    pub scheme: String,
    /// Lower-cased.
    pub host: String,
    /// When it is not the scheme's default.
    pub port: Option<u16>,
    /// Lower-cased, without `.git`, leading and trailing slash.
    pub path: String,
}

impl GitUrl {
    /// Reads an address; the error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = match text.contains("://") {
            true => Url::parse(text),
            false => Url::parse(&from_scp(text).ok_or_else(|| refused(text))?),
        };
        let url = url.map_err(|error| format!("invalid git url `{text}`: {error}"))?;
        match url.scheme() {
            "https" | "http" | "ssh" | "git+ssh" | "git" => {}
            "file" => return Err(refused(text)),
            scheme => return Err(format!("transport: unsupported scheme \"{scheme}\"")),
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refused(text))?;
        Ok(Self {
            text: text.to_owned(),
            scheme: url.scheme().to_owned(),
            host: host.to_lowercase(),
            port: url.port().filter(|port| Some(*port) != default_port(url.scheme())),
            path: normal_path(url.path()),
        })
    }
}

fn refused(text: &str) -> String {
    format!("file:// protocol is not supported: {text}")
}

/// `[user@]host:path` and `[user@]host:port:path`.
fn from_scp(text: &str) -> Option<String> {
    let (host, rest) = text.split_once(':')?;
    if host.is_empty() || host.contains('/') {
        return None;
    }
    match rest.split_once(':') {
        Some((port, path)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("ssh://{host}:{port}/{}", path.trim_start_matches('/')))
        }
        _ => Some(format!("ssh://{host}/{}", rest.trim_start_matches('/'))),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "ssh" | "git" | "git+ssh" => Some(22),
        _ => None,
    }
}

fn normal_path(path: &str) -> String {
    let path = path.to_lowercase();
    let path = path.strip_suffix('/').unwrap_or(&path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Option<u16>, String) {
        let GitUrl { scheme, host, port, path, .. } = GitUrl::parse(text).unwrap();
        (scheme, host, port, path)
    }

    fn wanted(scheme: &str, host: &str, port: Option<u16>, path: &str) -> (String, String, Option<u16>, String) {
        (scheme.to_owned(), host.to_owned(), port, path.to_owned())
    }

    #[test]
    fn addresses_are_normalised() {
        assert_eq!(
            parts("https://Git.Example.com/Ops/Charts.git"),
            wanted("https", "git.example.com", None, "ops/charts")
        );
        assert_eq!(parts("https://a:443/b/"), wanted("https", "a", None, "b"));
        assert_eq!(parts("http://a:8080/b"), wanted("http", "a", Some(8080), "b"));
        assert_eq!(parts("ssh://git@a:22/b"), wanted("ssh", "a", None, "b"));
        assert_eq!(parts("git@git.example.com:ops/charts"), wanted("ssh", "git.example.com", None, "ops/charts"));
        assert_eq!(parts("a:2222:b/c"), wanted("ssh", "a", Some(2222), "b/c"));
    }

    #[test]
    fn local_paths_and_other_schemes_are_refused() {
        for text in ["", "/a/b", "./a", "file:///a", "a/b:c"] {
            assert_eq!(GitUrl::parse(text).unwrap_err(), format!("file:// protocol is not supported: {text}"));
        }
        assert_eq!(GitUrl::parse("ftp://a/b").unwrap_err(), "transport: unsupported scheme \"ftp\"");
    }
}
