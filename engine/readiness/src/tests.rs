use serde_json::{Value, json};

use super::*;

fn object(api_version: &str, kind: &str, spec: Value, status: Value) -> Object {
    let mut value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
    if !status.is_null() {
        value["status"] = status;
    }
    Object(value)
}

fn check(object: &Object) -> (bool, Vec<String>) {
    let now = "2024-01-01T00:01:00Z".parse().unwrap();
    let found = evaluate(object, NotReady::Error, &StatusExpectation::NotExpected, now);
    (found.ready, found.errors)
}

#[track_caller]
fn assert_ready(api_version: &str, kind: &str, spec: Value, status: Value) {
    assert_eq!(check(&object(api_version, kind, spec, status)), (true, vec![]));
}

#[track_caller]
fn assert_not_ready(api_version: &str, kind: &str, spec: Value, status: Value, message: &str) {
    assert_eq!(check(&object(api_version, kind, spec, status)), (false, vec![message.to_owned()]));
}

fn conditions(list: &[(&str, &str)]) -> Value {
    let list: Vec<_> = list.iter().map(|(kind, status)| json!({"type": kind, "status": status})).collect();
    json!({"conditions": list})
}

#[test]
fn a_running_pod_is_ready() {
    assert_ready("v1", "Pod", json!({}), conditions(&[("Ready", "True")]));
    assert_not_ready("v1", "Pod", json!({}), conditions(&[("Ready", "False")]), "Not ready");
    let missing = vec!["Ready condition not in status".to_owned(), "Not ready".to_owned()];
    assert_eq!(check(&object("v1", "Pod", json!({}), conditions(&[]))), (false, missing));
    let twice = conditions(&[("Ready", "True"), ("Ready", "False")]);
    assert_not_ready("v1", "Pod", json!({}), twice, "Ready condition found more then once");
}

#[test]
fn a_completed_pod_is_ready_and_a_crashed_container_is_an_error() {
    let completed = json!({"conditions": [{"type": "Ready", "status": "False", "reason": "PodCompleted"}]});
    assert_ready("v1", "Pod", json!({}), completed);
    let mut crashed = conditions(&[("Ready", "True")]);
    crashed["containerStatuses"] = json!([{"name": "main", "state": {"terminated": {"reason": "Error"}}}]);
    assert_not_ready("v1", "Pod", json!({}), crashed, "container main exited with error");
}

#[test]
fn a_failed_job_tells_its_message_even_when_only_warnings_are_wanted() {
    let job = object(
        "batch/v1",
        "Job",
        json!({}),
        json!({"conditions": [{"type": "Failed", "status": "True", "message": "went wrong"}]}),
    );
    let found = evaluate(&job, NotReady::Warning, &StatusExpectation::NotExpected, Timestamp::UNIX_EPOCH);
    assert_eq!((found.ready, found.errors.as_slice()), (false, &["went wrong".to_owned()][..]));
}

#[test]
fn a_job_is_ready_when_complete() {
    assert_ready("batch/v1", "Job", json!({}), conditions(&[("Complete", "True")]));
    assert_not_ready("batch/v1", "Job", json!({}), conditions(&[]), "Not completed");
    assert_not_ready("batch/v1", "Job", json!({}), conditions(&[("Failed", "True")]), "Failed");
}

#[test]
fn a_deployment_needs_its_replicas() {
    let spec = json!({"replicas": 2});
    assert_ready("apps/v1", "Deployment", spec.clone(), json!({"readyReplicas": 2, "replicas": 2}));
    assert_ready("apps/v1", "Deployment", json!({"replicas": 0}), json!({}));
    let less = "readyReplicas (1) is less then replicas (2)";
    assert_not_ready("apps/v1", "Deployment", spec.clone(), json!({"readyReplicas": 1, "replicas": 2}), less);
    let missing = "readyReplicas field not in status or empty";
    assert_not_ready("apps/v1", "Deployment", spec.clone(), json!({"replicas": 2}), missing);
    let wrong = "readyReplicas field is not an int";
    assert_not_ready("apps/v1", "Deployment", spec, json!({"readyReplicas": "2", "replicas": 2}), wrong);
}

#[test]
fn a_volume_claim_must_be_bound() {
    let kind = "PersistentVolumeClaim";
    assert_ready("v1", kind, json!({}), json!({"phase": "Bound"}));
    assert_not_ready("v1", kind, json!({}), json!({"phase": "Pending"}), "Volume is not bound");
    assert_not_ready("v1", kind, json!({}), json!({}), "phase field not in status or empty");
    assert_not_ready("v1", kind, json!({}), json!({"phase": 1}), "phase field is not a string");
}

#[test]
fn a_service_needs_an_address() {
    assert_ready("v1", "Service", json!({"clusterIP": "None"}), json!({}));
    assert_ready("v1", "Service", json!({"type": "ExternalName"}), json!({}));
    let balanced = json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"});
    assert_ready("v1", "Service", balanced.clone(), json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}));
    assert_not_ready("v1", "Service", balanced, json!({"loadBalancer": {}}), "Not ready");
    assert_not_ready("v1", "Service", json!({}), json!({}), "Service does not have a cluster IP");
}

#[test]
fn a_daemon_set_tolerates_what_its_strategy_allows() {
    let spec =
        |max: Value| json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": max}}});
    let status = |ready: i64| json!({"updatedNumberScheduled": 10, "desiredNumberScheduled": 10, "numberReady": ready});
    assert_ready("apps/v1", "DaemonSet", spec(Value::Null), status(9));
    assert_ready("apps/v1", "DaemonSet", spec(json!("30%")), status(7));
    let none = "DaemonSet is not ready. 9 out of 10 expected pods are ready";
    assert_not_ready("apps/v1", "DaemonSet", spec(json!(0)), status(9), none);
    assert_ready("apps/v1", "DaemonSet", json!({"updateStrategy": {"type": "OnDelete"}}), json!({}));
    let behind = json!({"updatedNumberScheduled": 1, "desiredNumberScheduled": 2});
    let scheduled = "DaemonSet is not ready. 1 out of 2 expected pods have been scheduled";
    assert_not_ready("apps/v1", "DaemonSet", spec(Value::Null), behind, scheduled);
    let broken = "maxUnavailable is neither a number nor a percentage: \"many\"";
    assert_not_ready("apps/v1", "DaemonSet", spec(json!("many")), status(10), broken);
}

#[test]
fn a_stateful_set_counts_from_its_partition() {
    let spec = json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}});
    assert_ready("apps/v1", "StatefulSet", spec.clone(), json!({"updatedReplicas": 1, "readyReplicas": 3}));
    let ready = "StatefulSet is not ready. 2 out of 3 expected pods are ready";
    assert_not_ready("apps/v1", "StatefulSet", spec.clone(), json!({"updatedReplicas": 1, "readyReplicas": 2}), ready);
    let updated = "StatefulSet is not ready. 0 out of 1 expected pods have been scheduled";
    assert_not_ready("apps/v1", "StatefulSet", spec, json!({"updatedReplicas": 0}), updated);
}

#[test]
fn a_definition_must_be_established() {
    let (version, kind) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    assert_ready(version, kind, json!({}), conditions(&[("Established", "True")]));
    assert_not_ready(version, kind, json!({}), conditions(&[("NamesAccepted", "True")]), "CRD is not ready");
    assert_not_ready(version, kind, json!({}), conditions(&[]), "NamesAccepted condition not in status");
    assert_ready(version, kind, json!({}), conditions(&[("NamesAccepted", "False")]));
}

#[test]
fn a_machine_deployment_needs_conditions_and_replicas() {
    let (version, kind) = ("cluster.x-k8s.io/v1beta1", "MachineDeployment");
    let mut status = conditions(&[("Ready", "True"), ("Available", "True")]);
    status["readyReplicas"] = json!(1);
    status["replicas"] = json!(1);
    assert_ready(version, kind, json!({}), status.clone());
    status["unavailableReplicas"] = json!(1);
    assert_not_ready(version, kind, json!({}), status, "unavailableReplicas (1) != 0");
    let missing = "Available condition not in status";
    assert_not_ready(version, kind, json!({}), conditions(&[("Ready", "True")]), missing);
}

#[test]
fn an_outdated_status_counts_for_no_kind() {
    let mut custom = object("example.org/v1", "Gizmo", json!({}), json!({"observedGeneration": 1}));
    custom.0["metadata"]["generation"] = json!(2);
    assert_eq!(check(&custom), (false, vec!["Waiting for reconciliation".to_owned()]));
    custom.0["metadata"]["generation"] = json!(1);
    assert_eq!(check(&custom), (true, vec![]));
}

#[test]
fn annotations_decide_before_the_status() {
    let mut pod = object("v1", "Pod", json!({}), conditions(&[]));
    pod.set_annotation("validate-result.kluctl.io/url", "https://x");
    pod.set_annotation("kluctl.io/is-ready", "true");
    let now = Timestamp::UNIX_EPOCH;
    let found = evaluate(&pod, NotReady::Error, &StatusExpectation::NotExpected, now);
    assert_eq!((found.ready, found.results.len()), (true, 1));
    pod.set_annotation("kluctl.io/is-ready", "false");
    assert_eq!(check(&pod).1, ["kluctl.io/is-ready annotation is set to false"]);
    pod.set_annotation("kluctl.io/is-ready", "perhaps");
    assert_eq!(check(&pod).1, ["Ready condition not in status", "Not ready"]);
    pod.set_annotation("kluctl.io/validate-ignore", "true");
    let found = evaluate(&pod, NotReady::Error, &StatusExpectation::NotExpected, now);
    assert_eq!((found.ready, found.results.len()), (true, 0));
}

fn without_status(age: i64, expectation: &StatusExpectation) -> Readiness {
    let now: Timestamp = "2024-01-01T00:01:00Z".parse().unwrap();
    let mut custom = object("example.org/v1", "Gizmo", json!({}), Value::Null);
    let created = now - jiff::SignedDuration::from_secs(age);
    custom.0["metadata"]["creationTimestamp"] = created.to_string().into();
    assert!(needs_expectation(&custom));
    evaluate(&custom, NotReady::Warning, expectation, now)
}

#[test]
fn a_controller_gets_fifteen_seconds_for_the_first_status() {
    let young = without_status(15, &StatusExpectation::Expected);
    assert_eq!((young.ready, young.warnings), (false, vec!["no status available yet".to_owned()]));
    assert!(without_status(16, &StatusExpectation::Expected).ready);
    assert!(without_status(0, &StatusExpectation::NotExpected).ready);
}

#[test]
fn an_unknown_expectation_warns_and_a_failed_one_is_an_error() {
    let undecided = without_status(0, &StatusExpectation::Undecided);
    assert!(undecided.ready && undecided.warnings[0].starts_with("unable to determine"));
    let failed = without_status(0, &StatusExpectation::Failed("no schema".into()));
    assert_eq!((failed.ready, failed.errors), (false, vec!["no schema".to_owned()]));
}

#[test]
fn built_in_kinds_need_nobody_to_ask() {
    let config = object("v1", "ConfigMap", json!({}), Value::Null);
    assert!(!needs_expectation(&config));
    assert_eq!(check(&config), (true, vec![]));
    let mut fresh = object("v1", "Namespace", json!({}), Value::Null);
    fresh.0["metadata"]["creationTimestamp"] = "2024-01-01T00:00:59Z".into();
    assert_eq!(check(&fresh).1, ["no status available yet"]);
}
