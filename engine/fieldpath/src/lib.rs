//! Windlass fieldpath.
