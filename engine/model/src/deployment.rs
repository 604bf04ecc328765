//! `deployment.yaml` as written (spec 01 section 6). Unknown fields are errors.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::nullable;
use crate::object_ref::ObjectRef;
use crate::source::{GitProject, OciProject};
use crate::vars_source::VarsSource;

/// One `deployment.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeploymentConfig {
    /// Items and includes in order.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub deployments: Vec<ItemConfig>,
    /// Variable sources.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub vars: Vec<VarsSource>,
    /// Condition; only in included projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Labels for every object below.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub common_labels: BTreeMap<String, String>,
    /// Annotations for every object below.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "nullable")]
    pub common_annotations: BTreeMap<String, String>,
    /// Kustomize namespace of items that have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_namespace: Option<String>,
    /// Tags of every item below.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub tags: Vec<String>,
    /// Fields that diffs leave out.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub ignore_for_diff: Vec<IgnoreForDiff>,
    /// Who wins a field conflict.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub conflict_resolution: Vec<ConflictResolution>,
}

/// One entry of `deployments`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ItemConfig {
    /// Directory with manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Local sub-project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
    /// Git sub-project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitProject>,
    /// OCI sub-project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciProject>,
    /// Objects to delete when the item is processed.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub delete_objects: Vec<ObjectMatch>,
    /// Objects to wait for.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub wait_readiness_objects: Vec<ObjectMatch>,
    /// Wait for every object of the item.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub wait_readiness: bool,
    /// Nothing further starts before everything so far has finished.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub barrier: bool,
    /// Text shown while waiting at the barrier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Generated kustomization lists sub-directories too.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub recursive: bool,
    /// Tags; missing or empty means the default tag.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub tags: Vec<String>,
    /// Variable sources of this item.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub vars: Vec<VarsSource>,
    /// Args for an included library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Map<String, Value>>,
    /// Pass all variables into an included library.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub pass_vars: bool,
    /// Condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Ignore inclusion and exclusion.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub always_deploy: bool,
    /// Render only, neither build nor deploy.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub only_render: bool,
    /// Protect the item's objects from deletion when tag filters are used.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "nullable")]
    pub skip_delete_if_tags: bool,
    /// Results only: the chart that was rendered; refused in user files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_helm_chart_config: Option<Value>,
    /// Results only: the objects of the item; refused in user files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_objects: Option<Vec<ObjectRef>>,
    /// Results only: the included project; refused in user files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_include: Option<Box<DeploymentConfig>>,
}

/// Names objects by group, kind, name and namespace (spec 01 section 6.8).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ObjectMatch {
    /// Group; `""` is the core group, absent means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Kind; absent means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name, required.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Namespace, not defaulted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A text or a list of texts; written as a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMany {
    /// A single text.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Texts)
    }
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(OneOrMany::Many(texts))
    }
}

impl Serialize for OneOrMany {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

impl OneOrMany {
    /// The texts.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }

    /// Whether there is no non-empty text.
    pub fn is_empty(&self) -> bool {
        self.as_slice().iter().all(String::is_empty)
    }
}

/// One `ignoreForDiff` rule (spec 01 section 6.9).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IgnoreForDiff {
    /// JSON paths.
    #[serde(skip_serializing_if = "OneOrMany::is_empty", deserialize_with = "nullable")]
    pub field_path: OneOrMany,
    /// Regexes over the textual JSON path.
    #[serde(skip_serializing_if = "OneOrMany::is_empty", deserialize_with = "nullable")]
    pub field_path_regex: OneOrMany,
    /// Group without version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What happens to a conflicting field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictAction {
    /// Keep the remote value, no warning.
    Ignore,
    /// Overwrite.
    ForceApply,
}

/// One `conflictResolution` rule (spec 01 section 6.9).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConflictResolution {
    /// JSON paths.
    #[serde(skip_serializing_if = "OneOrMany::is_empty", deserialize_with = "nullable")]
    pub field_path: OneOrMany,
    /// Regexes over the textual JSON path.
    #[serde(skip_serializing_if = "OneOrMany::is_empty", deserialize_with = "nullable")]
    pub field_path_regex: OneOrMany,
    /// Regexes over field manager names.
    #[serde(skip_serializing_if = "OneOrMany::is_empty", deserialize_with = "nullable")]
    pub manager: OneOrMany,
    /// Group without version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Required; `None` is reported by validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<ConflictAction>,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_single_text_is_written_as_a_list() {
        let rule: IgnoreForDiff = serde_json::from_value(json!({"fieldPath": "a.b"})).unwrap();
        assert_eq!(rule.field_path, OneOrMany::One("a.b".into()));
        assert_eq!(serde_json::to_value(rule).unwrap(), json!({"fieldPath": ["a.b"]}));
    }

    #[test]
    fn what_is_no_text_says_what_is_wanted() {
        let refusal = |path: Value| serde_json::from_value::<IgnoreForDiff>(json!({"fieldPath": path})).unwrap_err();
        assert!(refusal(json!(true)).to_string().contains("expected a text or a list of texts"));
        assert!(refusal(json!({"a": 1})).to_string().contains("expected a text or a list of texts"));
        assert!(refusal(json!([{}])).to_string().contains("expected a string"));
    }
}
