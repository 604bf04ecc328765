//! Answers for people.

use similar::TextDiff;
use windlass_automate::report;
use windlass_automate::scan::TagInventory;
use windlass_automate::select::{Outcome, Selection};
use windlass_automate::set::MarkerReport;
use windlass_automate::update::UpdatePlan;

/// Columns, each as wide as its widest cell; the last one is not filled.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn scan(inventory: &TagInventory) -> String {
    let mut rows = vec![head(&["IMAGE", "TAGS"])];
    rows.extend(inventory.iter().map(|(image, count)| {
        vec![image.to_owned(), count.map_or_else(|_| "not known".to_owned(), |count| count.to_string())]
    }));
    table(&rows)
}

pub(super) fn policies(selections: &[Selection]) -> String {
    let mut rows = vec![head(&["NAMESPACE", "NAME", "IMAGE", "TAG", "DIGEST", "READY", "MESSAGE"])];
    rows.extend(selections.iter().map(|selection| {
        let Selection { address, image, outcome, .. } = selection;
        let (tag, digest, ready) = match outcome {
            Outcome::Elected(elected) => (elected.tag.clone(), elected.digest.clone().unwrap_or_default(), "True"),
            _ => (String::new(), String::new(), "False"),
        };
        let message = match outcome {
            Outcome::Elected(elected) => format!("Latest image tag for {image} resolved to {}", elected.tag),
            Outcome::Suspended => "suspended".to_owned(),
            other => report::message(other).to_owned(),
        };
        vec![address.namespace.clone(), address.name.clone(), image.clone(), tag, digest, ready.to_owned(), message]
    }));
    table(&rows)
}

pub(super) fn markers(markers: &[MarkerReport]) -> String {
    if markers.is_empty() {
        return "no markers\n".to_owned();
    }
    let mut rows = vec![head(&["PLACE", "POLICY", "STATE", "VALUE", "TARGET"])];
    rows.extend(markers.iter().map(|marker| {
        let MarkerReport { file, line, policy, value, target, state, reason, .. } = marker;
        let target = target.clone().or_else(|| reason.clone()).unwrap_or_default();
        let policy = policy.clone().unwrap_or_default();
        let value = value.clone().unwrap_or_default();
        vec![format!("{file}:{line}"), policy, state.as_str().to_owned(), value, target]
    }));
    table(&rows)
}

pub(super) fn update(plan: &UpdatePlan, written: bool) -> String {
    let mut text = String::new();
    for change in plan.edits.changes() {
        let field = change.field.as_str();
        let policy = if field.is_empty() { change.policy.to_string() } else { format!("{}:{field}", change.policy) };
        let (file, line, old, new, kind) = (&change.file, change.line, &change.old, &change.new, change.kind.as_str());
        text.push_str(&format!("{file}:{line}  {policy}  {old} -> {new}  ({kind})\n"));
    }
    for selection in &plan.selections {
        let status = report::status(selection, plan, written);
        if !matches!(status, "current" | "updated" | "outdated") {
            let message = report::message(&selection.outcome);
            let reason = if message.is_empty() { String::new() } else { format!(": {message}") };
            text.push_str(&format!("policy {}  {status}{reason}\n", selection.address));
        }
    }
    for address in &plan.suspended {
        text.push_str(&format!("update {address}  suspended\n"));
    }
    let values = plan.edits.changes().count();
    let files = plan.edits.files.iter().filter(|file| !file.again).count();
    let end = match (values, written) {
        (0, _) => "nothing to update".to_owned(),
        (_, true) => format!("updated {values} values in {files} files"),
        (_, false) => format!("{values} values in {files} files are outdated; --write sets them"),
    };
    text.push_str(&format!("{end}\n"));
    text
}

pub(super) fn diff(plan: &UpdatePlan) -> String {
    let mut text = String::new();
    for file in plan.edits.files.iter().filter(|file| !file.again) {
        let (before, after) = (String::from_utf8_lossy(&file.before), String::from_utf8_lossy(&file.after));
        let diff = TextDiff::from_lines(&*before, &*after);
        let (old, new) = (format!("a/{}", file.name), format!("b/{}", file.name));
        text.push_str(&diff.unified_diff().header(&old, &new).to_string());
    }
    text
}
