//! The client against every way a registry may speak, played by a local server.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use windlass_registry::{OciRegistry, Proxy, Registry as _, RegistryError, Repository, Timeouts};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use support::{numbered, page, repository, requests, settings, tags_of};

#[tokio::test]
async fn one_page_is_asked_once_however_many_want_it() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/a/b/tags/list")).respond_with(page(&["2", "1", "1"])).expect(1).mount(&server).await;
    let registry = OciRegistry::new(settings());
    let repository = repository(&server, "a/b");
    let lists = futures::future::join_all((0..20).map(|_| registry.list_tags(&repository))).await;
    assert!(lists.iter().all(|list| list.as_ref().unwrap().tags() == ["1", "2"]));
    assert_eq!(requests(&server).await, ["GET /v2/a/b/tags/list?n=1000"]);
}

#[tokio::test]
async fn pages_are_followed_by_every_form_of_link() {
    let server = MockServer::start().await;
    let absolute = format!("{}/v2/a/b/tags/list?cursor=%2Fopaque%3D", server.uri());
    for (query, tags, link) in [
        ("first", vec!["a"], Some("</v2/a/b/tags/list?last=a>; rel=\"next\"".to_owned())),
        ("a", vec!["b"], Some(format!("<{absolute}>; rel=next"))),
        ("/opaque=", vec![], Some("<?last=end>; title=\"x\"; rel=\"next\"".to_owned())),
        ("end", vec!["c"], None),
    ] {
        let mock = Mock::given(path("/v2/a/b/tags/list"));
        let mock = match query {
            "first" => mock.and(query_param("n", "1000")),
            "/opaque=" => mock.and(query_param("cursor", query)),
            _ => mock.and(query_param("last", query)),
        };
        let answer = link.iter().fold(page(&tags), |answer, link| answer.insert_header("link", link.as_str()));
        mock.respond_with(answer).expect(1).mount(&server).await;
    }
    assert_eq!(tags_of(&server, "a/b").await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_completed_is_an_error() {
    for link in [
        "<https://evil.example/v2/a/b/tags/list?last=a>; rel=\"next\"",
        "<//evil.example/x>; rel=next",
        "</v2/a/b/tags/list?n=1000>; rel=\"next\"",
        "</v2/a/b/tags/list?always=new>; rel=\"next\"",
        "not a link",
    ] {
        let server = MockServer::start().await;
        let answer = page(&["a"]).insert_header("link", link);
        Mock::given(path("/v2/a/b/tags/list")).respond_with(answer).mount(&server).await;
        let error = tags_of(&server, "a/b").await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::Incomplete { repository, .. } if repository.ends_with("a/b")),
            "{link}: {error}"
        );
    }
}

#[tokio::test]
async fn a_link_after_only_errors_never_gives_a_short_list() {
    let server = MockServer::start().await;
    let first = page(&["a"]).insert_header("link", "</v2/a/b/tags/list?last=a>; rel=\"next\"");
    Mock::given(query_param("n", "1000")).respond_with(first).mount(&server).await;
    Mock::given(query_param("last", "a")).respond_with(ResponseTemplate::new(500)).expect(3).mount(&server).await;
    let error = tags_of(&server, "a/b").await.unwrap_err();
    assert!(matches!(error, RegistryError::Status { status: 500, .. }), "{error}");
}

#[tokio::test]
async fn a_refused_page_size_is_lowered() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(400)
        .set_body_json(json!({"errors": [{"code": "PAGINATION_NUMBER_INVALID", "message": "too many"}]}));
    Mock::given(query_param("n", "1000")).respond_with(refusal.clone()).mount(&server).await;
    Mock::given(query_param("n", "100")).respond_with(refusal).mount(&server).await;
    Mock::given(query_param_is_missing("n")).respond_with(page(&["a"])).mount(&server).await;
    assert_eq!(tags_of(&server, "a/b").await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_registry_that_refuses_every_page_size_is_quoted() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(400).set_body_json(json!({"errors": [{"code": "X", "message": "no"}]}));
    Mock::given(method("GET")).respond_with(refusal).expect(3).mount(&server).await;
    let error = tags_of(&server, "a/b").await.unwrap_err().to_string();
    assert!(error.contains("answered 400") && error.contains("X: no"), "{error}");
}

#[tokio::test]
async fn a_full_page_without_link_is_asked_for_more() {
    let server = MockServer::start().await;
    let (first, second) = (numbered(0..1000), numbered(1000..1500));
    Mock::given(query_param("last", "t0999")).respond_with(page(&second)).expect(1).mount(&server).await;
    Mock::given(query_param_is_missing("last")).respond_with(page(&first)).mount(&server).await;
    assert_eq!(tags_of(&server, "a/b").await.unwrap().len(), 1500);
}

#[tokio::test]
async fn a_registry_that_ignores_last_is_complete() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(page(&numbered(0..1000))).expect(2).mount(&server).await;
    assert_eq!(tags_of(&server, "a/b").await.unwrap().len(), 1000);
}

#[tokio::test]
async fn more_than_asked_for_is_everything() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(page(&numbered(0..1001))).expect(1).mount(&server).await;
    assert_eq!(tags_of(&server, "a/b").await.unwrap().len(), 1001);
}

#[tokio::test]
async fn many_pages_are_walked() {
    let server = MockServer::start().await;
    for i in 0..50_usize {
        let tags = numbered(i * 200..(i + 1) * 200);
        let next = format!("</v2/a/b/tags/list?page={}>; rel=\"next\"", i + 1);
        let answer = if i == 49 { page(&tags) } else { page(&tags).insert_header("link", next.as_str()) };
        let mock = Mock::given(path("/v2/a/b/tags/list"));
        let mock =
            if i == 0 { mock.and(query_param("n", "1000")) } else { mock.and(query_param("page", i.to_string())) };
        mock.respond_with(answer).expect(1).mount(&server).await;
    }
    assert_eq!(tags_of(&server, "a/b").await.unwrap().len(), 10_000);
}

#[tokio::test]
async fn temporary_failures_are_retried() {
    for failure in [
        ResponseTemplate::new(429).insert_header("retry-after", "0"),
        ResponseTemplate::new(429).insert_header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ResponseTemplate::new(429),
        ResponseTemplate::new(503).insert_header("retry-after", "0s"),
        ResponseTemplate::new(500),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(failure).up_to_n_times(2).expect(2).mount(&server).await;
        Mock::given(method("GET")).respond_with(page(&["a"])).expect(1).mount(&server).await;
        assert_eq!(tags_of(&server, "a/b").await.unwrap(), ["a"]);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_limit_is_an_error_at_once() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "86400");
    Mock::given(method("GET")).respond_with(busy).expect(1).mount(&server).await;
    let error = tags_of(&server, "a/b").await.unwrap_err();
    assert!(matches!(error, RegistryError::Throttled { wait, .. } if wait.as_secs() == 86400), "{error}");
}

#[tokio::test]
async fn lasting_failures_are_errors_after_all_attempts() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(503)).expect(3).mount(&server).await;
    let error = tags_of(&server, "a/b").await.unwrap_err();
    assert!(matches!(error, RegistryError::Status { status: 503, .. }), "{error}");
}

#[tokio::test]
async fn an_unknown_repository_is_named() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(404)
        .set_body_json(json!({"errors": [{"code": "NAME_UNKNOWN", "message": "Unknown name"}]}));
    Mock::given(method("GET")).respond_with(answer).expect(1).mount(&server).await;
    let error = tags_of(&server, "no/such").await.unwrap_err();
    assert!(matches!(error, RegistryError::RepositoryNotFound { .. }));
    let text = error.to_string();
    assert!(text.contains("no/such") && text.contains("NAME_UNKNOWN: Unknown name"), "{text}");
}

#[tokio::test]
async fn a_repository_without_tags_is_an_empty_list() {
    for body in [json!({"name": "a/b", "tags": null}), json!({"name": "a/b", "tags": []}), json!({"name": "a/b"})] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(200).set_body_json(&body)).mount(&server).await;
        assert_eq!(tags_of(&server, "a/b").await, Ok(vec![]), "{body}");
    }
}

#[tokio::test]
async fn answers_that_are_no_tag_list_are_errors() {
    let invalid_utf8: &[u8] = b"{\"tags\": [\"\xff\xfe\"]}";
    for body in [b"<html>login</html>".as_slice(), b"{\"tags\": [\"a\"", b"{\"tags\": [1]}", b"[]]", b"", invalid_utf8]
    {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200).set_body_bytes(body);
        Mock::given(method("GET")).respond_with(answer).expect(1).mount(&server).await;
        let error = tags_of(&server, "a/b").await.unwrap_err();
        assert!(matches!(error, RegistryError::InvalidAnswer { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_cut_body_is_never_a_short_list() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"tags\": [\"a\"]}";
    let (host, served) = support::raw_server(cut).await;
    let repository = Repository::parse(&format!("{host}/a/b")).unwrap();
    let error = OciRegistry::new(settings()).list_tags(&repository).await.unwrap_err();
    assert!(matches!(error, RegistryError::Connect { .. }), "{error}");
    assert_eq!(served.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_closed_port_is_a_connection_error() {
    let host = support::closed_port().await;
    for plain_http in [true, false] {
        let mut settings = settings();
        settings.defaults.plain_http = plain_http;
        let repository = Repository::parse(&format!("{host}/a/b")).unwrap();
        let error = OciRegistry::new(settings).list_tags(&repository).await.unwrap_err();
        assert!(matches!(&error, RegistryError::Connect { host: named, .. } if *named == host), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let repository = Repository::parse("registry.windlass.invalid/a/b").unwrap();
    let error = OciRegistry::new(settings()).list_tags(&repository).await.unwrap_err();
    assert!(
        matches!(&error, RegistryError::UnknownHost { host, .. } if host == "registry.windlass.invalid"),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_registry_is_a_timeout() {
    let server = MockServer::start().await;
    let slow = page(&["a"]).set_delay(Duration::from_secs(3600));
    Mock::given(method("GET")).respond_with(slow).mount(&server).await;
    let mut short = settings();
    short.timeouts = Timeouts { request: Duration::from_millis(50), ..Timeouts::default() };
    let error = OciRegistry::new(short).list_tags(&repository(&server, "a/b")).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Timeout { what, .. } if what == "request"), "{error}");
    let mut short = settings();
    short.timeouts.total = Duration::from_millis(50);
    let error = OciRegistry::new(short).list_tags(&repository(&server, "a/b")).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Timeout { what, .. } if what.starts_with("all of")), "{error}");
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_spoil_the_others() {
    let server = MockServer::start().await;
    let slow = page(&["old"]).set_delay(Duration::from_secs(3600));
    Mock::given(method("GET")).respond_with(slow).up_to_n_times(1).mount(&server).await;
    Mock::given(method("GET")).respond_with(page(&["a"])).mount(&server).await;
    let registry = Arc::new(OciRegistry::new(settings()));
    let repository = repository(&server, "a/b");
    let first = tokio::spawn({
        let (registry, repository) = (registry.clone(), repository.clone());
        async move { registry.list_tags(&repository).await }
    });
    while server.received_requests().await.unwrap_or_default().is_empty() {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(registry.list_tags(&repository).await.unwrap().tags(), ["a"]);
}

#[tokio::test]
async fn a_local_registry_may_speak_http() {
    let server = MockServer::start().await;
    Mock::given(path("/v2/")).respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
    Mock::given(path("/v2/a/b/tags/list")).respond_with(page(&["a"])).mount(&server).await;
    Mock::given(path("/v2/a/c/tags/list")).respond_with(page(&["c"])).mount(&server).await;
    let mut settings = settings();
    settings.defaults.plain_http = false;
    let registry = OciRegistry::new(settings);
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    assert_eq!(registry.list_tags(&repository(&server, "a/c")).await.unwrap().tags(), ["c"]);
}

#[tokio::test]
async fn https_is_tried_once_on_a_local_host_that_hangs_up() {
    let (host, served) = support::raw_server("").await;
    let mut settings = settings();
    settings.defaults.plain_http = false;
    let repository = Repository::parse(&format!("{host}/a/b")).unwrap();
    let error = OciRegistry::new(settings).list_tags(&repository).await.unwrap_err();
    assert!(matches!(error, RegistryError::Connect { .. }), "{error}");
    assert_eq!(served.load(std::sync::atomic::Ordering::SeqCst), 1 + 3, "one over HTTPS, three over HTTP");
}

#[tokio::test]
async fn a_digest_comes_from_the_head_of_the_index() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).insert_header("docker-content-digest", "sha256:ab");
    let head = Mock::given(method("HEAD")).and(path("/v2/a/b/manifests/1.0"));
    let accept = |request: &wiremock::Request| {
        let accept = request.headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        accept.starts_with(
            "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json",
        )
    };
    head.and(accept).respond_with(answer).expect(1).mount(&server).await;
    let manifest = OciRegistry::new(settings()).manifest(&repository(&server, "a/b"), "1.0").await.unwrap();
    assert_eq!(manifest.digest, "sha256:ab");
}

#[tokio::test]
async fn a_digest_that_is_not_told_is_computed() {
    let server = MockServer::start().await;
    Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(405)).mount(&server).await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(200).set_body_bytes(b"{}")).mount(&server).await;
    let manifest = OciRegistry::new(settings()).manifest(&repository(&server, "a/b"), "1.0").await.unwrap();
    assert_eq!(manifest.digest, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}

#[tokio::test]
async fn an_unknown_tag_is_named() {
    let server = MockServer::start().await;
    Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let error = OciRegistry::new(settings()).manifest(&repository(&server, "a/b"), "nope").await.unwrap_err();
    assert!(matches!(&error, RegistryError::ManifestNotFound { reference, .. } if reference == "nope"), "{error}");
}

#[tokio::test]
async fn a_proxy_is_used_except_for_named_hosts() {
    let proxy = MockServer::start().await;
    Mock::given(path("/v2/a/b/tags/list")).respond_with(page(&["a"])).expect(1).mount(&proxy).await;
    let list = |no_proxy: Option<&str>| {
        let mut settings = settings();
        settings.proxy = Proxy::Url { url: proxy.uri().into(), no_proxy: no_proxy.map(str::to_owned) };
        async move {
            let repository = Repository::parse("registry.windlass.invalid/a/b").unwrap();
            OciRegistry::new(settings).list_tags(&repository).await
        }
    };
    assert_eq!(list(None).await.unwrap().tags(), ["a"]);
    let error = list(Some("registry.windlass.invalid")).await.unwrap_err();
    assert!(matches!(error, RegistryError::UnknownHost { .. }), "{error}");
}

#[tokio::test]
async fn a_broken_proxy_address_does_not_show_its_password() {
    let mut settings = settings();
    settings.proxy = Proxy::Url { url: "http://user:s3cr3t@[broken".into(), no_proxy: None };
    assert!(!format!("{settings:?}").contains("s3cr3t"));
    let repository = Repository::parse("registry.windlass.invalid/a/b").unwrap();
    let error = OciRegistry::new(settings).list_tags(&repository).await.unwrap_err();
    assert!(matches!(error, RegistryError::Settings { .. }) && !error.to_string().contains("s3cr3t"), "{error}");
}
