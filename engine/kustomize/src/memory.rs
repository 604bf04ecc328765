//! The common case without a file system: a folder of manifests that has no kustomization of its own.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::annotations::{Fate, settle};
use crate::listing::{Role, role};
use crate::manifest::{Manifest, Reading, read};
use crate::{namespace, references};

/// The objects of the kustomization that would be generated for these files.
///
/// `files` are the texts directly in the item's folder by name; folders below do not matter. Nothing is returned
/// when the folder has a kustomization or a chart, or when anything is wrong or uncertain: the files then have to be
/// written, and [`build`](crate::build) tells what it is.
#[must_use]
pub fn build_generated<'f>(
    files: impl IntoIterator<Item = (&'f Path, &'f str)>,
    override_namespace: Option<&str>,
) -> Option<Vec<Value>> {
    let mut manifests: Vec<Manifest> = Vec::new();
    for (name, text) in resources(files)? {
        match read(text, name) {
            Reading::Objects(objects) => manifests.extend(objects),
            Reading::Refused(_) | Reading::Unsure(_) => return None,
        }
    }
    if crate::build::has_duplicates(&manifests) {
        return None;
    }
    // As in a kustomization, an empty namespace is none.
    if let Some(wanted) = override_namespace.filter(|namespace| !namespace.is_empty()) {
        let set = namespace::set(&mut manifests, wanted) && !crate::build::has_duplicates(&manifests);
        if !set || !manifests.iter().all(namespace::is_covered) {
            return None;
        }
    }
    finish(manifests)
}

/// The files that a generated kustomization lists, by name.
fn resources<'f>(files: impl IntoIterator<Item = (&'f Path, &'f str)>) -> Option<BTreeMap<&'f str, &'f str>> {
    let mut resources = BTreeMap::new();
    for (path, text) in files {
        let name = path.to_str()?;
        match role(name) {
            Role::Ignored if matches!(name, "Chart.yaml" | "Chart.yml" | "Kustomization") => return None,
            Role::Ignored => {}
            Role::HelmChart | Role::Kustomization => return None,
            // A name that Kustomize may take for a URL.
            Role::Manifest if name.contains([':', '@', '?', '\\']) => return None,
            Role::Manifest if matches!(name, "Chart.yaml" | "Chart.yml") => return None,
            Role::Manifest => {
                resources.insert(name, text);
            }
        }
    }
    Some(resources)
}

fn finish(manifests: Vec<Manifest>) -> Option<Vec<Value>> {
    if !manifests.iter().all(|manifest| references::are_reachable(&manifest.object, manifest.kind())) {
        return None;
    }
    let mut objects = Vec::with_capacity(manifests.len());
    for mut manifest in manifests {
        match settle(&mut manifest.object) {
            Fate::Keep => objects.push(Value::Object(manifest.object)),
            Fate::Drop => {}
            Fate::Unsure => return None,
        }
    }
    Some(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

    fn build(files: &[(&str, &str)], namespace: Option<&str>) -> Option<Vec<Value>> {
        build_generated(files.iter().map(|(name, text)| (Path::new(*name), *text)), namespace)
    }

    #[test]
    fn manifests_come_in_the_order_of_their_names() {
        let other = MAP.replace("name: a", "name: b");
        let objects = build(&[("z.yaml", MAP), ("b.yml", &other), ("notes.txt", "{")], Some("n")).unwrap();
        let names: Vec<_> = objects.iter().map(|object| object["metadata"]["name"].as_str()).collect();
        assert_eq!(names, [Some("b"), Some("a")]);
        assert_eq!(objects[0]["metadata"]["namespace"], "n");
    }

    #[test]
    fn an_empty_namespace_is_none() {
        let objects = build(&[("a.yaml", MAP)], Some("")).unwrap();
        assert_eq!(objects[0]["metadata"], serde_json::json!({"name": "a"}));
    }

    #[test]
    fn an_empty_folder_has_no_objects() {
        assert_eq!(build(&[], None), Some(Vec::new()));
    }

    #[test]
    fn whatever_needs_more_is_left_to_the_file_system() {
        for files in [
            &[("kustomization.yaml", "resources: []")][..],
            &[("Kustomization", "")],
            &[("helm-chart.yaml", "")],
            &[("Chart.yaml", "")],
            &[("a.yaml", "kind: ConfigMap\n")],
            &[("a.yaml", "a: [\n")],
            &[("a.yaml", MAP), ("b.yaml", MAP)],
        ] {
            assert_eq!(build(files, None), None, "{files:?}");
        }
    }
}
