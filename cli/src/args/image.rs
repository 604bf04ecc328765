//! Flags of the `image` commands. Environment variables do not set them: they say what to look at.

use super::flag::{Flag, Kind, Section::Misc, Section::Policy};

pub(crate) const AD_HOC: &[Flag] = &[
    Flag::new(
        Policy,
        Kind::Text,
        "filter",
        "Explain this filter instead of those of a project, such as \"semver()\" or \"prefix('main-', suffix=number())\".",
    )
    .only_on_command_line(),
    Flag::new(Policy, Kind::Text, "semver", "Explain a semver policy with this range.").only_on_command_line(),
    Flag::new(Policy, Kind::Text, "alphabetical", "Explain an alphabetical policy: asc or desc.").only_on_command_line(),
    Flag::new(Policy, Kind::Text, "numerical", "Explain a numerical policy: asc or desc.").only_on_command_line(),
    Flag::new(Policy, Kind::Text, "pattern", "With one of these: only tags that match this regular expression count.")
        .only_on_command_line(),
    Flag::new(Policy, Kind::Text, "extract", "With --pattern: the part of the tag to compare, such as '$version'.")
        .only_on_command_line(),
    Flag::new(
        Policy,
        Kind::List,
        "exclude",
        "With one of these: tags that match this regular expression do not count. Can be specified multiple times.",
    )
    .only_on_command_line(),
];

pub(crate) const EXPLAIN: &[Flag] = &[
    Flag::new(Misc, Kind::Text, "tag", "Tell the fate of this tag only.").only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "all-tags", "Tell the fate of every tag, not only of the first of each kind.")
        .only_on_command_line(),
    Flag::new(Misc, Kind::Text, "output-format", "text or json, with =<path> to write a file.")
        .short('o')
        .default("text")
        .only_on_command_line(),
];

pub(crate) const RESOURCES: &[Flag] = &[Flag::new(
    Policy,
    Kind::List,
    "resources",
    "File, folder or glob with resources of Flux, from the repository's root. Can be specified multiple times. \
         Defaults to every YAML file of the repository that has some.",
)
.only_on_command_line()];

pub(crate) const FORMAT: &[Flag] =
    &[Flag::new(Misc, Kind::Text, "output-format", "text or json, with =<path> to write a file.")
        .short('o')
        .default("text")
        .only_on_command_line()];

pub(crate) const POLICY: &[Flag] = &[
    Flag::new(Misc, Kind::Text, "output-format", "text, json or fixed-images, with =<path> to write a file.")
        .short('o')
        .default("text")
        .only_on_command_line(),
    Flag::new(
        Misc,
        Kind::Switch,
        "all-namespaces",
        "Accepted for scripts written for Flux; all namespaces are listed anyway.",
    )
    .short('A')
    .only_on_command_line(),
];

pub(crate) const MARKERS: &[Flag] = &[
    Flag::new(Misc, Kind::Switch, "strict", "Fail when a marker is neither current nor outdated.")
        .only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "offline", "Ask no registry.").only_on_command_line(),
];

pub(crate) const TAGS: &[Flag] = &[
    Flag::new(Policy, Kind::Text, "filter", "Only tags that match this regular expression.").only_on_command_line(),
    Flag::new(
        Policy,
        Kind::List,
        "exclude",
        "Leave out tags that match this regular expression. Can be specified multiple times.",
    )
    .only_on_command_line(),
    Flag::new(Misc, Kind::Int, "limit", "At most so many tags; 0 means all.").default("0").only_on_command_line(),
];

pub(crate) const UPDATE: &[Flag] = &[
    Flag::new(Misc, Kind::Switch, "dry-run", "Only show the plan, which is what happens without --write too.")
        .only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "diff", "Show the plan as a diff of the files.").only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "check", "Exit with code 2 when a value is outdated; write nothing.")
        .only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "write", "Write the files.").only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "commit", "Not available yet.").hidden().only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "push", "Not available yet.").hidden().only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "pr", "Not available yet.").hidden().only_on_command_line(),
    Flag::new(Policy, Kind::List, "policy", "Only this policy. Can be specified multiple times.")
        .only_on_command_line(),
    Flag::new(Policy, Kind::Text, "path", "Only this file or folder, from the repository's root.")
        .only_on_command_line(),
    Flag::new(
        Policy,
        Kind::List,
        "only",
        "Only changes of this kind: major, minor, patch, digest, other or downgrade. Can be specified multiple times.",
    )
    .only_on_command_line(),
    Flag::new(Policy, Kind::Switch, "ignore-suspend", "Run updates that are suspended too.").only_on_command_line(),
    Flag::new(Misc, Kind::Switch, "allow-partial", "Exit with code 0 although some policies failed.")
        .only_on_command_line(),
];
