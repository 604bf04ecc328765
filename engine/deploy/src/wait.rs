//! Waits until an object is ready (spec 03 section 7.12).

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use windlass_cluster::{Cluster, ClusterError};
use windlass_model::event::{Event, Events};
use windlass_model::object_ref::ObjectRef;
use windlass_readiness::{NotReady, Readiness, evaluate};

use crate::problems::Problems;
use crate::status_expectation::StatusExpectations;
use crate::stop::StopSignal;

const POLL: Duration = Duration::from_millis(500);
const REMINDER: Duration = Duration::from_secs(10);

/// What to wait for.
#[derive(Debug, Clone, Copy)]
pub struct WaitRequest<'a> {
    /// The object.
    pub object: &'a ObjectRef,
    /// Prefix of progress lines.
    pub item: &'a str,
    /// How long.
    pub limit: Duration,
    /// Ends the run early.
    pub stop: &'a StopSignal,
}

/// How the wait ended. The caller records the errors, since they may end the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitOutcome {
    /// The object is ready.
    pub ready: bool,
    /// What failed.
    pub errors: Vec<String>,
}

impl WaitOutcome {
    fn failed(error: impl Into<String>) -> Self {
        Self { ready: false, errors: vec![error.into()] }
    }
}

/// Waits.
pub async fn wait_ready(
    request: WaitRequest<'_>,
    cluster: &dyn Cluster,
    expectations: &StatusExpectations<'_>,
    events: &dyn Events,
    problems: &Problems,
) -> WaitOutcome {
    let started = Instant::now();
    let mut watch = Watch { request, events, started, reminded: None, seen: false };
    loop {
        match cluster.get(request.object).await {
            Ok(answer) => {
                watch.seen = true;
                problems.api_warnings(request.object, &answer.warnings);
                let expectation = expectations.of(&answer.value).await;
                let found = evaluate(&answer.value, NotReady::Warning, &expectation, Timestamp::now());
                if let Some(outcome) = watch.judge(found, problems) {
                    return outcome;
                }
            }
            Err(ClusterError::NotFound(_)) if watch.seen => return watch.disappeared(),
            Err(ClusterError::NotFound(_)) => watch.remind("appear"),
            Err(error) => return WaitOutcome::failed(error.to_string()),
        }
        let left = request.limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            return watch.timed_out();
        }
        if !request.stop.sleep(POLL.min(left)).await {
            let message = format!("context cancelled while waiting for readiness of {}", request.object);
            return WaitOutcome::failed(message);
        }
    }
}

struct Watch<'a> {
    request: WaitRequest<'a>,
    events: &'a dyn Events,
    started: Instant,
    /// When the last reminder was given.
    reminded: Option<Instant>,
    seen: bool,
}

impl Watch<'_> {
    /// The end of the wait, if the object has come to one.
    fn judge(&mut self, found: Readiness, problems: &Problems) -> Option<WaitOutcome> {
        let Readiness { ready, errors, warnings, results: _ } = found;
        if !ready && errors.is_empty() {
            self.remind("get ready");
            return None;
        }
        warnings.iter().for_each(|warning| problems.warning(self.request.object, warning.as_str()));
        if errors.is_empty() {
            if self.reminded.is_some() {
                self.tell(format!("Finished waiting for {} {}", self.request.object, self.elapsed()));
            }
            return Some(WaitOutcome { ready: true, errors });
        }
        self.end(format!("Cancelled waiting for {} due to errors {}", self.request.object, self.elapsed()));
        Some(WaitOutcome { ready: false, errors })
    }

    fn disappeared(&self) -> WaitOutcome {
        let object = self.request.object;
        let elapsed = self.elapsed();
        self.end(format!("Cancelled waiting for {object} as it disappeared while waiting for it {elapsed}"));
        WaitOutcome::failed(format!("{object} disappeared while waiting for it to become ready"))
    }

    fn timed_out(&self) -> WaitOutcome {
        let message = format!("timed out while waiting for readiness of {}", self.request.object);
        self.end(format!("{message} {}", self.elapsed()));
        WaitOutcome::failed(message)
    }

    /// At once, then every ten seconds.
    fn remind(&mut self, what: &str) {
        let first = self.reminded.is_none();
        if self.reminded.is_some_and(|reminded| reminded.elapsed() < REMINDER) {
            return;
        }
        self.reminded = Some(Instant::now());
        let start = if first { "Waiting" } else { "Still waiting" };
        self.tell(format!("{start} for {} to {what}... {}", self.request.object, self.elapsed()));
    }

    fn tell(&self, text: String) {
        self.events.emit(Event::Item { item: self.request.item.to_owned(), text });
    }

    /// The line that ends a wait in failure stands for itself.
    fn end(&self, text: String) {
        self.events.emit(Event::Error { text });
    }

    fn elapsed(&self) -> String {
        format!("({}s elapsed)", self.started.elapsed().as_secs())
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
