use std::sync::Mutex;

use serde_json::{Value, json};
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::object::Object;

use super::*;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Events for Lines {
    fn emit(&self, event: Event) {
        if let Event::Item { text, .. } | Event::Error { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

fn job() -> ObjectRef {
    Object(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "default"}}))
        .object_ref()
}

fn condition(kind: &str) -> Value {
    json!({"status": {"conditions": [{"type": kind, "status": "True"}]}})
}

fn running() -> Value {
    json!({"status": {"active": 1}})
}

async fn wait(cluster: &FakeCluster, states: Vec<Value>, stop: &StopSignal) -> (WaitOutcome, Vec<String>) {
    let object = job();
    cluster.becomes(&object, states);
    let lines = Lines::default();
    let request = WaitRequest { object: &object, item: "app", limit: Duration::from_secs(25), stop };
    let expectations = StatusExpectations::new(cluster);
    let outcome = wait_ready(request, cluster, &expectations, &lines, &Problems::new()).await;
    (outcome, lines.0.into_inner().unwrap())
}

fn failed(message: &str) -> WaitOutcome {
    WaitOutcome::failed(message)
}

#[tokio::test(start_paused = true)]
async fn an_object_that_gets_ready_ends_the_wait() {
    let (outcome, lines) =
        wait(&FakeCluster::new(), vec![running(), condition("Complete")], &StopSignal::never()).await;
    assert!(outcome.ready);
    assert!(lines[0].starts_with("Waiting for default/Job/j to get ready... (0s elapsed)"));
    assert!(lines[1].starts_with("Finished waiting for default/Job/j ("), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_object_ends_the_wait() {
    let (outcome, lines) = wait(&FakeCluster::new(), vec![running(), condition("Failed")], &StopSignal::never()).await;
    assert_eq!(outcome, failed("Failed"));
    assert!(lines[1].starts_with("Cancelled waiting for default/Job/j due to errors ("), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_object_is_awaited_and_a_vanished_one_is_not() {
    let cluster = FakeCluster::new();
    let (outcome, lines) = wait(&cluster, vec![Value::Null, running(), Value::Null], &StopSignal::never()).await;
    assert_eq!(outcome, failed("default/Job/j disappeared while waiting for it to become ready"));
    assert!(lines[0].starts_with("Waiting for default/Job/j to appear..."));
}

#[tokio::test(start_paused = true)]
async fn the_limit_ends_the_wait_with_reminders_on_the_way() {
    let (outcome, lines) = wait(&FakeCluster::new(), vec![running()], &StopSignal::never()).await;
    assert_eq!(outcome, failed("timed out while waiting for readiness of default/Job/j"));
    assert_eq!(lines.iter().filter(|line| line.starts_with("Still waiting for default/Job/j")).count(), 2);
    assert_eq!(lines.last().unwrap(), "timed out while waiting for readiness of default/Job/j (25s elapsed)");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_command_ends_the_wait() {
    let stop = StopSignal::after(Duration::from_secs(2));
    let (outcome, _) = wait(&FakeCluster::new(), vec![running()], &stop).await;
    assert_eq!(outcome, failed("context cancelled while waiting for readiness of default/Job/j"));
}

#[tokio::test(start_paused = true)]
async fn a_failing_read_ends_the_wait() {
    let cluster = FakeCluster::new();
    cluster.fail_with(Verb::Get, &job(), 403, "not you");
    let (outcome, _) = wait(&cluster, vec![running()], &StopSignal::never()).await;
    assert_eq!(outcome, failed("not you"));
}
