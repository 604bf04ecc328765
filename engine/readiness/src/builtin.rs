//! Which built-in kinds have a status, as Kubernetes defines them.

use windlass_model::object_ref::GroupKind;

/// Group and its kinds with a top-level status.
const WITH_STATUS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "ReplicationController",
            "ResourceQuota",
            "Service",
        ],
    ),
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("autoscaling", &["HorizontalPodAutoscaler", "Scale"]),
    ("networking.k8s.io", &["Ingress", "ServiceCIDR"]),
    ("policy", &["PodDisruptionBudget"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "PodCertificateRequest"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("admissionregistration.k8s.io", &["ValidatingAdmissionPolicy"]),
    ("resource.k8s.io", &["ResourceClaim"]),
    ("storage.k8s.io", &["VolumeAttachment"]),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenRequest", "TokenReview"]),
    (
        "authorization.k8s.io",
        &["LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
    ),
    ("extensions", &["DaemonSet", "Deployment", "Ingress", "ReplicaSet"]),
];

/// Built-in groups all of whose other kinds have no status.
const OTHER_GROUPS: &[&str] = &[
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
];

/// Whether a built-in kind has a status; `None` for a kind that is not built in.
pub fn builtin_expects_status(kind: &GroupKind) -> Option<bool> {
    if let Some((_, kinds)) = WITH_STATUS.iter().find(|(group, _)| *group == kind.group) {
        return Some(kinds.contains(&kind.kind.as_str()));
    }
    OTHER_GROUPS.contains(&kind.group.as_str()).then_some(false)
}
