//! Servers and settings that the protocol tests share.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use windlass_registry::{
    Login, OciRegistry, Proxy, Registry as _, RegistryCredentials, RegistryError, RegistrySettings, Repository,
    RetrySettings, TlsDefaults,
};
use wiremock::{MockServer, ResponseTemplate};

/// Plain HTTP, three attempts without waits, nothing from the environment.
pub(crate) fn settings() -> RegistrySettings {
    RegistrySettings {
        defaults: TlsDefaults { plain_http: true, ..TlsDefaults::default() },
        proxy: Proxy::None,
        retry: RetrySettings { attempts: 3, base: Duration::ZERO, ..RetrySettings::default() },
        ..RegistrySettings::default()
    }
}

/// The same with one entry for every host.
pub(crate) fn settings_with(login: Login) -> RegistrySettings {
    let entry = RegistryCredentials {
        origin: "KLUCTL_REGISTRY_1_*".into(),
        host: "*".into(),
        login: Some(login),
        ..RegistryCredentials::default()
    };
    RegistrySettings { credentials: vec![entry], ..settings() }
}

pub(crate) fn basic(password: &str) -> Login {
    Login::Basic { username: "user".into(), password: password.into() }
}

pub(crate) fn repository(server: &MockServer, path: &str) -> Repository {
    Repository::parse(&format!("{}/{path}", server.address())).expect("a repository")
}

pub(crate) async fn tags_of(server: &MockServer, path: &str) -> Result<Vec<String>, RegistryError> {
    let registry = OciRegistry::new(settings());
    registry.list_tags(&repository(server, path)).await.map(|list| list.tags().to_vec())
}

pub(crate) fn page<S: AsRef<str>>(tags: &[S]) -> ResponseTemplate {
    let tags: Vec<&str> = tags.iter().map(AsRef::as_ref).collect();
    ResponseTemplate::new(200).set_body_json(json!({"name": "a/b", "tags": tags}))
}

pub(crate) fn numbered(range: Range<usize>) -> Vec<String> {
    range.map(|i| format!("t{i:04}")).collect()
}

/// What the server was asked, as `METHOD path?query`.
pub(crate) async fn requests(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap_or_default();
    let line = |request: &wiremock::Request| {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{} {}{query}", request.method, request.url.path())
    };
    requests.iter().map(line).collect()
}

/// Answers every connection with these bytes and closes it; counts them.
pub(crate) async fn raw_server(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, served)
}

/// An address where nobody listens.
pub(crate) async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").to_string()
}
