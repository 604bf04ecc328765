//! What differs between two states of one object (spec 03 sections 11 and 12).
//!
//! [`diff_object`] normalises both sides, leaves out what [`IgnoreRules`] hide, and lists the changed fields.
//! Pure: fetching objects and pairing them is the flows' work.

mod compare;
mod ignore;
mod list;
mod myers;
mod normalise;
mod obfuscate;
mod unified;

use windlass_model::object::Object;
use windlass_model::result::Change;

pub use ignore::{IgnoreFlags, IgnoreRules};
pub use obfuscate::{obfuscate_changes, obfuscate_object, obfuscate_result};
pub use windlass_fieldpath::RuleError;

/// Annotation of an object whose changes are never shown.
pub const IGNORE_DIFF_ANNOTATION: &str = "kluctl.io/ignore-diff";

/// An object could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// An ignore annotation of the rendered object does not compile.
    #[error("annotation `{annotation}`: {source}")]
    Annotation {
        /// Key of the annotation.
        annotation: String,
        /// What is wrong with it.
        #[source]
        source: RuleError,
    },
}

/// Changes from `remote` (live before) to `applied` (the server's answer), sorted by path.
///
/// `local` is the rendered object, whose annotations may hide fields.
pub fn diff_object(
    local: &Object,
    remote: &Object,
    applied: &Object,
    rules: &IgnoreRules,
) -> Result<Vec<Change>, DiffError> {
    let annotations = ignore::annotation_rules(local)?;
    if local.bool_annotation(IGNORE_DIFF_ANNOTATION) == Some(true) || normalise::obviously_equal(remote, applied) {
        return Ok(Vec::new());
    }
    let side = |object: &Object| {
        let mut value = normalise::normalised(object);
        rules.apply(object, &mut value);
        ignore::apply_rule(&annotations, &mut value);
        value
    };
    Ok(compare::compare(&side(remote), &side(applied)))
}

#[cfg(test)]
mod tests;
