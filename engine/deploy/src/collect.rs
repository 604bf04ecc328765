//! Stage 5: gives every rendered object its labels, annotations and namespace (spec 01 sections 8.6 and 8.8).

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use windlass_model::deployment::{ConflictResolution, IgnoreForDiff, ObjectMatch};
use windlass_model::object::{DISCRIMINATOR_LABEL, ITEM_DIR_ANNOTATION, Object, TAG_LABEL_PREFIX};
use windlass_model::object_ref::{GroupKind, Gvk};

use crate::render::{RenderedItem, RenderedTree};
use crate::tree::ItemNode;

const IGNORE_ANNOTATION: &str = "kluctl.io/ignore";
const HELM_NAMESPACE_ANNOTATION: &str = "kluctl.io/helm-install-namespace";
const SKIP_DELETE_IF_TAGS_ANNOTATION: &str = "kluctl.io/skip-delete-if-tags";
const BARRIER_ANNOTATION: &str = "kluctl.io/barrier";
const WAIT_READINESS_ANNOTATION: &str = "kluctl.io/wait-readiness";

/// The objects of all included items, ready for image resolution.
#[derive(Debug)]
pub struct LocalObjects {
    /// Items in flattened order.
    pub items: Vec<LocalItem>,
}

/// One item with its decorated objects.
#[derive(Debug)]
pub struct LocalItem {
    /// The item.
    pub node: Arc<ItemNode>,
    /// Barrier of the item or its kustomization.
    pub barrier: bool,
    /// Readiness wait of the item or its kustomization.
    pub wait_readiness: bool,
    /// Objects in kustomize order; namespaces are not fixed yet.
    pub objects: Vec<Object>,
}

/// The objects as they go to the cluster.
#[derive(Debug, Clone, Default)]
pub struct PinnedObjects {
    /// Items in flattened order.
    pub items: Vec<PinnedItem>,
}

/// One item, ready to be applied.
#[derive(Debug, Clone, Default)]
pub struct PinnedItem {
    /// Directory relative to its project, for progress lines; empty without `path`.
    pub dir: String,
    /// Directory relative to the source root; empty without `path`.
    pub source_dir: String,
    /// Effective tags.
    pub tags: Vec<String>,
    /// Nothing further starts before everything so far has finished.
    pub barrier: bool,
    /// Text shown while waiting at the barrier.
    pub message: Option<String>,
    /// Wait for every object.
    pub wait_readiness: bool,
    /// Further objects to wait for.
    pub wait_readiness_objects: Vec<ObjectMatch>,
    /// Objects to delete first.
    pub delete_objects: Vec<ObjectMatch>,
    /// Diff rules, innermost project first.
    pub ignore_for_diff: Arc<[IgnoreForDiff]>,
    /// Conflict rules, innermost project first.
    pub conflict_resolution: Arc<[ConflictResolution]>,
    /// Objects in kustomize order.
    pub objects: Vec<Arc<Object>>,
    /// Whether the item has a `path`.
    pub has_path: bool,
}

impl PinnedObjects {
    /// Every object in item order.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.items.iter().flat_map(|item| &item.objects)
    }
}

/// Decorates the objects of every item.
pub fn collect(rendered: RenderedTree, discriminator: &str) -> LocalObjects {
    let items = rendered.items.into_par_iter().map(|item| decorate_item(item, discriminator)).collect();
    LocalObjects { items }
}

fn decorate_item(item: RenderedItem, discriminator: &str) -> LocalItem {
    let RenderedItem { node, objects, annotations } = item;
    let flag = |key: &str| annotations.get(key).and_then(|v| windlass_model::object::parse_go_bool(v)).unwrap_or(false);
    let marks = Marks::of(&node, discriminator);
    let objects = objects.into_iter().flat_map(|object| marks.put_on(Object(object))).collect();
    LocalItem {
        barrier: node.config.barrier || flag(BARRIER_ANNOTATION),
        wait_readiness: node.config.wait_readiness || flag(WAIT_READINESS_ANNOTATION),
        node,
        objects,
    }
}

/// Labels and annotations of one item's objects; own keys come last and win.
struct Marks {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Marks {
    fn of(node: &ItemNode, discriminator: &str) -> Self {
        let mut labels = node.inherited.common_labels.clone();
        if !discriminator.is_empty() {
            labels.insert(DISCRIMINATOR_LABEL.into(), discriminator.into());
        }
        for (index, tag) in node.tags.iter().enumerate() {
            labels.insert(format!("{TAG_LABEL_PREFIX}{index}"), tag.clone());
        }
        let mut annotations = node.inherited.common_annotations.clone();
        if let Some(dir) = &node.source_dir {
            annotations.insert(ITEM_DIR_ANNOTATION.into(), dir.clone());
        }
        if node.config.skip_delete_if_tags {
            annotations.insert(SKIP_DELETE_IF_TAGS_ANNOTATION.into(), "true".into());
        }
        Self { labels, annotations }
    }

    /// The marked object, or those of a list; nothing for an ignored one.
    fn put_on(&self, mut object: Object) -> Vec<Object> {
        if object.bool_annotation(IGNORE_ANNOTATION) == Some(true) {
            return Vec::new();
        }
        if let Some(items) = take_items(&mut object) {
            return items.into_iter().flat_map(|item| self.put_on(Object(item))).collect();
        }
        for (key, value) in &self.labels {
            object.set_label(key, value);
        }
        for (key, value) in &self.annotations {
            object.set_annotation(key, value);
        }
        vec![object]
    }
}

/// The objects of a list (`List`, `ConfigMapList`); kinds that only happen to be named so have none.
///
/// Kustomize splits lists already; this is for those that come by another way.
fn take_items(object: &mut Object) -> Option<Vec<Value>> {
    if !object.kind().ends_with("List") {
        return None;
    }
    let items = object.0.get_mut("items")?.as_array_mut()?;
    let are_objects = items.iter().all(|item| item.get("kind").is_some_and(Value::is_string));
    are_objects.then(|| std::mem::take(items))
}

/// The final form of the items; without scopes (offline) namespaces stay as they are.
pub fn pin(local: LocalObjects, scopes: Option<&RenderedScopes<'_>>) -> PinnedObjects {
    PinnedObjects { items: local.items.into_par_iter().map(|item| pin_item(item, scopes)).collect() }
}

fn pin_item(item: LocalItem, scopes: Option<&RenderedScopes<'_>>) -> PinnedItem {
    let LocalItem { node, barrier, wait_readiness, objects } = item;
    let fix = |object| match scopes {
        Some(scopes) => scopes.fix(object),
        None => object,
    };
    PinnedItem {
        dir: node.project_dir.clone().unwrap_or_default(),
        source_dir: node.source_dir.clone().unwrap_or_default(),
        tags: node.tags.clone(),
        barrier,
        message: node.config.message.clone(),
        wait_readiness,
        wait_readiness_objects: node.config.wait_readiness_objects.clone(),
        delete_objects: node.config.delete_objects.clone(),
        ignore_for_diff: node.inherited.ignore_for_diff.clone(),
        conflict_resolution: node.inherited.conflict_resolution.clone(),
        objects: objects.into_iter().map(fix).map(Arc::new).collect(),
        has_path: node.dir.is_some(),
    }
}

/// Tells whether a kind lives in namespaces.
pub trait Scopes: Sync {
    /// `None` when the kind is unknown.
    fn is_namespaced(&self, gvk: &Gvk) -> Option<bool>;
}

/// Scopes of the CRDs in this rendering, then of the cluster.
pub struct RenderedScopes<'a> {
    crds: BTreeMap<GroupKind, bool>,
    cluster: &'a dyn Scopes,
}

impl<'a> RenderedScopes<'a> {
    /// Reads the CRDs among the objects.
    pub fn new(objects: &LocalObjects, cluster: &'a dyn Scopes) -> Self {
        let crds = objects.items.iter().flat_map(|item| &item.objects).filter_map(crd_scope).collect();
        Self { crds, cluster }
    }

    /// The namespace the object gets: its own, the default, or none for cluster-scoped kinds.
    pub fn namespace_of<'b>(&self, object: &'b Object) -> &'b str {
        let gvk = object.gvk();
        let scope = self.crds.get(&gvk.group_kind()).copied().or_else(|| self.cluster.is_namespaced(&gvk));
        let default = object.annotation(HELM_NAMESPACE_ANNOTATION).unwrap_or("default");
        match (scope, object.namespace()) {
            (Some(false), _) => "",
            (Some(true), "") => default,
            (_, own) => own,
        }
    }

    /// The object with its final namespace and without helm's marker.
    #[must_use]
    pub fn fix(&self, mut object: Object) -> Object {
        let namespace = self.namespace_of(&object).to_owned();
        if namespace != object.namespace() {
            object.set_namespace(&namespace);
        }
        object.take_annotation(HELM_NAMESPACE_ANNOTATION);
        object
    }
}

fn crd_scope(object: &Object) -> Option<(GroupKind, bool)> {
    if object.kind() != "CustomResourceDefinition" || object.gvk().group != "apiextensions.k8s.io" {
        return None;
    }
    let spec = object.0.get("spec")?;
    let group = spec.get("group")?.as_str()?.to_owned();
    let kind = spec.get("names")?.get("kind")?.as_str()?.to_owned();
    Some((GroupKind { group, kind }, spec.get("scope")?.as_str()? == "Namespaced"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Known;

    impl Scopes for Known {
        fn is_namespaced(&self, gvk: &Gvk) -> Option<bool> {
            match gvk.kind.as_str() {
                "ConfigMap" => Some(true),
                "Namespace" => Some(false),
                _ => None,
            }
        }
    }

    fn marks() -> Marks {
        let text = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
        Marks { labels: text("l", "1"), annotations: text("a", "2") }
    }

    #[test]
    fn objects_in_a_list_are_marked_and_ignored_ones_dropped() {
        let list = Object(json!({"apiVersion": "v1", "kind": "List", "items": [
            {"kind": "A"}, {"kind": "B", "metadata": {"annotations": {"kluctl.io/ignore": "true"}}}]}));
        let metadata = json!({"labels": {"l": "1"}, "annotations": {"a": "2"}});
        assert_eq!(marks().put_on(list), [Object(json!({"kind": "A", "metadata": metadata}))]);
    }

    #[test]
    fn every_list_of_objects_is_split_and_nothing_else() {
        let kinds = |object: Value| -> Vec<String> {
            marks().put_on(Object(object)).iter().map(|object| object.kind().to_owned()).collect()
        };
        let nested = json!({"kind": "List", "items": [{"kind": "BList", "items": [{"kind": "B"}]}, {"kind": "C"}]});
        assert_eq!(kinds(nested), ["B", "C"]);
        assert!(kinds(json!({"kind": "List", "items": []})).is_empty());
        for kept in [
            json!({"kind": "AllowList", "spec": {}}),
            json!({"kind": "AllowList", "items": ["a"]}),
            json!({"kind": "AllowList", "items": {}}),
        ] {
            assert_eq!(kinds(kept), ["AllowList"]);
        }
        let ignored = json!({"kluctl.io/ignore": "true"});
        assert!(
            kinds(json!({"kind": "List", "metadata": {"annotations": ignored}, "items": [{"kind": "A"}]})).is_empty()
        );
    }

    #[test]
    fn namespaces_follow_the_scope() {
        let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "x.io", "scope": "Cluster", "names": {"kind": "Own"}}});
        let scopes = RenderedScopes { crds: crd_scope(&Object(crd)).into_iter().collect(), cluster: &Known };
        let fixed = |object: Value| scopes.fix(Object(object)).namespace().to_owned();
        assert_eq!(fixed(json!({"apiVersion": "v1", "kind": "ConfigMap"})), "default");
        assert_eq!(fixed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"namespace": "x"}})), "");
        assert_eq!(fixed(json!({"apiVersion": "x.io/v1", "kind": "Own", "metadata": {"namespace": "x"}})), "");
        assert_eq!(fixed(json!({"apiVersion": "y.io/v1", "kind": "Odd", "metadata": {"namespace": "x"}})), "x");
    }

    #[test]
    fn the_helm_marker_is_the_default_namespace_and_goes_away() {
        let annotations = json!({HELM_NAMESPACE_ANNOTATION: "shop"});
        let object = Object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": annotations}}));
        let scopes = RenderedScopes { crds: BTreeMap::new(), cluster: &Known };
        assert_eq!(scopes.fix(object).0["metadata"], json!({"namespace": "shop"}));
    }
}
