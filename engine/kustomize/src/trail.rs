//! What an object has been before: the names by which references still know it.
//!
//! Kustomize keeps the same in annotations, which it removes in the end.

/// The earlier lives of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Oldest first.
    pub(crate) previous: Vec<PreviousId>,
    /// Innermost first.
    pub(crate) prefixes: Vec<String>,
    /// Innermost first.
    pub(crate) suffixes: Vec<String>,
    /// The name still gets the hash of the content.
    pub(crate) needs_hash: bool,
    /// A generator has made it.
    pub(crate) generated: bool,
}

impl Trail {
    /// Whether Kustomize would have put annotations of its own on the object.
    pub(crate) fn leaves_annotations(&self) -> bool {
        self.needs_hash || self.generated || !self.previous.is_empty()
    }
}

/// An earlier name. Group and version never change, so they are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreviousId {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Never empty: see [`crate::identity::effective_namespace`].
    pub(crate) namespace: String,
}
