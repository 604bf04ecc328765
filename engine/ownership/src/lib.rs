//! Who owns which field of a live object, and what to do when the server reports conflicts (spec 03 section 7.8).
//!
//! Pure: takes the objects and the server's answer, gives the object to send next and what to tell the user.
//! Talking to the server is `windlass-cluster`'s and the apply stage's work.

mod element;
mod owners;
mod resolve;
mod rules;

pub use element::{Element, OwnedPath};
pub use owners::{FieldOwner, Owners, OwnershipError};
pub use resolve::{Cause, ConflictDecision, ConflictError, DecidedBy, LostField, Outcome, Resolution, resolve};
pub use rules::{ConflictRuleError, ConflictRules};
