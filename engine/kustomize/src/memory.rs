//! Kustomizations without a file system: rendered texts that were never written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::build::{Built, build_from, finish, has_duplicates};
use crate::files::{Files, KUSTOMIZATION_NAMES, Place, is_local};
use crate::listing::{Role, role};
use crate::manifest::{Manifest, Reading, read};
use crate::prepare::{annotations_of, parse_kustomization, set_namespace};
use crate::transform;
use crate::unsure::{Certain, Unsure};

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
    if has_duplicates(&manifests) {
        return None;
    }
    // As in a kustomization, an empty namespace is none.
    if let Some(wanted) = override_namespace.filter(|namespace| !namespace.is_empty()) {
        transform::set_namespace(&mut manifests, wanted).ok()?;
    }
    finish(manifests).ok()
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

/// Files below a root, by their path relative to it.
#[derive(Debug, Default)]
pub struct MemoryTree<'f> {
    files: BTreeMap<PathBuf, &'f [u8]>,
}

/// What [`MemoryTree::build`] found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuiltInMemory {
    /// Objects and warnings.
    pub built: Built,
    /// Annotations of the kustomization itself.
    pub annotations: BTreeMap<String, String>,
}

impl<'f> MemoryTree<'f> {
    /// Holds files. Paths must be relative and without `..`.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = (PathBuf, &'f [u8])>) -> Self {
        Self { files: files.into_iter().collect() }
    }

    /// The objects of the kustomization in `dir`, if it has one and native code covers all of it.
    ///
    /// Nothing is returned when anything is wrong or uncertain, as for [`build_generated`].
    #[must_use]
    pub fn build(&self, dir: &Path, override_namespace: Option<&str>) -> Option<BuiltInMemory> {
        let kustomizations = self.kustomizations(dir);
        let [file] = kustomizations.as_slice() else { return None };
        // Kustomize knows a third name, which is not looked for.
        if file.ends_with("Kustomization") {
            return None;
        }
        let text = self.read_text(file).ok()?;
        let mut kustomization = parse_kustomization(file, text.into_owned()).ok()?;
        set_namespace(&mut kustomization, override_namespace);
        let built = build_from(self, dir, &kustomization).ok()?;
        Some(BuiltInMemory { built, annotations: annotations_of(&kustomization) })
    }

    fn is_dir(&self, path: &Path) -> bool {
        let next = self.files.range(path.to_owned()..).find(|(file, _)| file.as_path() != path);
        next.is_some_and(|(file, _)| file.starts_with(path))
    }
}

impl Files for MemoryTree<'_> {
    fn locate(&self, dir: &Path, entry: &str) -> Place {
        let Some(path) = join_inside(dir, entry) else { return Place::Unknown };
        if self.files.contains_key(&path) {
            Place::File(path)
        } else if self.is_dir(&path) {
            Place::Dir(path)
        } else {
            // Links and the outputs of charts are on disk only.
            Place::Unknown
        }
    }

    fn kustomizations(&self, dir: &Path) -> Vec<PathBuf> {
        KUSTOMIZATION_NAMES.iter().map(|name| dir.join(name)).filter(|path| self.files.contains_key(path)).collect()
    }

    fn read(&self, path: &Path) -> Certain<Cow<'_, [u8]>> {
        self.files.get(path).map(|bytes| Cow::Borrowed(*bytes)).ok_or(Unsure("no such file"))
    }
}

/// As [`join`](crate::files::join), but never above the root.
fn join_inside(dir: &Path, entry: &str) -> Option<PathBuf> {
    if !is_local(entry) {
        return None;
    }
    let mut path = dir.to_owned();
    for component in Path::new(entry).components() {
        match component {
            Component::ParentDir => path.pop().then_some(())?,
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
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

    fn tree<'f>(files: &[(&str, &'f str)]) -> MemoryTree<'f> {
        MemoryTree::new(files.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes())))
    }

    #[test]
    fn a_kustomization_finds_its_files_and_bases() {
        let tree = tree(&[
            (
                "app/kustomization.yaml",
                "metadata: {annotations: {a: b}}\nnamePrefix: p-\nresources: [../base, ./x.yaml]\n",
            ),
            ("app/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", MAP),
        ]);
        let BuiltInMemory { built, annotations } = tree.build(Path::new("app"), Some("n")).unwrap();
        let names: Vec<_> = built.objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["p-a", "p-x"]);
        assert_eq!(built.objects[0]["metadata"]["namespace"], "n");
        assert_eq!(annotations["a"], "b");
    }

    #[test]
    fn a_tree_is_never_left() {
        for entry in ["../x.yaml", "../../x.yaml", "/x.yaml", "missing.yaml", "https://example.com/x.yaml"] {
            let kustomization = format!("resources: [\"{entry}\"]\n");
            let tree = tree(&[("kustomization.yaml", &kustomization), ("x.yaml", MAP)]);
            assert_eq!(tree.build(Path::new(""), None), None, "{entry}");
        }
    }

    #[test]
    fn two_kustomizations_are_left_to_the_file_system() {
        let tree = tree(&[("kustomization.yaml", "resources: []"), ("kustomization.yml", "resources: []")]);
        assert_eq!(tree.build(Path::new(""), None), None);
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
