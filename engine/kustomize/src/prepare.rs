//! Makes sure that an item's folder has a kustomization, and completes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use windlass_yaml::{Dialect, Source, parse_first, to_string};

use crate::error::KustomizeError;
use crate::files::{read_text, write_private};
use crate::listing;

/// How to prepare an item's kustomization.
#[derive(Debug, Clone, Default)]
pub struct PrepareOptions {
    /// The item's folder as errors name it: relative to the source root.
    pub item: String,
    /// List the files of sub-folders too.
    pub recursive: bool,
    /// The namespace that is in force, unless the kustomization sets one itself.
    pub override_namespace: Option<String>,
    /// Outputs of the charts below the item's folder.
    pub helm_outputs: Vec<HelmOutputFile>,
}

/// Where a chart of the item was rendered to. Paths are relative to the item's folder, with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmOutputFile {
    /// The `helm-chart.yaml`.
    pub config: String,
    /// The file with the rendered objects.
    pub output: String,
}

/// The kustomization of an item, as it stands on disk now.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub kustomization: Value,
    /// Whether the user had none.
    pub generated: bool,
    /// Annotations of the kustomization itself; those that are no strings are left out.
    pub annotations: BTreeMap<String, String>,
}

impl Prepared {
    /// Whether annotation `kluctl.io/barrier` asks for a barrier after the item.
    #[must_use]
    pub fn barrier(&self) -> bool {
        self.flag("kluctl.io/barrier")
    }

    /// Whether annotation `kluctl.io/wait-readiness` asks to wait for the item's objects.
    #[must_use]
    pub fn wait_readiness(&self) -> bool {
        self.flag("kluctl.io/wait-readiness")
    }

    /// What is no boolean for Go counts as false.
    fn flag(&self, annotation: &str) -> bool {
        let value = self.annotations.get(annotation).map(String::as_str);
        matches!(value, Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
    }
}

/// Reads or generates the kustomization in `item_dir`, sets the namespace, and writes it in normal form.
///
/// A kustomization that is a link is not written; setting the namespace of one is an error.
pub fn prepare(item_dir: &Path, options: &PrepareOptions) -> Result<Prepared, KustomizeError> {
    let existing = existing_kustomization(item_dir);
    let generated = existing.is_none();
    let (path, mut kustomization) = match existing {
        Some(_) if options.recursive => {
            return Err(KustomizeError::RecursiveWithKustomization { item: options.item.clone() });
        }
        Some(path) => {
            let kustomization = read(&path)?;
            (path, kustomization)
        }
        None => {
            let resources = listing::list(item_dir, options)?;
            (item_dir.join("kustomization.yml"), json!({ "resources": resources }))
        }
    };
    let changed = set_namespace(&mut kustomization, options.override_namespace.as_deref());
    if !is_link(&path) {
        write_private(&path, &to_string(&kustomization))?;
    } else if changed {
        return Err(KustomizeError::Linked { path });
    }
    let annotations = annotations_of(&kustomization);
    Ok(Prepared { path, kustomization, generated, annotations })
}

/// `.yml` is preferred; the third name that Kustomize knows is not looked for.
fn existing_kustomization(item_dir: &Path) -> Option<PathBuf> {
    ["kustomization.yml", "kustomization.yaml"].iter().map(|name| item_dir.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<Value, KustomizeError> {
    parse_kustomization(path, read_text(path)?)
}

pub(crate) fn parse_kustomization(path: &Path, text: String) -> Result<Value, KustomizeError> {
    let source = Source::new(path.display().to_string(), text);
    let document = parse_first(&source, Dialect::GoV2)
        .map_err(|error| KustomizeError::Syntax { path: path.to_owned(), source: Box::new(error) })?;
    match document.value {
        Value::Null => Ok(json!({})),
        Value::Object(fields) => Ok(Value::Object(fields)),
        _ => Err(KustomizeError::NotAMapping { path: path.to_owned() }),
    }
}

/// Whether it had to be set.
pub(crate) fn set_namespace(kustomization: &mut Value, namespace: Option<&str>) -> bool {
    match (namespace, kustomization) {
        (Some(namespace), Value::Object(fields)) if !fields.contains_key("namespace") => {
            fields.insert("namespace".to_owned(), namespace.into());
            true
        }
        _ => false,
    }
}

/// Writing through a link would change a file of another item, or one outside of the rendered files.
fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

pub(crate) fn annotations_of(kustomization: &Value) -> BTreeMap<String, String> {
    let annotations = kustomization.pointer("/metadata/annotations").and_then(Value::as_object);
    annotations
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
