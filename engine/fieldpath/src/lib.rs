//! Names fields of JSON values: the textual path of reports, and the path expressions of users.
//!
//! [`FieldPath`] is one exact place (spec 03 section 2.4); [`JsonPath`] is an expression that may hit many
//! (section 2.5). [`FieldRule`] and [`Selector`] are what `ignoreForDiff` and `conflictResolution` have in common.
//! Not for: YAML positions (`windlass-yaml`).

mod delete;
mod filter;
mod json_path;
mod locate;
mod parse;
mod path;
mod rule;
mod walk;

pub use delete::DeleteError;
pub use json_path::{JsonPath, JsonPathError, JsonPathErrorKind};
pub use path::{FieldPath, Segment, SetError};
pub use rule::{FieldRule, RuleError, Selector, numbered_annotations};
pub use walk::{walk_leaves, walk_nodes};
