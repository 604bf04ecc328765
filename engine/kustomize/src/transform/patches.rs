//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use serde_json::{Map, Value};

use super::Context;
use crate::identity::{effective_namespace, is_cluster_scoped, or_default};
use crate::json_patch::{self, Operation};
use crate::kustomization::Patch;
use crate::manifest::{Manifest, Reading, has_plain_head, read};
use crate::merge_schema::Rule;
use crate::selector::Chooser;
use crate::strategic_merge::merge;
use crate::unsure::{Certain, Unsure, ensure};

/// `patches`: strategic merges or JSON patches.
pub(super) fn apply_all(patches: &[Patch], manifests: &mut Vec<Manifest>, context: Context<'_>) -> Certain<()> {
    // Kustomize reads all of them before it applies the first.
    let loaded = patches.iter().map(|patch| load(patch, context)).collect::<Certain<Vec<_>>>()?;
    for (patch, content) in patches.iter().zip(loaded) {
        match (content, &patch.target) {
            (Content::Json(operations), Some(target)) => {
                change(&operations, &Chooser::new(target)?, manifests, BeforeJson::Remember)?;
            }
            (Content::Json(_), None) => return Err(Unsure("a JSON patch without target")),
            (Content::Merges(merges), Some(target)) => {
                let [merge] = merges.as_slice() else { return Err(Unsure("many patches for one target")) };
                merge_selected(merge, &Chooser::new(target)?, manifests)?;
            }
            (Content::Merges(merges), None) => {
                merges.iter().try_for_each(|merge| merge_named(merge, manifests))?;
            }
        }
    }
    Ok(())
}

/// `patchesStrategicMerge`: files, or patches in place.
pub(super) fn merge_all<'a>(
    patches: impl Iterator<Item = &'a String>,
    manifests: &mut Vec<Manifest>,
    context: Context<'_>,
) -> Certain<()> {
    let mut merges = Vec::new();
    for patch in patches {
        // Kustomize takes an entry for a patch if it can be read as one; a file name can not.
        let is_name = !patch.contains(['\n', '{', ':']);
        let text = if is_name { context.files.load_text(context.dir, patch)? } else { patch.as_str().into() };
        merges.extend(read_merges(&text)?);
    }
    merges.iter().try_for_each(|merge| {
        ensure(has_text_metadata(merge), "metadata of a patch")?;
        merge_named(merge, manifests)
    })
}

/// `patchesJson6902`.
pub(super) fn apply_json<'a>(
    patches: impl Iterator<Item = &'a Patch>,
    manifests: &mut [Manifest],
    context: Context<'_>,
) -> Certain<()> {
    for patch in patches {
        let target = patch.target.as_ref().filter(|target| !target.name.is_empty());
        let target = target.ok_or(Unsure("a JSON patch without a target's name"))?;
        let operations = match load(patch, context)? {
            Content::Json(operations) if !operations.is_empty() => operations,
            Content::Json(_) | Content::Merges(_) => return Err(Unsure("an empty JSON patch")),
        };
        change(&operations, &Chooser::new(target)?, manifests, BeforeJson::Nothing)?;
    }
    Ok(())
}

enum Content {
    Json(Vec<Operation>),
    Merges(Vec<Manifest>),
}

fn load(patch: &Patch, context: Context<'_>) -> Certain<Content> {
    let text = match (patch.path.as_str(), patch.patch.trim()) {
        ("", inline) => inline.into(),
        (path, "") => context.files.load_text(context.dir, path)?,
        _ => return Err(Unsure("a patch in two places")),
    };
    ensure(!text.trim().is_empty(), "an empty patch")?;
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
    if first.is_some_and(|line| line.starts_with(['[', '-'])) && first != Some("---") {
        let operations = json_patch::read(&text)?;
        return operations.map(Content::Json).ok_or(Unsure("neither patch nor list"));
    }
    read_merges(&text).map(Content::Merges)
}

fn read_merges(text: &str) -> Certain<Vec<Manifest>> {
    match read(text, "patch") {
        Reading::Objects(merges) if !merges.is_empty() => Ok(merges),
        Reading::Objects(_) | Reading::Refused(_) | Reading::Unsure(_) => Err(Unsure("an unreadable patch")),
    }
}

/// Merges a patch into the one object that it names.
fn merge_named(patch: &Manifest, manifests: &mut Vec<Manifest>) -> Certain<()> {
    let wanted =
        (patch.kind(), patch.name(), effective_namespace(patch.api_version(), patch.kind(), patch.namespace()));
    let is_meant = |manifest: &Manifest| {
        let same = |(kind, name, namespace): (&str, &str, &str)| (kind, name, or_default(namespace)) == wanted;
        manifest.api_version() == patch.api_version() && manifest.all_names().any(same)
    };
    let mut found = manifests.iter().enumerate().filter(|(_, manifest)| is_meant(manifest)).map(|(index, _)| index);
    match (found.next(), found.next()) {
        (Some(index), None) => {
            let kept = merge_into(&mut manifests[index], patch)?;
            if kept == Kept::No {
                manifests.remove(index);
            }
            Ok(())
        }
        _ => Err(Unsure("not one object for a patch")),
    }
}

fn merge_selected(patch: &Manifest, chooser: &Chooser, manifests: &mut Vec<Manifest>) -> Certain<()> {
    ensure(has_text_metadata(patch), "metadata of a patch")?;
    let mut kept = Vec::with_capacity(manifests.len());
    for mut manifest in manifests.drain(..) {
        if !chooser.selects(&manifest)? || merge_into(&mut manifest, patch)? == Kept::Yes {
            kept.push(manifest);
        }
    }
    *manifests = kept;
    ensure(!crate::build::has_duplicates(manifests), "objects clash after a patch")
}

#[derive(PartialEq, Eq)]
enum Kept {
    Yes,
    No,
}

/// Names, kind and namespace stay, whatever the patch says.
fn merge_into(manifest: &mut Manifest, patch: &Manifest) -> Certain<Kept> {
    ensure(leaves_own_annotations(&patch.object), "a patch of all annotations")?;
    ensure(!manifest.notation.schema_comments && !patch.notation.schema_comments, "a schema in a comment")?;
    manifest.notation.plain_numbers &= patch.notation.plain_numbers;
    let rule = Rule::of_kind(manifest.api_version(), manifest.kind());
    let head = ["apiVersion", "kind"].map(|field| (field, manifest.object.get(field).cloned()));
    let metadata = manifest.metadata().ok_or(Unsure("no metadata"))?;
    let own = ["name", "namespace"].map(|field| (field, metadata.get(field).cloned()));
    let object = std::mem::take(&mut manifest.object);
    let Some(mut merged) = merge(object, &patch.object, rule, manifest.notation)? else { return Ok(Kept::No) };
    restore(&mut merged, head);
    let metadata = merged.get_mut("metadata").and_then(Value::as_object_mut).ok_or(Unsure("no metadata"))?;
    restore(metadata, own);
    manifest.object = merged;
    ensure(has_plain_head(&manifest.object), "an unusual head after a patch")?;
    Ok(Kept::Yes)
}

fn restore<const N: usize>(fields: &mut Map<String, Value>, saved: [(&str, Option<Value>); N]) {
    for (name, value) in saved {
        match value {
            Some(value) => fields.insert(name.to_owned(), value),
            None => fields.remove(name),
        };
    }
}

/// Kustomize notes what it must remember in annotations, which a patch could remove.
fn leaves_own_annotations(patch: &Map<String, Value>) -> bool {
    let Some(Value::Object(metadata)) = patch.get("metadata") else { return false };
    let is_directed = |fields: &Map<String, Value>| fields.contains_key("$patch");
    !is_directed(metadata)
        && patch.get("$patch").is_none_or(|directive| directive == "delete" || directive == "merge")
        && match metadata.get("annotations") {
            None => true,
            Some(Value::Object(annotations)) => !is_directed(annotations),
            Some(_) => false,
        }
}

/// For a target Kustomize rewrites labels and annotations of the patch as texts, which shows in all but texts.
fn has_text_metadata(patch: &Manifest) -> bool {
    ["labels", "annotations"].iter().all(|field| match patch.metadata().and_then(|metadata| metadata.get(*field)) {
        None => true,
        Some(Value::Object(entries)) => !entries.is_empty() && entries.values().all(Value::is_string),
        Some(_) => false,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BeforeJson {
    /// References follow when the patch changes the name.
    Remember,
    Nothing,
}

fn change(operations: &[Operation], chooser: &Chooser, manifests: &mut [Manifest], before: BeforeJson) -> Certain<()> {
    // The choice comes first: an object that a patch renames is not chosen anew.
    let chosen = manifests.iter().map(|manifest| chooser.selects(manifest)).collect::<Certain<Vec<bool>>>()?;
    for (manifest, _) in manifests.iter_mut().zip(chosen).filter(|(_, chosen)| *chosen) {
        if before == BeforeJson::Remember {
            manifest.remember();
        }
        let was_scoped = is_cluster_scoped(manifest.api_version(), manifest.kind());
        if manifest.trail.leaves_annotations() {
            add_annotations(&mut manifest.object)?;
        }
        let mut object = Value::Object(std::mem::take(&mut manifest.object));
        json_patch::apply(operations, &mut object)?;
        let Value::Object(object) = object else { return Err(Unsure("no object after a patch")) };
        manifest.object = object;
        ensure(has_plain_head(&manifest.object) && !manifest.name().is_empty(), "an unusual head after a patch")?;
        ensure(was_scoped == is_cluster_scoped(manifest.api_version(), manifest.kind()), "another scope")?;
    }
    ensure(!crate::build::has_duplicates(manifests), "objects clash after a patch")
}

fn add_annotations(object: &mut Map<String, Value>) -> Certain<()> {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut).ok_or(Unsure("no metadata"))?;
    let annotations = metadata.entry("annotations").or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Value::Object(Map::new());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn deployment(name: &str) -> Manifest {
        manifest(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"a": 1}}))
    }

    fn patch(name: &str, spec: Value) -> Manifest {
        manifest(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}))
    }

    #[test]
    fn a_patch_finds_its_object_by_an_earlier_name_too() {
        let mut manifests = vec![deployment("web")];
        manifests[0].remember();
        crate::transform::names::set_name(&mut manifests[0], "prefix-web".to_owned()).unwrap();
        merge_named(&patch("web", json!({"b": 2})), &mut manifests).unwrap();
        assert_eq!(manifests[0].object["spec"], json!({"a": 1, "b": 2}));
        assert_eq!(manifests[0].name(), "prefix-web");
    }

    #[test]
    fn a_patch_without_its_object_is_not_certain() {
        assert!(merge_named(&patch("other", json!({})), &mut vec![deployment("web")]).is_err());
    }

    #[test]
    fn a_patch_may_delete_objects() {
        let mut manifests = vec![deployment("a"), deployment("b")];
        let mut delete = patch("x", json!({}));
        delete.object.insert("$patch".to_owned(), json!("delete"));
        let chooser = Chooser::new(&serde_json::from_value(json!({"name": "a"})).unwrap()).unwrap();
        merge_selected(&delete, &chooser, &mut manifests).unwrap();
        assert_eq!(manifests.iter().map(Manifest::name).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn metadata_that_kustomize_needs_is_not_touched() {
        for metadata in [
            json!({"name": "web", "annotations": null}),
            json!({"name": "web", "annotations": {"$patch": "replace"}}),
            json!({"name": "web", "$patch": "merge"}),
        ] {
            let patch = manifest(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}));
            assert!(merge_named(&patch, &mut vec![deployment("web")]).is_err());
        }
    }

    #[test]
    fn a_json_patch_can_add_an_annotation_to_a_remembered_object() {
        let mut manifests = [deployment("web")];
        let operations = json_patch::read("- {op: add, path: /metadata/annotations/a, value: b}").unwrap().unwrap();
        let chooser = Chooser::new(&serde_json::from_value(json!({"kind": "Deployment"})).unwrap()).unwrap();
        assert!(change(&operations, &chooser, &mut manifests.clone(), BeforeJson::Nothing).is_err());
        change(&operations, &chooser, &mut manifests, BeforeJson::Remember).unwrap();
        assert_eq!(manifests[0].object["metadata"]["annotations"], json!({"a": "b"}));
    }
}
