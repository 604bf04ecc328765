//! Windlass yaml.
