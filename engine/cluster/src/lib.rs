//! Talks to a Kubernetes API server.
//!
//! [`Cluster`] is the door that the flows use; [`kube::KubeCluster`] is the real
//! one, [`fake::FakeCluster`] an in-memory stand-in for stage tests. What is
//! applied, and what follows from an error, is decided in `windlass-deploy`.

pub mod discovery;
pub mod error;
pub mod fake;
pub mod kube;
pub mod kubeconfig;
pub mod port;

pub use discovery::{ApiResource, Discovery, Scope};
pub use error::{ApiFailure, ClusterError, RequestContext, StatusCause};
pub use port::{
    Answer, Cluster, DeleteOptions, Deletion, DryRun, FIELD_MANAGER, ListContent, ListRequest, Patch, Propagation,
    RESULTS_FIELD_MANAGER, ServerVersion, WriteOptions, cluster_id,
};
