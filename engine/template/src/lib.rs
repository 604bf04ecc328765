//! Windlass template.
