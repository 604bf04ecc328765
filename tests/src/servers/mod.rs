//! The real servers that tests, the quickstart and the benchmarks run against.
//!
//! Every server listens on 127.0.0.1 with a free port, keeps its files in a temporary folder and
//! ends with this process, even when it is killed (see [`process`]).

mod authority;
pub mod build;
mod chart_server;
mod cloud_keys;
mod control_plane;
mod credentials;
mod error;
mod forward_proxy;
mod git_server;
pub mod process;
mod proxy;
mod quirks;
mod registry;
mod requests;
pub mod secret_store;
mod set;
mod token_server;

pub use chart_server::ChartServer;
pub use control_plane::{ControlPlane, Options, Outcome};
pub use error::SandboxError;
pub use forward_proxy::{ForwardProxy, Forwarded};
pub use git_server::{Commit, GIT_ENVIRONMENT, GitServer, copy_tree, git};
pub use quirks::{Limit, LinkStyle, Quirks, TokenUses};
pub use registry::{Registry, Request as RegistryRequest, push};
pub use requests::ApiRequest;
pub use set::{ServerSet, Wanted};
pub use token_server::TokenRequest;
