//! Keeps results of commands in the cluster, one Secret each (spec 03 section 21).
//!
//! [`ResultStore`] is the only part that talks to the cluster. What a Secret holds ([`secret`],
//! [`content`]), what it is called ([`naming`]) and which old results go ([`retention`]) are
//! plain functions. Values of Secrets are masked by the caller: what comes in is stored as it is.
//!
//! ```
//! # use std::sync::Arc;
//! # use windlass_cluster::fake::FakeCluster;
//! # use windlass_model::result::CommandResult;
//! # use windlass_results::{NOT_PERMITTED, Opened, ResultStore, StoreError, StoreSettings};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), StoreError> {
//! # let cluster = Arc::new(FakeCluster::new());
//! // Before rendering, so that a run whose result can not be stored says so early.
//! let store = match ResultStore::open(cluster, StoreSettings::default()).await? {
//!     Opened::Ready(store) => Some(store),
//!     Opened::NotPermitted => panic!("{NOT_PERMITTED}"),
//! };
//! // After the command.
//! let result = CommandResult { id: "5b0c3a52".into(), ..Default::default() };
//! if let Some(store) = store {
//!     let written = store.write_command_result(&result).await?;
//!     assert_eq!(written.secret.to_string(), "kluctl-results/Secret/cr-5b0c3a52");
//! }
//! # Ok(())
//! # }
//! ```

pub mod catalogue;
pub mod content;
mod error;
pub mod naming;
pub mod retention;
pub mod secret;
mod store;
mod summary_text;
mod written;

pub use error::StoreError;
pub use naming::{DEFAULT_NAMESPACE, ResultKind};
pub use store::{Opened, Reach, ResultStore, StoreSettings};
pub use written::{Note, Written};

/// Status warning when the store can not be opened; the command goes on and stores nothing.
pub const NOT_PERMITTED: &str = "Not enough permissions to write to the result store.";

/// Warning of a result whose cluster has no known id.
pub const UNKNOWN_CLUSTER_ID: &str = "failed to determine cluster ID due to missing get/list permissions for the \
    kube-system namespace. This might result in follow up issues in regard to cluster differentiation stored command \
    results";

/// Status line of a failed write, before `: ` and the error's text.
pub const WRITE_FAILED: &str = "Failed to write result to result store";
