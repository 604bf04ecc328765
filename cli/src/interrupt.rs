//! Runs the work of a command until it ends, the time is up, or the user interrupts it.

use std::future::Future;
use std::process;
use std::time::Duration;

use crate::diagnostics::Failure;

/// How long interrupted work may take to remove its temporary folders.
const GRACE: Duration = Duration::from_secs(5);

/// Runs `work` on a new runtime. Ctrl-C and a time limit drop it, so that everything it holds is cleaned up; a second
/// Ctrl-C ends the process at once.
pub(crate) fn run<T, F>(limit: Option<Duration>, work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Output { text: format!("start worker threads: {error}") })?;
    let outcome = runtime.block_on(async move {
        let mut task = tokio::spawn(work);
        let end = tokio::select! {
            ended = &mut task => return joined(ended),
            () = interrupted() => Failure::Interrupted,
            limit = elapsed(limit) => Failure::Timeout { limit },
        };
        task.abort();
        tokio::select! {
            _ = &mut task => {}
            () = tokio::time::sleep(GRACE) => {}
            () = interrupted() => process::exit(130),
        }
        Err(end)
    });
    // A thread may still wait for input; nothing of it is needed any more.
    runtime.shutdown_background();
    outcome
}

fn joined<T>(ended: Result<Result<T, Failure>, tokio::task::JoinError>) -> Result<T, Failure> {
    match ended {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Failure::Interrupted),
    }
}

/// Ends at Ctrl-C, or at a request to terminate; never when signals cannot be received.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            tokio::select! {
                _ = int.recv() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn elapsed(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_work_gives_its_value() {
        assert_eq!(run(None, async { Ok(7) }).ok(), Some(7));
    }

    #[test]
    fn work_is_dropped_when_the_time_is_up() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().to_owned();
        let outcome = run::<(), _>(Some(Duration::from_millis(1)), async move {
            let _kept = dir;
            std::future::pending().await
        });
        assert!(matches!(outcome, Err(Failure::Timeout { .. })));
        assert!(!path.exists(), "the temporary folder must be gone");
    }
}
