//! Flags of `oci push`.

use super::flag::{Flag, Kind, Section::Misc};

pub(crate) const OCI_PUSH: &[Flag] = &[
    Flag::new(
        Misc,
        Kind::Text,
        "url",
        "Specifies the artifact URL. This argument is required and must be in the form 'oci://<domain>/<org>/<repo>'.",
    )
    .required(),
    Flag::new(Misc, Kind::List, "annotation", "Set custom OCI annotations in the format '<key>=<value>'"),
    Flag::new(
        Misc,
        Kind::Text,
        "output",
        "the format in which the artifact digest should be printed, can be 'json' or 'yaml'",
    ),
];
