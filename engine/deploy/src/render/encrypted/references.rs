//! Whether anything in an item reads one of its files.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use windlass_model::location::Source;
use windlass_template::{RenderedDir, RenderedFile};
use windlass_yaml::{Dialect, parse_documents};

use crate::render::charts::is_chart_config;

const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yml", "kustomization.yaml", "Kustomization"];

/// A chart's values, a manifest that a generated kustomization lists, or a file that a kustomization names.
pub(super) fn are_read(path: &Path, files: &RenderedDir, recursive: bool) -> bool {
    let dir = path.parent().unwrap_or(Path::new(""));
    if is_values(path) {
        return files.files.keys().any(|other| is_chart_config(other) && other.parent() == Some(dir));
    }
    let of = |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| KUSTOMIZATIONS.contains(&name))
    };
    let kustomizations: Vec<&PathBuf> = files.files.keys().filter(|file| of(file)).collect();
    let is_listed = is_manifest(path) && (recursive || dir == Path::new(""));
    let own = kustomizations.iter().any(|file| file.parent() == Some(Path::new("")));
    (!own && is_listed) || kustomizations.iter().any(|file| names(file, files, path))
}

pub(super) fn is_values(path: &Path) -> bool {
    matches!(path.file_name().and_then(|name| name.to_str()), Some("helm-values.yaml" | "helm-values.yml"))
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml"].iter().any(|wanted| extension.eq_ignore_ascii_case(wanted))
}

/// Any text in the kustomization that leads to the file, also behind `key=`.
fn names(kustomization: &Path, files: &RenderedDir, path: &Path) -> bool {
    let Some(text) = files.files.get(kustomization).and_then(RenderedFile::as_text) else { return false };
    let source = Source::new("", text);
    // One that cannot be read is reported later.
    let documents = parse_documents(&source, Dialect::GoV2).unwrap_or_default();
    let dir = kustomization.parent().unwrap_or(Path::new(""));
    documents.iter().any(|document| leads_to(&document.value, dir, path))
}

fn leads_to(value: &Value, dir: &Path, path: &Path) -> bool {
    match value {
        Value::String(text) => {
            let behind_key = text.split_once('=').map(|(_, file)| file);
            [Some(text.as_str()), behind_key]
                .into_iter()
                .flatten()
                .any(|entry| joined(dir, entry).as_deref() == Some(path))
        }
        Value::Array(items) => items.iter().any(|item| leads_to(item, dir, path)),
        Value::Object(map) => map.values().any(|item| leads_to(item, dir, path)),
        _ => false,
    }
}

/// `None` for what leaves the item.
fn joined(dir: &Path, entry: &str) -> Option<PathBuf> {
    let mut path = dir.to_owned();
    for component in Path::new(entry).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(path: &str, others: &[(&str, &str)], recursive: bool) -> bool {
        let files =
            others.iter().map(|(name, text)| (PathBuf::from(name), RenderedFile::Text((*text).into()))).collect();
        are_read(Path::new(path), &RenderedDir { files, ..RenderedDir::default() }, recursive)
    }

    #[test]
    fn a_generated_kustomization_reads_manifests() {
        assert!(is_read("s.yaml", &[], false));
        assert!(!is_read("s.env", &[], false));
        assert!(!is_read("sub/s.yaml", &[], false));
        assert!(is_read("sub/s.yaml", &[], true));
    }

    #[test]
    fn a_kustomization_reads_what_it_names() {
        let own = [("kustomization.yaml", "secretGenerator:\n- files: [key=./sub/../s.pem]\n  envs: [a.env]\n")];
        assert!(is_read("s.pem", &own, false));
        assert!(is_read("a.env", &own, false));
        assert!(!is_read("prod.yaml", &own, false));
        assert!(!is_read("sub/s.pem", &own, false));
    }

    #[test]
    fn values_are_read_beside_their_chart() {
        assert!(is_read("a/helm-values.yaml", &[("a/helm-chart.yaml", "")], false));
        assert!(!is_read("a/helm-values.yaml", &[("helm-chart.yaml", "")], false));
    }
}
