//! Flags about results stored in the cluster.

use super::flag::{Flag, Kind, Section::Results};

pub(crate) const RESULTS_READ: &[Flag] = &[Flag::new(
    Results,
    Kind::Text,
    "command-result-namespace",
    "Override the namespace to be used when writing command results.",
)
.default("kluctl-results")];

pub(crate) const RESULTS_WRITE: &[Flag] = &[
    Flag::new(
        Results,
        Kind::Switch,
        "write-command-result",
        "Enable writing of command results into the cluster. This is enabled by default.",
    )
    .default("true"),
    Flag::new(
        Results,
        Kind::Switch,
        "force-write-command-result",
        "Force writing of command results, even if the command is run in dry-run mode.",
    ),
    Flag::new(Results, Kind::Int, "keep-command-results-count", "Configure how many old command results to keep.")
        .default("5"),
    Flag::new(Results, Kind::Int, "keep-validate-results-count", "Configure how many old validate results to keep.")
        .default("2"),
];
