//! Flow 2: keeps image references in files current.
//!
//! scan registries → select one tag per policy → set it in the files. Committing
//! and pushing are stages of their own. Each stage is a function from value to
//! new value; only [`set::write`](set::apply) touches files, and nothing here
//! knows a terminal, the environment or a cluster. Spec 06 14.

pub mod change_kind;
pub mod config;
pub mod fixed;
pub mod report;
pub mod scan;
pub mod select;
pub mod set;
pub mod update;

pub use windlass_images::project_policy::Address;
