//! The order of tags that `semver()`, `number()` and `regex()` use.
//!
//! "Loose": any text has a place in it. Leading numbers of any count and size
//! come first, then the rest, cut into digit runs, letter runs and the text
//! between. Spec 02 B3.3.

use std::cmp::Ordering;

/// A tag seen as leading numbers plus suffix; borrows the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooseVersion<'a> {
    numbers: &'a str,
    suffix: &'a str,
}

impl<'a> LooseVersion<'a> {
    /// Splits `tag`; one leading `v` is dropped. Never fails.
    pub fn parse(tag: &'a str) -> Self {
        let text = tag.strip_prefix('v').unwrap_or(tag);
        let (numbers, suffix) = text.split_at(leading_numbers(text));
        Self { numbers, suffix }
    }

    /// Whether the tag starts with a number (after the optional `v`).
    pub fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Order by B3.3. `Equal` does not mean the same text: `1.0` and `v1.00` are equal.
    pub fn compare(&self, other: &Self) -> Ordering {
        compare_numbers(self.numbers, other.numbers).then_with(|| compare_suffixes(self.suffix, other.suffix))
    }
}

/// Length of the longest `N(.N)*` at the start.
fn leading_numbers(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = digits(bytes, 0);
    while end > 0 && bytes.get(end) == Some(&b'.') {
        let next = digits(bytes, end + 1);
        if next == end + 1 {
            break;
        }
        end = next;
    }
    end
}

fn digits(bytes: &[u8], start: usize) -> usize {
    start + bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count()
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let list = |text| if str::is_empty(text) { "0" } else { text };
    let (mut a, mut b) = (list(a).split('.'), list(b).split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match compare_integers(x, y) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

/// Compares two runs of ASCII digits as integers of any size.
pub(crate) fn compare_integers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_suffixes(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut a, mut b) = (Components(a), Components(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match x.compare(&y) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

enum Component<'a> {
    Integer(&'a str),
    Text(&'a str),
}

impl Component<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => compare_integers(a, b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Text(_), Self::Integer(_)) => Ordering::Less,
            (Self::Integer(_), Self::Text(_)) => Ordering::Greater,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Letter,
    Dot,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' => Class::Digit,
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'.' => Class::Dot,
        _ => Class::Other,
    }
}

/// The rest of a suffix, handed out run by run; dots only separate.
struct Components<'a>(&'a str);

impl<'a> Iterator for Components<'a> {
    type Item = Component<'a>;

    fn next(&mut self) -> Option<Component<'a>> {
        let rest = self.0.trim_start_matches('.');
        let kind = class(*rest.as_bytes().first()?);
        let end = rest.bytes().take_while(|b| class(*b) == kind).count();
        let (run, rest) = rest.split_at(end);
        self.0 = rest;
        Some(if kind == Class::Digit { Component::Integer(run) } else { Component::Text(run) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCENDING: &[&str] = &[
        "1.0+b1",
        "1.0-RC1",
        "1.0-alpha",
        "1.0-rc",
        "1.0-rc1",
        "1.0-rc2",
        "1.0-rc10",
        "1.0-1",
        "1.0a",
        "1.0",
        "1.0.0-rc1",
        "1.0.0",
        "1.1",
        "1.2",
        "v1.5",
        "1.10",
        "2",
    ];

    fn compare(a: &str, b: &str) -> Ordering {
        LooseVersion::parse(a).compare(&LooseVersion::parse(b))
    }

    #[test]
    fn the_list_of_the_spec_ascends_pairwise() {
        for (i, a) in ASCENDING.iter().enumerate() {
            for (j, b) in ASCENDING.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn git_describe_counts_commits() {
        assert_eq!(compare("1.2.3-5-gabc", "1.2.3-10-gabc"), Ordering::Less);
        assert_eq!(compare("1.2.3-10-gabc", "1.2.3"), Ordering::Less);
    }

    #[test]
    fn numbers_have_any_size() {
        assert_eq!(compare("9999999999", "10000000000"), Ordering::Less);
        assert_eq!(compare("99999999999999999999", "99999999999999999998"), Ordering::Greater);
    }

    #[test]
    fn equal_versions_may_be_written_differently() {
        assert_eq!(compare("1.0", "v1.00"), Ordering::Equal);
        assert_eq!(compare("1.0-rc1", "1.0-rc.1"), Ordering::Equal);
    }

    #[test]
    fn a_shorter_number_list_is_smaller() {
        assert_eq!(compare("1.2", "1.2.0"), Ordering::Less);
    }

    #[test]
    fn no_number_counts_as_zero() {
        assert_eq!(compare("latest", "0-latest"), compare("latest", "0-latest"));
        assert_eq!(compare("latest", "1"), Ordering::Less);
        assert!(!LooseVersion::parse("vv1").has_numbers());
    }

    #[test]
    fn text_between_runs_counts_but_dots_do_not() {
        assert_eq!(compare("1.0-a", "1.0_a"), Ordering::Less);
        assert_eq!(compare("1.0-a.b", "1.0-a..b"), Ordering::Equal);
    }

    #[test]
    fn text_beyond_ascii_does_not_panic() {
        assert_eq!(compare("1.0-ä", "1.0-ä1"), Ordering::Less);
    }
}
