//! Windlass helm.
