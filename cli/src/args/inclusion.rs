//! Flags that select deployment items.

use super::flag::{Flag, Kind, Section::Inclusion};

pub(crate) const INCLUSION: &[Flag] = &[
    Flag::new(Inclusion, Kind::List, "include-tag", "Include deployments with given tag.").short('I'),
    Flag::new(
        Inclusion,
        Kind::List,
        "exclude-tag",
        "Exclude deployments with given tag. Exclusion has precedence over inclusion, meaning that explicitly excluded \
         deployments will always be excluded even if an inclusion rule would match the same deployment.",
    )
    .short('E'),
    Flag::new(
        Inclusion,
        Kind::List,
        "include-deployment-dir",
        "Include deployment dir. The path must be relative to the root deployment project.",
    ),
    Flag::new(
        Inclusion,
        Kind::List,
        "exclude-deployment-dir",
        "Exclude deployment dir. The path must be relative to the root deployment project. Exclusion has precedence \
         over inclusion, same as in --exclude-tag",
    ),
];
