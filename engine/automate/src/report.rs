//! Results for programs. Keys may be added, never changed. Spec 06 14.4.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windlass_images::project_policy::Address;

use crate::select::{Outcome, Selection};
use crate::set::{Change, MarkerReport, MarkerState, ObjectIdentity};
use crate::update::UpdatePlan;

/// Status of a policy in a result.
pub fn status(selection: &Selection, plan: &UpdatePlan, written: bool) -> &'static str {
    match &selection.outcome {
        Outcome::Suspended => return "suspended",
        Outcome::NoCandidate(_) => return "no-candidate",
        Outcome::Held(_) => return "held",
        Outcome::Failed(_) => return "failed",
        Outcome::Elected(_) => {}
    }
    let of_policy = |marker: &&MarkerReport| policy_of(marker) == Some(&selection.address.name);
    let changed: BTreeSet<&Address> = plan.edits.changes().map(|change| &change.policy).collect();
    let markers: Vec<_> = plan.edits.markers.iter().filter(of_policy).collect();
    if changed.contains(&selection.address) {
        return if written { "updated" } else { "outdated" };
    }
    match markers.iter().map(|marker| marker.state).max_by_key(|state| *state == MarkerState::Outdated) {
        None => "unmarked",
        Some(MarkerState::Outdated) => "held",
        Some(_) => "current",
    }
}

fn policy_of(marker: &MarkerReport) -> Option<&str> {
    marker.policy.as_deref()?.split(':').nth(1)
}

/// Why a policy has no choice.
pub fn message(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::NoCandidate(reason) | Outcome::Held(reason) | Outcome::Failed(reason) => reason,
        Outcome::Elected(_) | Outcome::Suspended => "",
    }
}

/// The result of `image update`.
pub fn update(plan: &UpdatePlan, written: bool) -> Value {
    let policy = |selection: &Selection| {
        let mut value = election(selection);
        value["status"] = status(selection, plan, written).into();
        value["previous"] = previous(selection, plan).into();
        value
    };
    let skipped = plan.edits.markers.iter().filter(|marker| {
        marker.reason.is_some() || !matches!(marker.state, MarkerState::Current | MarkerState::Outdated)
    });
    json!({
        "policies": plan.selections.iter().map(policy).collect::<Vec<_>>(),
        "changes": plan.edits.changes().map(change).collect::<Vec<_>>(),
        "skipped": skipped.map(marker).collect::<Vec<_>>(),
        "commit": null,
        "pullRequest": null,
        "warnings": plan.edits.warnings,
    })
}

/// The value that the policy replaces first.
fn previous(selection: &Selection, plan: &UpdatePlan) -> Option<String> {
    plan.edits.changes().find(|change| change.policy == selection.address).map(|change| change.old.clone())
}

/// A policy and its choice.
pub fn election(selection: &Selection) -> Value {
    let Selection { address, image, outcome, passed_over } = selection;
    let elected = match outcome {
        Outcome::Elected(elected) => Some(elected),
        _ => None,
    };
    let passed = |(tag, reason): &(String, String)| json!({"tag": tag, "reason": reason});
    json!({
        "address": address.to_string(),
        "image": image,
        "elected": elected.map(|elected| &elected.tag),
        "digest": elected.and_then(|elected| elected.digest.as_ref()),
        "message": message(outcome),
        "passedOver": passed_over.iter().map(passed).collect::<Vec<_>>(),
    })
}

fn object(object: &ObjectIdentity) -> Value {
    let ObjectIdentity { api_version, kind, namespace, name } = object;
    json!({"apiVersion": api_version, "kind": kind, "namespace": namespace, "name": name})
}

fn change(change: &Change) -> Value {
    json!({
        "file": change.file,
        "line": change.line,
        "column": change.column,
        "object": object(&change.object),
        "policy": change.policy.to_string(),
        "field": change.field.as_str(),
        "old": change.old,
        "new": change.new,
        "kind": change.kind.as_str(),
    })
}

/// A marker.
pub fn marker(marker: &MarkerReport) -> Value {
    json!({
        "file": marker.file,
        "line": marker.line,
        "column": marker.column,
        "value": marker.value,
        "policy": marker.policy,
        "target": marker.target,
        "state": marker.state.as_str(),
        "reason": marker.reason,
        "object": object(&marker.object),
    })
}
