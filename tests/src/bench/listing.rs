//! Tag lists: time and memory of the registry client, against the floor of pages times latency and against crane.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use windlass_registry::{OciRegistry, Registry as _, RegistryError, Repository};

use super::{Usage, measure};
use crate::http::{HttpServer, Request, Response};
use crate::registry_client::settings;
use crate::servers::SandboxError;
use crate::servers::build::{self, Server};

const PAGE: usize = 1000;
const TAGS: usize = 100_000;
const REPOSITORIES: usize = 200;
/// Of crane at a time: as many as the client's own first allowance.
const CRANES: usize = 16;

/// What the measured client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// Nothing: what a process with the client costs.
    Idle,
    /// Fetches the pages and looks at nothing but the marker.
    Bare,
    /// Lists.
    Windlass,
}

/// The measured process itself.
///
/// # Errors
/// A list could not be fetched.
///
/// # Panics
/// A repository's name is not valid, or there is no runtime.
pub fn registry_client(client: Client, address: &str, repositories: &[String]) -> Result<usize, RegistryError> {
    let registry = OciRegistry::new(settings());
    let name = |path: &String| Repository::parse(&format!("{address}/{path}")).expect("a repository");
    let all: Vec<_> = repositories.iter().map(name).collect();
    crate::registry_client::wait(async {
        match client {
            Client::Idle => Ok(0),
            Client::Bare => Ok(bare(address, &repositories[0]).await),
            Client::Windlass => {
                let lists = futures::future::try_join_all(all.iter().map(|one| registry.list_tags(one))).await?;
                Ok(lists.iter().map(|list| list.tags().len()).sum())
            }
        }
    })
}

async fn bare(address: &str, repository: &str) -> usize {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut next = Some(format!("/v2/{repository}/tags/list?n={PAGE}"));
    let mut pages = 0;
    while let Some(path) = next {
        let answer = client.get(format!("http://{address}{path}")).send().await.expect("an answer");
        let link = answer.headers().get("link").and_then(|link| link.to_str().ok());
        next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
        answer.bytes().await.expect("a body");
        pages += 1;
    }
    pages
}

/// Serves one large repository and many small ones, from memory and with a latency.
struct Registry {
    server: HttpServer,
}

impl Registry {
    fn start(latency: Duration) -> Result<Self, SandboxError> {
        let tags: Vec<String> = (0..TAGS).map(|n| format!("v1.{}.{}", n / 100, n % 100)).collect();
        let pages: Vec<_> = tags.chunks(PAGE).map(|tags| json!({"name": "many", "tags": tags}).to_string()).collect();
        let by_marker: BTreeMap<String, usize> =
            tags.chunks(PAGE).enumerate().filter_map(|(n, page)| Some((page.last()?.clone(), n + 1))).collect();
        let markers: Vec<_> = tags.chunks(PAGE).filter_map(<[String]>::last).cloned().collect();
        let answer = move |request: Request| {
            if !request.path.ends_with("/tags/list") {
                return Response::text(200, "{}");
            }
            thread::sleep(latency);
            if request.path != "/v2/many/tags/list" {
                return Response::text(200, json!({"name": "app", "tags": ["1.0", "1.1", "2.0"]}).to_string());
            }
            let last = url::form_urlencoded::parse(request.query.as_bytes()).find(|(name, _)| name == "last");
            let page = last.and_then(|(_, last)| by_marker.get(last.as_ref()).copied()).unwrap_or(0);
            let response = Response::text(200, pages[page].clone());
            if page + 1 == pages.len() {
                return response;
            }
            response.with("Link", format!("</v2/many/tags/list?last={}&n={PAGE}>; rel=\"next\"", markers[page]))
        };
        let server = HttpServer::start(answer)
            .map_err(|source| SandboxError::Spawn { program: "registry".to_owned(), source })?;
        Ok(Self { server })
    }

    fn address(&self) -> String {
        self.server.address()
    }
}

/// Measures this program's own `registry-client` and crane, and prints one table.
pub fn listings(output: &mut dyn Write) -> Result<(), SandboxError> {
    let program = std::env::current_exe().map_err(SandboxError::file("find", "this program"))?;
    let crane = build::ensure(Server::Crane)?;
    let run = |client: &str, address: &str, repositories: &[String]| {
        measure(Command::new(&program).args(["registry-client", client, address]).args(repositories))
    };
    let many = ["many".to_owned()];
    // A closed pipe is the reader's wish.
    let mut print = |text: String| drop(writeln!(output, "{text}"));
    print(format!("{TAGS} tags in pages of {PAGE}"));
    for latency in [20, 0].map(Duration::from_millis) {
        let registry = Registry::start(latency)?;
        let address = registry.address();
        let idle = best(|| run("idle", &address, &many))?;
        let bare = best(|| run("bare", &address, &many))?;
        let own = best(|| run("windlass", &address, &many))?;
        let other = best(|| measure(Command::new(&crane).args(["ls", &format!("{address}/many")])))?;
        let floor = match latency.as_secs_f64() * (TAGS / PAGE) as f64 {
            0.0 => bare.wall,
            floor => floor,
        };
        let more = own.peak_bytes.saturating_sub(idle.peak_bytes) as f64 / 1e6;
        print(format!(
            "  latency {latency:?}: floor {floor:.3} s, bare client {:.3} s, windlass {:.3} s ({:.2} x floor, {more:.1} MB over idle), crane ls {:.3} s ({:.1} MB)",
            bare.wall,
            own.wall,
            own.wall / floor,
            other.wall,
            other.peak_bytes as f64 / 1e6,
        ));
    }
    let registry = Registry::start(Duration::from_millis(50))?;
    let address = registry.address();
    print(format!("{REPOSITORIES} repositories of one host, latency 50 ms"));
    for count in [1, REPOSITORIES / 4, REPOSITORIES] {
        let repositories: Vec<String> = (0..count).map(|n| format!("app{n}")).collect();
        let own = best(|| run("windlass", &address, &repositories))?;
        let other = cranes(&crane, &address, &repositories)?;
        let other = other.as_secs_f64();
        print(format!("  {count}: windlass {:.3} s, crane ls ({CRANES} at a time) {other:.3} s", own.wall));
    }
    Ok(())
}

/// The best of three: the machine has other work.
fn best(run: impl Fn() -> Result<Usage, SandboxError>) -> Result<Usage, SandboxError> {
    let mut best = run()?;
    for _ in 0..2 {
        let next = run()?;
        if next.wall < best.wall {
            best = next;
        }
    }
    Ok(best)
}

fn cranes(crane: &Path, address: &str, repositories: &[String]) -> Result<Duration, SandboxError> {
    let start = Instant::now();
    let left = Mutex::new(repositories.iter());
    let next = || left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let work = || {
        while let Some(repository) = next() {
            let name = format!("{address}/{repository}");
            let output = Command::new(crane).args(["ls", &name]).output();
            let output = output.map_err(|source| SandboxError::Spawn { program: "crane".to_owned(), source })?;
            if !output.status.success() {
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(SandboxError::Failed { program: "crane".to_owned(), stderr });
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CRANES).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })?;
    Ok(start.elapsed())
}
