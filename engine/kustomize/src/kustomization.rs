//! The fields of a kustomization that the native code covers.
//!
//! Read strictly: a field that is not known here, or has a value that is not expected, sends the whole
//! kustomization to the helper. So no field is ever ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Who builds a kustomization.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plan {
    /// This process. Its resources may still turn out to need the helper.
    Native(Box<Kustomization>),
    /// The helper.
    Helper,
}

pub(crate) type Texts = BTreeMap<String, String>;

/// A kustomization or a component.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Kustomization {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) metadata: Metadata,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) namespace: String,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) labels: Vec<LabelSet>,
    pub(crate) common_labels: Option<Texts>,
    pub(crate) common_annotations: Texts,
    pub(crate) images: Vec<ImageChange>,
    pub(crate) replicas: Vec<ReplicaCount>,
    pub(crate) config_map_generator: Vec<Generator>,
    pub(crate) secret_generator: Vec<Generator>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) patches_strategic_merge: Option<Vec<String>>,
    pub(crate) patches_json6902: Option<Vec<Patch>>,
    pub(crate) replacements: Vec<ReplacementEntry>,
}

/// Metadata of a kustomization changes nothing, as long as it has the right types.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metadata {
    name: String,
    namespace: String,
    labels: Texts,
    annotations: Texts,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct LabelSet {
    pub(crate) pairs: Texts,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<OwnFieldSpec>,
}

/// A place for labels that the kustomization names itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OwnFieldSpec {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) create: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ImageChange {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) tag_suffix: String,
    pub(crate) new_tag: String,
    pub(crate) digest: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReplicaCount {
    pub(crate) name: String,
    pub(crate) count: i64,
}

/// One generated ConfigMap or Secret.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Generator {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) env: String,
    /// Of Secrets only.
    #[serde(rename = "type")]
    pub(crate) secret_type: Option<String>,
    pub(crate) options: Option<GeneratorOptions>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Texts,
    pub(crate) annotations: Texts,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    /// Allows to change names and kinds; the helper does that.
    pub(crate) options: Option<Map<String, Value>>,
}

/// Chooses objects by regular expressions and by labels.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Selector {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) annotation_selector: String,
    pub(crate) label_selector: String,
}

/// An entry of `replacements`: inline, or the file with one or many.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ReplacementEntry {
    pub(crate) path: String,
    pub(crate) source: Option<ReplacementSource>,
    pub(crate) source_value: Option<String>,
    pub(crate) targets: Option<Vec<ReplacementTarget>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ReplacementSource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) field_path: String,
    pub(crate) options: Option<FieldOptions>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ReplacementTarget {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<FieldOptions>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

/// What a kustomization is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsedAs {
    Kustomization,
    Component,
}

/// Reads a kustomization.
#[must_use]
pub(crate) fn plan(kustomization: &Value, used_as: UsedAs) -> Plan {
    let Some(fields) = kustomization.as_object() else { return Plan::Helper };
    // Without any content Kustomize finds the kustomization empty, which is an error.
    let has_content = |(field, value): (&String, &Value)| match field.as_str() {
        "apiVersion" | "kind" | "metadata" => false,
        "resources" => true,
        _ => !is_empty(value),
    };
    if !fields.iter().any(has_content) {
        return Plan::Helper;
    }
    match Kustomization::deserialize(kustomization) {
        Ok(read) if is_covered(&read, used_as) => Plan::Native(Box::new(read)),
        _ => Plan::Helper,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_covered(kustomization: &Kustomization, used_as: UsedAs) -> bool {
    let versions = match used_as {
        UsedAs::Kustomization => ["", "Kustomization", "", "kustomize.config.k8s.io/v1beta1"],
        UsedAs::Component => ["Component", "Component", "", "kustomize.config.k8s.io/v1alpha1"],
    };
    let [kind, other_kind, version, other_version] = versions;
    let patches = kustomization.patches.iter().chain(kustomization.patches_json6902.iter().flatten());
    [kind, other_kind].contains(&kustomization.kind.as_str())
        && [version, other_version].contains(&kustomization.api_version.as_str())
        && kustomization.config_map_generator.iter().all(|generator| generator.secret_type.is_none())
        && patches.into_iter().all(|patch| patch.options.is_none())
}

impl Kustomization {
    /// What Kustomize tells about fields that it would like to see gone.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let fields = [
            ("commonLabels", "labels", self.common_labels.is_some()),
            ("patchesJson6902", "patches", self.patches_json6902.is_some()),
            ("patchesStrategicMerge", "patches", self.patches_strategic_merge.is_some()),
        ];
        let used = fields.iter().filter(|(.., is_used)| *is_used);
        used.map(|(old, new, _)| {
            format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. \
                 Run 'kustomize edit fix' to update your Kustomization automatically."
            )
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(kustomization: Value) -> Plan {
        plan(&kustomization, UsedAs::Kustomization)
    }

    #[test]
    fn known_fields_are_native() {
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "metadata": {"name": "x", "annotations": {"kluctl.io/barrier": "true"}},
            "namespace": "n",
            "resources": ["a.yaml", "b"],
            "patches": [{"path": "p.yaml", "target": {"kind": "Deployment", "labelSelector": "a=b"}}],
        });
        let Plan::Native(read) = read(kustomization) else { panic!("native") };
        assert_eq!((read.resources.len(), read.namespace.as_str()), (2, "n"));
        assert_eq!(read.patches[0].target.as_ref().unwrap().label_selector, "a=b");
    }

    #[test]
    fn anything_else_goes_to_the_helper() {
        for kustomization in [
            json!({"resources": [], "vars": []}),
            json!({"resources": [], "unknown": 1}),
            json!({"resources": [], "crds": ["a"]}),
            json!({"resources": [], "helmCharts": []}),
            json!({"resources": [], "sortOptions": {"order": "legacy"}}),
            json!({"resources": [], "patches": [{"path": "p", "options": {"allowNameChange": true}}]}),
            json!({"resources": [], "patches": [{"paths": "p"}]}),
            json!({"resources": [], "configMapGenerator": [{"name": "a", "type": "Opaque"}]}),
            json!({"resources": [], "commonLabels": {"a": 1}}),
            json!({"resources": [], "images": [{"name": "a", "newTag": 1.0}]}),
            json!({"resources": [], "replicas": [{"name": "a", "count": "1"}]}),
            json!({"resources": [1]}),
            json!({"resources": null}),
            json!({"resources": [], "namespace": null}),
            json!({"resources": [], "kind": "Component"}),
            json!({"resources": [], "apiVersion": "kustomize.config.k8s.io/v1alpha1"}),
            json!({"resources": [], "metadata": {"annotations": {"a": true}}}),
            json!({"resources": [], "metadata": {"nope": "x"}}),
            json!({"kind": "Kustomization", "namePrefix": ""}),
            json!({}),
            json!([]),
        ] {
            assert_eq!(read(kustomization.clone()), Plan::Helper, "{kustomization}");
        }
    }

    #[test]
    fn a_component_is_only_one_where_a_component_is_wanted() {
        let component = json!({"kind": "Component", "namePrefix": "a"});
        assert!(matches!(plan(&component, UsedAs::Component), Plan::Native(_)));
        assert_eq!(plan(&json!({"namePrefix": "a"}), UsedAs::Component), Plan::Helper);
        assert_eq!(read(component), Plan::Helper);
    }

    #[test]
    fn old_fields_give_a_warning() {
        let Plan::Native(read) = read(json!({"resources": [], "commonLabels": {}, "patchesStrategicMerge": []})) else {
            panic!("native");
        };
        let warnings = read.warnings();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].starts_with("# Warning: 'commonLabels' is deprecated. Please use 'labels' instead."));
    }
}
