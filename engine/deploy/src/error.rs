//! What ends a run before it has a result.

use crate::images::ImagesError;
use crate::load::LoadError;
use crate::ports::ConnectFailure;
use crate::render::RenderError;
use crate::target::TargetError;
use crate::tree::TreeError;
use crate::write::WriteError;
use windlass_results::StoreError;

/// One variant per stage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading the project.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Selecting the target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Connecting.
    #[error("{0}")]
    Connect(#[source] ConnectFailure),
    /// The command needs a cluster and there is none.
    #[error("{message}")]
    NoCluster {
        /// What cannot be done.
        message: &'static str,
    },
    /// A guard, or the user, refused.
    #[error("{message}")]
    Refused {
        /// Why.
        message: &'static str,
    },
    /// Opening the result store.
    #[error(transparent)]
    ResultStore(#[from] StoreError),
    /// Loading the deployment tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Rendering.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Finding images.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// Writing rendered objects.
    #[error(transparent)]
    Write(#[from] WriteError),
}
