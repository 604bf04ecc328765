//! What one case runs in: a work folder, servers, placeholders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::normal::Places;
use super::recorded;
use super::steps::Step;
use crate::servers::{ChartServer, ControlPlane, GitServer, Registry, SandboxError, copy_tree};
use crate::windlass;

/// The surroundings of a running case; the work folder is removed at the end.
pub(super) struct Environment<'a> {
    pub(super) case: String,
    pub(super) binary: PathBuf,
    pub(super) plane: Option<&'a ControlPlane>,
    pub(super) registry: Option<Registry>,
    pub(super) git: Option<GitServer>,
    pub(super) charts: Option<ChartServer>,
    pub(super) places: Places,
    work: tempfile::TempDir,
}

impl<'a> Environment<'a> {
    /// Starts what the steps need and copies the project, with placeholders filled in.
    pub(super) fn prepare(
        case: &str,
        binary: &Path,
        steps: &[Step],
        plane: Option<&'a ControlPlane>,
    ) -> Result<Self, SandboxError> {
        let work = tempfile::Builder::new()
            .prefix("golden")
            .tempdir()
            .map_err(SandboxError::file("create a folder in", std::env::temp_dir()))?;
        let needs =
            |what: &str| steps.iter().any(|s| matches!(s, Step::Needs(needs) if needs.iter().any(|n| n == what)));
        let mut environment = Self {
            case: case.to_owned(),
            binary: named_kluctl(work.path(), binary)?,
            plane: plane.filter(|_| needs("cluster")),
            registry: needs("registry").then(Registry::start).transpose()?,
            git: steps.iter().any(|s| matches!(s, Step::Git(_))).then(GitServer::start).transpose()?,
            charts: steps.iter().any(|s| matches!(s, Step::Charts(_))).then(ChartServer::start).transpose()?,
            places: Places::default(),
            work,
        };
        environment.name_places();
        environment.copy_project()?;
        Ok(environment)
    }

    pub(super) fn work(&self) -> &Path {
        self.work.path()
    }

    pub(super) fn project(&self) -> PathBuf {
        self.work().join("project")
    }

    /// A command that runs windlass in the project, away from the developer's settings.
    pub(super) fn windlass(&self) -> Command {
        let mut command = Command::new(&self.binary);
        windlass::isolate(&mut command, self.work());
        command.arg("--no-update-check");
        if let Some(plane) = self.plane {
            command.env("KUBECONFIG", plane.kubeconfig());
        }
        command
    }

    fn name_places(&mut self) {
        // Elsewhere the same digits are data.
        if self.case == "cli/version" {
            self.places.set("<VERSION>", env!("CARGO_PKG_VERSION"));
        }
        self.places.set("<DIR>", self.work().display().to_string());
        if let Some(plane) = self.plane {
            self.places.set("<KUBECONFIG>", plane.kubeconfig().display().to_string());
        }
        if let Some(registry) = &self.registry {
            self.places.set("<REGISTRY>", registry.address());
        }
        if let Some(git) = &self.git {
            self.places.set("<GIT>", git.address());
        }
        if let Some(charts) = &self.charts {
            self.places.set("<HELM>", charts.address());
        }
    }

    fn copy_project(&self) -> Result<(), SandboxError> {
        for folder in ["home", "t", "project"] {
            let folder = self.work().join(folder);
            fs::create_dir_all(&folder).map_err(SandboxError::file("create", &folder))?;
        }
        let source = recorded().join(&self.case).join("project");
        if source.is_dir() {
            copy_tree(&source, &self.project())?;
        }
        self.fill_folder(&self.project())
    }

    fn fill_folder(&self, folder: &Path) -> Result<(), SandboxError> {
        let entries = fs::read_dir(folder).map_err(SandboxError::file("list", folder))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let kind = entry.file_type().map_err(SandboxError::file("look at", &path))?;
            if kind.is_dir() {
                self.fill_folder(&path)?;
            } else if kind.is_file() {
                let bytes = fs::read(&path).map_err(SandboxError::file("read", &path))?;
                // Binary files have no placeholders.
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let filled = self.places.fill(&text);
                if filled != text {
                    fs::write(&path, filled).map_err(SandboxError::file("write", &path))?;
                }
            }
        }
        Ok(())
    }
}

/// The binary under the name that the recorded texts have.
fn named_kluctl(work: &Path, binary: &Path) -> Result<PathBuf, SandboxError> {
    let link = work.join("bin").join("kluctl");
    let target = fs::canonicalize(binary).map_err(SandboxError::file("find", binary))?;
    fs::create_dir_all(work.join("bin"))
        .and_then(|()| std::os::unix::fs::symlink(target, &link))
        .map_err(SandboxError::file("link", &link))?;
    Ok(link)
}

/// Removes what a case left in a control plane that others use after it.
pub(super) fn clean(plane: &ControlPlane) -> Result<(), SandboxError> {
    const KEPT: [&str; 5] = ["default", "kube-system", "kube-public", "kube-node-lease", "kluctl-results"];
    for namespace in names(plane, "/api/v1/namespaces", "")? {
        if !KEPT.contains(&namespace.as_str()) {
            // The namespace controller only begins after five seconds: remove what labels would find.
            for path in LEFT_IN_DEFAULT.iter().filter(|path| path.contains("/default/")) {
                let path = path.replace("/default/", &format!("/{namespace}/"));
                plane.api("DELETE", &format!("{path}{AT_ONCE}"), "", None)?;
            }
            let path = format!("/api/v1/namespaces/{namespace}");
            // The namespace itself stays even longer, and would be an orphan of the next case.
            let unlabelled = json!({"metadata": {"labels": {"kluctl.io/discriminator": null}}});
            plane.api("PATCH", &path, "application/merge-patch+json", Some(&unlabelled))?;
            plane.api("DELETE", &path, "", None)?;
        }
    }
    for name in names(plane, CRDS, "")? {
        plane.api("DELETE", &format!("{CRDS}/{name}"), "", None)?;
    }
    for kind in ["clusterroles", "clusterrolebindings"] {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/{kind}");
        for name in names(plane, &path, "?labelSelector=kluctl.io/discriminator")? {
            plane.api("DELETE", &format!("{path}/{name}"), "", None)?;
        }
    }
    for path in LEFT_IN_DEFAULT {
        for name in names(plane, path, "")? {
            if !matches!(name.as_str(), "kubernetes" | "kube-root-ca.crt" | "default") {
                plane.api("DELETE", &format!("{path}/{name}{AT_ONCE}"), "", None)?;
            }
        }
    }
    Ok(())
}

const AT_ONCE: &str = "?propagationPolicy=Background&gracePeriodSeconds=0";

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const LEFT_IN_DEFAULT: [&str; 12] = [
    "/api/v1/namespaces/kluctl-results/secrets",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/serviceaccounts",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/statefulsets",
    "/apis/apps/v1/namespaces/default/daemonsets",
    "/apis/batch/v1/namespaces/default/jobs",
    "/apis/batch/v1/namespaces/default/cronjobs",
    "/api/v1/namespaces/default/pods",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
];

/// Waits until deleted namespaces that the case names are gone; others do not matter to it.
pub(super) fn wait_clean(plane: &ControlPlane, case: &str) -> Result<(), SandboxError> {
    let text = all_text(&recorded().join(case));
    let started = std::time::Instant::now();
    loop {
        let list = plane.get("/api/v1/namespaces")?.unwrap_or_default();
        let in_the_way = list["items"].as_array().into_iter().flatten().any(|item| {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            item["metadata"].get("deletionTimestamp").is_some() && text.contains(name)
        });
        if !in_the_way || started.elapsed().as_secs() > 30 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            text.push_str(&all_text(&entry.path()));
        } else {
            text.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
        }
    }
    text
}

fn names(plane: &ControlPlane, path: &str, query: &str) -> Result<Vec<String>, SandboxError> {
    let list = plane.get(&format!("{path}{query}"))?.unwrap_or_default();
    let items = list["items"].as_array().cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|item: &Value| item["metadata"]["name"].as_str().map(str::to_owned)).collect())
}
