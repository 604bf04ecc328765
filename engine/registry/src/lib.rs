//! Windlass registry.
