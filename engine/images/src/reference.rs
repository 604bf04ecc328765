//! Image texts such as `reg.example:5000/shop/web:1.4@sha256:…`, as far as decisions need them.

use windlass_model::image_name::canonical;

/// Repository and tag or digest of an image text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageText<'a> {
    /// Everything before tag and digest, as written.
    pub repository: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, such as `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> ImageText<'a> {
    /// Splits a text; never fails.
    pub fn split(image: &'a str) -> Self {
        let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
        let path = name.rfind('/').map_or(0, |slash| slash + 1);
        match name[path..].find(':') {
            Some(colon) => {
                let (repository, tag) = name.split_at(path + colon);
                Self { repository, tag: Some(&tag[1..]), digest }
            }
            None => Self { repository: name, tag: None, digest },
        }
    }
}

/// Whether two image texts name the same repository.
pub fn same_repository(a: &str, b: &str) -> bool {
    canonical(ImageText::split(a).repository) == canonical(ImageText::split(b).repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        let image = ImageText::split("localhost:5000/a/b:1.0@sha256:00");
        assert_eq!((image.repository, image.tag, image.digest), ("localhost:5000/a/b", Some("1.0"), Some("sha256:00")));
        assert_eq!(ImageText::split("localhost:5000/a").tag, None);
        assert_eq!(ImageText::split("nginx:1").repository, "nginx");
    }

    #[test]
    fn docker_hub_has_many_names() {
        for name in ["nginx", "library/nginx:1", "docker.io/nginx", "index.docker.io/library/nginx@sha256:00"] {
            assert!(same_repository(name, "docker.io/library/nginx"), "{name}");
        }
        for (a, b) in [("nginx", "me/nginx"), ("reg.example/nginx", "nginx"), ("a.b/x:1", "a.b:443/x:1")] {
            assert!(!same_repository(a, b), "{a} {b}");
        }
    }
}
