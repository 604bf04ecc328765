//! Test harness: real servers on loopback, the golden runner and the benchmark kit.
//!
//! Nothing here is mocked. [`servers`] builds and starts kube-apiserver, etcd, registries and the
//! like; [`golden`] replays recorded cases against them; [`bench`] measures. `tests/README.md`
//! explains how to use them in a test.

pub mod bench;
pub mod golden;
pub mod http;
pub mod project;
pub mod registry_client;
pub mod servers;
pub mod windlass;
pub mod yaml;

pub use project::{Answer, TestProject, files_below};
pub use servers::{ChartServer, ControlPlane, GitServer, Options, Quirks, Registry, SandboxError};
