//! Flags of `helm-update`.

use super::flag::{Flag, Kind, Section::Misc};

pub(crate) const HELM_UPDATE: &[Flag] = &[
    Flag::new(
        Misc,
        Kind::Switch,
        "upgrade",
        "Write new versions into helm-chart.yaml and perform helm-pull afterwards",
    ),
    Flag::new(Misc, Kind::Switch, "commit", "Create a git commit for every updated chart"),
    Flag::new(Misc, Kind::Switch, "interactive", "Ask for every Helm Chart if it should be upgraded.").short('i'),
];
