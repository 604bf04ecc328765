//! Loose parsing and precedence of one version.

use std::cmp::Ordering;

use crate::loose_version::compare_integers;

const MAX_BYTES: usize = 256;

/// A parsed version; pre-release and metadata borrow the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SemverVersion<'a> {
    /// First number.
    pub major: u64,
    /// Second number, 0 when missing.
    pub minor: u64,
    /// Third number, 0 when missing.
    pub patch: u64,
    /// Text after `-`, empty for a release.
    pub pre: &'a str,
    /// Text after `+`; never compared.
    pub meta: &'a str,
}

impl<'a> SemverVersion<'a> {
    /// Parses one to three numbers with optional `v`, pre-release and metadata.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, meta) = split_tail(text, '+');
        let (core, pre) = split_tail(text, '-');
        if !meta.is_none_or(identifiers) || !pre.is_none_or(|p| identifiers(p) && no_leading_zero(p)) {
            return None;
        }
        let mut numbers = core.split('.');
        let version = Self {
            major: number(numbers.next()?)?,
            minor: numbers.next().map_or(Some(0), number)?,
            patch: numbers.next().map_or(Some(0), number)?,
            pre: pre.unwrap_or_default(),
            meta: meta.unwrap_or_default(),
        };
        numbers.next().is_none().then_some(version)
    }

    /// As [`parse`](Self::parse), but the text must have two dots anywhere, as the `semver` policy demands of a tag.
    pub fn parse_tag(tag: &'a str) -> Option<Self> {
        (tag.bytes().filter(|b| *b == b'.').take(2).count() == 2).then(|| Self::parse(tag))?
    }

    /// As [`parse`](Self::parse), but all three numbers must be written.
    pub(crate) fn parse_full(text: &'a str) -> Option<Self> {
        let core = text.split(['-', '+']).next()?;
        (core.bytes().filter(|b| *b == b'.').count() == 2).then(|| Self::parse(text))?
    }

    /// Precedence: numbers, then pre-release; metadata is ignored.
    pub fn compare(&self, other: &SemverVersion<'_>) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_pre(self.pre, other.pre))
    }
}

/// Cuts at the first `separator`; `None` when there is none.
fn split_tail(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

pub(super) fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Dot-separated, none empty, of letters, digits and hyphens.
pub(super) fn identifiers(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

pub(super) fn no_leading_zero(pre: &str) -> bool {
    pre.split('.').all(|part| !(part.len() > 1 && part.starts_with('0') && is_digits(part)))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// No pre-release is the greatest; identifiers are compared left to right.
pub(super) fn compare_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match compare_identifier(x, y) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

/// Numeric below alphanumeric; a number beyond 64 bits counts as text.
fn compare_identifier(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>().is_ok() && is_digits(a), b.parse::<u64>().is_ok() && is_digits(b)) {
        (true, true) => compare_integers(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}
