//! Mirrors: asked in order before the registry itself, without its credentials.

use windlass_registry::{Mirrors, OciRegistry, Registry as _, RegistryCredentials, RegistrySettings, Repository};
use windlass_tests::registry_client::{basic, repository, settings, wait};
use windlass_tests::{Quirks, Registry};

const PASSWORD: &str = "canary";

/// The registry itself wants a password.
fn origin() -> Registry {
    let registry = Registry::start_with_auth("user", PASSWORD).expect("a registry");
    registry.push_images("team/web", &["1", "2"]).expect("pushed");
    registry
}

fn client(origin: &Registry, places: Vec<String>) -> OciRegistry {
    let host = origin.address();
    let entry = RegistryCredentials {
        origin: "the test's entry".to_owned(),
        host: host.clone(),
        login: Some(basic("user", PASSWORD)),
        ..RegistryCredentials::default()
    };
    let mirrors = vec![Mirrors { origin: "the test's mirrors".to_owned(), host, places }];
    OciRegistry::new(RegistrySettings { credentials: vec![entry], mirrors, ..settings() })
}

fn tags(client: &OciRegistry, repository: &Repository) -> Vec<String> {
    wait(client.list_tags(repository)).expect("a list").tags().to_vec()
}

#[test]
fn the_first_mirror_that_answers_is_enough() {
    let (origin, empty, full) = (origin(), Registry::start().expect("one"), Registry::start().expect("two"));
    full.push_images("hub/team/web", &["1", "2", "3"]).expect("pushed");
    let client = client(&origin, vec![empty.address(), format!("{}/hub", full.address())]);
    let repository = repository(&origin, "team/web");
    assert_eq!(tags(&client, &repository), ["1", "2", "3"]);
    let digest = wait(client.manifest(&repository, "3")).expect("a digest").digest;
    assert!(digest.starts_with("sha256:"));
    assert_eq!(origin.requests(), []);
    assert!(!empty.requests().is_empty());
    let strangers = empty.requests().into_iter().chain(full.requests());
    assert!(strangers.into_iter().all(|request| !request.authorized), "the registry's password stays with it");
}

#[test]
fn the_registry_itself_is_the_last_resort() {
    let (origin, broken) = (origin(), Registry::start().expect("a mirror"));
    broken.set_quirks(Quirks { cut_after: Some(1), ..Quirks::default() });
    let dead = "127.0.0.1:1".to_owned();
    let client = client(&origin, vec![dead, broken.address()]);
    assert_eq!(tags(&client, &repository(&origin, "team/web")), ["1", "2"]);
    broken.forget_requests();
    assert!(wait(client.manifest(&repository(&origin, "team/web"), "1")).is_ok());
    assert_eq!(broken.requests(), [], "a mirror that cannot be talked to is not asked again");
}

#[test]
fn the_registrys_own_error_is_told() {
    let (origin, mirror) = (origin(), Registry::start().expect("a mirror"));
    let client = client(&origin, vec![mirror.address()]);
    let error = wait(client.list_tags(&repository(&origin, "team/none"))).expect_err("no such repository");
    assert!(error.to_string().contains(&format!("{}/team/none", origin.address())), "{error}");
}
