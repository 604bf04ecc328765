//! Windlass model.
