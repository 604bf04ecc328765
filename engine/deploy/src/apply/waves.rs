//! In which order the objects of an item are applied.

use std::sync::Arc;

use windlass_model::object::Object;
use windlass_model::object_ref::GroupKind;

/// The objects of an item, by wave. Rendered order is kept inside a wave.
#[derive(Debug, Default)]
pub(super) struct Waves<'a> {
    /// Namespaces and custom resource definitions: others need them.
    pub(super) foundations: Vec<&'a Arc<Object>>,
    /// What admission looks up while it judges others: accounts, quotas, classes, roles.
    pub(super) prerequisites: Vec<&'a Arc<Object>>,
    /// Everything else.
    pub(super) others: Vec<&'a Arc<Object>>,
    /// What intercepts requests for other objects, and would refuse those that come with it while
    /// its own server is not there yet.
    pub(super) interceptors: Vec<&'a Arc<Object>>,
}

impl<'a> Waves<'a> {
    pub(super) fn of(objects: impl IntoIterator<Item = &'a Arc<Object>>) -> Self {
        let mut waves = Self::default();
        for object in objects {
            let kind = object.gvk().group_kind();
            if is_namespace(&kind) || is_definition(&kind) {
                waves.foundations.push(object);
            } else if is_prerequisite(&kind) {
                waves.prerequisites.push(object);
            } else if is_interceptor(&kind) {
                waves.interceptors.push(object);
            } else {
                waves.others.push(object);
            }
        }
        waves
    }

    pub(super) fn len(&self) -> usize {
        self.objects().count()
    }

    /// In the order of the waves.
    pub(super) fn objects(&self) -> impl Iterator<Item = &'a Arc<Object>> {
        let Self { foundations, prerequisites, others, interceptors } = self;
        foundations.iter().chain(prerequisites).chain(others).chain(interceptors).copied()
    }

    /// Drops objects.
    pub(super) fn retain(&mut self, keep: impl Fn(&Arc<Object>) -> bool) {
        let Self { foundations, prerequisites, others, interceptors } = self;
        for wave in [foundations, prerequisites, others, interceptors] {
            wave.retain(|object| keep(object));
        }
    }
}

pub(super) fn is_namespace(kind: &GroupKind) -> bool {
    kind.group.is_empty() && kind.kind == "Namespace"
}

pub(super) fn is_definition(kind: &GroupKind) -> bool {
    kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition"
}

/// A pod without its account is refused, a claim without its class gets no default, and who may not
/// grant everything can only bind roles that exist.
fn is_prerequisite(kind: &GroupKind) -> bool {
    matches!(
        (kind.group.as_str(), kind.kind.as_str()),
        ("", "ServiceAccount" | "ResourceQuota" | "LimitRange")
            | ("rbac.authorization.k8s.io", "Role" | "ClusterRole")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("storage.k8s.io", "StorageClass")
            | ("networking.k8s.io", "IngressClass")
            | ("node.k8s.io", "RuntimeClass")
    )
}

fn is_interceptor(kind: &GroupKind) -> bool {
    match kind.group.as_str() {
        "admissionregistration.k8s.io" => true,
        "apiregistration.k8s.io" => kind.kind == "APIService",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_keep_their_order_inside_a_wave() {
        let object = |version: &str, kind: &str, name: &str| {
            Arc::new(Object(json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}})))
        };
        let objects = [
            object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "w"),
            object("v1", "ConfigMap", "b"),
            object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "d"),
            object("v1", "ConfigMap", "a"),
            object("v1", "Namespace", "n"),
            object("v1", "ServiceAccount", "s"),
            object("example.org/v1", "Namespace", "other"),
        ];
        let waves = Waves::of(&objects);
        let names = |wave: &[&Arc<Object>]| wave.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&waves.foundations), ["d", "n"]);
        assert_eq!(names(&waves.prerequisites), ["s"]);
        assert_eq!(names(&waves.others), ["b", "a", "other"]);
        assert_eq!(names(&waves.interceptors), ["w"]);
        assert_eq!(waves.len(), 7);
    }
}
