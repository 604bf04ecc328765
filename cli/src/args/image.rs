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
