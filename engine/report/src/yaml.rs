//! Results for scripts: the JSON form as YAML without folded lines.

use serde_json::Value;
use windlass_model::result::{CommandResult, ValidateResult};
use windlass_yaml::{Emitter, Folding};

/// `-o yaml` of a command, objects compacted.
pub fn yaml(result: &CommandResult) -> String {
    compacted_value_yaml(&result.to_compacted_value())
}

/// `-o yaml` of `validate`.
pub fn validate_yaml(result: &ValidateResult) -> String {
    // Text keys only: serialising a result into a value cannot fail.
    compacted_value_yaml(&serde_json::to_value(result).unwrap_or_default())
}

/// The YAML text of a result's JSON form.
pub fn compacted_value_yaml(value: &Value) -> String {
    Emitter::new(Folding::Never).to_string(value)
}

#[cfg(test)]
mod tests;
