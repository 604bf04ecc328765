//! The rules per kind (spec 03 section 9.1, row 6). Versions are ignored.

use serde_json::Value;
use windlass_model::object::Object;

use crate::conditions::{self, Condition};
use crate::outcome::Verdict;

/// A rule ends early with the text of what is missing.
type Rule = fn(&Object, &mut Verdict) -> Result<(), Stop>;

/// Why a rule ends early.
enum Stop {
    /// Not ready, and nothing further can be said.
    NotReady(String),
    /// The status is broken.
    Error(String),
}

pub(crate) fn judge(object: &Object, verdict: &mut Verdict) {
    let kind = object.gvk().group_kind();
    let rule: Rule = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod,
        ("batch", "Job") => job,
        ("apps", "Deployment") => deployment,
        ("", "PersistentVolumeClaim") => volume_claim,
        ("", "Service") => service,
        ("apps", "DaemonSet") => daemon_set,
        ("apps", "StatefulSet") => stateful_set,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition,
        ("cluster.x-k8s.io", "MachineDeployment") => machine_deployment,
        _ => return,
    };
    match rule(object, verdict) {
        Ok(()) => {}
        Err(Stop::NotReady(message)) => verdict.not_ready(message),
        Err(Stop::Error(message)) => verdict.error(message),
    }
}

/// A pod is ready when it says so, or when it has run to its end.
fn pod(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    let statuses = object.0["status"]["containerStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    for status in statuses.iter().filter(|status| status["state"]["terminated"]["reason"] == "Error") {
        verdict.error(format!("container {} exited with error", status["name"].as_str().unwrap_or_default()));
    }
    let ready = condition(object, "Ready")?;
    if ready.is_none() {
        verdict.not_ready("Ready condition not in status");
    }
    let is_done = |ready: &Condition<'_>| ready.is_false() && ready.reason() == "PodCompleted";
    if !ready.is_some_and(|ready| ready.is_true() || is_done(&ready)) {
        verdict.not_ready("Not ready");
    }
    Ok(())
}

fn job(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    if let Some(failed) = condition(object, "Failed")?.filter(Condition::is_true) {
        verdict.error(failed.message_or("Failed"));
        return Ok(());
    }
    match condition(object, "Complete")? {
        Some(complete) if complete.is_true() => {}
        Some(complete) => verdict.not_ready(complete.message_or("Not completed")),
        None => verdict.not_ready("Not completed"),
    }
    Ok(())
}

fn deployment(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    if matches!(object.0["spec"]["replicas"].as_i64(), None | Some(0)) {
        return Ok(());
    }
    enough_replicas(object, verdict)
}

fn enough_replicas(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    let ready = required_count(object, "readyReplicas")?;
    let replicas = required_count(object, "replicas")?;
    if ready < replicas {
        verdict.not_ready(format!("readyReplicas ({ready}) is less then replicas ({replicas})"));
    }
    Ok(())
}

fn volume_claim(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    match &object.0["status"]["phase"] {
        Value::String(phase) if phase == "Bound" => {}
        Value::String(phase) if !phase.is_empty() => verdict.not_ready("Volume is not bound"),
        Value::String(_) | Value::Null => return Err(missing("phase")),
        _ => return Err(Stop::Error("phase field is not a string".into())),
    }
    Ok(())
}

fn service(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    let spec = &object.0["spec"];
    if spec["type"] == "ExternalName" {
        return Ok(());
    }
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        verdict.error("Service does not have a cluster IP");
    }
    let is_empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    if spec["type"] == "LoadBalancer"
        && is_empty(&spec["externalIPs"])
        && is_empty(&object.0["status"]["loadBalancer"]["ingress"])
    {
        verdict.not_ready("Not ready");
    }
    Ok(())
}

fn daemon_set(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    let strategy = &object.0["spec"]["updateStrategy"];
    if strategy["type"] != "RollingUpdate" {
        return Ok(());
    }
    let updated = required_count(object, "updatedNumberScheduled")?;
    let desired = required_count(object, "desiredNumberScheduled")?;
    if updated != desired {
        verdict
            .not_ready(format!("DaemonSet is not ready. {updated} out of {desired} expected pods have been scheduled"));
        return Ok(());
    }
    let ready = required_count(object, "numberReady")?;
    let expected = desired - max_unavailable(&strategy["rollingUpdate"]["maxUnavailable"], desired)?;
    if ready < expected {
        verdict.not_ready(format!("DaemonSet is not ready. {ready} out of {expected} expected pods are ready"));
    }
    Ok(())
}

/// Kubernetes defaults a missing value to 1 and rounds percentages up.
fn max_unavailable(value: &Value, desired: i64) -> Result<i64, Stop> {
    match value {
        Value::Null => Ok(1),
        Value::Number(number) => number.as_i64().ok_or_else(|| bad_unavailable(value)),
        Value::String(text) => {
            let percent: i64 =
                text.strip_suffix('%').and_then(|digits| digits.parse().ok()).ok_or_else(|| bad_unavailable(value))?;
            Ok(desired.saturating_mul(percent).saturating_add(99) / 100)
        }
        _ => Err(bad_unavailable(value)),
    }
}

fn bad_unavailable(value: &Value) -> Stop {
    Stop::Error(format!("maxUnavailable is neither a number nor a percentage: {value}"))
}

fn stateful_set(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    let spec = &object.0["spec"];
    if spec["updateStrategy"]["type"] != "RollingUpdate" {
        return Ok(());
    }
    let replicas = spec["replicas"].as_i64().unwrap_or(1);
    let partition = spec["updateStrategy"]["rollingUpdate"]["partition"].as_i64().unwrap_or(0);
    if replicas == 0 {
        return Ok(());
    }
    let updated = required_count(object, "updatedReplicas")?;
    let expected = replicas - partition;
    if updated != expected {
        verdict.not_ready(format!(
            "StatefulSet is not ready. {updated} out of {expected} expected pods have been scheduled"
        ));
        return Ok(());
    }
    let ready = required_count(object, "readyReplicas")?;
    if ready != replicas {
        verdict.not_ready(format!("StatefulSet is not ready. {ready} out of {replicas} expected pods are ready"));
    }
    Ok(())
}

fn definition(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    if condition(object, "Established")?.is_some_and(|established| established.is_true()) {
        return Ok(());
    }
    if !required_condition(object, "NamesAccepted")?.is_false() {
        verdict.not_ready("CRD is not ready");
    }
    Ok(())
}

fn machine_deployment(object: &Object, verdict: &mut Verdict) -> Result<(), Stop> {
    for kind in ["Ready", "Available"] {
        let condition = required_condition(object, kind)?;
        if !condition.is_true() {
            verdict.not_ready(condition.message_or("Not ready"));
        }
    }
    enough_replicas(object, verdict)?;
    let unavailable = object.0["status"]["unavailableReplicas"].as_i64().unwrap_or(0);
    if unavailable != 0 {
        verdict.not_ready(format!("unavailableReplicas ({unavailable}) != 0"));
    }
    Ok(())
}

fn condition<'a>(object: &'a Object, kind: &str) -> Result<Option<Condition<'a>>, Stop> {
    conditions::find(object, kind).map_err(Stop::Error)
}

fn required_condition<'a>(object: &'a Object, kind: &str) -> Result<Condition<'a>, Stop> {
    condition(object, kind)?.ok_or_else(|| Stop::NotReady(format!("{kind} condition not in status")))
}

fn required_count(object: &Object, field: &str) -> Result<i64, Stop> {
    match &object.0["status"][field] {
        Value::Null => Err(missing(field)),
        value => value.as_i64().ok_or_else(|| Stop::NotReady(format!("{field} field is not an int"))),
    }
}

fn missing(field: &str) -> Stop {
    Stop::NotReady(format!("{field} field not in status or empty"))
}
