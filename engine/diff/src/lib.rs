//! Windlass diff.
