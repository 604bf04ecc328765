//! A static Helm repository over HTTP.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::SandboxError;
use crate::http::{HttpServer, Response};
use crate::yaml;

/// Serves packaged charts and their `index.yaml` at `http://<address>`.
#[derive(Debug)]
pub struct ChartServer {
    files: Files,
    entries: Mutex<Map<String, Value>>,
    server: HttpServer,
}

type Files = Arc<Mutex<std::collections::BTreeMap<String, Vec<u8>>>>;

impl ChartServer {
    /// Starts a repository without charts.
    pub fn start() -> Result<Self, SandboxError> {
        let files = Files::default();
        let served = Arc::clone(&files);
        let server = HttpServer::start(move |request| {
            let files = served.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(request.path.trim_start_matches('/')) {
                Some(body) => Response { status: 200, body: body.clone(), ..Response::default() }
                    .with("Content-Type", "application/octet-stream"),
                None => Response::text(404, "no such file"),
            }
        })
        .map_err(|source| SandboxError::Spawn { program: "chart server".to_owned(), source })?;
        Ok(Self { files, entries: Mutex::default(), server })
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address()
    }

    /// Packages a chart folder and lists it.
    pub fn add(&self, folder: &Path) -> Result<(), SandboxError> {
        let file = folder.join("Chart.yaml");
        let text = fs::read_to_string(&file).map_err(SandboxError::file("read", &file))?;
        let mut chart =
            yaml::load(&text).map_err(|reason| SandboxError::Request { what: file.display().to_string(), reason })?;
        let field = |name: &str| match &chart[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (name, version) = (field("name"), field("version"));
        let package = package(folder, &name).map_err(SandboxError::file("package", folder))?;
        let archive = format!("{name}-{version}.tgz");
        let digest = Sha256::digest(&package);
        chart["digest"] = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        chart["urls"] = json!([format!("http://{}/{archive}", self.address())]);
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

fn package(folder: &Path, name: &str) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.follow_symlinks(false);
    archive.append_dir_all(name, folder)?;
    archive.into_inner()?.finish()
}
