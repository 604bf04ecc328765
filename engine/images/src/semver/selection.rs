//! Which tags a semver policy takes, beyond the range itself.

use super::{RangeError, SemverRange, SemverVersion};

/// A range and how strictly tags are read. Spec 06 14.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemverSelection {
    /// The range.
    pub range: SemverRange,
    /// A tag that is no version by itself counts by the version it ends with: `release-1.10.0`.
    pub loose: bool,
    /// Pre-releases count although the range does not name one.
    pub prerelease: bool,
}

impl SemverSelection {
    /// As Flux reads tags: neither loose nor with other pre-releases than the range admits.
    pub fn strict(range: &str) -> Result<Self, RangeError> {
        Ok(Self { range: SemverRange::parse(range)?, loose: false, prerelease: false })
    }

    /// The version that a tag stands for.
    pub fn version<'a>(&self, tag: &'a str) -> Option<SemverVersion<'a>> {
        SemverVersion::parse_tag(tag).or_else(|| if self.loose { at_the_end(tag) } else { None })
    }

    /// Whether `version` is wanted.
    pub(crate) fn takes(&self, version: &SemverVersion<'_>) -> bool {
        if self.prerelease { self.range.matches_any_kind(version) } else { self.range.matches(version) }
    }
}

/// The right-most `N.N.N` (or `vN.N.N`) that begins a word and reaches to the end of the tag.
///
/// The last three of four dotted numbers are not such a version.
fn at_the_end(tag: &str) -> Option<SemverVersion<'_>> {
    let bytes = tag.as_bytes();
    let in_numbers = |at: usize| at >= 2 && bytes[at - 1] == b'.' && bytes[at - 2].is_ascii_digit();
    let begins = |at: &usize| *at == 0 || (!bytes[*at - 1].is_ascii_alphanumeric() && !in_numbers(*at));
    let starts = (0..bytes.len()).rev().filter(|at| tag.is_char_boundary(*at)).filter(begins);
    starts
        .filter(|at| bytes[*at] == b'v' || bytes[*at].is_ascii_digit())
        .find_map(|at| SemverVersion::parse_full(&tag[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(tag: &str) -> Option<(u64, u64, u64, &str)> {
        let selection = SemverSelection { loose: true, ..SemverSelection::strict("*").unwrap() };
        selection.version(tag).map(|v| (v.major, v.minor, v.patch, v.pre))
    }

    #[test]
    fn a_loose_selection_reads_the_version_at_the_end() {
        for (tag, wanted) in [
            ("1.2.3", (1, 2, 3, "")),
            ("v1.2-rc.1", (1, 2, 0, "rc.1")),
            ("dev-1.2.3", (1, 2, 3, "")),
            ("release-1.10.0", (1, 10, 0, "")),
            ("release/v1.10.0-rc.1+b", (1, 10, 0, "rc.1")),
            ("a-1.2.3-4.5.6", (4, 5, 6, "")),
            ("ä-1.2.3", (1, 2, 3, "")),
        ] {
            assert_eq!(loose(tag), Some(wanted), "{tag}");
        }
    }

    #[test]
    fn what_does_not_end_with_a_version_is_none() {
        for tag in ["", "latest", "x1.2.3", "dev-1.2", "1.2.3.4", "dev-1.2.3_x", "dev-1.2.3-01", "dev-v1", "vv1.2.3"] {
            assert_eq!(loose(tag), None, "{tag}");
        }
        let strict = SemverSelection::strict("*").unwrap();
        assert!(strict.version("dev-1.2.3").is_none());
    }

    #[test]
    fn pre_releases_can_be_admitted_without_touching_the_range() {
        let strict = SemverSelection::strict(">=1.0.0").unwrap();
        let open = SemverSelection { prerelease: true, ..strict.clone() };
        let version = SemverVersion::parse("2.0.0-rc.1").unwrap();
        assert!(!strict.takes(&version) && open.takes(&version));
        assert!(!open.takes(&SemverVersion::parse("0.9.0-rc").unwrap()));
    }
}
