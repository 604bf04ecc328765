//! Kinds that the fake serves.

use serde_json::Value;

use crate::discovery::{ApiGroup, ApiGroupVersion, ApiResource, Scope};

/// Group, version, namespaced kinds, cluster-scoped kinds.
const BUILTIN: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "v1",
        "ConfigMap Secret Service ServiceAccount Pod PersistentVolumeClaim Event",
        "Namespace Node PersistentVolume",
    ),
    ("apps", "v1", "Deployment StatefulSet DaemonSet ReplicaSet", ""),
    ("batch", "v1", "Job CronJob", ""),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", ""),
    ("autoscaling", "v1", "HorizontalPodAutoscaler", ""),
    ("networking.k8s.io", "v1", "Ingress NetworkPolicy", ""),
    ("rbac.authorization.k8s.io", "v1", "Role RoleBinding", "ClusterRole ClusterRoleBinding"),
    ("apiextensions.k8s.io", "v1", "", "CustomResourceDefinition"),
];
const VERBS: [&str; 6] = ["create", "delete", "get", "list", "patch", "update"];

pub(super) fn builtin() -> Vec<ApiGroup> {
    let mut groups: Vec<ApiGroup> = Vec::new();
    for (group, version, namespaced, cluster) in BUILTIN {
        let kinds = |names: &str, scope| {
            names
                .split_whitespace()
                .map(|kind| resource(group, version, kind, &plural(kind), scope))
                .collect::<Vec<_>>()
        };
        let mut resources = kinds(namespaced, Scope::Namespaced);
        resources.extend(kinds(cluster, Scope::Cluster));
        let version = ApiGroupVersion { version: (*version).into(), resources };
        match groups.iter_mut().find(|known| known.name == *group) {
            Some(known) => known.versions.push(version),
            None => groups.push(ApiGroup {
                name: (*group).into(),
                preferred_version: version.version.clone(),
                versions: vec![version],
            }),
        }
    }
    groups
}

pub(super) fn of_definition(definition: &Value) -> Option<ApiGroup> {
    let spec = &definition["spec"];
    let (group, kind, plural) =
        (spec["group"].as_str()?, spec["names"]["kind"].as_str()?, spec["names"]["plural"].as_str()?);
    let scope = if spec["scope"] == "Namespaced" { Scope::Namespaced } else { Scope::Cluster };
    let served = spec["versions"].as_array()?.iter().filter_map(|version| version["name"].as_str());
    let versions: Vec<_> = served
        .map(|version| ApiGroupVersion {
            version: version.into(),
            resources: vec![resource(group, version, kind, plural, scope)],
        })
        .collect();
    let preferred_version = versions.first()?.version.clone();
    Some(ApiGroup { name: group.into(), preferred_version, versions })
}

fn resource(group: &str, version: &str, kind: &str, plural: &str, scope: Scope) -> ApiResource {
    ApiResource {
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        plural: plural.into(),
        scope,
        verbs: VERBS.map(str::to_owned).to_vec(),
        subresources: Vec::new(),
    }
}

fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    }
}
