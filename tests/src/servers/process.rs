//! Children that end with this process, whatever ends it.
//!
//! A [`Group`] starts the small supervisor of `sandbox/supervise` and holds the only write end of
//! its stdin. When this process ends, the kernel closes the pipe, and the supervisor kills all
//! children and removes their folders. No code of ours has to run for that.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::SandboxError;
use super::build::{self, Server};

/// A set of servers with a common temporary folder.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    supervisor: Child,
    orders: Mutex<Option<ChildStdin>>,
    states: Arc<States>,
}

#[derive(Debug, Default)]
struct States {
    by_name: Mutex<BTreeMap<String, State>>,
    changed: Condvar,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Running {
        pid: u32,
    },
    Ended,
    Failed(String),
    /// The supervisor itself ended.
    Gone,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    event: String,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    error: String,
}

impl Group {
    /// Starts the supervisor, with an empty temporary folder that it removes at the end.
    pub fn start() -> Result<Self, SandboxError> {
        let program = build::ensure(Server::Supervise)?;
        let parent = std::env::temp_dir();
        let folder = tempfile::Builder::new()
            .prefix("windlass-sandbox-")
            .tempdir()
            .map_err(SandboxError::file("create a folder in", parent))?
            .keep();
        let mut supervisor = Command::new(program)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A Ctrl-C at the terminal must reach only the test process.
            .process_group(0)
            .spawn()
            .map_err(|source| SandboxError::Spawn { program: "supervise".to_owned(), source })?;
        let states = Arc::new(States::default());
        let (Some(orders), Some(events)) = (supervisor.stdin.take(), supervisor.stdout.take()) else {
            return Err(SandboxError::SupervisorGone);
        };
        let listener = Arc::clone(&states);
        thread::spawn(move || listener.follow(events));
        Ok(Self { folder, supervisor, orders: Mutex::new(Some(orders)), states })
    }

    /// The temporary folder of the group.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Process id of the supervisor.
    pub fn supervisor_pid(&self) -> u32 {
        self.supervisor.id()
    }

    /// Starts a child under `name`; its output goes to `<name>.log` in the group's folder.
    ///
    /// Answers the process id, which is also the id of the child's process group.
    pub fn spawn(&self, name: &str, program: &Path, arguments: &[String]) -> Result<u32, SandboxError> {
        self.states.lock().remove(name);
        let mut argv = vec![program.to_string_lossy().into_owned()];
        argv.extend_from_slice(arguments);
        self.order(&json!({
            "name": name, "argv": argv, "dir": self.folder, "log": self.log_file(name),
        }))?;
        match self.states.wait_for(name) {
            State::Running { pid } => Ok(pid),
            State::Failed(reason) => {
                Err(SandboxError::Failed { program: program.display().to_string(), stderr: reason })
            }
            State::Ended => Err(self.ended(name)),
            State::Gone => Err(SandboxError::SupervisorGone),
        }
    }

    /// Sends a signal (`KILL`, `STOP`, `CONT`, `TERM`) to a child's process group.
    pub fn signal(&self, name: &str, signal: &str) -> Result<(), SandboxError> {
        self.order(&json!({"name": name, "signal": signal}))
    }

    /// Waits until a child has ended.
    pub fn wait_ended(&self, name: &str) {
        let mut states = self.states.lock();
        while matches!(states.get(name), Some(State::Running { .. })) {
            states = self.states.changed.wait(states).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the child has ended.
    pub fn has_ended(&self, name: &str) -> bool {
        !matches!(self.states.lock().get(name), Some(State::Running { .. }))
    }

    /// Asks `ready` until it agrees; an ended child and a passed `limit` are errors.
    pub fn wait_ready(&self, name: &str, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<(), SandboxError> {
        let started = Instant::now();
        while !ready() {
            if self.has_ended(name) {
                return Err(self.ended(name));
            }
            if started.elapsed() > limit {
                return Err(SandboxError::NotReady {
                    server: name.to_owned(),
                    seconds: limit.as_secs(),
                    log: self.log_tail(name),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The last lines of a child's output.
    pub fn log_tail(&self, name: &str) -> String {
        let text = fs::read(self.log_file(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn log_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn ended(&self, server: &str) -> SandboxError {
        SandboxError::Ended { server: server.to_owned(), log: self.log_tail(server) }
    }

    fn order(&self, order: &serde_json::Value) -> Result<(), SandboxError> {
        let mut pipe = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = pipe.as_mut().ok_or(SandboxError::SupervisorGone)?;
        writeln!(pipe, "{order}").map_err(|_| SandboxError::SupervisorGone)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Closing the pipe is the order to end; waiting makes the folder's removal visible.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = self.supervisor.wait();
    }
}

impl States {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, events: ChildStdout) {
        for line in BufReader::new(events).lines().map_while(Result::ok) {
            let Ok(event) = serde_json::from_str::<Event>(&line) else { continue };
            let state = match event.event.as_str() {
                "started" => State::Running { pid: event.pid },
                "exited" => State::Ended,
                _ => State::Failed(event.error),
            };
            self.lock().insert(event.name, state);
            self.changed.notify_all();
        }
        self.lock().insert(String::new(), State::Gone);
        for state in self.lock().values_mut() {
            *state = State::Gone;
        }
        self.changed.notify_all();
    }

    fn wait_for(&self, name: &str) -> State {
        let mut states = self.lock();
        loop {
            // The empty name is the supervisor.
            if let Some(state) = states.get(name).or_else(|| states.get("")) {
                return state.clone();
            }
            states = self.changed.wait(states).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A port of 127.0.0.1 that was free a moment ago; callers try again when it got lost.
pub fn free_port() -> Result<u16, SandboxError> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|source| SandboxError::Spawn { program: "a listener".to_owned(), source })
}
