//! Chooses which tag of a repository a policy wants, and says why.
//!
//! One engine for `images.get_image` and for image automation. Pure: the tags
//! come from the caller. The order of the tags never changes the choice, and a
//! tag that does not match never changes it either. Spec 06 5 and 14.5.

mod decimal;
mod explain;
mod facts;
mod rank;
mod report;
mod tag_filter;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::filter::VersionFilter;
use crate::go_regex::PatternError;
use crate::semver::{RangeError, SemverSelection};

pub use explain::{Fate, Selection, TagFate};
pub use facts::Facts;
pub(crate) use rank::Rank;
pub use report::{ReportedTag, TagReport};
pub use tag_filter::TagFilter;

/// Which end of the order wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The greatest.
    #[default]
    Ascending,
    /// The smallest.
    Descending,
}

impl Order {
    /// `asc` or `desc` in any case; empty is `asc`.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        match text.to_ascii_uppercase().as_str() {
            "" | "ASC" => Ok(Self::Ascending),
            "DESC" => Ok(Self::Descending),
            other => Err(PolicyError::Order(other.to_owned())),
        }
    }

    /// As [`parse`](Self::parse) reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    fn apply(self, ordering: Ordering) -> Ordering {
        match self {
            Self::Ascending => ordering,
            Self::Descending => ordering.reverse(),
        }
    }
}

/// What a numerical policy does with a tag that is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// Leaves it out.
    #[default]
    Skip,
    /// Fails the whole selection, as Flux does.
    Fail,
}

/// How to choose among the tags that pass the [`TagFilter`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// A filter of `images.get_image`.
    Filter(VersionFilter),
    /// The greatest version in a range.
    Semver(SemverSelection),
    /// Byte order.
    Alphabetical(Order),
    /// Order of numbers, exact at any size.
    Numerical(Order, OnInvalid),
}

impl Policy {
    /// A strict semver policy; the text is the range.
    pub fn semver(range: &str) -> Result<Self, PolicyError> {
        Ok(Self::Semver(SemverSelection::strict(range)?))
    }

    /// Whether it compares build times, see [`undated`].
    pub fn wants_build_times(&self) -> bool {
        matches!(self, Self::Filter(filter) if filter.wants_build_times())
    }

    fn is_numerical(&self) -> bool {
        match self {
            Self::Numerical(..) => true,
            Self::Filter(filter) => filter.is_numerical(),
            Self::Semver(_) | Self::Alphabetical(_) => false,
        }
    }
}

/// The filter expression that means the same.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(filter) => filter.fmt(f),
            Self::Semver(selection) => VersionFilter::Range(selection.clone()).fmt(f),
            Self::Alphabetical(order) => VersionFilter::Alphabetical(*order).fmt(f),
            Self::Numerical(order, _) => VersionFilter::Numerical(*order).fmt(f),
        }
    }
}

/// A policy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An order that is neither `asc` nor `desc`.
    #[error("invalid order argument provided: '{0}', must be one of: ASC, DESC")]
    Order(String),
    /// A range that does not parse.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// A pattern that does not compile.
    #[error("invalid regular expression pattern '{}': {source}", source.pattern)]
    Pattern {
        /// The pattern and the reason.
        #[from]
        source: PatternError,
    },
}

/// No tag was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The repository has no tag, or the filter left none.
    #[error("version list argument cannot be empty")]
    NoCandidates,
    /// Candidates, but none that the policy takes.
    #[error("unable to determine latest version from provided list")]
    NoMatch,
    /// A value that is no number, with [`OnInvalid::Fail`].
    #[error("failed to parse invalid numeric value '{0}'")]
    NotANumber(String),
}

/// Chooses one of `tags`.
pub fn select<S: AsRef<str>>(tags: &[S], filter: &TagFilter, policy: &Policy) -> Result<Selection, SelectError> {
    select_with(tags, filter, policy, &Facts::default())
}

/// The tags whose build time a policy needs before it can choose; none for policies that go by the tags alone.
pub fn undated<'t, S: AsRef<str>>(tags: &'t [S], filter: &TagFilter, policy: &Policy) -> Vec<&'t str> {
    if !policy.wants_build_times() {
        return Vec::new();
    }
    let values = filter.values(tags);
    let facts = Facts::default();
    let wanted = |tag: &str, value: &Result<Cow<'_, str>, Fate>| match value {
        Ok(value) => matches!(rank(tag, value, filter, policy, &facts), Err(Fate::NoBuildTime)),
        Err(_) => false,
    };
    tags.iter().map(AsRef::as_ref).zip(&values).filter(|(tag, value)| wanted(tag, value)).map(|(tag, _)| tag).collect()
}

/// [`select`] with what else is known about the tags.
pub fn select_with<S: AsRef<str>>(
    tags: &[S],
    filter: &TagFilter,
    policy: &Policy,
    facts: &Facts,
) -> Result<Selection, SelectError> {
    let values = filter.values(tags);
    let mut fates = Vec::with_capacity(tags.len());
    let mut leaders = Leaders { rank: None, indexes: Vec::new() };
    for (index, value) in values.iter().enumerate() {
        fates.push(match value {
            Err(fate) => *fate,
            Ok(value) => match rank(tags[index].as_ref(), value, filter, policy, facts) {
                Err(fate) => fate,
                Ok(rank) => {
                    leaders.enter(index, rank);
                    Fate::Outranked
                }
            },
        });
    }
    refuse_invalid(&values, &fates, policy)?;
    let tie = leaders.indexes.iter().map(|i| (tags[*i].as_ref(), values[*i].as_deref().unwrap_or_default(), *i));
    let Some((tag, chosen)) = break_tie(tie, filter, policy) else {
        let filtered = |fate: &Fate| matches!(fate, Fate::Excluded { .. } | Fate::NoMatch);
        return Err(if fates.iter().all(filtered) { SelectError::NoCandidates } else { SelectError::NoMatch });
    };
    fates[chosen] = Fate::Chosen;
    Ok(Selection::new(tag, fates))
}

/// The fate of every tag although none may be chosen, for explanations.
pub fn fates<S: AsRef<str>>(tags: &[S], filter: &TagFilter, policy: &Policy, facts: &Facts) -> Vec<Fate> {
    match select_with(tags, filter, policy, facts) {
        Ok(selection) => selection.into_fates(),
        Err(_) => {
            let values = filter.values(tags);
            let fate = |(tag, value): (&S, &Result<Cow<'_, str>, Fate>)| match value {
                Err(fate) => *fate,
                Ok(value) => match rank(tag.as_ref(), value, filter, policy, facts) {
                    Err(fate) => fate,
                    Ok(_) => Fate::Outranked,
                },
            };
            tags.iter().zip(&values).map(fate).collect()
        }
    }
}

/// [`OnInvalid::Fail`]: one value that is no number fails the selection; the greatest is named.
fn refuse_invalid(values: &[Result<Cow<'_, str>, Fate>], fates: &[Fate], policy: &Policy) -> Result<(), SelectError> {
    if !matches!(policy, Policy::Numerical(_, OnInvalid::Fail)) {
        return Ok(());
    }
    let invalid = values.iter().zip(fates).filter(|(_, fate)| **fate == Fate::NotANumber);
    match invalid.filter_map(|(value, _)| value.as_deref().ok()).max() {
        Some(value) => Err(SelectError::NotANumber(value.to_owned())),
        None => Ok(()),
    }
}

/// The tags with the best rank so far.
struct Leaders<'a> {
    rank: Option<Rank<'a>>,
    indexes: Vec<usize>,
}

impl<'a> Leaders<'a> {
    fn enter(&mut self, index: usize, rank: Rank<'a>) {
        match self.rank.as_ref().map_or(Ordering::Greater, |best| rank.compare(best)) {
            Ordering::Less => {}
            Ordering::Equal => self.indexes.push(index),
            Ordering::Greater => {
                self.rank = Some(rank);
                self.indexes.clear();
                self.indexes.push(index);
            }
        }
    }
}

/// Chooses among tags of equal rank, given as tag, filtered value and index.
///
/// Of several tags with the same filtered value the smallest stands for all of
/// them; of different ones the greatest tag wins. A numerical policy without a
/// pattern takes the smallest. This is Flux's answer wherever Flux has one.
fn break_tie<'t>(
    tie: impl Iterator<Item = (&'t str, &'t str, usize)>,
    filter: &TagFilter,
    policy: &Policy,
) -> Option<(&'t str, usize)> {
    if filter.pattern.is_none() {
        let tie = tie.map(|(tag, _, index)| (tag, index));
        return if policy.is_numerical() { tie.min() } else { tie.max_by_key(|(tag, _)| *tag) };
    }
    let mut by_value: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (tag, value, index) in tie {
        let entry = by_value.entry(value).or_insert((tag, index));
        *entry = (*entry).min((tag, index));
    }
    by_value.into_values().max_by_key(|(tag, _)| *tag)
}

/// The place of a tag; `value` is the part of it that is compared.
fn rank<'a>(
    tag: &'a str,
    value: &'a str,
    filter: &TagFilter,
    policy: &Policy,
    facts: &Facts,
) -> Result<Rank<'a>, Fate> {
    match policy {
        Policy::Filter(version_filter) => version_filter.rank(value, &|| facts.build_time(tag)),
        Policy::Semver(selection) => match Rank::semver(value, selection) {
            Err(Fate::NotAVersion) if selection.loose => {
                Rank::semver(filter.version_group(tag).ok_or(Fate::NotAVersion)?, selection)
            }
            known => known,
        },
        Policy::Alphabetical(order) => Ok(Rank::Text(value, *order)),
        Policy::Numerical(order, _) => Rank::number(value, *order),
    }
}

#[cfg(test)]
mod tests;
