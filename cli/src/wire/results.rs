//! What becomes of results, from the settings.

use windlass_deploy::{ResultOptions, SecretValues};
use windlass_results::StoreSettings;

use crate::settings::{Caution, OutputSettings, ResultStoreSettings};

/// Of a command whose result is only shown.
pub(super) fn shown(output: &OutputSettings) -> ResultOptions {
    let secret_values = if output.no_obfuscate { SecretValues::Shown } else { SecretValues::Hidden };
    ResultOptions { store: None, secret_values }
}

/// Of a command whose result is stored as well.
pub(super) fn kept(settings: &ResultStoreSettings, caution: Caution, output: &OutputSettings) -> ResultOptions {
    let ResultStoreSettings { namespace, force: _, write: _, keep_command_results, keep_validate_results } = settings;
    let store = settings.stores(caution).then(|| StoreSettings {
        namespace: namespace.clone(),
        keep_command_results: count(*keep_command_results),
        keep_validate_results: count(*keep_validate_results),
    });
    ResultOptions { store, ..shown(output) }
}

/// Negative counts have been refused already.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}
