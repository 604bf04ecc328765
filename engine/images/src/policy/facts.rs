//! What a list of tags does not say, and some policies need.

use std::collections::BTreeMap;

/// What is known about images beyond their tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    built: BTreeMap<String, i128>,
}

impl Facts {
    /// Build times by tag, in nanoseconds since 1970; a tag without one is never chosen by build time.
    pub fn built(times: impl IntoIterator<Item = (String, i128)>) -> Self {
        Self { built: times.into_iter().collect() }
    }

    pub(super) fn build_time(&self, tag: &str) -> Option<i128> {
        self.built.get(tag).copied()
    }
}
