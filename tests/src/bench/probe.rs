//! The floor: how fast a bare client gets N server-side applies out of the API server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Shape, objects};
use crate::servers::{ControlPlane, SandboxError};

/// The best time of a bare client.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// For all objects.
    pub time: Duration,
    /// Requests in flight that reached it.
    pub concurrency: usize,
    /// Whether over HTTP/2.
    pub http2: bool,
}

/// Best times for real and for dry-run applies of the same objects.
#[derive(Debug, Clone, Copy)]
pub struct Floors {
    /// Into an empty namespace.
    pub apply: Floor,
    /// Of objects that exist unchanged.
    pub dry_run: Floor,
}

/// Numbers of requests in flight that are tried.
const CONCURRENCIES: [usize; 5] = [4, 8, 16, 32, 64];
/// Dry-runs are repeated, since nothing has to be cleaned between them.
const DRY_RUNS: usize = 3;

/// Measures both floors on a plane that nothing else uses.
pub fn probe(plane: &ControlPlane, shape: Shape) -> Result<Floors, SandboxError> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|source| SandboxError::Spawn { program: "runtime".to_owned(), source })?;
    let (mut apply, mut dry_run) = (Vec::new(), Vec::new());
    for http2 in [false, true] {
        let client = client(plane, http2)?;
        for concurrency in CONCURRENCIES {
            let namespace = format!("probe-{concurrency}-{}", if http2 { "h2" } else { "h1" });
            create_namespace(plane, &namespace)?;
            let work = Arc::new(Work::new(plane, client.clone(), &objects(&namespace, shape)));
            let floor = |time| Floor { time, concurrency, http2 };
            apply.push(floor(runtime.block_on(work.run(concurrency, false))?));
            for _ in 0..DRY_RUNS {
                dry_run.push(floor(runtime.block_on(work.run(concurrency, true))?));
            }
            delete_namespace_content(plane, &namespace)?;
        }
    }
    let best =
        |floors: Vec<Floor>| floors.into_iter().min_by_key(|floor| floor.time).ok_or(SandboxError::SupervisorGone);
    Ok(Floors { apply: best(apply)?, dry_run: best(dry_run)? })
}

struct Work {
    client: reqwest::Client,
    token: String,
    /// URL without query, and body.
    requests: Vec<(String, String)>,
    next: AtomicUsize,
}

impl Work {
    fn new(plane: &ControlPlane, client: reqwest::Client, objects: &[Value]) -> Self {
        let requests =
            objects.iter().map(|object| (format!("{}{}", plane.url(), path(object)), object.to_string())).collect();
        Self { client, token: plane.token_of("admin"), requests, next: AtomicUsize::new(0) }
    }

    async fn run(self: &Arc<Self>, concurrency: usize, dry_run: bool) -> Result<Duration, SandboxError> {
        self.next.store(0, Ordering::SeqCst);
        let started = Instant::now();
        let tasks: Vec<_> = (0..concurrency).map(|_| tokio::spawn(Arc::clone(self).take_requests(dry_run))).collect();
        for task in futures::future::join_all(tasks).await {
            task.map_err(|error| SandboxError::Request { what: "probe".to_owned(), reason: error.to_string() })??;
        }
        Ok(started.elapsed())
    }

    async fn take_requests(self: Arc<Self>, dry_run: bool) -> Result<(), SandboxError> {
        let query = if dry_run { "&dryRun=All" } else { "" };
        while let Some((url, body)) = self.requests.get(self.next.fetch_add(1, Ordering::SeqCst)) {
            let answer = self
                .client
                .patch(format!("{url}?fieldManager=kluctl{query}"))
                .bearer_auth(&self.token)
                .header("content-type", "application/apply-patch+yaml")
                .body(body.clone())
                .send()
                .await
                .map_err(|error| failed(url, &format!("{error:?}")))?;
            let status = answer.status();
            let text = answer.bytes().await.map_err(|error| failed(url, &error.to_string()))?;
            if !status.is_success() {
                return Err(failed(url, &String::from_utf8_lossy(&text)));
            }
        }
        Ok(())
    }
}

fn failed(what: &str, reason: &str) -> SandboxError {
    SandboxError::Request { what: what.to_owned(), reason: reason.to_owned() }
}

fn path(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
    let start =
        if object["kind"] == "Deployment" { ("/apis/apps/v1", "deployments") } else { ("/api/v1", "configmaps") };
    format!("{}/namespaces/{namespace}/{}/{name}", start.0, start.1)
}

fn client(plane: &ControlPlane, http2: bool) -> Result<reqwest::Client, SandboxError> {
    let failed = |error: reqwest::Error| SandboxError::Certificate(error.to_string());
    let root = reqwest::Certificate::from_pem(plane.authority().as_bytes()).map_err(failed)?;
    let builder = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .pool_max_idle_per_host(CONCURRENCIES[CONCURRENCIES.len() - 1]);
    let builder = if http2 { builder } else { builder.http1_only() };
    builder.build().map_err(failed)
}

fn create_namespace(plane: &ControlPlane, name: &str) -> Result<(), SandboxError> {
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    plane.api("POST", "/api/v1/namespaces", "", Some(&body)).map(drop)
}

/// The next measurement must not find a fuller server than the one before.
fn delete_namespace_content(plane: &ControlPlane, namespace: &str) -> Result<(), SandboxError> {
    for kind in ["/api/v1/namespaces/NS/configmaps", "/apis/apps/v1/namespaces/NS/deployments"] {
        plane.api("DELETE", &kind.replace("NS", namespace), "", None)?;
    }
    Ok(())
}
