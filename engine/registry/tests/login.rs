//! Credentials: who gets them, how often, and that they never show.
#![allow(missing_docs)]

mod support;

use serde_json::json;
use windlass_registry::{Login, OciRegistry, Registry as _, RegistryError};
use wiremock::matchers::{body_string_contains, header, header_exists, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use support::{basic, page, repository, requests, settings, settings_with};

const SECRET: &str = "s3cr3t-canary";

/// `user:s3cr3t-canary`.
const BASIC: &str = "Basic dXNlcjpzM2NyM3QtY2FuYXJ5";

fn challenge(server: &MockServer) -> ResponseTemplate {
    let text = format!("Bearer realm=\"{}/token\",service=\"reg\",scope=\"repository:x:pull\"", server.uri());
    ResponseTemplate::new(401).insert_header("www-authenticate", text.as_str())
}

fn token(value: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"token": value, "expires_in": 300}))
}

/// Lists are given to this token, others get a challenge.
async fn lists_for(server: &MockServer, token: &str) {
    let bearer = format!("Bearer {token}");
    Mock::given(header("authorization", bearer.as_str())).respond_with(page(&["a"])).mount(server).await;
    Mock::given(method("GET")).respond_with(challenge(server)).with_priority(9).mount(server).await;
}

#[tokio::test]
async fn a_challenge_is_answered_with_a_token_for_the_repository() {
    let server = MockServer::start().await;
    Mock::given(path("/token"))
        .and(header("authorization", BASIC))
        .and(query_param("service", "reg"))
        .and(query_param("scope", "repository:a/b:pull"))
        .respond_with(token("t1"))
        .expect(1)
        .with_priority(1)
        .mount(&server)
        .await;
    lists_for(&server, "t1").await;
    let registry = OciRegistry::new(settings_with(basic(SECRET)));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn anonymous_tokens_need_no_credentials() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"access_token": "t1"}));
    Mock::given(path("/token")).respond_with(answer).with_priority(1).mount(&server).await;
    lists_for(&server, "t1").await;
    let registry = OciRegistry::new(settings());
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    let sent = server.received_requests().await.unwrap();
    let to_token = sent.iter().find(|request| request.url.path() == "/token").unwrap();
    assert!(!to_token.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_renewed() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("t1")).up_to_n_times(1).with_priority(1).mount(&server).await;
    Mock::given(path("/token")).respond_with(token("t2")).expect(1).with_priority(2).mount(&server).await;
    let first = page(&["a"]).insert_header("link", "</v2/a/b/tags/list?last=a>; rel=\"next\"");
    Mock::given(header("authorization", "Bearer t1"))
        .and(query_param("n", "1000"))
        .respond_with(first)
        .mount(&server)
        .await;
    let second = page(&["b"]);
    Mock::given(header("authorization", "Bearer t2"))
        .and(query_param("last", "a"))
        .respond_with(second)
        .mount(&server)
        .await;
    Mock::given(method("GET")).respond_with(challenge(&server)).with_priority(9).mount(&server).await;
    let registry = OciRegistry::new(settings_with(basic(SECRET)));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a", "b"]);
}

#[tokio::test]
async fn a_refused_login_is_tried_once_and_its_source_named() {
    let server = MockServer::start().await;
    Mock::given(path("/token"))
        .respond_with(ResponseTemplate::new(401))
        .expect(1)
        .with_priority(1)
        .mount(&server)
        .await;
    lists_for(&server, "never").await;
    let registry = OciRegistry::new(settings_with(basic(SECRET)));
    let (one, two) = (repository(&server, "a/b"), repository(&server, "a/c"));
    let (one, two) = tokio::join!(registry.list_tags(&one), registry.list_tags(&two));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert!(matches!(&error, RegistryError::Unauthorized { status: 401, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("KLUCTL_REGISTRY_1_*") && text.contains("docker login"), "{text}");
        assert!(!text.contains(SECRET) && !format!("{error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn a_token_the_registry_refuses_is_not_fetched_again_and_again() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(token("useless")).expect(1).with_priority(1).mount(&server).await;
    lists_for(&server, "other").await;
    let error = OciRegistry::new(settings()).list_tags(&repository(&server, "a/b")).await.unwrap_err();
    assert!(error.to_string().contains("no credentials are configured, tried anonymously"), "{error}");
}

#[tokio::test]
async fn basic_is_sent_only_when_asked_for() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"r\"");
    Mock::given(header("authorization", BASIC)).respond_with(page(&["a"])).mount(&server).await;
    Mock::given(method("GET")).respond_with(refusal).with_priority(9).expect(1).mount(&server).await;
    let registry = OciRegistry::new(settings_with(basic(SECRET)));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    assert_eq!(registry.list_tags(&repository(&server, "a/c")).await.unwrap().tags(), ["a"]);
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_refused_basic_login_is_tried_once() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"r\"");
    Mock::given(header_exists("authorization"))
        .respond_with(refusal.clone())
        .expect(1)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("GET")).respond_with(refusal).with_priority(9).mount(&server).await;
    let registry = OciRegistry::new(settings_with(basic(SECRET)));
    for name in ["a/b", "a/c"] {
        let error = registry.list_tags(&repository(&server, name)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error}");
    }
}

#[tokio::test]
async fn missing_credentials_are_told() {
    for (status, scheme) in [(401, Some("Basic realm=\"r\"")), (401, None), (401, Some("Negotiate")), (403, None)] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status);
        let answer = scheme.iter().fold(answer, |answer, scheme| answer.insert_header("www-authenticate", *scheme));
        Mock::given(method("GET")).respond_with(answer).expect(1).mount(&server).await;
        let error = OciRegistry::new(settings()).list_tags(&repository(&server, "a/b")).await.unwrap_err();
        let RegistryError::Unauthorized { tried, status: told, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((tried.as_str(), *told), ("no credentials are configured, tried anonymously", status));
    }
}

#[tokio::test]
async fn identity_tokens_are_exchanged() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(body_string_contains("grant_type=refresh_token"))
        .and(body_string_contains(format!("refresh_token={SECRET}").as_str()))
        .and(body_string_contains("scope=repository%3Aa%2Fb%3Apull"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"access_token": "t1"})))
        .expect(1)
        .mount(&server)
        .await;
    lists_for(&server, "t1").await;
    let registry = OciRegistry::new(settings_with(Login::Identity(SECRET.into())));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
}

#[tokio::test]
async fn bearer_tokens_go_straight_in_and_a_bad_one_is_an_error() {
    let server = MockServer::start().await;
    lists_for(&server, SECRET).await;
    let registry = OciRegistry::new(settings_with(Login::Bearer(SECRET.into())));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    let registry = OciRegistry::new(settings_with(Login::Bearer("expired".into())));
    let error = registry.list_tags(&repository(&server, "a/b")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn redirects_to_another_host_get_no_credentials() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let target = format!("{}/elsewhere", other.uri());
    let redirect = ResponseTemplate::new(307).insert_header("location", target.as_str());
    Mock::given(header("authorization", format!("Bearer {SECRET}").as_str()))
        .respond_with(redirect)
        .mount(&server)
        .await;
    Mock::given(path("/elsewhere")).respond_with(page(&["a"])).expect(1).mount(&other).await;
    let registry = OciRegistry::new(settings_with(Login::Bearer(SECRET.into())));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
    assert!(!other.received_requests().await.unwrap()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn redirects_on_the_same_host_keep_them() {
    let server = MockServer::start().await;
    let bearer = format!("Bearer {SECRET}");
    let redirect = ResponseTemplate::new(301).insert_header("location", "/moved");
    Mock::given(path("/v2/a/b/tags/list")).respond_with(redirect).mount(&server).await;
    Mock::given(path("/moved"))
        .and(header("authorization", bearer.as_str()))
        .respond_with(page(&["a"]))
        .mount(&server)
        .await;
    let registry = OciRegistry::new(settings_with(Login::Bearer(SECRET.into())));
    assert_eq!(registry.list_tags(&repository(&server, "a/b")).await.unwrap().tags(), ["a"]);
}

#[tokio::test]
async fn endless_and_odd_redirects_are_errors() {
    for location in ["/v2/a/b/tags/list?n=1000", "file:///etc/passwd", ""] {
        let server = MockServer::start().await;
        let mut redirect = ResponseTemplate::new(302);
        if !location.is_empty() {
            redirect = redirect.insert_header("location", location);
        }
        Mock::given(method("GET")).respond_with(redirect).mount(&server).await;
        let error = OciRegistry::new(settings()).list_tags(&repository(&server, "a/b")).await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::InvalidAnswer { reason, .. } if reason.contains("redirect")),
            "{location}: {error}"
        );
    }
}

#[tokio::test]
async fn odd_token_services_are_errors() {
    for answer in [
        ResponseTemplate::new(200).set_body_string("no json"),
        ResponseTemplate::new(200).set_body_json(json!({})),
        ResponseTemplate::new(200).set_body_json(json!({"token": ""})),
        ResponseTemplate::new(418),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/token")).respond_with(answer).with_priority(1).mount(&server).await;
        lists_for(&server, "t1").await;
        let error = OciRegistry::new(settings()).list_tags(&repository(&server, "a/b")).await.unwrap_err();
        assert!(
            matches!(&error, RegistryError::InvalidAnswer { reason, .. } if reason.contains("token service")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn unusable_certificates_are_errors_that_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let error_with = |edit: &dyn Fn(&mut windlass_registry::RegistryCredentials)| {
        let mut settings = settings_with(basic(SECRET));
        edit(&mut settings.credentials[0]);
        async move {
            let repository = windlass_registry::Repository::parse("127.0.0.1:1/a/b").unwrap();
            OciRegistry::new(settings).list_tags(&repository).await.unwrap_err().to_string()
        }
    };
    let error = error_with(&|entry| entry.tls.ca_file = Some(file.clone())).await;
    assert!(error.contains("KLUCTL_REGISTRY_1_*") && error.contains("ca.pem"), "{error}");
    let error = error_with(&|entry| entry.tls.ca_file = Some(dir.path().join("missing.pem"))).await;
    assert!(error.contains("missing.pem"), "{error}");
    let error = error_with(&|entry| entry.tls.cert_file = Some(file.clone())).await;
    assert!(error.contains("needs both certificate and key"), "{error}");
}
