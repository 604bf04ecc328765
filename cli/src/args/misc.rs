//! Flags of single commands: confirmations, apply behaviour, diff filters, output.

use super::flag::{Flag, Kind, Section::Misc};

pub(crate) const YES: &[Flag] = &[Flag::new(
    Misc,
    Kind::Switch,
    "yes",
    "Suppresses 'Are you sure?' questions and proceeds as if you would answer 'yes'.",
)
.short('y')];

pub(crate) const DRY_RUN: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "dry-run", "Performs all kubernetes API calls in dry-run mode.")];

pub(crate) const FORCE_APPLY: &[Flag] = &[Flag::new(
    Misc,
    Kind::Switch,
    "force-apply",
    "Force conflict resolution when applying. See documentation for details",
)];

pub(crate) const REPLACE: &[Flag] = &[
    Flag::new(
        Misc,
        Kind::Switch,
        "replace-on-error",
        "When patching an object fails, try to replace it. See documentation for more details.",
    ),
    Flag::new(
        Misc,
        Kind::Switch,
        "force-replace-on-error",
        "Same as --replace-on-error, but also try to delete and re-create objects. See documentation for more details.",
    ),
];

pub(crate) const ABORT: &[Flag] = &[Flag::new(
    Misc,
    Kind::Switch,
    "abort-on-error",
    "Abort deploying when an error occurs instead of trying the remaining deployments",
)];

pub(crate) const HOOK: &[Flag] = &[Flag::new(
    Misc,
    Kind::Duration,
    "readiness-timeout",
    "Maximum time to wait for object readiness. The timeout is meant per-object. Timeouts are in the duration format \
     (1s, 1m, 1h, ...). If not specified, a default timeout of 5m is used.",
)
.default("5m")];

pub(crate) const IGNORE: &[Flag] = &[
    Flag::new(Misc, Kind::Switch, "ignore-tags", "Ignores changes in tags when diffing"),
    Flag::new(Misc, Kind::Switch, "ignore-labels", "Ignores changes in labels when diffing"),
    Flag::new(Misc, Kind::Switch, "ignore-annotations", "Ignores changes in annotations when diffing"),
    Flag::new(
        Misc,
        Kind::Switch,
        "ignore-kluctl-metadata",
        "Ignores changes in Kluctl related metadata (e.g. tags, discriminators, ...)",
    ),
];

pub(crate) const OUTPUT_FORMAT: &[Flag] = &[
    Flag::new(
        Misc,
        Kind::List,
        "output-format",
        "Specify output format and target file, in the format 'format=path'. Format can either be 'text' or 'yaml'. \
         Can be specified multiple times. The actual format for yaml is currently not documented and subject to change.",
    )
    .short('o'),
    Flag::new(Misc, Kind::Switch, "no-obfuscate", "Disable obfuscation of sensitive/secret data"),
    Flag::new(
        Misc,
        Kind::Switch,
        "short-output",
        "When using the 'text' output format (which is the default), only names of changes objects are shown instead \
         of showing all changes.",
    ),
];

pub(crate) const OUTPUT: &[Flag] =
    &[Flag::new(Misc, Kind::List, "output", "Specify output target file. Can be specified multiple times").short('o')];

pub(crate) const RENDER_OUTPUT_DIR: &[Flag] = &[Flag::new(
    Misc,
    Kind::Text,
    "render-output-dir",
    "Specifies the target directory to render the project into. If omitted, a temporary directory is used.",
)];

pub(crate) const OFFLINE: &[Flag] = &[
    Flag::new(
        Misc,
        Kind::Switch,
        "offline-kubernetes",
        "Run command in offline mode, meaning that it will not try to connect the target cluster",
    ),
    Flag::new(
        Misc,
        Kind::Text,
        "kubernetes-version",
        "Specify the Kubernetes version that will be assumed. This will also override the kubeVersion used when \
         rendering Helm Charts.",
    ),
];

pub(crate) const DISCRIMINATOR: &[Flag] =
    &[Flag::new(Misc, Kind::Text, "discriminator", "Override the discriminator used to find objects.")];

pub(crate) const NO_WAIT: &[Flag] = &[Flag::new(
    Misc,
    Kind::Switch,
    "no-wait",
    "Don't wait for objects readiness. On deletion, don't wait for objects to be gone.",
)];

pub(crate) const PRUNE: &[Flag] = &[Flag::new(
    Misc,
    Kind::Switch,
    "prune",
    "Prune orphaned objects directly after deploying. See the help for the 'prune' sub-command for details.",
)];

pub(crate) const SIMPLE: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "simple", "Output a simplified version of the images list")];

pub(crate) const ONLY_NAMES: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "only-names", "If provided --only-names will only output")];

pub(crate) const PRINT_ALL: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "print-all", "Write all rendered manifests to stdout")];

pub(crate) const VALIDATE: &[Flag] = &[
    Flag::new(Misc, Kind::Duration, "wait", "Wait for the given amount of time until the deployment validates")
        .default("0"),
    Flag::new(Misc, Kind::Duration, "sleep", "Sleep duration between validation attempts").default("5s"),
    Flag::new(Misc, Kind::Switch, "warnings-as-errors", "Consider warnings as failures"),
];

pub(crate) const WARNINGS_AS_ERRORS: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "warnings-as-errors", "Consider warnings as failures")];

pub(crate) const NO_DESCRIPTIONS: &[Flag] =
    &[Flag::new(Misc, Kind::Switch, "no-descriptions", "disable completion descriptions").only_on_command_line()];
