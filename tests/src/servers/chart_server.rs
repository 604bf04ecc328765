//! A static Helm repository over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::SandboxError;
use super::authority::Authority;
use crate::http::{HttpServer, Request, Response};
use crate::yaml;

/// Serves packaged charts and their `index.yaml` at `http://<address>`.
#[derive(Debug)]
pub struct ChartServer {
    files: Files,
    entries: Mutex<Map<String, Value>>,
    server: HttpServer,
    secured: Option<tempfile::TempDir>,
}

type Files = Arc<Mutex<std::collections::BTreeMap<String, Vec<u8>>>>;

impl ChartServer {
    /// Starts a repository without charts.
    pub fn start() -> Result<Self, SandboxError> {
        let files = Files::default();
        let served = Arc::clone(&files);
        let server = HttpServer::start(move |request| answer(&served, &request)).map_err(no_server)?;
        Ok(Self { files, entries: Mutex::default(), server, secured: None })
    }

    /// The same behind TLS of an own authority, for one user.
    pub fn start_secured(user: &str, password: &str) -> Result<Self, SandboxError> {
        let authority = Authority::new()?;
        let folder = tempfile::tempdir().map_err(SandboxError::file("create a folder in", std::env::temp_dir()))?;
        let file = folder.path().join("ca.crt");
        fs::write(&file, authority.pem()).map_err(SandboxError::file("write", &file))?;
        let files = Files::default();
        let served = Arc::clone(&files);
        let login = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let server = HttpServer::start_tls(authority.certify()?.server_config()?, move |request| {
            match request.header("authorization") {
                Some(sent) if sent == login => answer(&served, &request),
                _ => Response::text(401, "who are you?").with("WWW-Authenticate", "Basic realm=\"charts\""),
            }
        });
        Ok(Self { files, entries: Mutex::default(), server: server.map_err(no_server)?, secured: Some(folder) })
    }

    /// The authority's certificate, a PEM file, if there is TLS.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.secured.as_ref().map(|folder| folder.path().join("ca.crt"))
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    pub fn url(&self) -> String {
        let scheme = if self.secured.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// Replaces an archive without telling the index.
    pub fn replace(&self, archive: &str, content: &[u8]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(archive.to_owned(), content.to_vec());
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address()
    }

    /// Packages a chart folder and lists it.
    pub fn add(&self, folder: &Path) -> Result<(), SandboxError> {
        let file = folder.join("Chart.yaml");
        let mut chart = metadata(&file)?;
        let field = |name: &str| match &chart[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (name, version) = (field("name"), field("version"));
        let package = package(folder, &name).map_err(SandboxError::file("package", folder))?;
        let archive = format!("{name}-{version}.tgz");
        let digest = Sha256::digest(&package);
        chart["digest"] = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        chart["urls"] = json!([format!("{}/{archive}", self.url())]);
        let index = self.list(&name, chart);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(archive, package);
        // JSON is YAML; Helm reads it.
        files.insert("index.yaml".to_owned(), index.to_string().into_bytes());
        Ok(())
    }

    fn list(&self, name: &str, chart: Value) -> Value {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = entries.entry(name).or_insert_with(|| json!([]));
        if let Some(versions) = versions.as_array_mut() {
            versions.push(chart);
        }
        json!({"apiVersion": "v1", "entries": *entries})
    }
}

/// What a chart says about itself.
pub(super) fn metadata(file: &Path) -> Result<Value, SandboxError> {
    let text = fs::read_to_string(file).map_err(SandboxError::file("read", file))?;
    yaml::load(&text).map_err(|reason| SandboxError::Request { what: file.display().to_string(), reason })
}

fn no_server(source: std::io::Error) -> SandboxError {
    SandboxError::Spawn { program: "chart server".to_owned(), source }
}

fn answer(files: &Files, request: &Request) -> Response {
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    match files.get(request.path.trim_start_matches('/')) {
        Some(body) => Response { status: 200, body: body.clone(), ..Response::default() }
            .with("Content-Type", "application/octet-stream"),
        None => Response::text(404, "no such file"),
    }
}

pub(super) fn package(folder: &Path, name: &str) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.follow_symlinks(false);
    archive.append_dir_all(name, folder)?;
    archive.into_inner()?.finish()
}
