//! Names of image repositories: which part is the registry's host, and the many names of Docker Hub.
//!
//! Says nothing about which names are valid.

/// The host that stands for all of Docker Hub's.
pub const DOCKER_HUB: &str = "index.docker.io";

/// Whether the first part of a name is a host.
pub fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':'])
}

/// Lower case, and one name for Docker Hub.
pub fn canonical_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => DOCKER_HUB.to_owned(),
        _ => host,
    }
}

/// Host and path of a name without tag and digest, with Docker Hub's host and `library/` written out.
pub fn canonical(name: &str) -> (String, String) {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (canonical_host(host), path),
        _ => (DOCKER_HUB.to_owned(), name),
    };
    let library = if host == DOCKER_HUB && !path.contains('/') { "library/" } else { "" };
    (host, format!("{library}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_written_out() {
        for (name, host, path) in [
            ("nginx", DOCKER_HUB, "library/nginx"),
            ("me/app", DOCKER_HUB, "me/app"),
            ("Docker.io/nginx", DOCKER_HUB, "library/nginx"),
            ("registry-1.docker.io/library/nginx", DOCKER_HUB, "library/nginx"),
            ("Reg.Example/nginx", "reg.example", "nginx"),
            ("localhost/a/b", "localhost", "a/b"),
            ("reg:5000/a", "reg:5000", "a"),
        ] {
            assert_eq!(canonical(name), (host.to_owned(), path.to_owned()), "{name}");
        }
    }
}
