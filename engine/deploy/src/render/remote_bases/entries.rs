//! The places of a kustomization where an address or a path may stand.

use serde_json::Value;
use windlass_yaml::PathElement;

/// Lists of folders, of which most may be files too.
const BASES: [&str; 6] = ["resources", "components", "bases", "generators", "transformers", "validators"];
const FILES: [&str; 3] = ["crds", "configurations", "patchesStrategicMerge"];
const WITH_PATH: [&str; 3] = ["patches", "patchesJson6902", "replacements"];
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];

/// Fields whose texts are never paths.
const NO_PATHS: [&str; 9] =
    ["commonAnnotations", "commonLabels", "labels", "metadata", "images", "replicas", "literals", "patch", "options"];

/// What an entry may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A folder or a file.
    Base,
    /// A folder.
    Component,
    /// A file.
    File,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) path: Vec<PathElement>,
    /// `key=` of a generator's file.
    pub(super) prefix: String,
    pub(super) text: String,
    pub(super) wanted: Wanted,
}

/// All entries that may be addresses.
pub(super) fn entries(kustomization: &Value) -> Vec<Spot> {
    let mut spots = Vec::new();
    for field in BASES {
        let wanted = if field == "components" { Wanted::Component } else { Wanted::Base };
        list(kustomization, &[field.into()], wanted, &mut spots);
    }
    for field in FILES {
        list(kustomization, &[field.into()], Wanted::File, &mut spots);
    }
    for (field, index, entry) in members(kustomization, &WITH_PATH) {
        text(entry, &[field.into(), index.into(), "path".into()], Wanted::File, &mut spots);
    }
    text(&kustomization["openapi"], &["openapi".into(), "path".into()], Wanted::File, &mut spots);
    for (field, index, entry) in members(kustomization, &GENERATORS) {
        let at = |name: &str| [field.into(), index.into(), name.into()];
        list(entry, &at("files"), Wanted::File, &mut spots);
        list(entry, &at("envs"), Wanted::File, &mut spots);
        text(entry, &at("env"), Wanted::File, &mut spots);
    }
    spots
}

fn members<'v>(
    kustomization: &'v Value,
    fields: &'v [&'static str],
) -> impl Iterator<Item = (&'static str, usize, &'v Value)> {
    fields.iter().flat_map(|field| {
        let list = kustomization[*field].as_array();
        list.into_iter().flatten().enumerate().map(|(index, entry)| (*field, index, entry))
    })
}

/// The texts of a list; `path` ends with its name in `parent`.
fn list(parent: &Value, path: &[PathElement], wanted: Wanted, spots: &mut Vec<Spot>) {
    let Some(PathElement::Key(name)) = path.last() else { return };
    for (index, entry) in parent[name.as_str()].as_array().into_iter().flatten().enumerate() {
        let path = path.iter().cloned().chain([index.into()]).collect();
        spots.extend(entry.as_str().map(|text| spot(path, text, wanted)));
    }
}

fn text(parent: &Value, path: &[PathElement], wanted: Wanted, spots: &mut Vec<Spot>) {
    let Some(PathElement::Key(name)) = path.last() else { return };
    spots.extend(parent[name.as_str()].as_str().map(|text| spot(path.to_vec(), text, wanted)));
}

fn spot(path: Vec<PathElement>, text: &str, wanted: Wanted) -> Spot {
    let behind_key = text.split_once('=').filter(|(key, _)| wanted == Wanted::File && !is_web(key));
    let (prefix, text) = match behind_key {
        Some((key, text)) if is_web(text) => (format!("{key}="), text),
        _ => (String::new(), text),
    };
    Spot { path, prefix, text: text.to_owned(), wanted }
}

/// Whether a file would be read from a web server.
pub(super) fn is_web(text: &str) -> bool {
    let has = |scheme: &str| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    (has("https://") || has("http://")) && !text.contains('\n')
}

/// Every text that may be a path, with its place.
pub(super) fn paths(value: &Value) -> Vec<(Vec<PathElement>, &str)> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), &mut found);
    found
}

fn collect<'v>(value: &'v Value, at: &mut Vec<PathElement>, found: &mut Vec<(Vec<PathElement>, &'v str)>) {
    match value {
        Value::String(text) if !text.contains('\n') => {
            found.push((at.clone(), text));
            found.extend(text.split_once('=').map(|(_, text)| (at.clone(), text)));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(index.into());
                collect(item, at, found);
                at.pop();
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields.iter().filter(|(key, _)| !NO_PATHS.contains(&key.as_str())) {
                at.push(key.as_str().into());
                collect(item, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_yaml::display_path;

    use super::*;

    #[test]
    fn entries_have_their_places() {
        let kustomization = json!({
            "resources": ["a", 1],
            "components": ["c"],
            "patches": [{"patch": "x"}, {"path": "https://h/p.yaml"}],
            "openapi": {"path": "o"},
            "configMapGenerator": [{"files": ["k=https://h/a?b=c", "https://h/a?b=c", "k=v"], "env": "e"}],
        });
        let found = entries(&kustomization);
        let shown: Vec<_> =
            found.iter().map(|spot| format!("{} {}{}", display_path(&spot.path), spot.prefix, spot.text)).collect();
        assert_eq!(
            shown,
            [
                "resources[0] a",
                "components[0] c",
                "patches[1].path https://h/p.yaml",
                "openapi.path o",
                "configMapGenerator[0].files[0] k=https://h/a?b=c",
                "configMapGenerator[0].files[1] https://h/a?b=c",
                "configMapGenerator[0].files[2] k=v",
                "configMapGenerator[0].env e",
            ]
        );
        assert_eq!((found[4].prefix.as_str(), found[5].prefix.as_str()), ("k=", ""));
    }

    #[test]
    fn texts_that_are_no_paths_are_left_alone() {
        let kustomization = json!({
            "commonAnnotations": {"a": "../../x"},
            "configMapGenerator": [{"files": ["k=../f"], "literals": ["A=../../x"]}],
        });
        let texts: Vec<_> = paths(&kustomization).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["k=../f", "../f"]);
    }
}
