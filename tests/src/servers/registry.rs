//! OCI registries, each behind a proxy that logs and can misbehave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::authority::Authority;
use super::build::{self, Server};
use super::chart_server;
use super::control_plane::builder;
use super::process::{Group, free_port};
use super::proxy::Proxy;
use super::token_server::{self, TokenRequest, TokenServer};
use super::{Quirks, SandboxError};

/// A running registry; ends when dropped.
#[derive(Debug)]
pub struct Registry {
    proxy: Proxy,
    upload: Upload,
    secured: Option<Secured>,
    // Declared last: the servers end after the proxy in front of them.
    _group: Group,
}

/// One entry of the access log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Still percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// Whether credentials or a token came with it.
    pub authorized: bool,
    /// Of the answer; 0 before there is one.
    pub status: u16,
}

/// What a registry with TLS and tokens has besides.
#[derive(Debug)]
struct Secured {
    authority: PathBuf,
    address: String,
    tokens: Arc<TokenServer>,
}

/// How the harness itself is let in.
#[derive(Debug, Clone)]
enum Entry {
    Open,
    Password { user: String, password: String },
    Token(Arc<TokenServer>),
}

/// Pushes images past the proxy, so that the log shows only what the tested program did.
#[derive(Debug, Clone)]
struct Upload {
    url: String,
    entry: Entry,
    /// The repository that tokens are for.
    scope: Option<String>,
    client: reqwest::blocking::Client,
}

const START_LIMIT: Duration = Duration::from_secs(30);
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CREATED: &str = "2024-01-01T00:00:00Z";
/// A gzip stream of an empty tar archive.
const LAYER: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 0x63, 0x60, 0x18, 5, 0xa3, 0x60, 0x14, 0x8c, 0x54, 0, 0, 0x2e, 0xaf, 0xb5,
    0xef, 0, 4, 0, 0,
];

impl Registry {
    /// An empty in-memory registry without authentication.
    pub fn start() -> Result<Self, SandboxError> {
        let group = Group::start()?;
        let file = group.folder().join("address");
        let argument = format!("-address-file={}", file.display());
        group.spawn("memory-registry", &build::ensure(Server::MemoryRegistry)?, &[argument])?;
        group.wait_ready("memory-registry", START_LIMIT, || file.exists())?;
        let address = fs::read_to_string(&file).map_err(SandboxError::file("read", &file))?;
        Self::in_front_of(group, format!("http://{address}"), Entry::Open)
    }

    /// The distribution registry, which wants a user and a password for everything.
    pub fn start_with_auth(user: &str, password: &str) -> Result<Self, SandboxError> {
        let login = (user.to_owned(), password.to_owned());
        for _ in 0..3 {
            match Self::try_distribution(Some(&login)) {
                Err(SandboxError::Ended { log, .. }) if log.contains("address already in use") => {}
                other => return other,
            }
        }
        Self::try_distribution(Some(&login))
    }

    fn try_distribution(login: Option<&(String, String)>) -> Result<Self, SandboxError> {
        let group = Group::start()?;
        let port = free_port()?;
        let mut settings = distribution_settings(port);
        let mut entry = Entry::Open;
        if let Some((user, password)) = login {
            let file = group.folder().join("htpasswd");
            let hash = Command::new(build::ensure(Server::Distribution)?)
                .args(["htpasswd", user, password])
                .output()
                .map_err(|source| SandboxError::Spawn { program: "htpasswd".to_owned(), source })?;
            fs::write(&file, hash.stdout).map_err(SandboxError::file("write", &file))?;
            settings["auth"] = json!({"htpasswd": {"realm": "sandbox", "path": file}});
            entry = Entry::Password { user: user.clone(), password: password.clone() };
        }
        spawn_distribution(&group, &settings)?;
        let registry = Self::in_front_of(group, format!("http://127.0.0.1:{port}"), entry)?;
        registry._group.wait_ready("distribution", START_LIMIT, || registry.upload.answers())?;
        Ok(registry)
    }

    /// The distribution registry behind TLS of an own authority, which wants tokens of a token service.
    ///
    /// The service knows one user, whose password is good as identity token too.
    pub fn start_with_tokens(user: &str, password: &str) -> Result<Self, SandboxError> {
        for _ in 0..3 {
            match Self::try_with_tokens(user, password) {
                Err(SandboxError::Ended { log, .. }) if log.contains("address already in use") => {}
                other => return other,
            }
        }
        Self::try_with_tokens(user, password)
    }

    fn try_with_tokens(user: &str, password: &str) -> Result<Self, SandboxError> {
        let group = Group::start()?;
        let port = free_port()?;
        let authority = Authority::new()?;
        let tokens = Arc::new(TokenServer::start(&authority.certify()?, user, password)?);
        let (certificate, key) = authority.certify()?.write(group.folder(), "registry")?;
        let files = [("ca.crt", authority.pem().to_owned()), ("keys.json", tokens.key_set().to_string())];
        for (name, text) in &files {
            let file = group.folder().join(name);
            fs::write(&file, text).map_err(SandboxError::file("write", &file))?;
        }
        let mut settings = distribution_settings(port);
        settings["http"]["tls"] = json!({"certificate": certificate, "key": key});
        settings["auth"] = json!({"token": {
            "realm": tokens.realm(), "service": token_server::SERVICE, "issuer": token_server::ISSUER,
            "jwks": group.folder().join("keys.json"),
        }});
        spawn_distribution(&group, &settings)?;
        let url = format!("https://127.0.0.1:{port}");
        let secured = Secured {
            authority: group.folder().join("ca.crt"),
            address: format!("127.0.0.1:{port}"),
            tokens: Arc::clone(&tokens),
        };
        let registry = Self {
            proxy: Proxy::start_tls(&url, &authority)?,
            upload: Upload::new(url, Entry::Token(tokens), Some(authority.pem()))?,
            secured: Some(secured),
            _group: group,
        };
        registry._group.wait_ready("distribution", START_LIMIT, || registry.upload.answers())?;
        Ok(registry)
    }

    fn in_front_of(group: Group, url: String, entry: Entry) -> Result<Self, SandboxError> {
        let proxy = Proxy::start(&url)?;
        Ok(Self { proxy, upload: Upload::new(url, entry, None)?, secured: None, _group: group })
    }

    /// The registry's own address, past the proxy, if it speaks TLS itself.
    pub fn direct_address(&self) -> Option<&str> {
        self.secured.as_ref().map(|secured| secured.address.as_str())
    }

    /// The authority's certificate, a PEM file, if there is TLS.
    pub fn authority_file(&self) -> Option<&Path> {
        self.secured.as_ref().map(|secured| secured.authority.as_path())
    }

    /// What the token service was asked, in order.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.secured.as_ref().map(|secured| secured.tokens.log().clone()).unwrap_or_default()
    }

    /// `127.0.0.1:PORT`, for image references.
    pub fn address(&self) -> String {
        self.proxy.address()
    }

    /// The requests since the last [`Self::forget_requests`], in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.proxy.log().clone()
    }

    /// Empties the access log.
    pub fn forget_requests(&self) {
        self.proxy.log().clear();
        if let Some(secured) = &self.secured {
            secured.tokens.log().clear();
        }
    }

    /// What the registry does wrong from now on.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.proxy.set_quirks(quirks);
    }

    /// Pushes a tiny image.
    pub fn push_image(&self, repository: &str, tag: &str) -> Result<(), SandboxError> {
        self.push_images(repository, &[tag])
    }

    /// Pushes one tiny image under many tags.
    pub fn push_images(&self, repository: &str, tags: &[&str]) -> Result<(), SandboxError> {
        self.upload.images(repository, tags, None)
    }

    /// Pushes an index of tiny images, each with its platform and RFC 3339 time of creation.
    pub fn push_index(&self, repository: &str, tag: &str, children: &[(&str, &str)]) -> Result<(), SandboxError> {
        self.upload.index(repository, tag, children)
    }

    /// Pushes a chart folder as `helm push` does; the tag is its version, with `_` for `+`.
    pub fn push_chart(&self, repository: &str, folder: &Path) -> Result<(), SandboxError> {
        self.upload.chart(repository, folder)
    }

    /// Pushes a tiny image that was created at an RFC 3339 time.
    pub fn push_image_created(&self, repository: &str, tag: &str, created: &str) -> Result<(), SandboxError> {
        self.upload.images(repository, &[tag], Some(created))
    }
}

fn distribution_settings(port: u16) -> Value {
    json!({
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"inmemory": {}, "delete": {"enabled": true}},
        "http": {"addr": format!("127.0.0.1:{port}"), "secret": "sandbox"},
    })
}

fn spawn_distribution(group: &Group, settings: &Value) -> Result<(), SandboxError> {
    // JSON is YAML.
    let file = group.folder().join("registry.yml");
    fs::write(&file, settings.to_string()).map_err(SandboxError::file("write", &file))?;
    let arguments = ["serve".to_owned(), file.display().to_string()];
    group.spawn("distribution", &build::ensure(Server::Distribution)?, &arguments).map(drop)
}

/// Pushes one tiny image under many tags to any registry without authentication.
pub fn push(address: &str, repository: &str, tags: &[&str]) -> Result<(), SandboxError> {
    Upload::new(format!("http://{address}"), Entry::Open, None)?.images(repository, tags, None)
}

impl Upload {
    fn new(url: String, entry: Entry, authority: Option<&str>) -> Result<Self, SandboxError> {
        let failed = |error: reqwest::Error| SandboxError::Certificate(error.to_string());
        let roots = authority.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes())).transpose().map_err(failed)?;
        let client = builder().tls_certs_only(roots).build().map_err(failed)?;
        Ok(Self { url, entry, scope: None, client })
    }

    fn answers(&self) -> bool {
        let request = self.client.get(format!("{}/v2/", self.url));
        self.authorized(request).send().is_ok_and(|answer| answer.status().is_success())
    }

    fn scoped(&self, repository: &str) -> Self {
        Self { scope: Some(repository.to_owned()), ..self.clone() }
    }

    fn images(&self, repository: &str, tags: &[&str], created: Option<&str>) -> Result<(), SandboxError> {
        let upload = self.scoped(repository);
        let manifest = upload.image(repository, created.unwrap_or(CREATED))?;
        tags.iter().try_for_each(|tag| upload.manifest(repository, tag, MANIFEST, &manifest))
    }

    fn index(&self, repository: &str, tag: &str, children: &[(&str, &str)]) -> Result<(), SandboxError> {
        let upload = self.scoped(repository);
        let mut manifests = Vec::new();
        for (platform, created) in children {
            let manifest = upload.image(repository, created)?;
            let (os, architecture) = platform.split_once('/').unwrap_or((platform, ""));
            upload.manifest(repository, &digest(manifest.as_bytes()), MANIFEST, &manifest)?;
            let mut child = descriptor(MANIFEST, manifest.as_bytes());
            child["platform"] = json!({"os": os, "architecture": architecture});
            manifests.push(child);
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        upload.manifest(repository, tag, INDEX, &index.to_string())
    }

    fn chart(&self, repository: &str, folder: &Path) -> Result<(), SandboxError> {
        let upload = self.scoped(repository);
        let chart = chart_server::metadata(&folder.join("Chart.yaml"))?;
        let text = |name: &str| chart[name].as_str().unwrap_or_default().to_owned();
        let layer = chart_server::package(folder, &text("name")).map_err(SandboxError::file("package", folder))?;
        let config = chart.to_string();
        upload.blob(repository, &layer)?;
        upload.blob(repository, config.as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2,
            "config": descriptor("application/vnd.cncf.helm.config.v1+json", config.as_bytes()),
            "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &layer)],
            "annotations": {
                "org.opencontainers.image.title": text("name"),
                "org.opencontainers.image.version": text("version"),
            },
        });
        upload.manifest(repository, &text("version").replace('+', "_"), MANIFEST, &manifest.to_string())
    }

    /// Uploads what an image consists of; answers its manifest.
    fn image(&self, repository: &str, created: &str) -> Result<String, SandboxError> {
        let config = json!({
            "created": created,
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(&[0; 1024])]},
        })
        .to_string();
        self.blob(repository, LAYER)?;
        self.blob(repository, config.as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", LAYER)],
        });
        Ok(manifest.to_string())
    }

    fn manifest(&self, repository: &str, reference: &str, kind: &str, document: &str) -> Result<(), SandboxError> {
        let path = format!("{}/v2/{repository}/manifests/{reference}", self.url);
        self.send(self.client.put(path).header("content-type", kind).body(document.to_owned())).map(drop)
    }

    fn blob(&self, repository: &str, content: &[u8]) -> Result<(), SandboxError> {
        let start = format!("{}/v2/{repository}/blobs/uploads/", self.url);
        let answer = self.send(self.client.post(&start))?;
        let place = answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let base = url::Url::parse(&start).map_err(|error| failed(&start, &error))?;
        let mut place = base.join(place).map_err(|error| failed(&start, &error))?;
        place.query_pairs_mut().append_pair("digest", &digest(content));
        let upload = self.client.put(place).header("content-type", "application/octet-stream");
        self.send(upload.body(content.to_vec())).map(drop)
    }

    fn authorized(&self, request: reqwest::blocking::RequestBuilder) -> reqwest::blocking::RequestBuilder {
        match &self.entry {
            Entry::Open => request,
            Entry::Password { user, password } => request.basic_auth(user, Some(password)),
            Entry::Token(tokens) => {
                let scope = self.scope.as_ref().map_or(String::new(), |name| format!("repository:{name}:pull,push"));
                match tokens.token(&scope) {
                    Ok(token) => request.bearer_auth(token),
                    Err(_) => request,
                }
            }
        }
    }

    fn send(&self, request: reqwest::blocking::RequestBuilder) -> Result<reqwest::blocking::Response, SandboxError> {
        let answer = self.authorized(request).send().map_err(|error| failed(&self.url, &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let what = answer.url().to_string();
        let reason = format!("{status}: {}", answer.text().unwrap_or_default());
        Err(SandboxError::Request { what, reason })
    }
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    json!({"mediaType": kind, "size": content.len(), "digest": digest(content)})
}

fn failed(what: &str, error: &dyn std::error::Error) -> SandboxError {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    SandboxError::Request { what: what.to_owned(), reason }
}

fn digest(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
