//! Which field of which kind names which kind.
//!
//! The order of the targets is Kustomize's: it shows where one field may name objects of several kinds.

use crate::field_path::{FieldSpec, of_kind};

/// A kind that others name.
pub(super) struct Target {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    /// Fields of pods, below the specification.
    pub(super) in_pods: &'static [&'static str],
    pub(super) fields: &'static [FieldSpec<'static>],
}

/// A kind with the specification of pods.
pub(super) struct PodHolder {
    pub(super) kind: &'static str,
    pub(super) prefix: &'static str,
    part: PodPart,
}

/// Not every reference of a pod is followed in every kind.
#[derive(PartialEq, Eq)]
enum PodPart {
    All,
    /// ConfigMaps and Secrets.
    Configuration,
    /// The others.
    Others,
}

impl PodHolder {
    pub(super) fn holds(&self, target: &Target) -> bool {
        let is_configuration = matches!(target.kind, "ConfigMap" | "Secret");
        match self.part {
            PodPart::All => true,
            PodPart::Configuration => is_configuration,
            PodPart::Others => !is_configuration,
        }
    }
}

pub(super) const POD_HOLDERS: [PodHolder; 9] = [
    PodHolder { kind: "CronJob", prefix: "spec/jobTemplate/spec/template/spec", part: PodPart::All },
    PodHolder { kind: "DaemonSet", prefix: "spec/template/spec", part: PodPart::All },
    PodHolder { kind: "Deployment", prefix: "spec/template/spec", part: PodPart::All },
    PodHolder { kind: "Job", prefix: "spec/template/spec", part: PodPart::All },
    PodHolder { kind: "Pod", prefix: "spec", part: PodPart::All },
    PodHolder { kind: "PodTemplate", prefix: "template/spec", part: PodPart::Configuration },
    PodHolder { kind: "ReplicaSet", prefix: "spec/template/spec", part: PodPart::Configuration },
    PodHolder { kind: "ReplicationController", prefix: "spec/template/spec", part: PodPart::Others },
    PodHolder { kind: "StatefulSet", prefix: "spec/template/spec", part: PodPart::All },
];

const fn of_group(group: &'static str, kind: &'static str, path: &'static str) -> FieldSpec<'static> {
    FieldSpec { group, version: "", kind, path, create: false }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const SCALED: &[FieldSpec<'static>] = &[of_kind("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];

const fn scaled(kind: &'static str) -> Target {
    Target { group: "", version: "", kind, in_pods: &[], fields: SCALED }
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        group: "storage.k8s.io",
        version: "v1",
        kind: "StorageClass",
        in_pods: &[],
        fields: &[
            of_kind("PersistentVolume", "spec/storageClassName"),
            of_kind("PersistentVolumeClaim", "spec/storageClassName"),
            of_kind("StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
        ],
    },
    Target {
        group: "",
        version: "v1",
        kind: "ServiceAccount",
        in_pods: &["serviceAccountName"],
        fields: &[of_group(RBAC, "RoleBinding", "subjects"), of_group(RBAC, "ClusterRoleBinding", "subjects")],
    },
    Target {
        group: RBAC,
        version: "",
        kind: "Role",
        in_pods: &[],
        fields: &[of_group(RBAC, "RoleBinding", "roleRef/name")],
    },
    Target {
        group: RBAC,
        version: "",
        kind: "ClusterRole",
        in_pods: &[],
        fields: &[of_group(RBAC, "RoleBinding", "roleRef/name"), of_group(RBAC, "ClusterRoleBinding", "roleRef/name")],
    },
    Target {
        group: "",
        version: "v1",
        kind: "ConfigMap",
        in_pods: &[
            "volumes/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
            "volumes/projected/sources/configMap/name",
        ],
        fields: &[
            of_kind("Node", "spec/configSource/configMap"),
            of_kind("Role", "rules/resourceNames"),
            of_kind("ClusterRole", "rules/resourceNames"),
            of_kind("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io/fastcgi-params-configmap"),
        ],
    },
    Target {
        group: "",
        version: "v1",
        kind: "Secret",
        in_pods: &[
            "volumes/secret/secretName",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
            "volumes/projected/sources/secret/name",
        ],
        fields: &[
            of_kind("Ingress", "spec/tls/secretName"),
            of_kind("Ingress", "metadata/annotations/ingress.kubernetes.io/auth-secret"),
            of_kind("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io/auth-secret"),
            of_kind("Ingress", "metadata/annotations/nginx.ingress.kubernetes.io/auth-tls-secret"),
            of_kind("ServiceAccount", "imagePullSecrets/name"),
            of_kind("StorageClass", "parameters/secretName"),
            of_kind("StorageClass", "parameters/adminSecretName"),
            of_kind("StorageClass", "parameters/userSecretName"),
            of_kind("StorageClass", "parameters/secretRef"),
            of_kind("Role", "rules/resourceNames"),
            of_kind("ClusterRole", "rules/resourceNames"),
            FieldSpec {
                group: "serving.knative.dev",
                version: "v1",
                kind: "Service",
                path: "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
                create: false,
            },
            of_kind("PersistentVolume", "spec/azureFile/secretName"),
        ],
    },
    Target {
        group: "",
        version: "v1",
        kind: "Service",
        in_pods: &[],
        fields: &[
            of_group("apps", "StatefulSet", "spec/serviceName"),
            of_kind("Ingress", "spec/rules/http/paths/backend/serviceName"),
            of_kind("Ingress", "spec/backend/serviceName"),
            of_kind("Ingress", "spec/rules/http/paths/backend/service/name"),
            of_kind("Ingress", "spec/defaultBackend/service/name"),
            of_group("apiregistration.k8s.io", "APIService", "spec/service/name"),
            of_group(ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
            of_group(ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
        ],
    },
    Target {
        group: "scheduling.k8s.io",
        version: "v1",
        kind: "PriorityClass",
        in_pods: &["priorityClassName"],
        fields: &[],
    },
    Target {
        group: "",
        version: "v1",
        kind: "PersistentVolume",
        in_pods: &[],
        fields: &[of_kind("PersistentVolumeClaim", "spec/volumeName"), of_kind("ClusterRole", "rules/resourceNames")],
    },
    Target {
        group: "",
        version: "v1",
        kind: "PersistentVolumeClaim",
        in_pods: &["volumes/persistentVolumeClaim/claimName"],
        fields: &[],
    },
    scaled("Deployment"),
    scaled("StatefulSet"),
    Target {
        group: ADMISSION,
        version: "",
        kind: "ValidatingAdmissionPolicy",
        in_pods: &[],
        fields: &[of_group(ADMISSION, "ValidatingAdmissionPolicyBinding", "spec/policyName")],
    },
    // The group is as wrong as in Kustomize: the field is walked through, but never changed.
    Target {
        group: "networking.k8s.io/v1",
        version: "v1",
        kind: "IngressClass",
        in_pods: &[],
        fields: &[of_kind("Ingress", "spec/ingressClassName")],
    },
    scaled("ReplicaSet"),
    scaled("ReplicationController"),
];
