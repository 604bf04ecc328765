//! Keeps the result of a run in the cluster (spec 03 section 21).
//!
//! The store is opened while the project is rendered and written to at the very end, so that it costs a
//! run next to nothing. What is stored never has the values of Secrets, whatever is shown.

use std::borrow::Cow;
use std::sync::Arc;

use windlass_cluster::Cluster;
use windlass_model::event::{Event, Events};
use windlass_model::result::CommandResult;
use windlass_results::{NOT_PERMITTED, Opened, ResultStore, StoreError, StoreSettings, WRITE_FAILED};

use crate::mask;

const WRITING: &str = "Writing command result";

/// What becomes of the result of a run.
#[derive(Debug, Clone, Default)]
pub struct ResultOptions {
    /// Store it in the cluster.
    pub store: Option<StoreSettings>,
    /// Whether it shows the values of Secrets to the caller.
    pub secret_values: SecretValues,
}

/// Whether values of Secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretValues {
    /// Masked.
    #[default]
    Hidden,
    /// As they are (`--no-obfuscate`).
    Shown,
}

/// Where the result of a run goes.
#[derive(Debug, Default)]
pub enum Keeping {
    /// Nowhere.
    #[default]
    Unwanted,
    /// Nowhere, because the cluster may not be identified.
    Denied,
    /// Into the cluster.
    Store(ResultStore),
}

/// Opens the store, if one is wanted and there is a cluster.
///
/// # Errors
/// Anything but missing permissions; those are a warning.
pub async fn open(
    settings: Option<&StoreSettings>,
    cluster: Option<&Arc<dyn Cluster>>,
    events: &dyn Events,
) -> Result<Keeping, StoreError> {
    let (Some(settings), Some(cluster)) = (settings, cluster) else { return Ok(Keeping::Unwanted) };
    match ResultStore::open(Arc::clone(cluster), settings.clone()).await? {
        Opened::Ready(store) => Ok(Keeping::Store(store)),
        Opened::NotPermitted => {
            events.warn(NOT_PERMITTED.into());
            Ok(Keeping::Denied)
        }
    }
}

impl Keeping {
    /// Stores a result and removes old ones. `secret_values` says what the result has, not what is stored; `secrets`
    /// are the values that are never stored.
    ///
    /// # Errors
    /// The result could not be stored. Events have told so already.
    pub async fn keep(
        &self,
        result: &CommandResult,
        secret_values: SecretValues,
        secrets: &windlass_masking::SecretValues,
        events: &dyn Events,
    ) -> Result<(), StoreError> {
        let Self::Store(store) = self else { return Ok(()) };
        events.start(WRITING);
        let masked = match secret_values {
            SecretValues::Hidden => Cow::Borrowed(result),
            SecretValues::Shown => {
                let mut masked = result.clone();
                windlass_diff::obfuscate_result(&mut masked);
                mask::command_result(&mut masked, secrets);
                Cow::Owned(masked)
            }
        };
        match store.write_command_result(&masked).await {
            Ok(written) => {
                events.finish(WRITING);
                written.events().for_each(|event| events.emit(event));
                Ok(())
            }
            Err(error) => {
                events.emit(Event::Error { text: format!("{WRITE_FAILED}: {error}") });
                Err(error)
            }
        }
    }
}

#[cfg(test)]
#[path = "keep_tests.rs"]
mod tests;
