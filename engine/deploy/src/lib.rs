//! FLOW 1: from a project directory to a running deployment.
//!
//! One module per stage, each a function from value to new value:
//! load → target → tree (+ vars) → render → collect → images → observe →
//! apply → diff → prune → report.

pub mod args;
pub mod collect;
pub mod config_file;
pub mod inclusion;
pub mod load;
pub mod merge;
pub mod multi_error;
pub mod render;
pub mod source_tree;
pub mod target;
pub mod tree;
pub mod validation;
pub mod vars;
