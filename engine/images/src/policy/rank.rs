//! One tag as a policy or filter compares it.

use std::cmp::Ordering;

use super::decimal::Decimal;
use super::{Fate, Order};
use crate::filter::CalendarVersion;
use crate::loose_version::{LooseVersion, compare_integers};
use crate::semver::{SemverSelection, SemverVersion};

/// The place of a tag; only ranks of one policy are compared.
#[derive(Debug, Clone)]
pub(crate) enum Rank<'a> {
    Loose(LooseVersion<'a>),
    Semver(SemverVersion<'a>),
    Text(&'a str, Order),
    Natural(&'a str, Order),
    Number(Decimal, Order),
    /// Nanoseconds since 1970.
    Time(u128),
    Calendar(CalendarVersion<'a>),
    /// Nanoseconds since 1970 at which the image was built.
    Built(i128),
    /// All tags that match are the same tag.
    Fixed,
}

impl<'a> Rank<'a> {
    pub(crate) fn semver(tag: &'a str, selection: &SemverSelection) -> Result<Self, Fate> {
        let version = selection.version(tag).ok_or(Fate::NotAVersion)?;
        if selection.takes(&version) { Ok(Self::Semver(version)) } else { Err(Fate::OutOfRange) }
    }

    pub(crate) fn number(tag: &str, order: Order) -> Result<Self, Fate> {
        Decimal::parse(tag).map(|number| Self::Number(number, order)).ok_or(Fate::NotANumber)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Loose(a), Self::Loose(b)) => a.compare(b),
            (Self::Semver(a), Self::Semver(b)) => a.compare(b),
            (Self::Text(a, order), Self::Text(b, _)) => order.apply(a.cmp(b)),
            (Self::Natural(a, order), Self::Natural(b, _)) => order.apply(compare_naturally(a, b)),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Built(a), Self::Built(b)) => a.cmp(b),
            (Self::Calendar(a), Self::Calendar(b)) => a.compare(b),
            (Self::Number(a, order), Self::Number(b, _)) => {
                if a.is_nan() || b.is_nan() {
                    b.is_nan().cmp(&a.is_nan())
                } else {
                    order.apply(a.compare(b))
                }
            }
            _ => Ordering::Equal,
        }
    }
}

/// Digit runs as numbers, all else as bytes.
fn compare_naturally(mut a: &str, mut b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let plain = |text: &str| text.bytes().take_while(|b| !b.is_ascii_digit()).count();
    loop {
        let (left, right) = (digits(a), digits(b));
        if left == 0 || right == 0 {
            // A text run ends where a digit begins: cut both at the shorter one, so that no digit is compared as text.
            let (left, right) = (plain(a), plain(b));
            if left == 0 || right == 0 || a.as_bytes()[..left] != b.as_bytes()[..right] {
                return a.cmp(b);
            }
            (a, b) = (&a[left..], &b[right..]);
            continue;
        }
        let order = compare_integers(&a[..left], &b[..right]);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[left..], &b[right..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_reads_numbers_anywhere() {
        let ascending = ["", "-", "1", "9", "10", "10-a", "10a", "a", "a2", "a2b9", "a2b10", "a10", "aa1", "ä1", "ä2"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare_naturally(a, b), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(compare_naturally("a01b", "a1b"), Ordering::Equal);
    }
}
