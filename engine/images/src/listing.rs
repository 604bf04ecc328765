//! Decisions as the entries of `list-images` and of command results.
//!
//! Both are read again by other tools and by `--fixed-images-file`, so keys and
//! order are contract. Values are JSON; mapping keys come out sorted. Spec 02 B10.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::resolve::ImageDecision;

/// The document of `list-images`: every decision with all that is known.
pub fn full(decisions: &[ImageDecision]) -> Value {
    document(sorted(decisions).into_iter().map(|decision| Value::Object(listed(decision))).collect())
}

/// The document of `list-images --simple`: each image once, unless its results differ.
pub fn simple(decisions: &[ImageDecision]) -> Value {
    let mut by_image: BTreeMap<&str, Vec<&ImageDecision>> = BTreeMap::new();
    for decision in sorted(decisions) {
        by_image.entry(&decision.image).or_default().push(decision);
    }
    document(by_image.values().flat_map(|same_image| distinguished(same_image)).collect())
}

/// The entries of `seenImages` in a command result, which has no registry fields.
pub fn seen(decisions: &[ImageDecision]) -> Vec<Value> {
    sorted(decisions).into_iter().map(|decision| Value::Object(entry(decision))).collect()
}

/// By image, namespace, deployment, container, directory; then by field, so that no order is left to chance.
fn sorted(decisions: &[ImageDecision]) -> Vec<&ImageDecision> {
    let mut sorted: Vec<_> = decisions.iter().collect();
    sorted.sort_by_cached_key(|d| {
        let place = (d.container.clone(), d.deployment_dir.clone(), d.path.clone());
        (d.image.clone(), d.object.namespace.clone(), d.deployment(), place, d.result_image.clone())
    });
    sorted
}

fn document(entries: Vec<Value>) -> Value {
    let mut document = Map::new();
    if !entries.is_empty() {
        document.insert("images".into(), Value::Array(entries));
    }
    Value::Object(document)
}

fn entry(decision: &ImageDecision) -> Map<String, Value> {
    let ImageDecision { image, result_image, deployed_image, object, container, deploy_tags, deployment_dir, .. } =
        decision;
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    put("image", image.as_str().into());
    put("resultImage", result_image.as_str().into());
    if let Some(deployed) = deployed_image {
        put("deployedImage", deployed.as_str().into());
    }
    put("namespace", object.namespace.as_str().into());
    put("object", serde_json::to_value(object).unwrap_or_default());
    put("deployment", decision.deployment().into());
    put("container", container.as_str().into());
    if !deploy_tags.is_empty() {
        put("deployTags", deploy_tags.as_slice().into());
    }
    put("deploymentDir", deployment_dir.as_str().into());
    entry
}

/// With the registry fields, but only where the registry mattered: releases
/// without registry lookup refuse a file that has them.
fn listed(decision: &ImageDecision) -> Map<String, Value> {
    let mut entry = entry(decision);
    if let Some(image) = &decision.registry_image {
        entry.insert("registryImage".into(), image.as_str().into());
    }
    if decision.filter_given || decision.registry_image.is_some() {
        entry.insert("versionFilter".into(), decision.version_filter.as_str().into());
    }
    entry
}

/// The entries for one image, with the fewest criteria that keep different results apart.
fn distinguished(decisions: &[&ImageDecision]) -> Vec<Value> {
    const CRITERIA: [&[&str]; 4] =
        [&[], &["deployment"], &["deployment", "namespace"], &["deployment", "namespace", "container"]];
    let entries = |criteria: &[&str]| -> Vec<Value> {
        let mut written = BTreeSet::new();
        let all = decisions.iter().map(|decision| {
            let mut full = entry(decision);
            full.retain(|key, _| key == "image" || key == "resultImage" || criteria.contains(&key.as_str()));
            Value::Object(full)
        });
        all.filter(|entry| written.insert(entry.to_string())).collect()
    };
    // Entries are told apart when dropping the result makes none of them equal.
    let apart = |entries: &[Value]| {
        let keys: BTreeSet<String> = entries.iter().map(without_result).collect();
        keys.len() == entries.len()
    };
    let candidates = CRITERIA.iter().map(|criteria| entries(criteria));
    let mut last = Vec::new();
    for candidate in candidates {
        if apart(&candidate) {
            return candidate;
        }
        last = candidate;
    }
    last
}

fn without_result(entry: &Value) -> String {
    let mut entry = entry.clone();
    if let Some(map) = entry.as_object_mut() {
        map.remove("resultImage");
    }
    entry.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_model::object_ref::ObjectRef;

    use super::*;
    use crate::fixed::{FixedImages, FixedOrigin, FixedQuery};
    use crate::placeholder::FieldPath;
    use crate::resolve::DecisionSource;

    fn decision(image: &str, result: &str, name: &str, namespace: &str, container: &str) -> ImageDecision {
        ImageDecision {
            image: image.into(),
            result_image: result.into(),
            deployed_image: None,
            registry_image: None,
            version_filter: "semver()".into(),
            filter_given: false,
            object: ObjectRef {
                group: "apps".into(),
                version: "v1".into(),
                kind: "Deployment".into(),
                name: name.into(),
                namespace: namespace.into(),
            },
            path: FieldPath::default(),
            container: container.into(),
            deploy_tags: vec!["front".into(), "web".into()],
            deployment_dir: "shop".into(),
            source: DecisionSource::Deployed { other_repository: false },
        }
    }

    #[test]
    fn the_full_form_has_the_known_keys() {
        let wanted = json!({"images": [{
            "container": "app", "deployTags": ["front", "web"], "deployment": "Deployment/api", "deploymentDir": "shop",
            "image": "i", "namespace": "", "object": {"group": "apps", "kind": "Deployment", "name": "api", "version": "v1"},
            "resultImage": "r",
        }]});
        assert_eq!(full(&[decision("i", "r", "api", "", "app")]), wanted);
    }

    #[test]
    fn registry_fields_appear_only_when_the_registry_mattered() {
        let mut asked = decision("i", "r", "api", "n", "app");
        asked.registry_image = Some("i:2".into());
        asked.deployed_image = Some("i:1".into());
        let document = full(std::slice::from_ref(&asked));
        let entry = &document["images"][0];
        assert_eq!((&entry["registryImage"], &entry["versionFilter"]), (&json!("i:2"), &json!("semver()")));
        let result = &seen(&[asked])[0];
        assert_eq!((result.get("registryImage"), result.get("versionFilter")), (None, None));
        assert_eq!(result["deployedImage"], "i:1");
    }

    #[test]
    fn nothing_prints_an_empty_mapping() {
        assert_eq!((full(&[]), simple(&[])), (json!({}), json!({})));
    }

    #[test]
    fn entries_are_sorted_whatever_the_input_order() {
        let mut all = vec![
            decision("b", "1", "w", "n", "a"),
            decision("a", "1", "w", "n", "z"),
            decision("a", "1", "w", "n", "b"),
            decision("a", "1", "w", "m", "z"),
        ];
        let forward = full(&all);
        all.reverse();
        assert_eq!(full(&all), forward);
        assert_eq!(forward["images"][0]["namespace"], "m");
    }

    #[test]
    fn simple_merges_equal_results() {
        let all =
            [decision("i", "r", "a", "n", "x"), decision("i", "r", "b", "n", "y"), decision("j", "s", "b", "n", "z")];
        let wanted = json!({"images": [{"image": "i", "resultImage": "r"}, {"image": "j", "resultImage": "s"}]});
        assert_eq!(simple(&all), wanted);
    }

    #[test]
    fn simple_keeps_what_tells_different_results_apart() {
        let all =
            [decision("i", "r", "a", "n", "x"), decision("i", "s", "b", "n", "x"), decision("i", "s", "b", "n", "y")];
        let wanted = json!({"images": [
            {"deployment": "Deployment/a", "image": "i", "resultImage": "r"},
            {"deployment": "Deployment/b", "image": "i", "resultImage": "s"},
        ]});
        assert_eq!(simple(&all), wanted);
    }

    #[test]
    fn what_is_written_gives_the_same_results_when_read() {
        let all = [
            decision("i", "r1", "a", "n", "x"),
            decision("i", "r2", "a", "n", "y"),
            decision("i", "r3", "a", "m", "x"),
            decision("i", "r4", "b", "n", "x"),
            decision("j", "r5", "b", "n", "x"),
        ];
        for document in [full(&all), simple(&all)] {
            let entries = FixedImages::from_document(&document, |index| FixedOrigin::Request { index }).unwrap();
            let images: FixedImages = entries.into_iter().collect();
            for d in &all {
                let query = FixedQuery {
                    image: &d.image,
                    rendered_namespace: &d.object.namespace,
                    namespace: &d.object.namespace,
                    deployment: &d.deployment(),
                    container: &d.container,
                };
                assert_eq!(images.find(&query).unwrap().result_image, d.result_image, "{document}");
            }
        }
    }
}
