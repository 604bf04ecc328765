//! Registries that misbehave: the whole list or an explicit error, and never a short list taken for whole.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass_registry::{OciRegistry, Registry as _, RegistryError, RegistrySettings, Repository, Timeouts};
use windlass_tests::registry_client::{basic, client, repository, settings, settings_with, wait};
use windlass_tests::servers::LinkStyle;
use windlass_tests::{Quirks, Registry};

/// Newest first, oldest first or by bytes: the registry decides.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("v1.{n}")).collect()
}

/// A registry with a few dozen tags in `team/web`.
fn registry() -> Registry {
    let registry = Registry::start().expect("a registry");
    let tags = names(45);
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    registry.push_images("team/web", &tags).expect("pushed");
    registry
}

fn on_tags() -> Quirks {
    Quirks { only: "/tags/".to_owned(), ..Quirks::default() }
}

fn list(registry: &Registry, settings: RegistrySettings) -> Result<Vec<String>, RegistryError> {
    let client = OciRegistry::new(settings);
    wait(client.list_tags(&repository(registry, "team/web"))).map(|list| list.tags().to_vec())
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags
}

/// A deadline that a broken client would miss, far above what is needed.
fn bounded<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = work();
    assert!(start.elapsed() < Duration::from_secs(40), "took {:?}", start.elapsed());
    answer
}

#[test]
fn refusals_with_every_form_of_wait_end_in_the_whole_list() {
    let registry = registry();
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    for retry_after in [None, Some("0"), Some("1"), Some("20ms"), Some("1 second"), Some(past), Some("nonsense")] {
        registry.forget_requests();
        registry.set_quirks(Quirks {
            too_many_requests: 2,
            retry_after: retry_after.map(str::to_owned),
            page_size: Some(20),
            ..on_tags()
        });
        assert_eq!(list(&registry, settings()), Ok(sorted(names(45))), "{retry_after:?}");
        let statuses: Vec<_> = registry.requests().iter().skip(1).map(|request| request.status).collect();
        assert_eq!(statuses, [429, 429, 200, 200, 200], "{retry_after:?}");
    }
}

#[test]
fn a_refusal_for_an_hour_is_told_at_once_and_asked_about_once() {
    let registry = registry();
    registry.set_quirks(Quirks { too_many_requests: 9, retry_after: Some("3600".into()), ..on_tags() });
    let client = client(&registry, None);
    for path in ["team/web", "team/other"] {
        let error = wait(client.list_tags(&repository(&registry, path))).expect_err("refused");
        assert!(matches!(error, RegistryError::Throttled { wait, .. } if wait > Duration::from_secs(3000)), "{error}");
    }
    let refused = registry.requests().iter().filter(|request| request.status == 429).count();
    assert_eq!(refused, 1);
}

#[test]
fn lasting_refusals_and_failures_are_errors() {
    let registry = registry();
    registry.set_quirks(Quirks { too_many_requests: 99, retry_after: Some("10ms".into()), ..on_tags() });
    let error = list(&registry, settings()).expect_err("refused");
    assert!(matches!(error, RegistryError::Status { status: 429, .. }), "{error}");
    registry.set_quirks(Quirks { server_errors: Some((99, 503)), ..on_tags() });
    let error = list(&registry, settings()).expect_err("failed");
    assert!(matches!(error, RegistryError::Status { status: 503, .. }), "{error}");
    registry.set_quirks(Quirks { server_errors: Some((2, 500)), ..on_tags() });
    assert_eq!(list(&registry, settings()).map(|tags| tags.len()), Ok(45));
}

#[test]
fn every_link_leads_on_or_is_an_error() {
    let registry = registry();
    let paged = |links| Quirks { page_size: Some(20), links, ..on_tags() };
    for links in
        [LinkStyle::Relative, LinkStyle::Absolute, LinkStyle::Opaque, LinkStyle::QueryOnly, LinkStyle::Unquoted]
    {
        registry.set_quirks(paged(links.clone()));
        assert_eq!(list(&registry, settings()), Ok(sorted(names(45))), "{links:?}");
    }
    let other = Registry::start().expect("a registry");
    other.push_image("team/web", "stolen").expect("pushed");
    for links in [LinkStyle::OtherHost(other.address()), LinkStyle::Loop] {
        registry.set_quirks(paged(links.clone()));
        let error = list(&registry, settings_with(None, Some(basic("user", "canary")))).expect_err("no list");
        assert!(matches!(error, RegistryError::Incomplete { .. }), "{links:?}: {error}");
    }
    assert_eq!(other.requests(), [], "another host is not even asked");
    // Twenty of forty-five, and no word about the rest.
    registry.set_quirks(paged(LinkStyle::Missing));
    assert_eq!(list(&registry, settings()), Ok(sorted(names(45))));
}

#[test]
fn a_refused_page_size_is_lowered() {
    let registry = registry();
    for (largest, refusals) in [(500, 1), (50, 2)] {
        registry.forget_requests();
        registry.set_quirks(Quirks { largest_page: Some(largest), ..on_tags() });
        assert_eq!(list(&registry, settings()).map(|tags| tags.len()), Ok(45));
        let refused = registry.requests().iter().filter(|request| request.status == 400).count();
        assert_eq!(refused, refusals, "largest page {largest}");
    }
}

#[test]
fn oldest_first_and_cut_is_the_whole_list_or_an_error() {
    let registry = registry();
    let tags: Vec<String> = (0..1200).rev().map(|n| format!("build-{n}")).collect();
    registry.set_quirks(Quirks { tags: Some(Arc::new(tags.clone())), page_size: Some(100), ..on_tags() });
    assert_eq!(list(&registry, settings()), Ok(sorted(tags.clone())));
    // The marker works by position here, so that even without links all of it comes.
    let quirks =
        Quirks { tags: Some(Arc::new(tags.clone())), page_size: Some(100), links: LinkStyle::Missing, ..on_tags() };
    registry.set_quirks(quirks);
    assert_eq!(list(&registry, settings()), Ok(sorted(tags)));
}

#[test]
fn a_hundred_thousand_tags_come_whole() {
    let registry = registry();
    let tags = names(100_000);
    registry.set_quirks(Quirks { tags: Some(Arc::new(tags.clone())), page_size: Some(1000), ..on_tags() });
    assert_eq!(list(&registry, settings()), Ok(sorted(tags)));
    let pages = registry.requests().iter().filter(|request| request.path.ends_with("/tags/list")).count();
    assert_eq!(pages, 100);
}

#[test]
fn bodies_that_are_no_list_are_errors_and_null_is_empty() {
    let registry = registry();
    let body = |body: &[u8]| {
        registry.set_quirks(Quirks { body: Some(body.to_vec()), ..on_tags() });
        list(&registry, settings())
    };
    assert_eq!(body(br#"{"name": "team/web", "tags": null}"#), Ok(vec![]));
    assert_eq!(body(br#"{"name": "team/web", "tags": ["1", "a/b", ".x", "1"]}"#), Ok(vec!["1".to_owned()]));
    for wrong in [
        &b"{\"name\": \"team/web\", \"tags\": [\"1\", \"\xff\xfe\"]}"[..],
        br#"{"name": "team/web", "tags": ["1", "2""#,
        br#"{"errors": [{"code": "DENIED"}]}"#,
        b"{}",
        b"[]",
        b"",
        b"<html>log in to the network</html>",
    ] {
        let error = body(wrong).expect_err("no list");
        assert!(matches!(error, RegistryError::InvalidAnswer { .. }), "{error}");
    }
}

#[test]
fn a_body_that_ends_early_is_an_error() {
    let registry = registry();
    registry.set_quirks(Quirks { cut_after: Some(100), ..on_tags() });
    let error = bounded(|| list(&registry, settings())).expect_err("no list");
    assert!(matches!(error, RegistryError::Connect { .. }), "{error}");
}

#[test]
fn slow_bodies_are_waited_for_up_to_a_limit() {
    let registry = registry();
    registry.set_quirks(Quirks { slow: Some((64, Duration::from_millis(5))), ..on_tags() });
    assert_eq!(list(&registry, settings()).map(|tags| tags.len()), Ok(45));
    registry.set_quirks(Quirks { slow: Some((1, Duration::from_millis(200))), ..on_tags() });
    let error = bounded(|| list(&registry, impatient())).expect_err("too slow");
    assert!(matches!(error, RegistryError::Timeout { .. }), "{error}");
}

/// Waits a second for a request and three for a list.
fn impatient() -> RegistrySettings {
    let timeouts =
        Timeouts { connect: Duration::from_secs(1), request: Duration::from_secs(1), total: Duration::from_secs(3) };
    RegistrySettings { timeouts, ..settings() }
}

#[test]
fn dead_connections_end() {
    // Accepts and never answers; the second reads and never answers.
    for reads in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let name = format!("{}/team/web", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut connection in listener.incoming().flatten() {
                if reads {
                    let _ = connection.read(&mut [0; 1024]);
                }
                held.push(connection);
            }
        });
        let repository = Repository::parse(&name).expect("a repository");
        let error = bounded(|| wait(OciRegistry::new(impatient()).list_tags(&repository))).expect_err("dead");
        assert!(matches!(error, RegistryError::Timeout { .. }), "{error}");
    }
}

#[test]
fn a_redirect_to_another_host_takes_no_credentials_along() {
    let target = Registry::start().expect("a registry");
    target.push_images("team/web", &["1", "2"]).expect("pushed");
    let registry = Registry::start_with_auth("user", "canary").expect("a registry");
    registry.push_image("team/web", "1").expect("pushed");
    registry.set_quirks(Quirks { redirect_to: Some(target.address()), ..on_tags() });
    let tags = list(&registry, settings_with(None, Some(basic("user", "canary")))).expect("the target's list");
    assert_eq!(tags, ["1", "2"]);
    assert!(target.requests().iter().all(|request| !request.authorized), "{:?}", target.requests());
    assert_eq!(target.requests().len(), 1);
}

#[test]
fn an_ended_token_that_is_not_renewed_is_an_error() {
    let registry = Registry::start_with_tokens("user", "canary").expect("a registry");
    let tags = names(30);
    let tags: Vec<_> = tags.iter().map(String::as_str).collect();
    registry.push_images("team/web", &tags).expect("pushed");
    let uses = windlass_tests::servers::TokenUses::at_most(0);
    registry.set_quirks(Quirks { page_size: Some(10), tokens_last: Some(uses), ..on_tags() });
    let settings = settings_with(registry.authority_file(), Some(basic("user", "canary")));
    let error = list(&registry, settings).expect_err("refused");
    assert!(matches!(error, RegistryError::Unauthorized { status: 401, .. }), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
}
