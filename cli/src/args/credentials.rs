//! Flags with credentials. Each takes `<host>[/<path glob>]=<value>`; environment forms are read elsewhere
//! (`KLUCTL_GIT_*`, `KLUCTL_HELM_*`, `KLUCTL_REGISTRY_*`), so these flags are read from the command line only.

use super::flag::{
    Flag, Kind,
    Section::{self, Git, Helm, Registry},
};

const fn credential(section: Section, name: &'static str, help: &'static str) -> Flag {
    Flag::new(section, Kind::List, name, help).only_on_command_line()
}

pub(crate) const GIT: &[Flag] = &[
    credential(Git, "git-username", "Username for git authentication, in the form <host>/<path>=<username>."),
    credential(Git, "git-password", "Password for git authentication, in the form <host>/<path>=<password>."),
    credential(Git, "git-ssh-key-file", "SSH key for git authentication, in the form <host>/<path>=<filePath>."),
    credential(
        Git,
        "git-ssh-known-hosts-file",
        "known_hosts file for git host keys, in the form <host>/<path>=<filePath>.",
    ),
    credential(Git, "git-ca-file", "CA bundle for git over https, in the form <host>/<path>=<filePath>."),
];

pub(crate) const HELM: &[Flag] = &[
    credential(Helm, "helm-username", "Username for a Helm repository, in the form <host>/<path>=<username>."),
    credential(Helm, "helm-password", "Password for a Helm repository, in the form <host>/<path>=<password>."),
    credential(Helm, "helm-key-file", "Client key for a Helm repository, in the form <host>/<path>=<filePath>."),
    credential(
        Helm,
        "helm-cert-file",
        "Client certificate for a Helm repository, in the form <host>/<path>=<filePath>.",
    ),
    credential(Helm, "helm-ca-file", "CA bundle for a Helm repository, in the form <host>/<path>=<filePath>."),
    credential(
        Helm,
        "helm-insecure-skip-tls-verify",
        "Skip TLS verification for a Helm repository, in the form <host>/<path>.",
    ),
    credential(
        Helm,
        "helm-creds",
        "Username and password for a Helm repository, in the form <host>/<path>=<username>:<password>.",
    ),
];

pub(crate) const REGISTRY: &[Flag] = &[
    credential(
        Registry,
        "registry-username",
        "Username for an OCI registry, in the form <registry>/<repo>=<username>.",
    ),
    credential(
        Registry,
        "registry-password",
        "Password for an OCI registry, in the form <registry>/<repo>=<password>.",
    ),
    credential(
        Registry,
        "registry-identity-token",
        "Identity token for an OCI registry, in the form <registry>/<repo>=<identity-token>.",
    ),
    credential(
        Registry,
        "registry-token",
        "Registry token for an OCI registry, in the form <registry>/<repo>=<registry-token>.",
    ),
    credential(
        Registry,
        "registry-creds",
        "Credentials for an OCI registry, in the form <registry>/<repo>=<username>:<password> or \
         <registry>/<repo>=<registry-token>.",
    ),
    credential(
        Registry,
        "registry-key-file",
        "Client key for an OCI registry, in the form <registry>/<repo>=<filePath>.",
    ),
    credential(
        Registry,
        "registry-cert-file",
        "Client certificate for an OCI registry, in the form <registry>/<repo>=<filePath>.",
    ),
    credential(
        Registry,
        "registry-ca-file",
        "CA bundle for an OCI registry, in the form <registry>/<repo>=<filePath>.",
    ),
    credential(Registry, "registry-plain-http", "Use plain http for an OCI registry, in the form <registry>/<repo>."),
    credential(
        Registry,
        "registry-insecure-skip-tls-verify",
        "Skip TLS verification for an OCI registry, in the form <registry>/<repo>.",
    ),
];
