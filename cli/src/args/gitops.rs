//! Flags of the `gitops` commands.

use super::flag::{
    Flag, Kind,
    Section::{GitOps, Logs, Misc, Override},
};

pub(crate) const GITOPS: &[Flag] = &[
    Flag::new(
        GitOps,
        Kind::ExistingDir,
        "project-dir",
        "Specify the project directory. Defaults to the current working directory.",
    ),
    Flag::new(GitOps, Kind::Text, "command-result-namespace", "Override the namespace of command results.")
        .default("kluctl-results"),
    Flag::new(GitOps, Kind::Text, "name", "Specifies the name of the KluctlDeployment."),
    Flag::new(GitOps, Kind::Text, "namespace", "Specifies the namespace of the KluctlDeployment.").short('n'),
    Flag::new(
        GitOps,
        Kind::Text,
        "label-selector",
        "If specified, KluctlDeployments are searched by this label selector.",
    )
    .short('l'),
    Flag::new(GitOps, Kind::ExistingFile, "kubeconfig", "Overrides the kubeconfig to use."),
    Flag::new(GitOps, Kind::Text, "context", "Override the context to use."),
    Flag::new(GitOps, Kind::Text, "controller-namespace", "The namespace where the controller runs in.")
        .default("kluctl-system"),
    Flag::new(GitOps, Kind::Int, "local-source-override-port", "Specifies the local port for source overrides.")
        .default("0"),
];

pub(crate) const LOGS: &[Flag] = &[
    Flag::new(Logs, Kind::Duration, "log-since", "Show logs since this time.").default("60s"),
    Flag::new(Logs, Kind::Duration, "log-grouping-time", "Logs are by default grouped by time passed.").default("1s"),
    Flag::new(Logs, Kind::Switch, "log-time", "If enabled, adds timestamps to log lines"),
];

pub(crate) const TARGET_CONTEXT: &[Flag] =
    &[Flag::new(Override, Kind::Text, "target-context", "Overrides the context name specified in the target.")];

pub(crate) const NO_WAIT_PRUNE: &[Flag] = &[
    Flag::new(Override, Kind::Switch, "no-wait", "Don't wait for objects readiness."),
    Flag::new(Override, Kind::Switch, "prune", "Prune orphaned objects directly after deploying."),
];

pub(crate) const LOGS_COMMAND: &[Flag] = &[
    Flag::new(Misc, Kind::Text, "reconcile-id", "If specified, logs are filtered for the given reconcile ID."),
    Flag::new(Misc, Kind::Switch, "follow", "Follow logs after printing old logs.").short('f'),
    Flag::new(Misc, Kind::Switch, "all", "Follow all controller logs, including all deployments."),
];

pub(crate) const ALL: &[Flag] = &[Flag::new(Misc, Kind::Switch, "all", "If enabled, apply to all deployments.")];
