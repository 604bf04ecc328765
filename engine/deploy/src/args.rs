//! Args: defaults, then the target's, then the caller's (spec 01 section 3.4).

use serde_json::{Map, Value};
use windlass_model::project::ArgDefinition;

use crate::merge::{NotAMap, deep_merge, get_nested, set_nested};

/// Why args cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgsError {
    /// A definition without default, and nobody set it.
    #[error("required argument {name} not set")]
    Required {
        /// The dotted name.
        name: String,
    },
    /// Two defaults contradict each other.
    #[error("default of argument {name}: {source}")]
    Default {
        /// The dotted name.
        name: String,
        /// What is in the way.
        #[source]
        source: NotAMap,
    },
}

/// Merges defaults < `layers` in order and checks that required args are set.
///
/// Defaults of dotted names become nested keys (mended defect of spec 01 section 16.2, row 3).
///
/// # Errors
/// A required arg that is nowhere set; defaults that contradict each other.
pub fn merge_args<'a>(
    definitions: &[ArgDefinition],
    layers: impl IntoIterator<Item = &'a Map<String, Value>>,
) -> Result<Map<String, Value>, ArgsError> {
    let mut args = defaults(definitions)?;
    for layer in layers {
        deep_merge(&mut args, layer);
    }
    for definition in definitions {
        if definition.default.is_null() && get_nested(&args, &definition.name).is_none() {
            return Err(ArgsError::Required { name: definition.name.clone() });
        }
    }
    Ok(args)
}

fn defaults(definitions: &[ArgDefinition]) -> Result<Map<String, Value>, ArgsError> {
    let mut args = Map::new();
    for definition in definitions.iter().filter(|d| !d.default.is_null()) {
        let mut one = Map::new();
        let path: Vec<&str> = definition.name.split('.').collect();
        set_nested(&mut one, &path, definition.default.clone())
            .map_err(|source| ArgsError::Default { name: definition.name.clone(), source })?;
        deep_merge(&mut args, &one);
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(name: &str, default: Value) -> ArgDefinition {
        ArgDefinition { name: name.into(), default }
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn later_layers_win() {
        let definitions = [definition("a", json!({"x": 1, "y": 1})), definition("my.nested", json!(1))];
        let args = merge_args(&definitions, [&map(json!({"a": {"x": 2}})), &map(json!({"a": {"y": 3}}))]);
        assert_eq!(Value::Object(args.unwrap()), json!({"a": {"x": 2, "y": 3}, "my": {"nested": 1}}));
    }

    #[test]
    fn a_missing_required_arg_is_named() {
        let error = merge_args(&[definition("c.d", Value::Null)], [&map(json!({"c": 1}))]).unwrap_err();
        assert_eq!(error.to_string(), "required argument c.d not set");
    }

    #[test]
    fn null_counts_as_set() {
        assert!(merge_args(&[definition("a", Value::Null)], [&map(json!({"a": null}))]).is_ok());
    }
}
