//! Repository names such as `reg.example:5000/shop/web`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use windlass_model::image_name::{self, is_host};

pub(crate) use windlass_model::image_name::canonical_host;

/// Host and path of a repository; Docker Hub's short forms written out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: String,
    path: String,
}

/// A text that names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// A scheme in front.
    #[error("image '{image}' should not include URL scheme; remove '{scheme}://'")]
    Scheme {
        /// The text.
        image: String,
        /// The scheme.
        scheme: String,
    },
    /// A character that paths do not have, which includes the signs before tags and digests.
    #[error("repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: {0}")]
    Characters(String),
    /// Too short or too long.
    #[error("repository must be between 2 and 255 characters in length: {0}")]
    Length(String),
    /// `a//b`, `a/`.
    #[error("repository has an empty part: {0}")]
    EmptyPart(String),
    /// A host no request could go to.
    #[error("`{0}` is not a valid registry host")]
    Host(String),
}

impl Repository {
    /// Parses a name without tag and digest.
    pub fn parse(image: &str) -> Result<Self, RepositoryError> {
        if let Some((scheme, _)) = image.split_once("://") {
            return Err(RepositoryError::Scheme { image: image.to_owned(), scheme: scheme.to_owned() });
        }
        let (host, path) = image_name::canonical(image);
        // As written: what is wrong is quoted.
        check_path(image.split_once('/').filter(|(first, _)| is_host(first)).map_or(image, |(_, path)| path))?;
        if url::Url::parse(&format!("https://{host}/"))
            .map_or(true, |url| url.host().is_none() || !url.username().is_empty())
        {
            return Err(RepositoryError::Host(host));
        }
        Ok(Self { host, path })
    }

    /// As [`Self::parse`], for names whose first part is meant as host.
    pub(crate) fn parse_at_host(image: &str) -> Result<Self, RepositoryError> {
        match image.split_once('/') {
            Some((host, _)) if image.contains("://") || is_host(host) => Self::parse(image),
            Some((host, _)) => Err(RepositoryError::Host(host.to_owned())),
            None => Err(RepositoryError::Host(image.to_owned())),
        }
    }

    /// Host with port; Docker Hub is `index.docker.io`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, such as `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the host may be asked over plain HTTP when HTTPS does not answer.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.host)
    }
}

/// `host/path`.
impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl FromStr for Repository {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        Self::parse(text)
    }
}

fn check_path(path: &str) -> Result<(), RepositoryError> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c);
    if !path.chars().all(known) {
        return Err(RepositoryError::Characters(path.to_owned()));
    }
    if !(2..=255).contains(&path.len()) {
        return Err(RepositoryError::Length(path.to_owned()));
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(RepositoryError::EmptyPart(path.to_owned()));
    }
    Ok(())
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if name == "localhost" || name.ends_with(".localhost") || name.ends_with(".local") {
        return true;
    }
    match name.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(image: &str) -> String {
        Repository::parse(image).unwrap().to_string()
    }

    #[test]
    fn docker_hub_is_the_default() {
        for image in
            ["alpine", "library/alpine", "docker.io/alpine", "index.docker.io/library/alpine", "Docker.io/alpine"]
        {
            assert_eq!(full(image), "index.docker.io/library/alpine", "{image}");
        }
        assert_eq!(full("me/app"), "index.docker.io/me/app");
    }

    #[test]
    fn hosts_have_a_dot_a_port_or_are_localhost() {
        assert_eq!(full("localhost/ab"), "localhost/ab");
        assert_eq!(full("reg:5000/a/b-c_d.e"), "reg:5000/a/b-c_d.e");
        assert_eq!(full("[::1]:5000/ab"), "[::1]:5000/ab");
        assert_eq!(full("Reg.Example/ab"), "reg.example/ab");
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        for (image, wanted) in [
            (
                "https://reg.example/ab",
                "image 'https://reg.example/ab' should not include URL scheme; remove 'https://'",
            ),
            (
                "reg.example/ab:1",
                "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: ab:1",
            ),
            ("reg.example/ab@sha256:0", "`: ab@sha256:0"),
            ("Bad Name", "`: Bad Name"),
            ("alpine:3", "`: alpine:3"),
            ("", "between 2 and 255"),
            ("reg.example/a", "between 2 and 255"),
            ("reg.example/ab/", "empty part"),
            ("reg.example/ab//c", "empty part"),
            ("reg.example/ab/../c", "empty part"),
            ("reg.example:port/ab", "`reg.example:port` is not a valid registry host"),
            ("user@reg.example/ab", "`user@reg.example` is not a valid registry host"),
        ] {
            let error = Repository::parse(image).unwrap_err().to_string();
            assert!(error.contains(wanted), "{image}: {error}");
        }
        assert!(Repository::parse(&format!("reg.example/{}", "a".repeat(256))).is_err());
    }

    #[test]
    fn only_local_hosts_may_fall_back_to_http() {
        for host in [
            "localhost:5000",
            "127.0.0.1:5000",
            "10.1.2.3",
            "192.168.0.1:80",
            "172.16.0.1",
            "reg.local",
            "a.localhost",
            "[::1]:5000",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["reg.example", "8.8.8.8", "172.32.0.1", "localhost.example", "[2001:db8::1]:80"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
