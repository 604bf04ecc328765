//! Windlass report.
