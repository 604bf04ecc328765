//! Builds each pinned server once and keeps it for every later test process.
//!
//! The binaries live in a cache folder outside the checkout (`WINDLASS_SANDBOX_CACHE`, else
//! `$XDG_CACHE_HOME/windlass/sandbox`, else `~/.cache/windlass/sandbox`): building kube-apiserver
//! takes minutes, and all clones and work trees of a machine need the same pinned binaries. A file
//! lock lets one process build while the others wait; a rename makes the result appear whole.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::SandboxError;

/// Version of Kubernetes that the sandbox module pins.
pub const KUBERNETES: &str = "1.35.4";

/// A program of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The Kubernetes API server.
    KubeApiserver,
    /// Deployments, Jobs, garbage collection, namespaces.
    KubeControllerManager,
    /// Binds pods to nodes.
    KubeScheduler,
    /// The client that prepares golden cases.
    Kubectl,
    /// Storage of the API server.
    Etcd,
    /// Simulated nodes and pods.
    Kwok,
    /// In-memory registry (go-containerregistry).
    MemoryRegistry,
    /// The distribution registry: authentication, paging, TLS.
    Distribution,
    /// The client of go-containerregistry, to compare with.
    Crane,
    /// Renders charts with Helm's own packages, to compare with.
    Charts,
    /// Ends the servers with the test process.
    Supervise,
}

struct Recipe {
    name: &'static str,
    version: &'static str,
    module: &'static str,
    package: &'static str,
    /// Name below `KUBEBUILDER_ASSETS`, for programs that may come from there.
    asset: Option<&'static str>,
    /// Roughly how long a cold build takes, for the message.
    takes: &'static str,
}

impl Server {
    /// Everything that a full run of the tests uses, the slowest first.
    pub const ALL: [Self; 9] = [
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::KubeScheduler,
        Self::Etcd,
        Self::Kwok,
        Self::MemoryRegistry,
        Self::Distribution,
        Self::Supervise,
    ];

    fn recipe(self) -> Recipe {
        let kubernetes = |name, package, asset, takes| Recipe {
            name,
            version: KUBERNETES,
            module: "kubernetes",
            package,
            asset,
            takes,
        };
        let own =
            |name, version, module, package| Recipe { name, version, module, package, asset: None, takes: "seconds" };
        match self {
            Self::KubeApiserver => kubernetes(
                "kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-apiserver",
                Some("kube-apiserver"),
                "4 minutes",
            ),
            Self::KubeControllerManager => {
                kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", None, "1 minute")
            }
            Self::KubeScheduler => {
                kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", None, "half a minute")
            }
            Self::Kubectl => kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl", Some("kubectl"), "half a minute"),
            Self::Etcd => Recipe {
                version: "3.6.8",
                ..kubernetes("etcd", "go.etcd.io/etcd/server/v3", Some("etcd"), "half a minute")
            },
            Self::Kwok => Recipe {
                version: "0.7.0",
                module: "kwok",
                ..kubernetes("kwok", "sigs.k8s.io/kwok/cmd/kwok", None, "1 minute")
            },
            Self::MemoryRegistry => own("memory-registry", "0.22.1", "registry", "./cmd/memory-registry"),
            Self::Distribution => own("distribution", "3.0.0", "registry", "./cmd/distribution"),
            Self::Crane => own("crane", "0.22.1", "crane", "github.com/google/go-containerregistry/cmd/crane"),
            Self::Charts => own("charts", "4.2.2", "charts", "."),
            Self::Supervise => own("supervise", "1", "supervise", "."),
        }
    }
}

/// Path of the program, after building it if no process of this machine has done so yet.
pub fn ensure(server: Server) -> Result<PathBuf, SandboxError> {
    let recipe = server.recipe();
    if let Some(path) = from_assets(&recipe) {
        return Ok(path);
    }
    let folder = cache_folder().join(format!("{}-{}-{}", recipe.name, recipe.version, fingerprint(&recipe)?));
    let program = folder.join(recipe.name);
    if program.is_file() {
        return Ok(program);
    }
    let _lock = lock(&cache_folder().join("build.lock"))?;
    // Another process may have built it while this one waited.
    if !program.is_file() {
        build(&recipe, &folder)?;
    }
    Ok(program)
}

/// Folder of the Go modules that pin the servers.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox")
}

/// Folder that keeps built servers.
pub fn cache_folder() -> PathBuf {
    if let Some(dir) = env::var_os("WINDLASS_SANDBOX_CACHE") {
        return dir.into();
    }
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from).join(".cache"));
    base.join("windlass").join("sandbox")
}

/// Locks `path` for this process until the answer is dropped.
pub fn lock(path: &Path) -> Result<File, SandboxError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(SandboxError::file("create", parent))?;
    }
    let file = File::create(path).map_err(SandboxError::file("create", path))?;
    file.lock().map_err(SandboxError::file("lock", path))?;
    Ok(file)
}

fn from_assets(recipe: &Recipe) -> Option<PathBuf> {
    let path = PathBuf::from(env::var_os("KUBEBUILDER_ASSETS")?).join(recipe.asset?);
    path.is_file().then_some(path)
}

/// Changes when a binary would be another one: flags, and the sources of programs of our own.
fn fingerprint(recipe: &Recipe) -> Result<String, SandboxError> {
    let mut hash = Sha256::new();
    for part in arguments(recipe, Path::new("-")) {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(env::consts::OS);
    hash.update(env::consts::ARCH);
    let own = recipe.package.strip_prefix('.').map(|rest| rest.trim_start_matches('/'));
    if let Some(package) = own {
        let folder = sources().join(recipe.module).join(package);
        for file in sorted_files(&folder)? {
            hash.update(fs::read(&file).map_err(SandboxError::file("read", &file))?);
        }
    }
    Ok(hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect())
}

fn sorted_files(folder: &Path) -> Result<Vec<PathBuf>, SandboxError> {
    let entries = fs::read_dir(folder).map_err(SandboxError::file("list", folder))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn arguments(recipe: &Recipe, output: &Path) -> Vec<String> {
    // Without the version a server reports one that Helm cannot parse.
    let mut ldflags = "-s -w".to_owned();
    if recipe.module == "kubernetes" && recipe.version == KUBERNETES {
        let variable = "-X k8s.io/component-base/version";
        let minor = KUBERNETES.split('.').nth(1).unwrap_or_default();
        ldflags.push_str(&format!(
            " {variable}.gitVersion=v{KUBERNETES} {variable}.gitMajor=1 {variable}.gitMinor={minor}"
        ));
    }
    let output = output.to_string_lossy().into_owned();
    ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags"]
        .into_iter()
        .map(str::to_owned)
        .chain([ldflags, "-o".to_owned(), output, recipe.package.to_owned()])
        .collect()
}

fn build(recipe: &Recipe, folder: &Path) -> Result<(), SandboxError> {
    say(&format!("sandbox: building {} {} (once; takes about {})", recipe.name, recipe.version, recipe.takes));
    let started = Instant::now();
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).map_err(SandboxError::file("create", &unfinished))?;
    let output = Command::new("go")
        .args(arguments(recipe, &unfinished.join(recipe.name)))
        .current_dir(sources().join(recipe.module))
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")])
        .output()
        .map_err(|source| SandboxError::Spawn { program: "go".to_owned(), source })?;
    if !output.status.success() {
        return Err(SandboxError::Failed {
            program: format!("go build {}", recipe.package),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    let _ = fs::remove_dir_all(folder);
    fs::rename(&unfinished, folder).map_err(SandboxError::file("rename", &unfinished))?;
    say(&format!("sandbox: built {} in {} s", recipe.name, started.elapsed().as_secs()));
    Ok(())
}

/// One line for the person who waits; tests capture nothing of it.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
