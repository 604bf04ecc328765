//! One file: its markers, and its bytes after the edits.

use std::path::PathBuf;
use std::sync::Arc;

use windlass_images::project_policy::Address;
use windlass_images::reference::{ImageText, same_repository};
use windlass_model::location::{Location, Source};

use super::document::ObjectIdentity;
use super::elections::{Elected, Elections, PolicyState};
use super::marker::{Field, Marker, TOKEN};
use super::place::{Placed, Value};
use super::walk::WorkFile;
use super::{PlanOptions, lines, place, quote};
use crate::change_kind::ChangeKind;

/// What is to be said about a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerState {
    /// The value is what the policy wants.
    Current,
    /// It is not.
    Outdated,
    /// No policy has the address.
    UnknownPolicy,
    /// The policy is there and chose nothing.
    Unresolved,
    /// No such field, or the election does not have it.
    UnknownField,
    /// The comment looks like a marker and is none.
    Malformed,
    /// The marker stands where no value can be replaced.
    UnsupportedPosition,
}

impl MarkerState {
    /// The name in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Outdated => "outdated",
            Self::UnknownPolicy => "unknown-policy",
            Self::Unresolved => "unresolved",
            Self::UnknownField => "unknown-field",
            Self::Malformed => "malformed",
            Self::UnsupportedPosition => "unsupported-position",
        }
    }
}

/// One marker.
#[derive(Debug, Clone)]
pub struct MarkerReport {
    /// The file below the work tree.
    pub file: String,
    /// Where the value stands, or else the marker.
    pub line: usize,
    /// Column of it.
    pub column: usize,
    /// The value.
    pub value: Option<String>,
    /// The address as written, with the field.
    pub policy: Option<String>,
    /// What it should be.
    pub target: Option<String>,
    /// How the two compare.
    pub state: MarkerState,
    /// Why it is neither current nor outdated.
    pub reason: Option<String>,
    /// The object around it.
    pub object: ObjectIdentity,
}

/// One value that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file below the work tree.
    pub file: String,
    /// Place of the value.
    pub line: usize,
    /// Place of the value.
    pub column: usize,
    /// The object around it.
    pub object: ObjectIdentity,
    /// The policy.
    pub policy: Address,
    /// The part of its election.
    pub field: Field,
    /// `namespace:name[:field]`.
    pub setter: String,
    /// The value before.
    pub old: String,
    /// The value after.
    pub new: String,
    /// How they compare.
    pub kind: ChangeKind,
}

/// A file that would change.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    /// The file below the work tree.
    pub name: String,
    /// The file itself, behind links.
    pub real: PathBuf,
    /// The same file was planned under another name before.
    pub again: bool,
    /// Its bytes when it was read.
    pub before: Arc<[u8]>,
    /// Its bytes after the edits.
    pub after: Vec<u8>,
    /// What is replaced.
    pub changes: Vec<Change>,
}

/// All about one file.
#[derive(Debug, Default)]
pub(super) struct FilePlan {
    pub(super) markers: Vec<MarkerReport>,
    pub(super) file: Option<PlannedFile>,
    pub(super) warnings: Vec<String>,
}

/// Reads and decides.
pub(super) fn plan(work: &WorkFile, elections: &Elections, options: &PlanOptions) -> FilePlan {
    let on_disk = match std::fs::read(&work.real) {
        Ok(bytes) => bytes,
        Err(error) => return warning(format!("{}: {error}", work.name)),
    };
    let bytes: &[u8] = options.overlay.get(&work.real).map_or(&on_disk, |newer| newer);
    if memchr::memmem::find(bytes, TOKEN.as_bytes()).is_none() {
        return FilePlan::default();
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return warning(format!("{}: the file is not UTF-8 and is left alone", work.name));
    };
    let found = markers(text);
    let mut plan = decided(work, text, &found, elections, options);
    let Some(file) = plan.file.as_mut() else { return plan };
    file.before = on_disk.as_slice().into();
    if let Some(reason) = unsound(file, found.len()) {
        plan.warnings.push(format!("{}: {reason}; the file is left alone", work.name));
        plan.file = None;
    }
    plan
}

fn warning(text: String) -> FilePlan {
    FilePlan { warnings: vec![text], ..FilePlan::default() }
}

/// The markers of a text, those of YAML by structure and all else by line.
fn markers(text: &str) -> Vec<Placed> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - body.len();
    let mut found = place::find(body).unwrap_or_else(|| lines::find(body));
    for placed in &mut found {
        let shift = |range: &mut std::ops::Range<usize>| *range = range.start + mark..range.end + mark;
        shift(&mut placed.comment);
        if let Ok(value) = &mut placed.value {
            shift(&mut value.span);
        }
    }
    found.sort_by_key(|placed| placed.value.as_ref().map_or(placed.comment.start, |value| value.span.start));
    found
}

fn decided(work: &WorkFile, text: &str, found: &[Placed], elections: &Elections, options: &PlanOptions) -> FilePlan {
    let source = Source::new(work.name.clone(), text);
    // Under a marked block scalar nobody knows what was meant: the file stays as it is.
    let locked = found.iter().any(|placed| placed.value.as_ref().is_err_and(|reason| *reason == place::BLOCK));
    let mut plan = FilePlan::default();
    let mut after = String::with_capacity(text.len() + 64);
    let mut copied = 0;
    let mut changes = Vec::new();
    for placed in found {
        let verdict = verdict(placed, elections, options);
        let span = placed.value.as_ref().map_or(&placed.comment, |value| &value.span);
        let at = Location::new(source.clone(), span.clone());
        let (line, column) = (at.line(), at.column());
        let place = format!("{}:{line}:{column}", work.name);
        plan.warnings.extend(verdict.warning.iter().map(|text| format!("{place}: {text}")));
        if let (MarkerState::Outdated, Ok(value), Ok(marker), Some(new)) =
            (verdict.state, &placed.value, &placed.marker, &verdict.target)
            && value.span.start >= copied
            && !locked
            && verdict.held.is_none()
        {
            after.push_str(&text[copied..value.span.start]);
            let missing = value.span.is_empty();
            after.push_str(if missing { " " } else { "" });
            after.push_str(&quote::written(new, value.style, value.flow));
            copied = value.span.end;
            let policy = elections.resolve(&marker.policy);
            changes.push(change(&work.name, (line, column), placed, (marker, policy), value, new));
        }
        plan.markers.push(MarkerReport {
            file: work.name.clone(),
            line,
            column,
            value: placed.value.as_ref().ok().map(|value| value.text.clone()),
            policy: placed.marker.as_ref().ok().map(ToString::to_string),
            target: verdict.target,
            state: verdict.state,
            reason: verdict.reason,
            object: placed.object.clone(),
        });
    }
    if !changes.is_empty() {
        after.push_str(&text[copied..]);
        let (name, real) = (work.name.clone(), work.real.clone());
        let before: Arc<[u8]> = Arc::default();
        plan.file = Some(PlannedFile { name, real, again: false, before, after: after.into_bytes(), changes });
    }
    plan
}

fn change(
    file: &str,
    (line, column): (usize, usize),
    placed: &Placed,
    (marker, policy): (&Marker, Address),
    value: &Value,
    new: &str,
) -> Change {
    Change {
        file: file.to_owned(),
        line,
        column,
        object: placed.object.clone(),
        policy,
        field: marker.field.clone().unwrap_or(Field::Full),
        setter: marker.to_string(),
        old: value.text.clone(),
        new: new.to_owned(),
        kind: ChangeKind::between(&value.text, new),
    }
}

struct Verdict {
    state: MarkerState,
    target: Option<String>,
    reason: Option<String>,
    warning: Option<String>,
    /// Why an outdated value stays.
    held: Option<String>,
}

impl Verdict {
    fn bad(state: MarkerState, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { state, target: None, warning: Some(reason.clone()), reason: Some(reason), held: None }
    }
}

/// What becomes of a marker.
fn verdict(placed: &Placed, elections: &Elections, options: &PlanOptions) -> Verdict {
    let marker = match &placed.marker {
        Ok(marker) => marker,
        Err(reason) => return Verdict::bad(MarkerState::Malformed, reason.clone()),
    };
    let field = match &marker.field {
        Ok(field) => *field,
        Err(name) => return Verdict::bad(MarkerState::UnknownField, unknown_field(name)),
    };
    let elected = match elections.find(&marker.policy) {
        None => return Verdict::bad(MarkerState::UnknownPolicy, unknown_policy(&marker.policy, elections)),
        Some(PolicyState::Nothing(reason)) => {
            return Verdict { warning: None, ..Verdict::bad(MarkerState::Unresolved, reason.clone()) };
        }
        Some(PolicyState::Elected(elected)) => elected,
    };
    let value = match &placed.value {
        Ok(value) => value,
        Err(reason) => return Verdict::bad(MarkerState::UnsupportedPosition, *reason),
    };
    let empty = || (field == Field::Digest && options.allow_empty_digest).then(String::new);
    let Some(target) = elected.field(field).or_else(empty) else {
        let reason = format!("`{}` has no {}; the value is left alone", marker.policy, field.as_str());
        return Verdict::bad(MarkerState::UnknownField, reason);
    };
    compared(value, target, field, (elected, &elections.resolve(&marker.policy)), options)
}

fn compared(
    value: &Value,
    target: String,
    field: Field,
    (elected, policy): (&Elected, &Address),
    options: &PlanOptions,
) -> Verdict {
    if value.text == target {
        return Verdict { state: MarkerState::Current, target: Some(target), reason: None, warning: None, held: None };
    }
    let kind = ChangeKind::between(&value.text, &target);
    let downgrade = kind == ChangeKind::Downgrade;
    let held = if downgrade && options.no_downgrade.contains(policy) {
        Some(format!("`{target}` is lower than `{}` and the policy denies downgrades", value.text))
    } else if !options.only.is_empty() && !options.only.contains(&kind) {
        Some(format!("a change of kind {} was not asked for", kind.as_str()))
    } else {
        None
    };
    let other = other_image(value, field, elected);
    if let (Some(warning), true) = (&other, options.match_image) {
        return Verdict { target: Some(target), ..Verdict::bad(MarkerState::UnsupportedPosition, warning.clone()) };
    }
    let lower = (downgrade && options.warn_downgrade.contains(policy))
        .then(|| format!("`{target}` is lower than `{}`", value.text));
    Verdict { state: MarkerState::Outdated, target: Some(target), reason: held.clone(), warning: other.or(lower), held }
}

/// Typo protection: the old value names another repository.
fn other_image(value: &Value, field: Field, elected: &Elected) -> Option<String> {
    let whole = matches!(field, Field::Full | Field::Image | Field::ImageDigest | Field::Name);
    let old = ImageText::split(&value.text).repository;
    (whole && !old.is_empty() && !same_repository(old, &elected.image))
        .then(|| format!("the value is of `{old}`, the policy of `{}`", elected.image))
}

fn unknown_field(name: &str) -> String {
    let near = similar(name, Field::NAMES.iter().map(|name| (*name).to_owned()));
    format!("no field `{name}`{}", near.map_or_else(String::new, |near| format!(", did you mean `{near}`?")))
}

fn unknown_policy(address: &Address, elections: &Elections) -> String {
    let wanted = elections.resolve(address);
    let near = similar(&wanted.to_string(), elections.addresses().map(ToString::to_string));
    format!("no policy `{wanted}`{}", near.map_or_else(String::new, |near| format!(", did you mean `{near}`?")))
}

/// The nearest of some names, when one is near.
pub(crate) fn similar(name: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let limit = (name.chars().count() / 3).max(1);
    names
        .map(|other| (strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase()), other))
        .filter(|(distance, other)| *distance <= limit && *distance < other.chars().count())
        .min()
        .map(|(_, other)| other)
}

/// Reads the edited text again: the same markers, and each edited value is what was wanted.
fn unsound(file: &PlannedFile, count: usize) -> Option<String> {
    let text = std::str::from_utf8(&file.after).ok()?;
    let again = markers(text);
    if again.len() != count {
        return Some(format!("after the edit it would have {} markers, not {count}", again.len()));
    }
    file.changes.iter().find_map(|change| {
        let found = again.iter().any(|placed| {
            placed.marker.as_ref().is_ok_and(|marker| marker.to_string() == change.setter)
                && placed.value.as_ref().is_ok_and(|value| value.text == change.new)
        });
        (!found).then(|| format!("the value for `{}` would not be read as `{}`", change.setter, change.new))
    })
}
