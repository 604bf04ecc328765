//! Time and memory of a command.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::servers::SandboxError;
use crate::servers::build::{self, Server};

/// What one run used.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Exit code.
    pub code: i32,
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of CPU in the program and its children.
    pub user: f64,
    /// Seconds of CPU in the kernel.
    pub system: f64,
    /// Peak resident size of the largest process.
    pub peak_bytes: u64,
}

impl Usage {
    /// Wall time.
    pub fn wall(&self) -> Duration {
        Duration::from_secs_f64(self.wall)
    }
}

/// Runs a command, which must succeed, and measures it; its stdout is thrown away.
///
/// The measuring program is ours and small, because a process inherits the peak of the one that
/// started it.
pub fn measure(command: &Command) -> Result<Usage, SandboxError> {
    let file = tempfile::NamedTempFile::new().map_err(SandboxError::file("create a file in", std::env::temp_dir()))?;
    let mut wrapped = Command::new(build::ensure(Server::Supervise)?);
    wrapped.arg("measure").arg(file.path()).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    let name = || describe(command);
    let output = wrapped
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|source| SandboxError::Spawn { program: name(), source })?;
    let text = std::fs::read(file.path()).map_err(SandboxError::file("read", file.path()))?;
    match serde_json::from_slice::<Usage>(&text) {
        Ok(usage) if usage.code == 0 => Ok(usage),
        _ => {
            Err(SandboxError::Failed { program: name(), stderr: String::from_utf8_lossy(&output.stderr).into_owned() })
        }
    }
}

fn describe(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_are_seen() {
        let mut command = Command::new("sh");
        command.args(["-c", "x=$(head -c 30000000 /dev/zero | tr '\\0' a); sleep 0.2"]);
        let usage = measure(&command).expect("measured");
        assert!(usage.wall >= 0.2, "{usage:?}");
        assert!(usage.peak_bytes > 25_000_000, "{usage:?}");
    }

    #[test]
    fn failing_commands_are_errors() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]);
        let error = measure(&command).expect_err("an error");
        assert!(error.to_string().contains("why"));
    }
}
