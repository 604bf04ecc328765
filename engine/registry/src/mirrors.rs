//! Mirrors: other places that are asked before a registry itself.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::error::RegistryError;
use crate::repository::{Repository, canonical_host};
use crate::settings::Mirrors;

/// Which mirrors there are, and which of them turned out not to work.
#[derive(Default)]
pub(crate) struct MirrorList {
    mirrors: Vec<Mirrors>,
    unreachable: Mutex<HashSet<String>>,
}

impl MirrorList {
    pub(crate) fn new(mirrors: Vec<Mirrors>) -> Self {
        Self { mirrors, unreachable: Mutex::default() }
    }

    /// The repository's name at each mirror of the first entry for its host.
    pub(crate) fn places(&self, repository: &Repository) -> Result<Vec<Repository>, RegistryError> {
        let covers = |host: &str| host == "*" || canonical_host(host) == repository.host();
        let Some(entry) = self.mirrors.iter().find(|entry| covers(&entry.host) && !entry.places.is_empty()) else {
            return Ok(Vec::new());
        };
        let named = entry.places.iter().map(|place| {
            let name = format!("{}/{}", place.trim_end_matches('/'), repository.path());
            Repository::parse_at_host(&name).map_err(|error| RegistryError::Settings {
                host: repository.host().to_owned(),
                origin: entry.origin.clone(),
                reason: format!("the mirror `{place}` cannot be used: {error}"),
            })
        });
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(named.into_iter().filter(|mirror| !unreachable.contains(mirror.host())).collect())
    }

    /// A mirror failed. One that cannot be reached is not asked again.
    pub(crate) fn failed(&self, mirror: &Repository, error: &RegistryError) {
        tracing::debug!(%mirror, %error, "the mirror does not help");
        let unreachable = matches!(
            error,
            RegistryError::Connect { .. }
                | RegistryError::Timeout { .. }
                | RegistryError::Tls { .. }
                | RegistryError::UnknownHost { .. }
                | RegistryError::Throttled { .. }
        );
        if unreachable {
            self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).insert(mirror.host().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(host: &str, places: &[&str]) -> MirrorList {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        MirrorList::new(vec![Mirrors { origin: "set 1".into(), host: host.into(), places }])
    }

    fn places(list: &MirrorList, image: &str) -> Vec<String> {
        let places = list.places(&Repository::parse(image).unwrap()).unwrap();
        places.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mirrors_are_named_in_order() {
        let list = list("docker.io", &["mirror.example", "cache.example:5000/hub/"]);
        assert_eq!(places(&list, "nginx"), ["mirror.example/library/nginx", "cache.example:5000/hub/library/nginx"]);
        assert_eq!(places(&list, "other.example/ab"), [""; 0]);
    }

    #[test]
    fn unreachable_mirrors_are_left_out() {
        let list = list("*", &["a.example", "b.example"]);
        let mirror = Repository::parse("a.example/x/y").unwrap();
        list.failed(&mirror, &RegistryError::RepositoryNotFound { repository: String::new(), message: String::new() });
        assert_eq!(places(&list, "r.example/ab").len(), 2);
        list.failed(&mirror, &RegistryError::Connect { host: String::new(), reason: String::new() });
        assert_eq!(places(&list, "r.example/ab"), ["b.example/ab"]);
    }

    #[test]
    fn unusable_mirrors_are_errors() {
        for place in ["https://mirror.example", "", "mirror", "mirror.example/Upper"] {
            let error = list("*", &[place]).places(&Repository::parse("r.example/ab").unwrap()).unwrap_err();
            assert!(matches!(&error, RegistryError::Settings { origin, .. } if origin == "set 1"), "{place}: {error}");
        }
    }
}
