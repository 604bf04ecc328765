//! Finds the `windlass` binary that tests run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::servers::{SandboxError, build};

/// Profile of the built binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For tests.
    Dev,
    /// For benchmarks.
    Release,
}

/// The binary for tests: `WINDLASS_BIN`, else built once per process by cargo.
///
/// Panics when the build fails, because no test can go on without it.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built(Profile::Dev).unwrap_or_else(|error| panic!("{error}")))
}

/// `WINDLASS_BIN`, else the binary that cargo builds now.
pub fn built(profile: Profile) -> Result<PathBuf, SandboxError> {
    if let Some(path) = env::var_os("WINDLASS_BIN") {
        return Ok(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Cargo has a lock of its own; this one keeps its waiting message out of many tests' output.
    let _lock = build::lock(&build::cache_folder().join("windlass.lock"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "windlass", "--bin", "windlass"]);
    command.args(["--message-format", "json"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    let output = command
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| SandboxError::Spawn { program: "cargo".to_owned(), source })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    executable(&stdout).ok_or_else(|| SandboxError::Failed {
        program: "cargo build -p windlass".to_owned(),
        stderr: rendered(&stdout),
    })
}

/// A command that runs windlass without the user's settings: own home, no kubeconfig.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(binary());
    isolate(&mut command, home);
    command.arg("--no-update-check");
    command
}

/// Removes what a developer's environment could change in an answer.
pub fn isolate(command: &mut Command, home: &Path) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KLUCTL_") || text.starts_with("WINDLASS_") {
            command.env_remove(name);
        }
    }
    for name in ["COLUMNS", "NO_COLOR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
        command.env_remove(name);
    }
    command
        .env("HOME", home.join("home"))
        .env("KUBECONFIG", home.join("no-kubeconfig"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("KLUCTL_CACHE_DIR", home.join("cache"))
        .env("KLUCTL_BASE_TMP_DIR", home.join("t"))
        .env("NO_PROXY", "127.0.0.1,localhost");
}

fn messages(stdout: &str) -> impl Iterator<Item = Value> {
    stdout.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn executable(stdout: &str) -> Option<PathBuf> {
    let finished = messages(stdout).any(|m| m["reason"] == "build-finished" && m["success"] == true);
    let path = messages(stdout)
        .filter(|m| m["target"]["name"] == "windlass")
        .find_map(|m| m["executable"].as_str().map(PathBuf::from));
    path.filter(|_| finished)
}

fn rendered(stdout: &str) -> String {
    messages(stdout).filter_map(|m| m["message"]["rendered"].as_str().map(str::to_owned)).collect()
}
