//! Sends one request at a time through kube's client: bounded, timed, retried.
//!
//! kube's typed calls hide response headers, which carry the API's warnings;
//! so requests are built here and only the connection and the credentials are kube's.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use kube::Client;
use kube::client::Body;

use super::limiter::{Limiter, Signal};
use super::{retry, status};
use crate::error::{ClusterError, RequestContext, TransportError};

/// Ceiling of one try; lists of large kinds take their time.
const READ_LIMIT: Duration = Duration::from_secs(120);
const WRITE_LIMIT: Duration = Duration::from_secs(65);

/// Whether failures are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The first answer counts.
    Once,
    /// Busy servers are asked again, broken connections not: the request may have been carried out,
    /// and carrying it out twice would differ.
    NotAfterBrokenConnection,
    /// Transient failures are tried again, within bounds.
    Retry,
}

/// One request, reusable for tries.
#[derive(Debug, Clone)]
pub(super) struct Call {
    method: Method,
    path_and_query: String,
    headers: Vec<(header::HeaderName, String)>,
    body: Bytes,
    patience: Patience,
}

impl Call {
    pub(super) fn new(method: Method, path_and_query: String) -> Self {
        Self { method, path_and_query, headers: Vec::new(), body: Bytes::new(), patience: Patience::Retry }
    }

    pub(super) fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    pub(super) fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(self, content_type: &str, body: Vec<u8>) -> Self {
        let mut call = self.header(header::CONTENT_TYPE, content_type);
        call.body = body.into();
        call
    }

    pub(super) fn context(&self) -> RequestContext {
        let path = self.path_and_query.split('?').next().unwrap_or_default().to_owned();
        RequestContext { method: self.kind(), path }
    }

    fn kind(&self) -> &'static str {
        match self.method {
            Method::PATCH => "PATCH",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            Method::POST => "POST",
            _ => "GET",
        }
    }

    fn limit(&self) -> Duration {
        if self.method == Method::GET { READ_LIMIT } else { WRITE_LIMIT }
    }

    fn request(&self) -> Result<Request<Body>, ClusterError> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.path_and_query);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Body::from(self.body.clone())).map_err(|error| self.failed(TransportError::new(error)))
    }

    fn failed(&self, source: TransportError) -> ClusterError {
        ClusterError::Transport { request: self.context(), source: source.into() }
    }
}

/// A complete answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Response {
    /// Turns an error status into an error.
    pub(super) fn into_success(self, call: &Call) -> Result<Self, ClusterError> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(ClusterError::from_failure(status::failure(call.context(), self.status, &self.body)))
        }
    }
}

/// The connection and what is known about its speed.
pub(super) struct Transport {
    client: Client,
    limiter: Limiter,
}

impl Transport {
    pub(super) fn new(client: Client) -> Self {
        Self { client, limiter: Limiter::new() }
    }

    /// Sends the request until it is answered for good. Any status is an answer.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, ClusterError> {
        let mut tries = 0;
        loop {
            let pause = match (self.send_once(call).await, call.patience) {
                (Ok(response), Patience::Once) => return Ok(response),
                (Ok(response), _) => match retry::after_status(response.status, &response.headers, tries) {
                    Some(pause) => pause,
                    None => return Ok(response),
                },
                (Err(error @ ClusterError::Transport { .. }), Patience::Retry) => {
                    retry::after_connection_failure(tries).ok_or(error)?
                }
                (Err(error), _) => return Err(error),
            };
            tracing::debug!(request = %call.context(), ?pause, tries, "trying again");
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn send_once(&self, call: &Call) -> Result<Response, ClusterError> {
        let request = call.request()?;
        let place = self.limiter.enter().await;
        let started = Instant::now();
        let outcome = tokio::time::timeout(call.limit(), self.exchange(call, request)).await;
        let signal = match &outcome {
            Ok(Ok(response)) if response.status == StatusCode::TOO_MANY_REQUESTS => Signal::Overloaded,
            Ok(Ok(_)) => Signal::Answered(started.elapsed()),
            Err(_) => Signal::Overloaded,
            Ok(Err(_)) => Signal::Nothing,
        };
        self.limiter.leave(place, call.kind(), signal);
        outcome.unwrap_or_else(|_| Err(ClusterError::Timeout { request: call.context(), limit: call.limit() }))
    }

    async fn exchange(&self, call: &Call, request: Request<Body>) -> Result<Response, ClusterError> {
        let failed = |error: kube::Error| call.failed(TransportError::new(error));
        let (head, body) = self.client.send(request).await.map_err(failed)?.into_parts();
        let body = body.collect_bytes().await.map_err(failed)?;
        Ok(Response { status: head.status, headers: head.headers, body })
    }
}
