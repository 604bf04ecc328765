//! One running helper: requests go out on one thread, answers come back on another.
//!
//! Threads and not tasks, so that a connection may be shared by callers of different runtimes and of none.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::HelperError;

/// How much of the helper's stderr is kept for an error message.
const LAST_WORDS: usize = 4 << 10;

pub(crate) struct Connection {
    next_id: AtomicU64,
    outgoing: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Waiting>,
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) result: Value,
    pub(crate) warnings: Vec<String>,
}

type Reply = Result<Answer, HelperError>;

#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    replies: HashMap<u64, oneshot::Sender<Reply>>,
    /// Set once the helper has ended: its last words.
    ended: Option<String>,
}

#[derive(Serialize)]
struct Request<'a, P> {
    id: u64,
    method: &'a str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Response {
    id: u64,
    #[serde(default)]
    result: Value,
    error: Option<Failure>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Failure {
    kind: String,
    message: String,
}

impl Connection {
    /// Starts the program. It ends when the connection is dropped, or when this process ends in any way.
    pub(crate) fn start(program: &Path) -> Result<Self, HelperError> {
        let started = spawn(program).map_err(|source| HelperError::Start { path: program.to_owned(), source })?;
        let waiting = Arc::new(Waiting::default());
        let (outgoing, lines) = mpsc::channel();
        let Pipes { child, stdin, stdout, stderr } = started;
        thread::spawn(move || send(stdin, &lines));
        let last_words = LastWords::listen(stderr);
        let answered = Arc::clone(&waiting);
        thread::spawn(move || {
            receive(stdout, &answered);
            reap(child);
            answered.end(last_words.take());
        });
        Ok(Self { next_id: AtomicU64::new(1), outgoing, waiting })
    }

    /// Whether the helper can take another request.
    pub(crate) fn is_alive(&self) -> bool {
        self.waiting.lock().ended.is_none()
    }

    pub(crate) async fn call<P: Serialize>(&self, method: &str, params: &P) -> Reply {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut line = serde_json::to_vec(&Request { id, method, params })
            .map_err(|error| HelperError::Protocol { message: error.to_string() })?;
        line.push(b'\n');
        let reply = self.waiting.expect(id)?;
        // When the writer has gone, the reader is about to end every waiting request.
        let _ = self.outgoing.send(line);
        reply.await.unwrap_or_else(|_| Err(HelperError::Lost { stderr: String::new() }))
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, id: u64) -> Result<oneshot::Receiver<Reply>, HelperError> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if let Some(stderr) = &state.ended {
            return Err(HelperError::Lost { stderr: stderr.clone() });
        }
        state.replies.insert(id, sender);
        Ok(receiver)
    }

    fn deliver(&self, response: Response) {
        let Some(sender) = self.lock().replies.remove(&response.id) else {
            return;
        };
        // The caller may have lost interest.
        let _ = sender.send(into_reply(response));
    }

    fn end(&self, stderr: String) {
        let mut state = self.lock();
        for (_, sender) in state.replies.drain() {
            let _ = sender.send(Err(HelperError::Lost { stderr: stderr.clone() }));
        }
        state.ended = Some(stderr);
    }
}

fn into_reply(response: Response) -> Reply {
    let Some(Failure { kind, message }) = response.error else {
        return Ok(Answer { result: response.result, warnings: response.warnings });
    };
    Err(match kind.as_str() {
        "build" | "panic" => HelperError::Build { message },
        "encoding" => HelperError::Encoding { message },
        _ => HelperError::Protocol { message },
    })
}

struct Pipes {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

fn spawn(program: &Path) -> std::io::Result<Pipes> {
    let mut tries = 0;
    let mut child = loop {
        let spawned = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        match spawned {
            // Another thread started a child while we wrote the file; that child holds it open until its `exec`.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                thread::sleep(Duration::from_millis(10));
            }
            other => break other?,
        }
    };
    let missing = || std::io::Error::other("a pipe is missing");
    Ok(Pipes {
        stdin: child.stdin.take().ok_or_else(missing)?,
        stdout: child.stdout.take().ok_or_else(missing)?,
        stderr: child.stderr.take().ok_or_else(missing)?,
        child,
    })
}

/// Ends, and so closes the helper's stdin, when the connection is dropped.
fn send(mut stdin: ChildStdin, lines: &mpsc::Receiver<Vec<u8>>) {
    for line in lines {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn receive(stdout: ChildStdout, waiting: &Waiting) {
    let mut lines = BufReader::with_capacity(1 << 16, stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(response) => waiting.deliver(response),
            // Without an id nobody can be told; ending the connection tells everybody.
            Err(_) => return,
        }
    }
}

/// The end of what the helper writes to stderr.
struct LastWords {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Closed at the end of the output.
    finished: mpsc::Receiver<()>,
}

impl LastWords {
    fn listen(mut stderr: ChildStderr) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (open, finished) = mpsc::channel();
        let shared = Arc::clone(&kept);
        thread::spawn(move || {
            let _open: mpsc::Sender<()> = open;
            let mut buffer = [0; 1 << 10];
            while let Ok(read @ 1..) = stderr.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..read]);
                let excess = kept.len().saturating_sub(LAST_WORDS);
                kept.drain(..excess);
            }
        });
        Self { kept, finished }
    }

    /// A child of the helper may keep its stderr open for ever, so the wait for the end is limited.
    fn take(&self) -> String {
        let _ = self.finished.recv_timeout(Duration::from_millis(500));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

fn reap(mut child: Child) {
    // It has closed its output, so it is ending or of no more use.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(script: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        (dir, path)
    }

    async fn call(script: &str) -> Reply {
        let (_dir, path) = program(script);
        Connection::start(&path).unwrap().call("method", &()).await
    }

    #[tokio::test]
    async fn the_last_words_of_a_helper_are_kept() {
        let error = call("echo boom >&2; exit 1").await.err().unwrap();
        assert_eq!(error.to_string(), "the Helm and Kustomize helper ended unexpectedly: boom");
    }

    #[tokio::test]
    async fn an_ended_helper_takes_no_more_requests() {
        let (_dir, path) = program("exit 0");
        let connection = Connection::start(&path).unwrap();
        assert!(connection.call("method", &()).await.is_err());
        assert!(!connection.is_alive());
        assert!(matches!(connection.call("method", &()).await, Err(HelperError::Lost { .. })));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_json_ends_the_connection() {
        assert!(matches!(call("echo nonsense; exec cat >/dev/null").await, Err(HelperError::Lost { .. })));
    }

    #[tokio::test]
    async fn answers_find_their_request() {
        let script = r#"read a; read b
            echo '{"id":2,"result":"second"}'
            echo '{"id":1,"error":{"kind":"build","message":"first"}}'"#;
        let (_dir, path) = program(script);
        let connection = Connection::start(&path).unwrap();
        let (first, second) = tokio::join!(connection.call("m", &()), connection.call("m", &()));
        assert_eq!(first.err().unwrap().to_string(), "first");
        assert_eq!(second.unwrap().result, "second");
    }

    #[tokio::test]
    async fn the_helper_ends_with_its_connection() {
        let (dir, path) = program("read a; echo '{\"id\":1}'; cat; echo ended > \"$0.log\"");
        let connection = Connection::start(&path).unwrap();
        connection.call("m", &()).await.unwrap();
        let waiting = Arc::clone(&connection.waiting);
        drop(connection);
        while waiting.lock().ended.is_none() {
            tokio::task::yield_now().await;
        }
        assert!(dir.path().join("program.log").exists());
    }

    #[test]
    fn a_program_that_is_none_does_not_start() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Connection::start(dir.path()), Err(HelperError::Start { .. })));
    }
}
