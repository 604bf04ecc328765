//! Redirects, logins, and what other hosts get to see.

use wiremock::matchers::{basic_auth, body_string, header, header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::harness::session;

/// Answers every question with the same login, or has none.
struct Known(Option<(&'static str, &'static str)>, std::sync::Mutex<Vec<String>>);

impl Known {
    fn new(login: Option<(&'static str, &'static str)>) -> Self {
        Self(login, std::sync::Mutex::default())
    }
}

#[async_trait]
impl Logins for Known {
    async fn login(&self, _: &str, realm: &str) -> Option<(String, SecretString)> {
        self.1.lock().expect("lock").push(realm.to_owned());
        self.0.map(|(user, password)| (user.to_owned(), password.to_owned().into()))
    }
}

fn web() -> Web {
    Web::new(&session(&[], std::path::Path::new("/nowhere")))
}

fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn get<'a>(url: &'a str, headers: &'a BTreeMap<String, String>) -> WebRequest<'a> {
    WebRequest { url, method: None, body: None, headers }
}

async fn fetch(request: WebRequest<'_>) -> Result<(u16, String), String> {
    let answer = web().fetch(request, &Known::new(None)).await.map_err(|error| error.to_string())?;
    Ok((answer.status, answer.body.expose_secret().to_owned()))
}

#[tokio::test]
async fn method_body_and_headers_are_sent() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(body_string("q"))
        .and(header("x-a", "b"))
        .respond_with(ResponseTemplate::new(201).set_body_string("ok"))
        .mount(&server)
        .await;
    let (url, headers) = (server.uri(), headers(&[("X-A", "b")]));
    let request = WebRequest { url: &url, method: Some("POST"), body: Some("q"), headers: &headers };
    assert_eq!(fetch(request).await, Ok((201, "ok".to_owned())));
}

#[tokio::test]
async fn user_and_password_of_the_address_are_sent() {
    let server = MockServer::start().await;
    Mock::given(basic_auth("me", "p@+w")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let url = server.uri().replace("http://", "http://me:p%40+w@");
    assert_eq!(fetch(get(&url, &BTreeMap::new())).await.map(|answer| answer.0), Ok(200));
}

#[tokio::test]
async fn a_login_is_asked_for_once() {
    let server = MockServer::start().await;
    Mock::given(basic_auth("me", "pw"))
        .respond_with(ResponseTemplate::new(200).set_body_string("in"))
        .mount(&server)
        .await;
    let wanted = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"team\"");
    Mock::given(method("GET")).respond_with(wanted).mount(&server).await;
    let (web, known) = (web(), Known::new(Some(("me", "pw"))));
    for _ in 0..2 {
        let answer = web.fetch(get(&server.uri(), &BTreeMap::new()), &known).await.expect("answer");
        assert_eq!((answer.status, answer.asked), (200, true));
    }
    assert_eq!(*known.1.lock().expect("lock"), ["team"]);
}

#[tokio::test]
async fn without_a_login_the_refusal_is_the_answer_and_a_wrong_one_is_forgotten() {
    let server = MockServer::start().await;
    let wanted = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"team\"");
    Mock::given(method("GET")).respond_with(wanted).mount(&server).await;
    assert_eq!(fetch(get(&server.uri(), &BTreeMap::new())).await.map(|answer| answer.0), Ok(401));
    let (web, wrong) = (web(), Known::new(Some(("me", "wrong"))));
    for _ in 0..2 {
        let answer = web.fetch(get(&server.uri(), &BTreeMap::new()), &wrong).await.expect("answer");
        assert_eq!((answer.status, answer.asked), (401, true));
    }
    assert_eq!(wrong.1.lock().expect("lock").len(), 2);
}

#[tokio::test]
async fn other_challenges_ask_nobody() {
    let server = MockServer::start().await;
    let wanted = ResponseTemplate::new(401).insert_header("www-authenticate", "Bearer realm=\"x\"");
    Mock::given(method("GET")).respond_with(wanted).mount(&server).await;
    let known = Known::new(Some(("me", "pw")));
    let answer = web().fetch(get(&server.uri(), &BTreeMap::new()), &known).await.expect("answer");
    assert_eq!((answer.status, answer.asked, known.1.lock().expect("lock").len()), (401, false, 0));
}

#[tokio::test]
async fn redirects_to_another_host_lose_credentials() {
    let (first, second) = (MockServer::start().await, MockServer::start().await);
    let to = |place: String| ResponseTemplate::new(302).insert_header("location", place);
    Mock::given(path("/near")).respond_with(to("/end".to_owned())).mount(&first).await;
    Mock::given(path("/far")).respond_with(to(format!("{}/end", second.uri()))).mount(&first).await;
    Mock::given(path("/end"))
        .and(header_exists("x-token"))
        .respond_with(ResponseTemplate::new(200).set_body_string("seen"))
        .mount(&first)
        .await;
    Mock::given(path("/end"))
        .and(header_exists("x-token"))
        .respond_with(ResponseTemplate::new(500))
        .mount(&second)
        .await;
    Mock::given(path("/end"))
        .and(header("accept", "text/x"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&second)
        .await;
    let headers = headers(&[("X-Token", "s3cret"), ("Accept", "text/x")]);
    assert_eq!(fetch(get(&format!("{}/near", first.uri()), &headers)).await, Ok((200, "seen".to_owned())));
    assert_eq!(fetch(get(&format!("{}/far", first.uri()), &headers)).await, Ok((200, String::new())));
}

#[tokio::test]
async fn circles_bad_methods_and_silent_hosts_are_errors() {
    let server = MockServer::start().await;
    Mock::given(path("/circle"))
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/circle"))
        .mount(&server)
        .await;
    let none = BTreeMap::new();
    let circle = format!("{}/circle", server.uri());
    assert!(fetch(get(&circle, &none)).await.expect_err("must fail").ends_with("more than 10 redirects"));
    let bad = WebRequest { method: Some("GE T"), ..get(&circle, &none) };
    assert!(fetch(bad).await.expect_err("must fail").contains("no name of an HTTP method"));
    let error = fetch(get("http://me:s3cret-pw@127.0.0.1:1/x", &none)).await.expect_err("must fail");
    assert!(error.contains("can not be reached") && !error.contains("s3cret-pw"), "{error}");
    assert!(fetch(get("x", &none)).await.expect_err("must fail").contains("the given address: the url is no address"));
}
