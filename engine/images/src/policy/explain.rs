//! Why each tag was chosen or not.

use std::fmt;

/// What happened to one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// An exclusion pattern took it out.
    Excluded {
        /// Index in [`TagFilter::exclude`](super::TagFilter::exclude).
        pattern: usize,
    },
    /// The filter pattern does not match.
    NoMatch,
    /// The version filter does not take it.
    FilteredOut,
    /// Not a semantic version.
    NotAVersion,
    /// A version outside the range.
    OutOfRange,
    /// Not a number.
    NotANumber,
    /// Without a Unix time.
    NotATimestamp,
    /// Not of the calendar format, or a date that does not exist.
    NotACalendarVersion,
    /// Its build time is not known.
    NoBuildTime,
    /// A candidate, but another is better.
    Outranked,
    /// The winner.
    Chosen,
}

impl Fate {
    /// A stable word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excluded { .. } => "excluded",
            Self::NoMatch => "noMatch",
            Self::FilteredOut => "filteredOut",
            Self::NotAVersion => "notAVersion",
            Self::OutOfRange => "outOfRange",
            Self::NotANumber => "notANumber",
            Self::NotATimestamp => "notATimestamp",
            Self::NotACalendarVersion => "notACalendarVersion",
            Self::NoBuildTime => "noBuildTime",
            Self::Outranked => "outranked",
            Self::Chosen => "chosen",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Excluded { .. } => "excluded",
            Self::NoMatch => "no match",
            Self::FilteredOut => "filtered out",
            Self::NotAVersion => "not a version",
            Self::OutOfRange => "out of range",
            Self::NotANumber => "not a number",
            Self::NotATimestamp => "not a timestamp",
            Self::NotACalendarVersion => "not a calendar version",
            Self::NoBuildTime => "build time unknown",
            Self::Outranked => "outranked",
            Self::Chosen => "chosen",
        })
    }
}

/// One tag and its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFate<'a> {
    /// The tag.
    pub tag: &'a str,
    /// What happened to it.
    pub fate: Fate,
    /// The winner, for outranked tags.
    pub outranked_by: Option<&'a str>,
}

/// The chosen tag, and the fate of every tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The winner.
    pub tag: String,
    fates: Vec<Fate>,
}

impl Selection {
    pub(super) fn new(tag: &str, fates: Vec<Fate>) -> Self {
        Self { tag: tag.to_owned(), fates }
    }

    pub(super) fn into_fates(self) -> Vec<Fate> {
        self.fates
    }

    /// The fate of each of `tags`, which must be the list the choice was made from.
    pub fn why<'a, S: AsRef<str>>(&'a self, tags: &'a [S]) -> impl Iterator<Item = TagFate<'a>> {
        tags.iter().zip(&self.fates).map(|(tag, fate)| TagFate {
            tag: tag.as_ref(),
            fate: *fate,
            outranked_by: (*fate == Fate::Outranked).then_some(self.tag.as_str()),
        })
    }
}
