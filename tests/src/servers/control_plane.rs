//! kube-apiserver with etcd, and on request controllers and simulated nodes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::build::{self, Server};
use super::process::{Group, free_port};
use super::requests::{self, ApiRequest};
use super::{SandboxError, credentials};

/// What runs beside etcd and kube-apiserver.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// kube-controller-manager: Deployments, Jobs, garbage collection, namespaces.
    pub controllers: bool,
    /// kube-scheduler, kwok and one simulated node: pods become ready.
    pub kwok: bool,
    /// Keep an audit log, for [`ControlPlane::requests`].
    pub audit: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { controllers: false, kwok: false, audit: true }
    }
}

/// A running control plane; ends when dropped.
#[derive(Debug)]
pub struct ControlPlane {
    group: Group,
    url: String,
    authority: String,
    client: reqwest::blocking::Client,
    read_to: AtomicUsize,
    markers: AtomicU32,
}

/// What a `kubectl` call answered.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code was 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

const START_LIMIT: Duration = Duration::from_secs(120);
const ATTEMPTS: u32 = 4;

impl ControlPlane {
    /// Starts the servers and waits until they are ready.
    pub fn start(options: Options) -> Result<Self, SandboxError> {
        for _ in 1..ATTEMPTS {
            match Self::try_start(options) {
                // Another process took the port between our look and the server's.
                Err(SandboxError::Ended { log, .. }) if log.contains("address already in use") => {}
                other => return other,
            }
        }
        Self::try_start(options)
    }

    fn try_start(options: Options) -> Result<Self, SandboxError> {
        let group = Group::start()?;
        let folder = group.folder().to_owned();
        let credentials = credentials::write(&folder)?;
        let etcd = start_etcd(&group)?;
        let port = start_apiserver(&group, &etcd, options)?;
        let client = client(&credentials.authority)?;
        let plane = Self {
            url: format!("https://127.0.0.1:{port}"),
            authority: credentials.authority,
            client,
            group,
            read_to: AtomicUsize::new(0),
            markers: AtomicU32::new(0),
        };
        plane.write_kubeconfigs()?;
        plane.group.wait_ready("kube-apiserver", START_LIMIT, || plane.is_ready())?;
        if options.controllers || options.kwok {
            plane.start_controllers()?;
        }
        if options.kwok {
            plane.start_nodes()?;
        }
        Ok(plane)
    }

    /// Kubeconfig of the user `admin`; its only context is `held`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_of("admin")
    }

    /// Kubeconfig of one of the users `admin` and `limited` (who may do nothing until a role says so).
    pub fn kubeconfig_of(&self, user: &str) -> PathBuf {
        self.group.folder().join(format!("kubeconfig-{}.json", user.replace(':', "-")))
    }

    /// Writes a kubeconfig of `admin` who impersonates `user`.
    pub fn impersonate(&self, user: &str, path: &Path) -> Result<(), SandboxError> {
        write_json(path, &self.kubeconfig_document("admin", Some(user)))
    }

    /// Address of the API server, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate authority of the API server, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The bearer token of a user.
    pub fn token_of(&self, user: &str) -> String {
        credentials::token(user)
    }

    /// Folder with the logs and data of the servers.
    pub fn folder(&self) -> &Path {
        self.group.folder()
    }

    /// The processes of the plane, to stop or kill one of them in a test.
    pub fn processes(&self) -> &Group {
        &self.group
    }

    /// Sends a request as user `harness`; answers the status and the parsed body.
    ///
    /// `content_type` matters for `PATCH`; other methods send JSON when it is empty.
    pub fn api(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), SandboxError> {
        let failed = |reason: String| SandboxError::Request { what: format!("{method} {path}"), reason };
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let mut request =
            self.client.request(method, format!("{}{path}", self.url)).bearer_auth(self.token_of("harness"));
        if let Some(body) = body {
            let kind = if content_type.is_empty() { "application/json" } else { content_type };
            request = request.header("content-type", kind).body(body.to_string());
        }
        let answer = request.send().map_err(|error| failed(format!("{error:?}")))?;
        let status = answer.status().as_u16();
        let text = answer.text().map_err(|error| failed(error.to_string()))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Reads one object or list; `None` when it does not exist.
    pub fn get(&self, path: &str) -> Result<Option<Value>, SandboxError> {
        match self.api("GET", path, "", None)? {
            (200, value) => Ok(Some(value)),
            (404, _) => Ok(None),
            (status, value) => {
                Err(SandboxError::Request { what: format!("GET {path}"), reason: format!("{status}: {value}") })
            }
        }
    }

    /// Runs the sandbox's own `kubectl` as user `harness`.
    pub fn kubectl(&self, arguments: &[&str], stdin: &str) -> Result<Outcome, SandboxError> {
        let program = build::ensure(Server::Kubectl)?;
        let spawn = |source| SandboxError::Spawn { program: "kubectl".to_owned(), source };
        let mut child = Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig_of("harness"))
            .env("KUBECACHEDIR", self.group.folder().join("kubectl-cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(spawn)?;
        if let Some(mut pipe) = child.stdin.take() {
            // A kubectl that does not read its input may close it.
            let _ = pipe.write_all(stdin.as_bytes());
        }
        let output = child.wait_with_output().map_err(spawn)?;
        Ok(Outcome {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Creates or changes objects: `kubectl apply -f -`.
    pub fn apply(&self, yaml: &str) -> Result<(), SandboxError> {
        let outcome = self.kubectl(&["apply", "-f", "-"], yaml)?;
        if outcome.success {
            return Ok(());
        }
        Err(SandboxError::Failed { program: "kubectl apply".to_owned(), stderr: outcome.stderr })
    }

    /// The requests of users outside the harness since the last [`Self::forget_requests`].
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.all_requests()
            .into_iter()
            .filter(|request| request.user != "harness" && !request.user.starts_with("system:"))
            .collect()
    }

    /// Starts a new list of requests.
    pub fn forget_requests(&self) {
        self.all_requests();
        let length = fs::metadata(self.audit_log()).map_or(0, |file| file.len());
        self.read_to.store(usize::try_from(length).unwrap_or(usize::MAX), Ordering::SeqCst);
    }

    /// Answers once the log holds a request that was sent just now, and with it all before.
    fn all_requests(&self) -> Vec<ApiRequest> {
        let marker = format!("/version?marker={}", self.markers.fetch_add(1, Ordering::SeqCst));
        let sent = self.api("GET", &marker, "", None).is_ok();
        let started = Instant::now();
        loop {
            let found = requests::parse(&self.audit_log(), self.read_to.load(Ordering::SeqCst));
            let complete = found.iter().any(|request| request.uri == marker);
            if complete || !sent || started.elapsed() > Duration::from_secs(5) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn audit_log(&self) -> PathBuf {
        self.group.folder().join("audit.log")
    }

    fn is_ready(&self) -> bool {
        matches!(self.api("GET", "/readyz", "", None), Ok((200, _)))
            && matches!(self.get("/api/v1/namespaces/default"), Ok(Some(_)))
    }

    fn write_kubeconfigs(&self) -> Result<(), SandboxError> {
        for (user, _) in credentials::USERS {
            write_json(&self.kubeconfig_of(user), &self.kubeconfig_document(user, None))?;
        }
        Ok(())
    }

    fn kubeconfig_document(&self, user: &str, impersonated: Option<&str>) -> Value {
        let mut login = json!({"token": self.token_of(user)});
        if let Some(name) = impersonated {
            login["as"] = name.into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "held",
            "clusters": [{"name": "held", "cluster": {
                "server": self.url,
                "certificate-authority-data": BASE64.encode(&self.authority),
            }}],
            "contexts": [{"name": "held", "context": {"cluster": "held", "user": user}}],
            "users": [{"name": user, "user": login}],
        })
    }

    fn start_controllers(&self) -> Result<(), SandboxError> {
        let name = "kube-controller-manager";
        let file = |name: &str| self.group.folder().join(name).display().to_string();
        let kubeconfig = self.kubeconfig_of("system:kube-controller-manager");
        self.group.spawn(
            name,
            &build::ensure(Server::KubeControllerManager)?,
            &[
                format!("--kubeconfig={}", kubeconfig.display()),
                format!("--root-ca-file={}", file("ca.crt")),
                format!("--service-account-private-key-file={}", file("accounts.key")),
                "--use-service-account-credentials=false".to_owned(),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                "--node-monitor-grace-period=10m".to_owned(),
                "--kube-api-qps=500".to_owned(),
                "--kube-api-burst=1000".to_owned(),
            ],
        )?;
        // The account controller is among the last to start.
        self.group.wait_ready(name, START_LIMIT, || {
            matches!(self.get("/api/v1/namespaces/default/serviceaccounts/default"), Ok(Some(_)))
        })
    }

    fn start_nodes(&self) -> Result<(), SandboxError> {
        let kubeconfig = self.kubeconfig_of("system:kube-scheduler");
        self.group.spawn(
            "kube-scheduler",
            &build::ensure(Server::KubeScheduler)?,
            &[
                format!("--kubeconfig={}", kubeconfig.display()),
                "--leader-elect=false".to_owned(),
                "--secure-port=0".to_owned(),
                "--kube-api-qps=500".to_owned(),
                "--kube-api-burst=1000".to_owned(),
            ],
        )?;
        self.group.spawn(
            "kwok",
            &build::ensure(Server::Kwok)?,
            &[format!("--kubeconfig={}", kubeconfig.display()), "--manage-all-nodes=true".to_owned()],
        )?;
        let (status, answer) = self.api("POST", "/api/v1/nodes", "", Some(&simulated_node()))?;
        if status >= 300 {
            return Err(SandboxError::Request {
                what: "create the simulated node".to_owned(),
                reason: format!("{status}: {answer}"),
            });
        }
        self.group.wait_ready("kwok", START_LIMIT, || {
            let node = self.get("/api/v1/nodes/simulated");
            matches!(node, Ok(Some(node)) if is_condition_true(&node, "Ready"))
        })
    }
}

/// Whether `status.conditions` has the type with status `True`.
pub(crate) fn is_condition_true(object: &Value, condition: &str) -> bool {
    object["status"]["conditions"]
        .as_array()
        .is_some_and(|conditions| conditions.iter().any(|c| c["type"] == condition && c["status"] == "True"))
}

fn simulated_node() -> Value {
    let resources = json!({"cpu": "1000", "memory": "4096Gi", "pods": "100000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "simulated",
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": "simulated", "kubernetes.io/os": "linux"},
        },
        "status": {"allocatable": resources, "capacity": resources},
    })
}

fn start_etcd(group: &Group) -> Result<String, SandboxError> {
    let url = format!("http://127.0.0.1:{}", free_port()?);
    group.spawn(
        "etcd",
        &build::ensure(Server::Etcd)?,
        &[
            format!("--data-dir={}", group.folder().join("etcd").display()),
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ],
    )?;
    let plain = plain_client()?;
    group.wait_ready("etcd", START_LIMIT, || {
        plain.get(format!("{url}/health")).send().is_ok_and(|answer| answer.status().is_success())
    })?;
    Ok(url)
}

fn start_apiserver(group: &Group, etcd: &str, options: Options) -> Result<u16, SandboxError> {
    let port = free_port()?;
    let file = |name: &str| group.folder().join(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!("--service-account-signing-key-file={}", file("accounts.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if !(options.controllers || options.kwok) {
        // Nobody would create the accounts that it demands for every pod.
        arguments.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    if options.audit {
        let policy = group.folder().join("audit-policy.json");
        write_json(&policy, &audit_policy())?;
        arguments.push(format!("--audit-policy-file={}", policy.display()));
        arguments.push(format!("--audit-log-path={}", file("audit.log")));
    }
    group.spawn("kube-apiserver", &build::ensure(Server::KubeApiserver)?, &arguments)?;
    Ok(port)
}

/// Who asked for what and got which status, without bodies; the plane's own parts are left out.
fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts"]},
            {"level": "None", "users": [
                "system:apiserver", "system:kube-controller-manager", "system:kube-scheduler",
            ]},
            {"level": "Metadata"},
        ],
    })
}

fn client(authority: &str) -> Result<reqwest::blocking::Client, SandboxError> {
    let failed = |error: reqwest::Error| SandboxError::Certificate(error.to_string());
    let root = reqwest::Certificate::from_pem(authority.as_bytes()).map_err(failed)?;
    builder().tls_certs_only([root]).build().map_err(failed)
}

fn plain_client() -> Result<reqwest::blocking::Client, SandboxError> {
    builder().tls_certs_only([]).build().map_err(|error| SandboxError::Certificate(error.to_string()))
}

/// A client without proxies, redirects and decompression: what is seen is what was sent.
pub(super) fn builder() -> reqwest::blocking::ClientBuilder {
    // A second call finds the provider in place, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder()
        .no_proxy()
        .no_gzip()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
}

fn write_json(path: &Path, value: &Value) -> Result<(), SandboxError> {
    fs::write(path, value.to_string()).map_err(SandboxError::file("write", path))
}
