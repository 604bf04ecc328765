//! Listing from the real distribution registry: TLS by an own authority, tokens, pages; and what requests that takes.

use futures::future::{join_all, try_join_all};
use windlass_registry::{Login, Manifest, OciRegistry, Platform, Registry as _, RegistryError, Repository};
use windlass_tests::registry_client::{basic, client, repository, settings, settings_with, wait};
use windlass_tests::servers::{Limit, TokenRequest, TokenUses};
use windlass_tests::{Quirks, Registry};

const USER: &str = "user";
const PASSWORD: &str = "pass:word";

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("v1.{n}.0")).collect()
}

fn push(registry: &Registry, path: &str, tags: &[String]) {
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    registry.push_images(path, &tags).expect("pushed");
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags
}

/// The paths and queries that were asked for.
fn asked(registry: &Registry) -> Vec<String> {
    let line = |request: &windlass_tests::servers::RegistryRequest| {
        format!("{} {}?{} {}", request.method, request.path, request.query, request.status)
    };
    registry.requests().iter().map(line).collect()
}

#[test]
fn tokens_tls_and_pages_of_the_distribution_registry() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    let tags = names(1300);
    push(&registry, "team/web", &tags);
    let client = client(&registry, Some(basic(USER, PASSWORD)));
    let repository = repository(&registry, "team/web");
    let list = wait(client.list_tags(&repository)).expect("a list");
    assert_eq!(list.tags(), sorted(tags));
    assert_eq!(
        asked(&registry),
        [
            "GET /v2/? 401".to_owned(),
            "GET /v2/team/web/tags/list?n=1000 200".to_owned(),
            format!("GET /v2/team/web/tags/list?last={}&n=1000 200", list.tags()[999]),
        ]
    );
    let scope = "repository:team/web:pull".to_owned();
    assert_eq!(registry.token_requests(), [TokenRequest { kind: "basic", scope, granted: true }]);
}

#[test]
fn tls_of_the_registry_itself_is_verified_by_its_authority_only() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    push(&registry, "team/web", &names(3));
    let direct = registry.direct_address().expect("TLS of its own");
    let repository = Repository::parse(&format!("{direct}/team/web")).expect("a repository");
    let list = wait(client(&registry, Some(basic(USER, PASSWORD))).list_tags(&repository)).expect("a list");
    assert_eq!(list.tags().len(), 3);
    let stranger = OciRegistry::new(settings_with(None, Some(basic(USER, PASSWORD))));
    let error = wait(stranger.list_tags(&repository)).expect_err("an unknown authority");
    let text = error.to_string();
    assert!(matches!(error, RegistryError::Tls { .. }), "{text}");
    assert!(text.contains("_TLSVERIFY=0") && text.contains("_CA_FILE") && !text.contains(PASSWORD), "{text}");
    let mut careless = settings_with(None, Some(basic(USER, PASSWORD)));
    careless.credentials[0].tls.verify = Some(false);
    assert_eq!(wait(OciRegistry::new(careless).list_tags(&repository)).expect("a list").tags().len(), 3);
}

#[test]
fn an_identity_token_is_exchanged() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    push(&registry, "team/web", &names(2));
    let client = client(&registry, Some(Login::Identity(PASSWORD.into())));
    let list = wait(client.list_tags(&repository(&registry, "team/web"))).expect("a list");
    assert_eq!(list.tags().len(), 2);
    assert_eq!(registry.token_requests()[0].kind, "refresh");
}

#[test]
fn a_refused_login_is_tried_once_for_all_repositories() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    let client = client(&registry, Some(basic(USER, "wrong-canary")));
    let repositories: Vec<_> = (0..20).map(|n| repository(&registry, &format!("team/app{n}"))).collect();
    let errors = wait(join_all(repositories.iter().map(|repository| client.list_tags(repository))));
    for error in errors {
        let error = error.expect_err("refused");
        assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error}");
        assert!(error.to_string().contains("docker login") && !error.to_string().contains("canary"), "{error}");
    }
    assert_eq!(registry.token_requests().len(), 1, "accounts are locked after a few failures");
}

#[test]
fn a_token_that_ends_between_pages_is_renewed() {
    let registry = Registry::start_with_tokens(USER, PASSWORD).expect("a registry");
    let tags = names(60);
    push(&registry, "team/web", &tags);
    registry.set_quirks(Quirks {
        only: "/tags/".to_owned(),
        page_size: Some(10),
        tokens_last: Some(TokenUses::at_most(2)),
        ..Quirks::default()
    });
    let client = client(&registry, Some(basic(USER, PASSWORD)));
    let list = wait(client.list_tags(&repository(&registry, "team/web"))).expect("the whole list");
    assert_eq!(list.tags(), sorted(tags));
    assert_eq!(registry.token_requests().len(), 3, "six pages, two per token");
    let refused = registry.requests().iter().filter(|request| request.status == 401).count();
    assert_eq!(refused, 3, "the first question and two ended tokens");
}

#[test]
fn one_chain_per_repository_however_many_ask() {
    let registry = Registry::start().expect("a registry");
    push(&registry, "team/web", &names(30));
    registry.set_quirks(Quirks { page_size: Some(7), ..Quirks::default() });
    let client = client(&registry, None);
    let repository = repository(&registry, "team/web");
    let lists = wait(try_join_all((0..50).map(|_| client.list_tags(&repository)))).expect("lists");
    assert!(lists.iter().all(|list| list.tags().len() == 30));
    let pages = registry.requests().iter().filter(|request| request.path.ends_with("/tags/list")).count();
    assert_eq!(pages, 5);
    assert!(registry.requests().iter().all(|request| !request.path.contains("/manifests/")));
}

#[test]
fn digests_by_head_or_else_by_the_document() {
    let registry = Registry::start().expect("a registry");
    registry.push_image("team/web", "1").expect("pushed");
    registry.push_index("team/web", "2", &[("linux/amd64", "2024-01-01T00:00:00Z")]).expect("pushed");
    let told = |quirks: Quirks, tag: &str| -> (Manifest, Vec<String>) {
        registry.set_quirks(quirks);
        registry.forget_requests();
        let client = client(&registry, None);
        let manifest = wait(client.manifest(&repository(&registry, "team/web"), tag)).expect("a digest");
        let requests = registry.requests().into_iter().filter(|request| request.path.contains("/manifests/"));
        (manifest, requests.map(|request| request.method).collect())
    };
    let (manifest, methods) = told(Quirks::default(), "1");
    assert_eq!(methods, ["HEAD"]);
    assert_eq!(manifest.media_type.as_deref(), Some("application/vnd.oci.image.manifest.v1+json"));
    for quirks in [Quirks { no_head: true, ..Quirks::default() }, Quirks { no_digests: true, ..Quirks::default() }] {
        let (again, methods) = told(quirks, "1");
        assert_eq!((again, methods), (manifest.clone(), vec!["HEAD".to_owned(), "GET".to_owned()]));
    }
    let (index, _) = told(Quirks::default(), "2");
    assert_eq!(index.media_type.as_deref(), Some("application/vnd.oci.image.index.v1+json"));
}

#[test]
fn creation_times_of_images_and_indexes() {
    let registry = Registry::start().expect("a registry");
    registry.push_image_created("team/web", "old", "2023-05-06T07:08:09Z").expect("pushed");
    registry.push_image_created("team/web", "zero", "0001-01-01T00:00:00Z").expect("pushed");
    let children = [
        ("linux/amd64", "2024-01-01T00:00:00Z"),
        ("linux/arm64", "2024-03-01T00:00:00Z"),
        ("unknown/unknown", "2025-01-01T00:00:00Z"),
    ];
    registry.push_index("team/web", "multi", &children).expect("pushed");
    let client = client(&registry, None);
    let repository = repository(&registry, "team/web");
    let created = |tag: &str, platform: Option<&str>| {
        let platform: Option<Platform> = platform.map(|text| text.parse().expect("a platform"));
        let time = wait(client.created(&repository, tag, platform.as_ref())).expect("an answer");
        time.map(|time| time.to_string())
    };
    for (tag, platform, wanted) in [
        ("old", None, Some("2023-05-06T07:08:09Z")),
        ("zero", None, None),
        ("multi", None, Some("2024-03-01T00:00:00Z")),
        ("multi", Some("linux/amd64"), Some("2024-01-01T00:00:00Z")),
        ("multi", Some("linux/s390x"), None),
    ] {
        assert_eq!(created(tag, platform).as_deref(), wanted, "{tag} {platform:?}");
    }
    let missing = wait(client.created(&repository, "none", None));
    assert!(matches!(missing, Err(RegistryError::ManifestNotFound { .. })), "{missing:?}");
}

#[test]
fn tags_of_one_image_fetch_its_config_once() {
    let registry = Registry::start().expect("a registry");
    let tags = names(25);
    push(&registry, "team/web", &tags);
    let client = client(&registry, None);
    let repository = repository(&registry, "team/web");
    let times = wait(try_join_all(tags.iter().map(|tag| client.created(&repository, tag, None)))).expect("times");
    assert!(times.iter().all(Option::is_some));
    let count = |part: &str| registry.requests().iter().filter(|request| request.path.contains(part)).count();
    assert_eq!((count("/manifests/"), count("/blobs/")), (25, 1));
}

/// Repositories that are listed at once, of a host with a limit.
fn list_many(limit: Limit, repositories: usize) -> Vec<u16> {
    let registry = Registry::start().expect("a registry");
    for n in 0..repositories {
        push(&registry, &format!("team/app{n}"), &names(2));
    }
    registry.set_quirks(Quirks { only: "/tags/".to_owned(), limit: Some(limit), ..Quirks::default() });
    let client = client(&registry, None);
    let all: Vec<_> = (0..repositories).map(|n| repository(&registry, &format!("team/app{n}"))).collect();
    let lists = wait(try_join_all(all.iter().map(|repository| client.list_tags(repository)))).expect("all lists");
    assert!(lists.iter().all(|list| list.tags().len() == 2));
    let tags = registry.requests().into_iter().filter(|request| request.path.contains("/tags/"));
    tags.map(|request| request.status).collect()
}

#[test]
fn a_told_quota_is_never_exceeded() {
    let statuses = list_many(Limit::new(10, std::time::Duration::from_secs(1), true), 30);
    assert_eq!(statuses, vec![200; 30]);
}

#[test]
fn a_refusing_host_is_asked_once_until_it_answers_again() {
    let registry = Registry::start().expect("a registry");
    for n in 0..20 {
        push(&registry, &format!("team/app{n}"), &names(2));
    }
    for (retry_after, events) in [("1", 2), ("50ms", 3), ("0.05 seconds", 3)] {
        registry.set_quirks(Quirks {
            only: "/tags/".to_owned(),
            too_many_requests: events,
            retry_after: Some(retry_after.to_owned()),
            ..Quirks::default()
        });
        registry.forget_requests();
        let client = OciRegistry::new(settings());
        let all: Vec<_> = (0..20).map(|n| repository(&registry, &format!("team/app{n}"))).collect();
        wait(try_join_all(all.iter().map(|repository| client.list_tags(repository)))).expect("all lists");
        let statuses: Vec<_> = registry.requests().iter().map(|request| request.status).collect();
        let refused = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(refused, events as usize, "one per event: {statuses:?}");
    }
}
