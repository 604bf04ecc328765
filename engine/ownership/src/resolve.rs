//! Decides each conflict of one object.

use std::fmt;

use regex::Regex;
use serde_json::Value;
use windlass_fieldpath::{FieldPath, Segment};
use windlass_model::deployment::ConflictAction;
use windlass_model::object::Object;

use crate::element::same_value;
use crate::owners::{FieldOwner, Found, Owners, OwnershipError};
use crate::rules::{ConflictRule, ConflictRuleError, ConflictRules, Field};

/// Stands for values of Secrets.
const MASK: &str = "*****";

const FIELD_MANAGER_CONFLICT: &str = "FieldManagerConflict";

/// Managers taken for people at a keyboard, and ourselves: what they did by hand is overwritten.
const INTERACTIVE: [&str; 6] = ["^kluctl$", "^kluctl-.*$", "^kubectl$", "^kubectl-.*$", "^rancher$", "^k9s$"];

/// One entry of `details.causes` of a 409.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// `FieldManagerConflict`; the API calls it `reason`.
    pub reason: String,
    /// Such as `conflict with "robot" using v1`.
    pub message: String,
    /// The server's path text.
    pub field: String,
}

/// What to send next and what to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// The local object without the fields that others keep; to be applied with force.
    pub object_to_send: Object,
    /// Fields we wanted to change and may not: one warning each.
    pub lost: Vec<LostField>,
    /// Every conflict and how it was decided, in the order of the causes.
    pub decisions: Vec<ConflictDecision>,
    /// When there are any, nothing is to be sent.
    pub errors: Vec<ConflictError>,
}

/// A field that keeps another manager's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostField {
    /// The server's path text.
    pub field: String,
    /// The warning for the object.
    pub warning: String,
}

/// How one conflict was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictDecision {
    /// The server's path text.
    pub field: String,
    /// The field in the local object.
    pub path: FieldPath,
    /// All owners of the field, we may be among them.
    pub owners: Vec<FieldOwner>,
    /// Our value; `*****` for the data of a Secret.
    pub local_value: Value,
    /// The live value; `*****` for the data of a Secret.
    pub remote_value: Value,
    /// What decided.
    pub decided_by: DecidedBy,
    /// What happens to the field.
    pub outcome: Outcome,
}

impl ConflictDecision {
    /// The one line that would overwrite the field.
    pub fn overwrite_hint(&self) -> String {
        format!("kluctl.io/force-apply-field: {}", self.path)
    }
}

/// What decided a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// A rule or an annotation, in words.
    Rule(String),
    /// A manager that stands for a person.
    InteractiveManager(String),
    /// Nothing: the other manager keeps the field.
    NoRule,
}

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(origin) => f.write_str(origin),
            Self::InteractiveManager(manager) => write!(f, "interactive manager `{manager}`"),
            Self::NoRule => f.write_str("no rule"),
        }
    }
}

/// What happens to a conflicting field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Our value is forced.
    Overwritten,
    /// The live value stays, as a rule wants.
    Ignored,
    /// Both values are equal; the other manager stays the owner.
    Equal,
    /// The live value stays although ours differs.
    Lost,
}

/// A conflict that cannot be decided.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConflictError {
    /// `managedFields` is malformed.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// A rule or annotation is malformed.
    #[error(transparent)]
    Rule(#[from] ConflictRuleError),
    /// Not a conflict between field managers.
    #[error("unknown type {0}")]
    UnknownType(String),
    /// Nobody owns the field.
    #[error("{message}. Could not find matching field for path '{field}'")]
    NoField {
        /// The server's message.
        message: String,
        /// The server's path text.
        field: String,
    },
    /// Two different paths have this text.
    #[error("{message}. Field path '{field}' is ambiguous")]
    Ambiguous {
        /// The server's message.
        message: String,
        /// The server's path text.
        field: String,
    },
    /// The field is missing on one side.
    #[error("{message}. Field '{field}' not found in {side} object")]
    Missing {
        /// The server's message.
        message: String,
        /// The server's path text.
        field: String,
        /// `local` or `remote`.
        side: &'static str,
    },
}

impl PartialEq for ConflictError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Decides every conflict between `local` and the live object `remote`.
///
/// No causes (a conflict of versions) means: send the local object as it is, with force.
pub fn resolve(local: &Object, remote: &Object, causes: &[Cause], rules: &ConflictRules) -> Resolution {
    let mut resolution =
        Resolution { object_to_send: local.clone(), lost: Vec::new(), decisions: Vec::new(), errors: Vec::new() };
    if causes.is_empty() {
        return resolution;
    }
    let judge = match Judge::new(local, remote, rules) {
        Ok(judge) => judge,
        Err(error) => {
            resolution.errors.push(error);
            return resolution;
        }
    };
    for cause in causes {
        match judge.decide(cause) {
            Ok(decision) => {
                resolution.lost.extend(lost_field(cause, &decision));
                resolution.decisions.push(decision);
            }
            Err(error) => resolution.errors.push(error),
        }
    }
    remove_kept_fields(&mut resolution);
    resolution
}

fn lost_field(cause: &Cause, decision: &ConflictDecision) -> Option<LostField> {
    let Cause { message, field, .. } = cause;
    (decision.outcome == Outcome::Lost).then(|| LostField {
        field: field.clone(),
        warning: format!("{message}. Not updating field '{field}' as we lost field ownership"),
    })
}

fn remove_kept_fields(resolution: &mut Resolution) {
    let kept = resolution.decisions.iter().filter(|decision| decision.outcome != Outcome::Overwritten);
    let mut paths: Vec<&FieldPath> = kept.map(|decision| &decision.path).collect();
    paths.sort();
    paths.dedup();
    // From the back, so that removing a list item does not move the ones still to be removed.
    for path in paths.into_iter().rev() {
        path.remove(&mut resolution.object_to_send.0);
    }
}

struct Judge<'o> {
    local: &'o Object,
    remote: &'o Object,
    owners: Owners,
    rules: Vec<ConflictRule>,
    interactive: Vec<Regex>,
}

impl<'o> Judge<'o> {
    fn new(local: &'o Object, remote: &'o Object, rules: &ConflictRules) -> Result<Self, ConflictError> {
        let interactive = INTERACTIVE.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
        Ok(Self { local, remote, owners: Owners::read(remote)?, rules: rules.for_object(local)?, interactive })
    }

    fn decide(&self, cause: &Cause) -> Result<ConflictDecision, ConflictError> {
        let Cause { reason, message, field } = cause;
        if reason != FIELD_MANAGER_CONFLICT {
            return Err(ConflictError::UnknownType(reason.clone()));
        }
        let (message, field) = (message.clone(), field.clone());
        let (path, owners) = match self.owners.find(&field) {
            Found::One(path, owners) => (path, owners),
            Found::None => return Err(ConflictError::NoField { message, field }),
            Found::Ambiguous => return Err(ConflictError::Ambiguous { message, field }),
        };
        let missing = |side| ConflictError::Missing { message: message.clone(), field: field.clone(), side };
        let local_path = path.locate(&self.local.0).ok_or_else(|| missing("local"))?;
        let remote_path = path.locate(&self.remote.0).ok_or_else(|| missing("remote"))?;
        let local_value = local_path.get(&self.local.0).cloned().unwrap_or_default();
        let remote_value = remote_path.get(&self.remote.0).cloned().unwrap_or_default();
        let (decided_by, overwrite) = self.verdict(&Field {
            local: &self.local.0,
            remote: &self.remote.0,
            local_path: &local_path,
            remote_path: &remote_path,
            owners: &owners,
        });
        let outcome = match (overwrite, &decided_by) {
            (true, _) => Outcome::Overwritten,
            (false, DecidedBy::Rule(_)) => Outcome::Ignored,
            (false, _) if same_value(&local_value, &remote_value) => Outcome::Equal,
            (false, _) => Outcome::Lost,
        };
        let owners = owners.into_iter().cloned().collect();
        let (local_value, remote_value) =
            if self.is_secret_value(&local_path) { (MASK.into(), MASK.into()) } else { (local_value, remote_value) };
        Ok(ConflictDecision { field, path: local_path, owners, local_value, remote_value, decided_by, outcome })
    }

    fn is_secret_value(&self, path: &FieldPath) -> bool {
        let below_data =
            |segment: &Segment| matches!(segment, Segment::Key(key) if key == "data" || key == "stringData");
        self.local.kind() == "Secret" && self.local.gvk().group.is_empty() && path.0.first().is_some_and(below_data)
    }

    /// What decides, and whether our value is forced. The last rule that hits wins.
    fn verdict(&self, field: &Field<'_>) -> (DecidedBy, bool) {
        if let Some(rule) = self.rules.iter().rev().find(|rule| rule.hits(field)) {
            return (DecidedBy::Rule(rule.origin.clone()), rule.action == ConflictAction::ForceApply);
        }
        let is_interactive = |owner: &&&FieldOwner| self.interactive.iter().any(|regex| regex.is_match(&owner.manager));
        match field.owners.iter().find(is_interactive) {
            Some(owner) => (DecidedBy::InteractiveManager(owner.manager.clone()), true),
            None => (DecidedBy::NoRule, false),
        }
    }
}

#[cfg(test)]
mod tests;
