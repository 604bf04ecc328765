//! Fixed images: entries that say which image replaces a `get_image` call.
//!
//! They come from the command line, a file, a request, the target and the
//! variables. Reading YAML is the caller's work. Spec 01 3.9, 02 B5.

mod entry;
mod flag;

use std::fmt;
use std::path::PathBuf;

use windlass_model::location::Location;

use crate::go_regex::{GoRegex, PatternError};

pub use entry::EntryError;
pub use flag::FlagError;

/// One entry; an absent criterion matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedImage {
    /// Which `get_image` argument.
    pub image: Option<ImageMatch>,
    /// The object's namespace.
    pub namespace: Option<String>,
    /// `Kind/name` of the object; a bare name means a Deployment.
    pub deployment: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// The replacement, verbatim.
    pub result_image: String,
    /// Where the entry comes from.
    pub origin: FixedOrigin,
}

/// How the image of an entry is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageMatch {
    /// The same text.
    Exact(String),
    /// A search anywhere in it.
    Regex(GoRegex),
}

/// Where an entry comes from; displays as part of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixedOrigin {
    /// A `--fixed-image` option.
    Flag {
        /// The option's text.
        text: String,
    },
    /// An entry of a fixed-images file.
    File {
        /// The file.
        path: PathBuf,
        /// Position in `images`.
        index: usize,
        /// Where it stands, when known.
        at: Option<Location>,
    },
    /// An entry of a target.
    Target {
        /// The target's name.
        target: String,
        /// Position in `images`.
        index: usize,
        /// Where it stands, when known.
        at: Option<Location>,
    },
    /// An entry of a controller object or request.
    Request {
        /// Position in the list.
        index: usize,
    },
    /// An entry of the variable `images`.
    Vars {
        /// Position in the list.
        index: usize,
    },
}

impl fmt::Display for FixedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { text } => write!(f, "`--fixed-image {text}`"),
            Self::File { at: Some(at), .. } | Self::Target { at: Some(at), .. } => write!(f, "{at}"),
            Self::File { path, index, at: None } => write!(f, "{}: images[{index}]", path.display()),
            Self::Target { target, index, at: None } => write!(f, "target `{target}`: images[{index}]"),
            Self::Request { index } => write!(f, "request: images[{index}]"),
            Self::Vars { index } => write!(f, "variable `images`: [{index}]"),
        }
    }
}

/// A broken entry, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixedImageError {
    /// `images` of a file, target or request is not a list of entries.
    #[error("{reason}")]
    Document {
        /// What is wrong.
        reason: EntryError,
    },
    /// One entry of a file or target.
    #[error("{reason}")]
    Entry {
        /// Position in the list.
        index: usize,
        /// What is wrong.
        reason: EntryError,
    },
    /// The variable `images` is no list of mappings.
    #[error("failed to parse fixed images from vars: {reason}")]
    Vars {
        /// `nested value is not a slice`, `… of maps`.
        reason: &'static str,
    },
    /// One entry of the variable `images`.
    #[error("failed to parse fixed image from vars at index {index}: {reason}")]
    VarsEntry {
        /// Position in the list.
        index: usize,
        /// What is wrong.
        reason: EntryError,
    },
}

/// What an entry is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedQuery<'a> {
    /// The `get_image` argument.
    pub image: &'a str,
    /// The namespace as rendered; may be empty.
    pub rendered_namespace: &'a str,
    /// The namespace after defaulting.
    pub namespace: &'a str,
    /// `Kind/name`.
    pub deployment: &'a str,
    /// The container, or empty.
    pub container: &'a str,
}

impl FixedImage {
    /// Whether all criteria hold.
    pub fn matches(&self, query: &FixedQuery<'_>) -> bool {
        let image = match &self.image {
            None => true,
            Some(ImageMatch::Exact(image)) => image == query.image,
            Some(ImageMatch::Regex(pattern)) => pattern.is_match(query.image),
        };
        let holds = |criterion: &Option<String>, value: &str| criterion.as_deref().is_none_or(|c| c == value);
        image
            && (holds(&self.namespace, query.rendered_namespace) || holds(&self.namespace, query.namespace))
            && self.deployment.as_deref().is_none_or(|d| same_deployment(d, query.deployment))
            && holds(&self.container, query.container)
    }
}

/// `web` stands for `Deployment/web`.
fn same_deployment(criterion: &str, deployment: &str) -> bool {
    criterion == deployment
        || (!criterion.is_empty()
            && !criterion.contains('/')
            && deployment.strip_prefix("Deployment/") == Some(criterion))
}

/// Entries in ascending precedence: the last one that matches wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixedImages {
    entries: Vec<FixedImage>,
}

impl FixedImages {
    /// Appends entries of a source that beats everything before: target, request, file, then flags.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = FixedImage>) {
        self.entries.extend(entries);
    }

    /// The entries, lowest precedence first.
    pub fn entries(&self) -> &[FixedImage] {
        &self.entries
    }

    /// The entry that decides.
    pub fn find(&self, query: &FixedQuery<'_>) -> Option<&FixedImage> {
        self.entries.iter().rev().find(|entry| entry.matches(query))
    }
}

impl FromIterator<FixedImage> for FixedImages {
    fn from_iter<T: IntoIterator<Item = FixedImage>>(entries: T) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl From<PatternError> for EntryError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: FixedQuery<'static> = FixedQuery {
        image: "reg.example/shop/web",
        rendered_namespace: "",
        namespace: "shop",
        deployment: "Deployment/web",
        container: "app",
    };

    fn flag(text: &str) -> FixedImage {
        FixedImage::from_flag(text).unwrap()
    }

    #[test]
    fn each_criterion_alone() {
        for (text, wanted) in [
            ("reg.example/shop/web=x", true),
            ("reg.example/shop/we=x", false),
            ("reg.example/shop/web:shop=x", true),
            ("reg.example/shop/web:other=x", false),
            ("reg.example/shop/web::Deployment/web=x", true),
            ("reg.example/shop/web::web=x", true),
            ("reg.example/shop/web::api=x", false),
            ("reg.example/shop/web::StatefulSet/web=x", false),
            ("reg.example/shop/web:::app=x", true),
            ("reg.example/shop/web:::side=x", false),
            ("::Deployment/web=x", true),
        ] {
            assert_eq!(flag(text).matches(&QUERY), wanted, "{text}");
        }
    }

    #[test]
    fn the_rendered_or_the_effective_namespace_may_match() {
        let mut entry = flag("reg.example/shop/web=x");
        for (namespace, wanted) in [("", true), ("shop", true), ("default", false)] {
            entry.namespace = Some(namespace.into());
            assert_eq!(entry.matches(&QUERY), wanted, "{namespace:?}");
        }
    }

    #[test]
    fn a_regex_is_searched_anywhere() {
        for (pattern, wanted) in [("shop", true), ("^shop", false), ("web$", true), ("", true)] {
            let entry = FixedImage { image: Some(ImageMatch::Regex(GoRegex::search(pattern).unwrap())), ..flag("x=y") };
            assert_eq!(entry.matches(&QUERY), wanted, "{pattern}");
        }
    }

    #[test]
    fn the_last_match_wins_however_specific() {
        let images: FixedImages =
            ["reg.example/shop/web:shop:web:app=specific", "reg.example/shop/web=late", "other=no"]
                .map(flag)
                .into_iter()
                .collect();
        assert_eq!(images.find(&QUERY).unwrap().result_image, "late");
        assert_eq!(FixedImages::default().find(&QUERY), None);
    }
}
