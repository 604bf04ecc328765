//! Stands in front of a registry: writes the access log and plays [`Quirks`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::control_plane::builder;
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
        let client =
            builder().tls_certs_only([]).build().map_err(|error| SandboxError::Certificate(error.to_string()))?;
        let state =
            Arc::new(State { upstream: upstream.to_owned(), client, log: Mutex::default(), quirks: Mutex::default() });
        let served = Arc::clone(&state);
        let server = HttpServer::start(move |request| served.answer(&request))
            .map_err(|source| SandboxError::Spawn { program: "proxy".to_owned(), source })?;
        Ok(Self { server, state })
    }

    pub(super) fn address(&self) -> String {
        self.server.address()
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.state.log.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(Logged {
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            authorized: request.header("authorization").is_some(),
        });
        let (intercepted, quirks) = {
            let mut quirks = self.quirks();
            (quirks.intercept(request), quirks.clone())
        };
        if request.path.contains(&quirks.only) {
            thread::sleep(quirks.latency);
        }
        let host = request.header("host").unwrap_or_default().to_owned();
        let answer = match intercepted {
            Some(answer) => answer,
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
                response = response.with(name, String::from_utf8_lossy(value.as_bytes()));
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
