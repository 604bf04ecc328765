//! One running helper: requests go out on one thread, answers come back on another.
//!
//! Threads and not tasks, so that a connection may be shared by callers of different runtimes and of none.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{HelperError, Lookup, LookupQuestion};

/// How much of the helper's stderr is kept for an error message.
const LAST_WORDS: usize = 4 << 10;

/// Lines for the helper; its stdin is closed when the last owner is gone.
type Outgoing = Arc<mpsc::Sender<Vec<u8>>>;

pub(crate) struct Connection {
    next_id: AtomicU64,
    outgoing: Outgoing,
    waiting: Arc<Waiting>,
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) result: Value,
    pub(crate) warnings: Vec<String>,
}

type Reply = Result<Answer, HelperError>;

/// What a waiting request gets: any number of questions, then the reply.
enum Incoming {
    Question { number: u64, lookup: LookupQuestion },
    Reply(Reply),
}

#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: HashMap<u64, UnboundedSender<Incoming>>,
    /// Set once the helper has ended: its last words.
    ended: Option<String>,
}

#[derive(Serialize)]
struct Request<'a, P> {
    id: u64,
    method: &'a str,
    params: &'a P,
}

/// The answer to a question of the helper.
#[derive(Serialize)]
struct Found {
    answer: u64,
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    id: u64,
    /// Set in a question.
    #[serde(default)]
    ask: u64,
    #[serde(default)]
    lookup: LookupQuestion,
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
        let outgoing = Arc::new(outgoing);
        let refusals = Arc::downgrade(&outgoing);
        thread::spawn(move || {
            receive(stdout, &answered, &refusals);
            reap(child);
            answered.end(last_words.take());
        });
        Ok(Self { next_id: AtomicU64::new(1), outgoing, waiting })
    }

    /// Whether the helper can take another request.
    pub(crate) fn is_alive(&self) -> bool {
        self.waiting.lock().ended.is_none()
    }

    /// Sends a request and waits for its reply; questions in between go to `lookup`.
    pub(crate) async fn call<P: Serialize>(&self, method: &str, params: &P, lookup: Option<&dyn Lookup>) -> Reply {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = line(&Request { id, method, params })?;
        let mut incoming = self.waiting.expect(id)?;
        // When the writer has gone, the reader is about to end every waiting request.
        let _ = self.outgoing.send(request);
        loop {
            match incoming.recv().await {
                Some(Incoming::Reply(reply)) => return reply,
                Some(Incoming::Question { number, lookup: question }) => {
                    let found = match lookup {
                        Some(lookup) => lookup.lookup(question).await,
                        None => Ok(None),
                    };
                    let _ = self.outgoing.send(line(&Found::new(number, found))?);
                }
                None => return Err(HelperError::Lost { stderr: String::new() }),
            }
        }
    }
}

impl Found {
    fn new(answer: u64, found: Result<Option<Value>, String>) -> Self {
        match found {
            Ok(result) => Self { answer, result, error: None },
            Err(error) => Self { answer, result: None, error: Some(error) },
        }
    }
}

fn line<T: Serialize>(content: &T) -> Result<Vec<u8>, HelperError> {
    let mut line = serde_json::to_vec(content).map_err(|error| HelperError::Protocol { message: error.to_string() })?;
    line.push(b'\n');
    Ok(line)
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, id: u64) -> Result<UnboundedReceiver<Incoming>, HelperError> {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.lock();
        if let Some(stderr) = &state.ended {
            return Err(HelperError::Lost { stderr: stderr.clone() });
        }
        state.requests.insert(id, sender);
        Ok(receiver)
    }

    /// Hands a line to its request; the number of a question that nobody will answer comes back.
    fn deliver(&self, response: Response) -> Option<u64> {
        if response.ask != 0 {
            let question = Incoming::Question { number: response.ask, lookup: response.lookup };
            let delivered = self.lock().requests.get(&response.id).is_some_and(|sender| sender.send(question).is_ok());
            return (!delivered).then_some(response.ask);
        }
        if let Some(sender) = self.lock().requests.remove(&response.id) {
            // The caller may have lost interest.
            let _ = sender.send(Incoming::Reply(into_reply(response)));
        }
        None
    }

    fn end(&self, stderr: String) {
        let mut state = self.lock();
        for (_, sender) in state.requests.drain() {
            let _ = sender.send(Incoming::Reply(Err(HelperError::Lost { stderr: stderr.clone() })));
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

fn receive(stdout: ChildStdout, waiting: &Waiting, refusals: &Weak<mpsc::Sender<Vec<u8>>>) {
    let mut lines = BufReader::with_capacity(1 << 16, stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(response) => {
                if let Some(question) = waiting.deliver(response) {
                    // A request that nobody waits for must not keep a place in the helper for ever.
                    refuse(question, refusals);
                }
            }
            // Without an id nobody can be told; ending the connection tells everybody.
            Err(_) => return,
        }
    }
}

fn refuse(question: u64, outgoing: &Weak<mpsc::Sender<Vec<u8>>>) {
    let refusal = line(&Found::new(question, Err("the request was given up".to_owned())));
    if let (Some(outgoing), Ok(refusal)) = (outgoing.upgrade(), refusal) {
        let _ = outgoing.send(refusal);
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
        Connection::start(&path).unwrap().call("method", &(), None).await
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
        assert!(connection.call("method", &(), None).await.is_err());
        assert!(!connection.is_alive());
        assert!(matches!(connection.call("method", &(), None).await, Err(HelperError::Lost { .. })));
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
        let (first, second) = tokio::join!(connection.call("m", &(), None), connection.call("m", &(), None));
        assert_eq!(first.err().unwrap().to_string(), "first");
        assert_eq!(second.unwrap().result, "second");
    }

    #[tokio::test]
    async fn the_helper_ends_with_its_connection() {
        let (dir, path) = program("read a; echo '{\"id\":1}'; cat; echo ended > \"$0.log\"");
        let connection = Connection::start(&path).unwrap();
        connection.call("m", &(), None).await.unwrap();
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

    struct Fixed(Result<Option<Value>, String>);

    #[async_trait::async_trait]
    impl Lookup for Fixed {
        async fn lookup(&self, question: LookupQuestion) -> Result<Option<Value>, String> {
            assert_eq!((question.kind.as_str(), question.name.as_str()), ("Secret", "s"));
            self.0.clone()
        }
    }

    #[tokio::test]
    async fn questions_are_answered_before_the_reply() {
        let script = r#"read a
            echo '{"id":1,"ask":7,"lookup":{"apiVersion":"v1","kind":"Secret","name":"s"}}'
            read found; printf '{"id":1,"result":%s}\n' "$found""#;
        let (_dir, path) = program(script);
        for (found, wanted) in [
            (Ok(Some(serde_json::json!({"a": 1}))), serde_json::json!({"answer": 7, "result": {"a": 1}})),
            (Ok(None), serde_json::json!({"answer": 7, "result": null})),
            (Err("no".to_owned()), serde_json::json!({"answer": 7, "result": null, "error": "no"})),
        ] {
            let connection = Connection::start(&path).unwrap();
            let reply = connection.call("m", &(), Some(&Fixed(found))).await.unwrap();
            assert_eq!(reply.result, wanted);
        }
    }

    #[tokio::test]
    async fn questions_of_a_request_that_was_given_up_are_refused() {
        let script = r#"read a; read b
            echo '{"id":1,"ask":1,"lookup":{"apiVersion":"v1","kind":"Secret","name":"s"}}'
            read found; printf '{"id":2,"result":%s}\n' "$found""#;
        let (_dir, path) = program(script);
        let connection = Connection::start(&path).unwrap();
        let given_up = connection.call("m", &(), None);
        tokio::select! {
            biased;
            _ = given_up => unreachable!("there is no answer"),
            () = std::future::ready(()) => {}
        }
        let second = connection.call("m", &(), None).await.unwrap();
        assert_eq!(second.result["error"], "the request was given up");
    }
}
