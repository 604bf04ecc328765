//! What the fields of a kustomization do to its objects, one file per field.
//!
//! The order is Kustomize's own and does not depend on the order of the fields.

mod images;
mod labels;
mod names;
mod namespace;
mod patches;
mod replacements;
mod replicas;

pub(crate) use names::set_name;

use crate::files::Files;
use crate::kustomization::Kustomization;
use crate::manifest::Manifest;
use crate::unsure::Certain;

/// Where a kustomization reads its own files.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) dir: &'a std::path::Path,
}

/// Applies everything but resources, components and generators.
pub(crate) fn apply(kustomization: &Kustomization, manifests: &mut Vec<Manifest>, context: Context<'_>) -> Certain<()> {
    patches::merge_all(kustomization.patches_strategic_merge.iter().flatten(), manifests, context)?;
    patches::apply_all(&kustomization.patches, manifests, context)?;
    if !kustomization.namespace.is_empty() {
        namespace::set(manifests, &kustomization.namespace)?;
    }
    names::affix(manifests, &kustomization.name_prefix, &kustomization.name_suffix)?;
    labels::label(kustomization, manifests)?;
    labels::annotate(&kustomization.common_annotations, manifests)?;
    patches::apply_json(kustomization.patches_json6902.iter().flatten(), manifests, context)?;
    replicas::set_all(&kustomization.replicas, manifests)?;
    images::change_all(&kustomization.images, manifests)?;
    replacements::replace_all(&kustomization.replacements, manifests, context)
}

/// As a kustomization of which only the namespace is known.
pub(crate) fn set_namespace(manifests: &mut [Manifest], namespace: &str) -> Certain<()> {
    namespace::set(manifests, namespace)
}
