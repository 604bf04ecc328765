//! Runs the work of a command until it ends, the time is up, or the user interrupts it.

use std::future::Future;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::diagnostics::Failure;

/// How long interrupted work may take to remove its temporary folders.
const GRACE: Duration = Duration::from_secs(5);

/// Set once the user wants to stop; waiting for an answer ends then.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Whether the user wants to stop.
pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}

/// Runs the future of `work` on a new runtime. Ctrl-C and a time limit drop it, so that everything it holds is
/// cleaned up; a second Ctrl-C ends the process at once.
///
/// The work has a thread of its own, because rendering may keep that thread busy while a signal arrives.
pub(crate) fn run<T, F>(limit: Option<Duration>, work: impl FnOnce() -> F + Send + 'static) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Output { text: format!("start worker threads: {error}") })?;
    let (stop, stopped) = oneshot::channel::<()>();
    let (done, mut outcome) = oneshot::channel();
    let handle = runtime.handle().clone();
    let worker = std::thread::spawn(move || {
        let end = handle.block_on(async {
            tokio::select! {
                end = work() => Some(end),
                _ = stopped => None,
            }
        });
        // Nobody listens any more after the grace period.
        let _ = done.send(end);
    });
    let end = runtime.block_on(async {
        let end = tokio::select! {
            ended = &mut outcome => return ended.ok().flatten(),
            () = interrupted() => Failure::Interrupted,
            limit = elapsed(limit) => Failure::Timeout { limit },
        };
        STOPPING.store(matches!(end, Failure::Interrupted), Ordering::Relaxed);
        let _ = stop.send(());
        tokio::select! {
            _ = &mut outcome => {}
            () = tokio::time::sleep(GRACE) => {}
            () = interrupted() => process::exit(130),
        }
        Some(Err(end))
    });
    // A thread may still wait for input; nothing of it is needed any more.
    runtime.shutdown_background();
    end.unwrap_or_else(|| match worker.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => Err(Failure::Interrupted),
    })
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
        assert_eq!(run(None, || async { Ok(7) }).ok(), Some(7));
    }

    #[test]
    fn work_is_dropped_when_the_time_is_up() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().to_owned();
        let outcome = run::<(), _>(Some(Duration::from_millis(1)), move || async move {
            let _kept = dir;
            std::future::pending().await
        });
        assert!(matches!(outcome, Err(Failure::Timeout { .. })));
        assert!(!path.exists(), "the temporary folder must be gone");
    }
}
