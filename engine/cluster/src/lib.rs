//! Windlass cluster.
