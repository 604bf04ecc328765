//! Windlass gohelper.
