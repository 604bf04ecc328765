//! Flags about images. The fixed images themselves are read by the images crate.

use std::path::PathBuf;

use super::layers::Layers;
use super::source::Sourced;

/// How images are chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageSettings {
    /// `image<:namespace:deployment:container>=result`, in order.
    pub(crate) fixed: Vec<Sourced<String>>,
    /// File with fixed images; `-` is stdin.
    pub(crate) fixed_file: Option<Sourced<PathBuf>>,
    /// Ask the registry for every image.
    pub(crate) update: bool,
    /// Never ask a registry.
    pub(crate) offline: bool,
}

impl ImageSettings {
    /// Reads the flags; commands without them get the defaults.
    pub(crate) fn read(layers: &Layers) -> Self {
        Self {
            fixed: layers.list("fixed-image"),
            fixed_file: layers.path("fixed-images-file"),
            update: layers.switch("update-images"),
            offline: layers.switch("offline-images"),
        }
    }
}
