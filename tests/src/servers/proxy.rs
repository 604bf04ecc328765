//! Stands in front of a registry: writes the access log and plays [`Quirks`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::authority::Authority;
use super::control_plane::builder;
use super::quirks::Interception;
use super::registry::Request as Logged;
use super::{Quirks, SandboxError};
use crate::http::{HttpServer, Request, Response};

/// A logging proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    server: HttpServer,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    upstream: String,
    client: reqwest::blocking::Client,
    log: Mutex<Vec<Logged>>,
    quirks: Mutex<Quirks>,
}

/// Headers that belong to one connection.
const HOP_BY_HOP: [&str; 5] = ["connection", "content-length", "transfer-encoding", "keep-alive", "expect"];

impl Proxy {
    pub(super) fn start(upstream: &str) -> Result<Self, SandboxError> {
        Self::start_on(upstream, builder().tls_certs_only([]), None)
    }

    /// Behind TLS, in front of a registry with TLS of the same authority.
    pub(super) fn start_tls(upstream: &str, authority: &Authority) -> Result<Self, SandboxError> {
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes());
        let root = root.map_err(|error| SandboxError::Certificate(error.to_string()))?;
        let tls = authority.certify()?.server_config()?;
        Self::start_on(upstream, builder().tls_certs_only([root]), Some(tls))
    }

    fn start_on(
        upstream: &str,
        client: reqwest::blocking::ClientBuilder,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Result<Self, SandboxError> {
        let client = client.build().map_err(|error| SandboxError::Certificate(error.to_string()))?;
        let state =
            Arc::new(State { upstream: upstream.to_owned(), client, log: Mutex::default(), quirks: Mutex::default() });
        let served = Arc::clone(&state);
        let answer = move |request: Request| served.answer(&request);
        let server = match tls {
            Some(tls) => HttpServer::start_tls(tls, answer),
            None => HttpServer::start(answer),
        };
        let server = server.map_err(|source| SandboxError::Spawn { program: "proxy".to_owned(), source })?;
        Ok(Self { server, state })
    }

    pub(super) fn address(&self) -> String {
        self.server.address()
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.state.log()
    }

    pub(super) fn set_quirks(&self, quirks: Quirks) {
        *self.state.quirks() = quirks;
    }
}

impl State {
    fn quirks(&self) -> MutexGuard<'_, Quirks> {
        self.quirks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Response {
        let entry = {
            let mut log = self.log();
            log.push(Logged {
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                authorized: request.header("authorization").is_some(),
                status: 0,
            });
            log.len() - 1
        };
        let answer = self.decide(request);
        // Absent when the log was emptied meanwhile.
        if let Some(entry) = self.log().get_mut(entry) {
            entry.status = answer.status;
        }
        answer
    }

    fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, request: &Request) -> Response {
        let (intercepted, quirks) = {
            let mut quirks = self.quirks();
            (quirks.intercept(request), quirks.clone())
        };
        if request.path.contains(&quirks.only) {
            thread::sleep(quirks.latency);
        }
        let host = request.header("host").unwrap_or_default().to_owned();
        let answer = match intercepted {
            Some(Interception::Answer(answer)) => answer,
            Some(Interception::Stranger) => {
                let is_login = |name: &str| name.eq_ignore_ascii_case("authorization");
                let headers = request.headers.iter().filter(|(name, _)| !is_login(name)).cloned().collect();
                self.forward(&Request { headers, ..request.clone() })
            }
            None if quirks.pages(request) => {
                let all = Request { query: String::new(), ..request.clone() };
                let complete = self.forward(&all);
                if complete.status == 200 { quirks.page(request, &host, complete) } else { complete }
            }
            None => self.forward(request),
        };
        quirks.deliver(request, answer)
    }

    fn forward(&self, request: &Request) -> Response {
        self.try_forward(request).unwrap_or_else(|error| Response::text(502, format!("proxy: {error:?}")))
    }

    fn try_forward(&self, request: &Request) -> reqwest::Result<Response> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
        let url = format!("{}{}", self.upstream, request.target());
        let mut forwarded = self.client.request(method, url);
        for (name, value) in passed_on(&request.headers) {
            forwarded = forwarded.header(name, value);
        }
        let answer = forwarded.body(request.body.clone()).send()?;
        let mut response = Response { status: answer.status().as_u16(), ..Response::default() };
        let head = request.method == "HEAD";
        for (name, value) in answer.headers() {
            let name = name.as_str();
            // A HEAD answer announces the length of a body that does not come.
            if !HOP_BY_HOP.contains(&name) || (head && name == "content-length") {
                let value = String::from_utf8_lossy(value.as_bytes());
                // As reverse proxies do: what leads to the server behind leads here.
                let inner = if name == "location" { value.strip_prefix(&self.upstream) } else { None };
                response = response.with(name, inner.unwrap_or(&value));
            }
        }
        response.body = answer.bytes()?.to_vec();
        Ok(response)
    }
}

fn passed_on(headers: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
