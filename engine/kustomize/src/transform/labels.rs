//! `labels`, `commonLabels` and `commonAnnotations`.

use serde_json::Value;

use crate::field_path::{FieldSpec, Missing, visit};
use crate::kustomization::{Kustomization, LabelSet, OwnFieldSpec, Texts};
use crate::manifest::Manifest;
use crate::unsure::{Certain, Unsure, ensure};

const OBJECT: FieldSpec<'static> =
    FieldSpec { group: "", version: "", kind: "", path: "metadata/labels", create: true };

/// Group, version and kind of what has a pod template or the like, with the path to its labels.
const TEMPLATES: [(&str, &str, &str, &str); 9] = [
    ("", "v1", "ReplicationController", "spec/template/metadata/labels"),
    ("", "", "Deployment", "spec/template/metadata/labels"),
    ("", "", "ReplicaSet", "spec/template/metadata/labels"),
    ("", "", "DaemonSet", "spec/template/metadata/labels"),
    ("apps", "", "StatefulSet", "spec/template/metadata/labels"),
    ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels"),
    ("batch", "", "Job", "spec/template/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels"),
];

/// Selectors that are made where they are missing.
const REQUIRED_SELECTORS: [(&str, &str, &str, &str); 6] = [
    ("", "v1", "Service", "spec/selector"),
    ("", "v1", "ReplicationController", "spec/selector"),
    ("", "", "Deployment", "spec/selector/matchLabels"),
    ("", "", "ReplicaSet", "spec/selector/matchLabels"),
    ("", "", "DaemonSet", "spec/selector/matchLabels"),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels"),
];

/// Selectors that are changed where they exist.
const OPTIONAL_SELECTORS: [(&str, &str, &str); 6] = [
    ("batch", "Job", "spec/selector/matchLabels"),
    ("batch", "CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
    ("policy", "PodDisruptionBudget", "spec/selector/matchLabels"),
    ("networking.k8s.io", "NetworkPolicy", "spec/podSelector/matchLabels"),
    ("networking.k8s.io", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
    ("networking.k8s.io", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
];

/// Selectors in the pods of these kinds of group `apps`.
const SCHEDULED: [&str; 2] = ["Deployment", "StatefulSet"];
const SCHEDULING_SELECTORS: [&str; 5] = [
    "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels",
];

/// Group, version and kind of what has a pod template or the like, with the path to its annotations.
const ANNOTATED: [(&str, &str, &str, &str); 9] = [
    ("", "", "", "metadata/annotations"),
    ("", "v1", "ReplicationController", "spec/template/metadata/annotations"),
    ("", "", "Deployment", "spec/template/metadata/annotations"),
    ("", "", "ReplicaSet", "spec/template/metadata/annotations"),
    ("", "", "DaemonSet", "spec/template/metadata/annotations"),
    ("", "", "StatefulSet", "spec/template/metadata/annotations"),
    ("batch", "", "Job", "spec/template/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations"),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
];

/// Sets the labels of `labels` and then those of `commonLabels`.
pub(crate) fn label(kustomization: &Kustomization, manifests: &mut [Manifest]) -> Certain<()> {
    for labels in &kustomization.labels {
        set(&labels.pairs, &places_of(labels)?, manifests)?;
    }
    match &kustomization.common_labels {
        Some(common) => set(common, &with_selectors(), manifests),
        None => Ok(()),
    }
}

/// Sets annotations of objects and of pod templates.
pub(crate) fn annotate(annotations: &Texts, manifests: &mut [Manifest]) -> Certain<()> {
    let places: Vec<_> = ANNOTATED.iter().map(|spec| created(*spec)).collect();
    set(annotations, &places, manifests)
}

fn created(
    (group, version, kind, path): (&'static str, &'static str, &'static str, &'static str),
) -> FieldSpec<'static> {
    FieldSpec { group, version, kind, path, create: true }
}

fn templates() -> impl Iterator<Item = FieldSpec<'static>> {
    [OBJECT].into_iter().chain(TEMPLATES.into_iter().map(created))
}

fn with_selectors() -> Vec<FieldSpec<'static>> {
    let existing = |group, kind, path| FieldSpec { group, version: "", kind, path, create: false };
    let optional = OPTIONAL_SELECTORS.into_iter().map(|(group, kind, path)| existing(group, kind, path));
    let scheduling = SCHEDULED
        .into_iter()
        .flat_map(|kind| SCHEDULING_SELECTORS.into_iter().map(move |path| existing("apps", kind, path)));
    templates().chain(REQUIRED_SELECTORS.into_iter().map(created)).chain(optional).chain(scheduling).collect()
}

/// Where an entry of `labels` acts: in its own places, and in the usual ones that it asks for.
fn places_of(labels: &LabelSet) -> Certain<Vec<FieldSpec<'_>>> {
    let mut places = labels.fields.iter().map(own_place).collect::<Certain<Vec<_>>>()?;
    let usual = match (labels.include_selectors, labels.include_templates) {
        (true, _) => with_selectors(),
        (false, true) => templates().collect(),
        (false, false) => vec![OBJECT],
    };
    for place in usual {
        add_place(&mut places, place)?;
    }
    Ok(places)
}

fn own_place(spec: &OwnFieldSpec) -> Certain<FieldSpec<'_>> {
    let OwnFieldSpec { group, version, kind, path, create } = spec;
    let is_plain = |step: &str| {
        let name = step.strip_suffix("[]").unwrap_or(step);
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    ensure(path.split('/').all(is_plain), "an unusual path")?;
    Ok(FieldSpec { group, version, kind, path, create: *create })
}

/// A place that an earlier one includes is left out; if they do not agree about creation, it is an error.
fn add_place<'a>(places: &mut Vec<FieldSpec<'a>>, place: FieldSpec<'a>) -> Certain<()> {
    let includes = |wider: &str, narrower: &str| wider.is_empty() || wider == narrower;
    let known = places.iter().find(|known| {
        known.path == place.path
            && includes(place.group, known.group)
            && includes(place.version, known.version)
            && includes(place.kind, known.kind)
    });
    match known {
        Some(known) => ensure(known.create == place.create, "places that disagree"),
        None => {
            places.push(place);
            Ok(())
        }
    }
}

fn set(texts: &Texts, places: &[FieldSpec<'_>], manifests: &mut [Manifest]) -> Certain<()> {
    if texts.is_empty() {
        return Ok(());
    }
    for manifest in manifests {
        for place in places.iter().filter(|place| place.selects(manifest)).collect::<Vec<_>>() {
            let missing = if place.create { Missing::Mapping } else { Missing::Skip };
            visit(&mut manifest.object, place.path, missing, &mut |field| {
                let entries = field.as_object_mut().ok_or(Unsure("labels that are no mapping"))?;
                entries.extend(texts.iter().map(|(key, text)| (key.clone(), Value::String(text.clone()))));
                Ok(())
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn labelled(kustomization: Value, object: Value) -> Certain<Value> {
        let kustomization = serde_json::from_value(kustomization).unwrap();
        let mut manifests = [manifest(object)];
        label(&kustomization, &mut manifests)?;
        let [labelled] = manifests;
        Ok(Value::Object(labelled.object))
    }

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}})
    }

    #[test]
    fn common_labels_go_into_selectors_too() {
        let labelled = labelled(json!({"commonLabels": {"a": "b"}}), deployment()).unwrap();
        assert_eq!(labelled["metadata"]["labels"], json!({"a": "b"}));
        assert_eq!(labelled["spec"]["selector"]["matchLabels"], json!({"a": "b"}));
        assert_eq!(labelled["spec"]["template"]["metadata"]["labels"], json!({"a": "b"}));
        assert_eq!(labelled["spec"]["template"].get("spec"), None);
    }

    #[test]
    fn labels_go_where_they_are_told_to() {
        let only = labelled(json!({"labels": [{"pairs": {"a": "b"}}]}), deployment()).unwrap();
        assert_eq!(only["spec"], json!({}));
        let templates = json!({"labels": [{"pairs": {"a": "b"}, "includeTemplates": true}]});
        assert_eq!(
            labelled(templates, deployment()).unwrap()["spec"],
            json!({"template": {"metadata": {"labels": {"a": "b"}}}})
        );
        let own = json!({"labels": [{"pairs": {"a": "b"}, "fields": [{"path": "spec/x", "kind": "Deployment", "create": true}]}]});
        assert_eq!(labelled(own, deployment()).unwrap()["spec"], json!({"x": {"a": "b"}}));
    }

    #[test]
    fn places_that_disagree_are_not_certain() {
        let own = json!({"labels": [{"pairs": {"a": "b"}, "fields": [{"path": "metadata/labels"}]}]});
        assert!(labelled(own, deployment()).is_err());
        let mut broken = deployment();
        broken["metadata"]["labels"] = json!("x");
        assert!(labelled(json!({"labels": [{"pairs": {"a": "b"}}]}), broken).is_err());
    }
}
