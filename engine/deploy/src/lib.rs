//! FLOW 1: from a project directory to a running deployment.
//!
//! One module per stage, each a function from value to new value:
//! load → target → tree (+ vars) → render → collect → images → observe →
//! apply → diff → prune → report → keep.

pub mod apply;
pub mod args;
mod aws;
mod clock;
pub mod collect;
pub mod config_file;
pub mod delete;
pub mod diff;
mod duration;
pub mod error;
pub mod flows;
pub mod hooks;
pub mod images;
pub mod inclusion;
pub mod keep;
pub mod load;
mod mask;
mod meaning;
pub mod merge;
pub mod multi_error;
pub mod observe;
pub mod poke;
pub mod ports;
pub mod prepare;
pub mod problems;
pub mod prune;
pub mod render;
pub mod report;
pub mod sops;
pub mod source_tree;
pub mod status_expectation;
pub mod stop;
pub mod target;
mod traceback;
pub mod tree;
pub mod validate;
pub mod validation;
pub mod vars;
pub mod wait;
pub mod write;

pub use error::Error;
pub use images::ImageOptions;
pub use keep::{ResultOptions, SecretValues};
pub use ports::{
    AwsIdentity, ConnectFailure, Connector, Keys, Login, NoStores, Ports, PrivateFolder, Repository, SecretStores,
    StoreFailure, Web, WebAnswer,
};
pub use prepare::{Connection, Prepared, RenderOutput, Request, prepare};
