//! Flags that decide which image tags are used.

use super::flag::{Flag, Kind, Section::Images};

pub(crate) const IMAGES: &[Flag] = &[
    Flag::new(
        Images,
        Kind::List,
        "fixed-image",
        "Pin an image to a given version. Expects '--fixed-image=image<:namespace:deployment:container>=result'",
    )
    .short('F'),
    Flag::new(
        Images,
        Kind::ExistingFile,
        "fixed-images-file",
        "Use .yaml file to pin image versions. See output of list-images sub-command. '-' reads stdin.",
    ),
    Flag::new(
        Images,
        Kind::Switch,
        "update-images",
        "Ask the registry for the newest matching tag of every image, whatever runs or is fixed. Narrow it down with \
         --include-tag.",
    )
    .short('u'),
    Flag::new(
        Images,
        Kind::Switch,
        "offline-images",
        "Never contact a registry. Images that are neither fixed nor deployed are errors.",
    ),
];
