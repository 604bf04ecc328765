//! `.kluctl.yaml` and `.kluctl-library.yaml` as written (spec 01 sections 3 and 4).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::image_automation::ImageAutomation;
use crate::nullable;

/// `.kluctl.yaml`. An absent file is the default value ("no-target mode").
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectConfig {
    /// Targets in file order.
    #[serde(deserialize_with = "nullable")]
    pub targets: Vec<TargetConfig>,
    /// Defaults and required checks of args.
    #[serde(deserialize_with = "nullable")]
    pub args: Vec<ArgDefinition>,
    /// Default discriminator template of targets.
    #[serde(deserialize_with = "nullable")]
    pub discriminator: String,
    /// Default AWS settings of targets.
    pub aws: Option<AwsConfig>,
    /// Policies and updates of images; windlass only.
    pub image_automation: Option<ImageAutomation>,
}

/// `.kluctl-library.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LibraryConfig {
    /// Defaults and required checks of the library's args.
    #[serde(deserialize_with = "nullable")]
    pub args: Vec<ArgDefinition>,
}

/// One entry of `targets`; serialised it is the `target` variable of templates.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetConfig {
    /// Name; entries without one are reported and skipped.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Kubeconfig context; `None` means the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Args of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Map<String, Value>>,
    /// AWS settings; always written, `{}` when unset.
    #[serde(deserialize_with = "nullable")]
    pub aws: AwsConfig,
    /// Fixed images, decoded by `windlass-images`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "image_entries")]
    pub images: Vec<Value>,
    /// Discriminator; empty counts as unset.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "nullable")]
    pub discriminator: String,
}

/// Every scalar of a fixed image is text, however it was written.
fn image_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    let mut entries: Vec<Value> = nullable(deserializer)?;
    for value in entries.iter_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        if matches!(value, Value::Bool(_) | Value::Number(_)) {
            *value = Value::String(value.to_string());
        }
    }
    Ok(entries)
}

/// AWS settings of a project or target (spec 01 section 3.5).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AwsConfig {
    /// Shared-config profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Kubernetes service account for web identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountRef>,
}

impl AwsConfig {
    /// Field by field, `self` wins over `fallback`.
    #[must_use]
    pub fn or(&self, fallback: &Self) -> Self {
        Self {
            profile: self.profile.clone().or_else(|| fallback.profile.clone()),
            service_account: self.service_account.clone().or_else(|| fallback.service_account.clone()),
        }
    }
}

/// Names a Kubernetes service account.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceAccountRef {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// One entry of `args`: a default or a required check.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ArgDefinition {
    /// Name, may be dotted.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Default; absent or null means required.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub default: Value,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_of_fixed_images_are_text() {
        let target = json!({"name": "a", "images": [{"imageRegex": true, "resultImage": 1.5, "namespace": null}]});
        let target: TargetConfig = serde_json::from_value(target).unwrap();
        assert_eq!(target.images, [json!({"imageRegex": "true", "resultImage": "1.5", "namespace": null})]);
    }
}
