//! How a new value compares with the old one. Spec 06 14.5.

use std::cmp::Ordering;
use std::sync::LazyLock;

use windlass_images::reference::ImageText;
use windlass_images::semver::{SemverSelection, SemverVersion};

static LOOSE: LazyLock<Option<SemverSelection>> = LazyLock::new(|| {
    let strict = SemverSelection::strict("*").ok()?;
    Some(SemverSelection { loose: true, ..strict })
});

/// Kind of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The first number rises.
    Major,
    /// The second one.
    Minor,
    /// Anything below, pre-releases too.
    Patch,
    /// Only the digest differs.
    Digest,
    /// Not two versions.
    Other,
    /// The new version is lower.
    Downgrade,
}

impl ChangeKind {
    /// The name in outputs and of `--only`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Patch => "patch",
            Self::Digest => "digest",
            Self::Other => "other",
            Self::Downgrade => "downgrade",
        }
    }

    /// Compares two values: tags or references.
    pub fn between(old: &str, new: &str) -> Self {
        let (old_parts, new_parts) = (Parts::of(old), Parts::of(new));
        if old_parts.tag == new_parts.tag && old_parts.digest != new_parts.digest {
            return Self::Digest;
        }
        match (version(old_parts.tag), version(new_parts.tag)) {
            (Some(old), Some(new)) => by_version(&old, &new),
            _ => Self::Other,
        }
    }
}

struct Parts<'a> {
    tag: &'a str,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// A digest alone, a tag alone, or a reference.
    fn of(text: &'a str) -> Self {
        if text.starts_with("sha256:") || text.starts_with("sha512:") {
            return Self { tag: "", digest: Some(text) };
        }
        let parts = ImageText::split(text);
        Self { tag: parts.tag.unwrap_or(if parts.digest.is_some() { "" } else { text }), digest: parts.digest }
    }
}

/// The tag as a version, or the version at its end.
fn version(tag: &str) -> Option<SemverVersion<'_>> {
    SemverVersion::parse(tag).or_else(|| LOOSE.as_ref()?.version(tag))
}

fn by_version(old: &SemverVersion<'_>, new: &SemverVersion<'_>) -> ChangeKind {
    if new.compare(old) == Ordering::Less {
        return ChangeKind::Downgrade;
    }
    let numbers = |version: &SemverVersion<'_>| (version.major, version.minor);
    match (numbers(old), numbers(new)) {
        ((a, _), (b, _)) if a != b => ChangeKind::Major,
        ((_, a), (_, b)) if a != b => ChangeKind::Minor,
        _ => ChangeKind::Patch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_versions() {
        for (old, new, wanted) in [
            ("1.2.3", "2.0.0", "major"),
            ("r/a:1.2.3", "r/a:1.3.0", "minor"),
            ("v1.2.3", "1.2.4", "patch"),
            ("1.3.0-rc.1", "1.3.0", "patch"),
            ("1.2.3", "1.2.2", "downgrade"),
            ("main-1.2.3", "main-1.3.0", "minor"),
            ("latest", "1.0.0", "other"),
            ("", "1.0.0", "other"),
            ("r/a:1@sha256:00", "r/a:1@sha256:11", "digest"),
            ("r/a:1.0.0", "r/a:1.0.0@sha256:11", "digest"),
            ("sha256:00", "sha256:11", "digest"),
            ("localhost:5000/a", "localhost:5000/a:1.0.0", "other"),
        ] {
            assert_eq!(ChangeKind::between(old, new).as_str(), wanted, "{old} {new}");
        }
    }
}
