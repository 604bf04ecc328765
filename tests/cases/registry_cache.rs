//! Tag lists on disk: when they are used, who may use them, and what must never be in them.

use std::path::Path;
use std::time::Duration;

use windlass_registry::{CacheSettings, Login, OciRegistry, Registry as _, RegistrySettings};
use windlass_tests::registry_client::{basic, repository, settings_with, wait};
use windlass_tests::{Quirks, Registry};

const CANARY: &str = "canary-2f7c";

fn registry() -> Registry {
    let registry = Registry::start_with_tokens("user", CANARY).expect("a registry");
    registry.push_images("team/web", &["1.0", "1.1", "2.0"]).expect("pushed");
    registry
}

fn settings(registry: &Registry, folder: &Path, ttl: Duration, login: Option<Login>) -> RegistrySettings {
    let cache = CacheSettings { folder: folder.to_owned(), ttl };
    RegistrySettings { cache: Some(cache), ..settings_with(registry.authority_file(), login) }
}

/// Lists in a run of its own; answers the list, or the error's every form.
fn list(registry: &Registry, settings: RegistrySettings) -> Result<Vec<String>, String> {
    let client = OciRegistry::new(settings);
    let list = wait(client.list_tags(&repository(registry, "team/web")));
    list.map(|list| list.tags().to_vec()).map_err(|error| format!("{error} {error:?}"))
}

fn statuses(registry: &Registry) -> Vec<u16> {
    let pages = registry.requests().into_iter().filter(|request| request.path.ends_with("/tags/list"));
    let statuses = pages.map(|request| request.status).collect();
    registry.forget_requests();
    statuses
}

#[test]
fn a_fresh_list_costs_no_request_and_a_stale_one_no_body() {
    let registry = registry();
    registry.set_quirks(Quirks { only: "/tags/".to_owned(), page_size: Some(2), etags: true, ..Quirks::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let login = || Some(basic("user", CANARY));
    let run = |ttl| list(&registry, settings(&registry, folder.path(), Duration::from_secs(ttl), login()));
    for (ttl, wanted) in [(60, vec![200, 200]), (60, vec![]), (0, vec![304, 304])] {
        assert_eq!(run(ttl).expect("a list"), ["1.0", "1.1", "2.0"]);
        assert_eq!(statuses(&registry), wanted, "ttl {ttl}");
    }
    registry.push_image("team/web", "3.0").expect("pushed");
    assert_eq!(run(60).expect("a list").len(), 3, "still fresh");
    assert_eq!(run(0).expect("a list"), ["1.0", "1.1", "2.0", "3.0"]);
    assert_eq!(statuses(&registry), [304, 200]);
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let registry = registry();
    for _ in 0..2 {
        let settings = settings_with(registry.authority_file(), Some(basic("user", CANARY)));
        assert_eq!(list(&registry, settings).expect("a list").len(), 3);
        assert_eq!(statuses(&registry), [200]);
    }
}

#[test]
fn one_identity_does_not_see_what_another_has_kept() {
    let registry = registry();
    let folder = tempfile::tempdir().expect("a folder");
    let long = Duration::from_secs(3600);
    let run = |login| list(&registry, settings(&registry, folder.path(), long, login));
    assert_eq!(run(Some(basic("user", CANARY))).expect("a list").len(), 3);
    for stranger in [None, Some(basic("user", "wrong")), Some(basic("other", CANARY)), Some(Login::Bearer("x".into()))]
    {
        let error = run(stranger).expect_err("a private repository");
        assert!(error.contains("refused access"), "{error}");
    }
}

#[test]
fn credentials_are_in_no_file_and_no_error() {
    let registry = registry();
    let folder = tempfile::tempdir().expect("a folder");
    let zero = Duration::ZERO;
    let mut said = String::new();
    let logins = [basic("user", CANARY), Login::Identity(CANARY.into()), Login::Bearer(CANARY.into())];
    let faults = [
        Quirks::default(),
        Quirks { server_errors: Some((99, 500)), ..Quirks::default() },
        Quirks { too_many_requests: 99, retry_after: Some("3600".to_owned()), ..Quirks::default() },
        Quirks { cut_after: Some(3), ..Quirks::default() },
        Quirks { body: Some(b"{".to_vec()), ..Quirks::default() },
        Quirks { redirect_to: Some("127.0.0.1:1".to_owned()), ..Quirks::default() },
    ];
    for login in logins {
        for fault in &faults {
            registry.set_quirks(Quirks { only: "/tags/".to_owned(), ..fault.clone() });
            let settings = settings(&registry, folder.path(), zero, Some(login.clone()));
            said.push_str(&format!("{settings:?}"));
            match list(&registry, settings) {
                Ok(tags) => assert_eq!(tags.len(), 3),
                Err(error) => said.push_str(&error),
            }
        }
    }
    let files: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").flatten().collect();
    assert_eq!(files.len(), 2, "of the password and of the identity token");
    for file in files {
        said.push_str(&file.file_name().to_string_lossy());
        said.push_str(&std::fs::read_to_string(file.path()).expect("text"));
    }
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("user:{CANARY}"));
    for secret in [CANARY, encoded.as_str(), "eyJ"] {
        assert!(!said.contains(secret), "{secret}");
    }
    assert!(said.contains("refused access") && said.contains("1.1"), "something was said and kept");
}
