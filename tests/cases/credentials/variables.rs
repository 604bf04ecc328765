//! Logins of numbered variables, and tokens that are exchanged.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use windlass_tests::{Answer, Registry, TestProject};

use super::{PASSWORD, USER, assert_found, assert_refused, image_project, render};

/// With variables, where `[R]` stands for the registry.
fn with(project: &TestProject, registry: &Registry, variables: &[(&str, &str)]) -> Answer {
    render(project, |command| {
        for (name, value) in variables {
            command.env(name, value.replace("[R]", &registry.address()));
        }
    })
}

fn closed() -> (Registry, TestProject) {
    let registry = Registry::start_with_auth(USER, PASSWORD).expect("a registry");
    registry.push_images("team/web", &["1.0", "1.1"]).expect("pushed");
    let project = image_project(&format!("{}/team/web", registry.address()));
    (registry, project)
}

#[test]
fn the_first_set_that_covers_the_repository_is_used() {
    let (registry, project) = closed();
    let others = [
        ("KLUCTL_REGISTRY_0_HOST", "other.example"),
        ("KLUCTL_REGISTRY_0_USERNAME", "nobody"),
        ("KLUCTL_REGISTRY_0_PASSWORD", "s3cret-other"),
        ("KLUCTL_REGISTRY_1_HOST", "[R]"),
        ("KLUCTL_REGISTRY_1_REPOSITORY", "web/*"),
        ("KLUCTL_REGISTRY_1_USERNAME", "nobody"),
        ("KLUCTL_REGISTRY_1_PASSWORD", "s3cret-other"),
        ("KLUCTL_REGISTRY_10_HOST", "[R]"),
        ("KLUCTL_REGISTRY_10_USERNAME", "nobody"),
        ("KLUCTL_REGISTRY_10_PASSWORD", "s3cret-other"),
    ];
    let own = [
        ("KLUCTL_REGISTRY_2_HOST", "[R]"),
        ("KLUCTL_REGISTRY_2_REPOSITORY", "team/*"),
        ("KLUCTL_REGISTRY_2_USERNAME", USER),
        ("KLUCTL_REGISTRY_2_PASSWORD", PASSWORD),
    ];
    assert_found(&with(&project, &registry, &[&others[..], &own[..]].concat()), "team/web:1.1");
    let refused = with(&project, &registry, &others);
    assert_refused(&refused, &["(401): tried the credentials of KLUCTL_REGISTRY_10_*"]);
    let own_prefix = [("WINDLASS_REGISTRY_10_USERNAME", USER), ("WINDLASS_REGISTRY_10_PASSWORD", PASSWORD)];
    assert_found(&with(&project, &registry, &[&others[..], &own_prefix[..]].concat()), "team/web:1.1");
}

#[test]
fn a_set_without_number_and_a_whole_name_in_place_of_a_host() {
    let (registry, project) = closed();
    let login = [("KLUCTL_REGISTRY_USERNAME", USER), ("KLUCTL_REGISTRY_PASSWORD", PASSWORD)];
    for place in [("KLUCTL_REGISTRY_REPOSITORY", "[R]/team/web"), ("KLUCTL_REGISTRY_HOST", "[R]")] {
        assert_found(&with(&project, &registry, &[&login[..], &[place]].concat()), "team/web:1.1");
    }
    let elsewhere =
        with(&project, &registry, &[&login[..], &[("KLUCTL_REGISTRY_REPOSITORY", "[R]/team/other")]].concat());
    assert_refused(&elsewhere, &["no credentials are configured, tried anonymously"]);
}

#[test]
fn variables_that_say_nothing_useful_are_named_but_not_shown() {
    let (registry, project) = closed();
    let host = ("KLUCTL_REGISTRY_3_HOST", "[R]");
    let auth = with(&project, &registry, &[host, ("KLUCTL_REGISTRY_3_AUTH", "s3cret-no-base64")]);
    assert_refused(&auth, &["KLUCTL_REGISTRY_3_AUTH", "must be base64 of `user:password`"]);
    let switch = with(&project, &registry, &[host, ("KLUCTL_REGISTRY_3_TLSVERIFY", "s3cret")]);
    assert_refused(&switch, &["KLUCTL_REGISTRY_3_TLSVERIFY", "must be a boolean"]);
}

/// A registry with tokens and TLS, and the variables that trust it.
fn with_tokens() -> (Registry, TestProject, String) {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    registry.push_images("team/web", &["1.0", "1.1"]).expect("pushed");
    let project = image_project(&format!("{}/team/web", registry.address()));
    let authority = registry.authority_file().expect("an authority").display().to_string();
    (registry, project, authority)
}

fn kinds(registry: &Registry) -> BTreeSet<(&'static str, bool)> {
    registry.token_requests().into_iter().map(|request| (request.kind, request.granted)).collect()
}

#[test]
fn identity_tokens_are_exchanged() {
    let (registry, project, authority) = with_tokens();
    let trusted = [("KLUCTL_REGISTRY_1_HOST", "[R]"), ("KLUCTL_REGISTRY_1_CA_FILE", authority.as_str())];
    let variable = ("KLUCTL_REGISTRY_1_IDENTITY_TOKEN", PASSWORD);
    assert_found(&with(&project, &registry, &[&trusted[..], &[variable]].concat()), "team/web:1.1");
    assert_eq!(kinds(&registry), [("refresh", true)].into());
    let wrong = ("KLUCTL_REGISTRY_1_IDENTITY_TOKEN", "s3cret-wrong");
    let refused = with(&project, &registry, &[&trusted[..], &[wrong]].concat());
    assert_refused(&refused, &["refused access", "(401): tried the credentials of KLUCTL_REGISTRY_1_*"]);
    assert_eq!(kinds(&registry), [("refresh", false), ("refresh", true)].into());
}

#[test]
fn identity_tokens_of_dockers_file_are_exchanged_and_refused_ones_not_tried_twice() {
    let (registry, project, authority) = with_tokens();
    let folder = project.work().join("docker");
    fs::create_dir(&folder).expect("a folder");
    let place = folder.display().to_string();
    let trusted = [
        ("KLUCTL_REGISTRY_1_HOST", "[R]"),
        ("KLUCTL_REGISTRY_1_CA_FILE", authority.as_str()),
        ("DOCKER_CONFIG", place.as_str()),
    ];
    for (token, granted) in [(PASSWORD, true), ("s3cret-wrong", false)] {
        let config = json!({ "auths": { registry.address(): { "identitytoken": token } } });
        fs::write(folder.join("config.json"), config.to_string()).expect("a file");
        registry.forget_requests();
        let answer = with(&project, &registry, &trusted);
        match granted {
            true => assert_found(&answer, "team/web:1.1"),
            false => assert_refused(&answer, &["tried the credentials of `127.0.0.1:", "config.json`"]),
        }
        let requests: Vec<_> = registry.token_requests().into_iter().map(|r| (r.kind, r.granted)).collect();
        assert_eq!(requests, [("refresh", granted)]);
    }
}

#[test]
fn passwords_go_to_the_token_service_and_wrong_authorities_get_none() {
    let (registry, project, authority) = with_tokens();
    let login = [
        ("KLUCTL_REGISTRY_1_HOST", "[R]"),
        ("KLUCTL_REGISTRY_1_USERNAME", USER),
        ("KLUCTL_REGISTRY_1_PASSWORD", PASSWORD),
    ];
    let trusted = [&login[..], &[("KLUCTL_REGISTRY_1_CA_FILE", authority.as_str())]].concat();
    assert_found(&with(&project, &registry, &trusted), "team/web:1.1");
    assert_eq!(kinds(&registry), [("basic", true)].into());
    registry.forget_requests();
    let untrusted = with(&project, &registry, &login);
    assert_refused(&untrusted, &["TLS with registry `", "KLUCTL_REGISTRY_<n>_CA_FILE", "TLSVERIFY=0"]);
    assert_eq!(kinds(&registry), BTreeSet::new());
    let unverified = [&login[..], &[("KLUCTL_REGISTRY_1_TLSVERIFY", "0")]].concat();
    assert_found(&with(&project, &registry, &unverified), "team/web:1.1");
}
