//! `systemEnvVars`: leaves `NAME` or `NAME:default`, values are YAML.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use windlass_model::location::Source;
use windlass_yaml::Dialect;

use super::VarsError;

/// Replaces every leaf by the variable it names; a missing one is left out when that is tolerated.
pub(super) fn read(
    names: &Map<String, Value>,
    ignore_missing: bool,
    environment: &BTreeMap<String, String>,
) -> Result<Value, VarsError> {
    let reader = Reader { ignore_missing, environment };
    reader.map(names, "$")
}

struct Reader<'a> {
    ignore_missing: bool,
    environment: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    fn value(&self, value: &Value, path: &str) -> Result<Option<Value>, VarsError> {
        match value {
            Value::Object(map) => self.map(map, path).map(Some),
            Value::Array(items) => self.list(items, path).map(Some),
            Value::String(text) => self.leaf(text, path),
            _ => Err(VarsError::EnvironmentLeaf { path: path.into() }),
        }
    }

    fn map(&self, map: &Map<String, Value>, path: &str) -> Result<Value, VarsError> {
        let mut result = Map::new();
        for (key, value) in map {
            if let Some(value) = self.value(value, &format!("{path}[\"{key}\"]"))? {
                result.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(result))
    }

    fn list(&self, items: &[Value], path: &str) -> Result<Value, VarsError> {
        let mut result = Vec::new();
        for (index, item) in items.iter().enumerate() {
            result.extend(self.value(item, &format!("{path}[{index}]"))?);
        }
        Ok(Value::Array(result))
    }

    fn leaf(&self, text: &str, path: &str) -> Result<Option<Value>, VarsError> {
        let (name, default) = text.split_once(':').map_or((text, None), |(name, default)| (name, Some(default)));
        let content = match (self.environment.get(name), default) {
            (Some(value), _) => value.as_str(),
            (None, Some("")) => return Ok(Some(Value::String(String::new()))),
            (None, Some(default)) => default,
            (None, None) if self.ignore_missing => return Ok(None),
            (None, None) => return Err(VarsError::EnvironmentMissing { name: name.into(), path: path.into() }),
        };
        // The parse error would quote the value, which may be secret.
        windlass_yaml::parse_first(&Source::new(name, content), Dialect::GoV2)
            .map(|document| Some(document.value))
            .map_err(|_| VarsError::EnvironmentContent { name: name.into(), path: path.into() })
    }
}
