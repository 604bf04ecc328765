//! Windlass deploy.
