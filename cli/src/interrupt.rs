//! Runs the work of a command until it ends, the time is up, or the user interrupts it.

use std::future::Future;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use windlass_deploy::stop::StopSignal;

use crate::diagnostics::Failure;

/// How long dropped work may take to remove its temporary folders.
const GRACE: Duration = Duration::from_secs(2);

/// Set once the user wants to stop; waiting for an answer ends then.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Whether the user wants to stop.
pub(crate) fn is_stopping() -> bool {
    STOPPING.load(Ordering::Relaxed)
}

/// What is done with work that shall stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopping {
    /// It only reads: drop it.
    AtOnce,
    /// It writes: let it come to an end between two writes, so that its result can be shown.
    BetweenWrites,
}

impl Stopping {
    fn patience(self) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::BetweenWrites => Duration::from_secs(5),
        }
    }
}

/// Work that gave a value.
#[derive(Debug)]
pub(crate) struct Finished<T> {
    pub(crate) value: T,
    /// Why it was stopped before its end.
    pub(crate) stopped: Option<Failure>,
}

/// Runs the future of `work` on a new runtime. Ctrl-C and a time limit stop it and then drop it, so that everything
/// it holds is cleaned up; a second Ctrl-C ends the process at once.
///
/// The work has a thread of its own, because rendering may keep that thread busy while a signal arrives.
pub(crate) fn run<T, F>(
    limit: Option<Duration>,
    stopping: Stopping,
    work: impl FnOnce(StopSignal) -> F + Send + 'static,
) -> Result<Finished<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Output { text: format!("start worker threads: {error}") })?;
    let stop = StopSignal::never();
    let (drop_it, dropped) = oneshot::channel::<()>();
    let (done, outcome) = oneshot::channel();
    let (handle, signal) = (runtime.handle().clone(), stop.clone());
    let worker = std::thread::spawn(move || {
        let end = handle.block_on(async {
            tokio::select! {
                end = work(signal) => Some(end),
                _ = dropped => None,
            }
        });
        // Nobody listens any more after the grace period.
        let _ = done.send(end);
    });
    let end = runtime.block_on(supervise(limit, stopping, &stop, outcome, drop_it));
    // A thread may still wait for input; nothing of it is needed any more.
    runtime.shutdown_background();
    end.unwrap_or_else(|| match worker.join() {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(()) => Err(Failure::Interrupted),
    })
}

type Outcome<T> = oneshot::Receiver<Option<Result<T, Failure>>>;

/// `None` when the worker is gone without an outcome.
async fn supervise<T>(
    limit: Option<Duration>,
    stopping: Stopping,
    stop: &StopSignal,
    mut outcome: Outcome<T>,
    drop_it: oneshot::Sender<()>,
) -> Option<Result<Finished<T>, Failure>> {
    let failure = tokio::select! {
        ended = &mut outcome => {
            return ended.ok().flatten().map(|end| end.map(|value| Finished { value, stopped: None }));
        }
        () = interrupted() => Failure::Interrupted,
        limit = elapsed(limit) => Failure::Timeout { limit },
    };
    STOPPING.store(matches!(failure, Failure::Interrupted), Ordering::Relaxed);
    stop.stop();
    if let Some(Some(Ok(value))) = wait(&mut outcome, stopping.patience()).await {
        return Some(Ok(Finished { value, stopped: Some(failure) }));
    }
    let _ = drop_it.send(());
    wait(&mut outcome, GRACE).await;
    Some(Err(failure))
}

async fn wait<T>(outcome: &mut Outcome<T>, patience: Duration) -> Option<Option<Result<T, Failure>>> {
    if patience.is_zero() || outcome.is_terminated() {
        return None;
    }
    tokio::select! {
        ended = outcome => ended.ok(),
        () = tokio::time::sleep(patience) => None,
        () = interrupted() => process::exit(130),
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
        assert_eq!(run(None, Stopping::AtOnce, |_| async { Ok(7) }).ok().map(|finished| finished.value), Some(7));
    }

    #[test]
    fn work_is_dropped_when_the_time_is_up() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().to_owned();
        let outcome = run::<(), _>(Some(Duration::from_millis(1)), Stopping::AtOnce, move |_| async move {
            let _kept = dir;
            std::future::pending().await
        });
        assert!(matches!(outcome, Err(Failure::Timeout { .. })));
        assert!(!path.exists(), "the temporary folder must be gone");
    }

    #[test]
    fn stopped_writers_still_give_their_result() {
        let outcome = run(Some(Duration::from_millis(1)), Stopping::BetweenWrites, |stop| async move {
            stop.stopped().await;
            Ok("partial")
        });
        let finished = outcome.expect("value");
        assert_eq!(finished.value, "partial");
        assert!(matches!(finished.stopped, Some(Failure::Timeout { .. })));
    }
}
