//! FLOW 1: from a project directory to a running deployment.
//!
//! One module per stage, each a function from value to new value:
//! load → target → tree (+ vars) → render → collect → images → observe →
//! apply → diff → prune → report.

pub mod args;
mod clock;
pub mod collect;
pub mod config_file;
pub mod diff;
pub mod error;
pub mod images;
pub mod inclusion;
pub mod load;
pub mod merge;
pub mod multi_error;
pub mod ports;
pub mod prepare;
pub mod render;
pub mod report;
pub mod source_tree;
pub mod target;
pub mod tree;
pub mod validation;
pub mod vars;
pub mod write;

pub use error::Error;
pub use ports::{ConnectFailure, Connector, Ports, Repository};
pub use prepare::{Connection, ImageOptions, Prepared, RenderOutput, Request, prepare};
