//! Ranges such as `>=1.2 <2 || ^3.x-0`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

use super::version::{SemverVersion, compare_pre, identifiers, no_leading_zero, number};

const MAX_BYTES: usize = 512;
const MAX_GROUPS: usize = 32;

/// Why a range text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// More than 512 bytes.
    #[error("constraint string is too long (max {MAX_BYTES} bytes)")]
    TooLong,
    /// More than 32 groups.
    #[error("too many constraint groups (max {MAX_GROUPS})")]
    TooManyGroups,
    /// A group is not of the form comparator, separator, comparator.
    #[error("improper constraint: {0:?}")]
    Improper(String),
    /// A version has the form of one but is none, such as `1x`.
    #[error("constraint parser error")]
    Version(String),
}

/// A parsed range: groups of comparators, one group must hold entirely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemverRange {
    text: String,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    comparators: Vec<Comparator>,
    admits_pre_releases: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    version: PartialVersion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// How much of a version was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    /// `*`: nothing.
    Nothing,
    /// `1`, `1.x`.
    Major,
    /// `1.2`, `1.2.x`.
    Minor,
    /// `1.2.3`.
    Full,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PartialVersion {
    major: u64,
    minor: u64,
    patch: u64,
    pre: String,
    precision: Precision,
}

impl SemverRange {
    /// Parses a range.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        if text.len() > MAX_BYTES {
            return Err(RangeError::TooLong);
        }
        if text.split("||").count() > MAX_GROUPS {
            return Err(RangeError::TooManyGroups);
        }
        let groups = without_hyphens(text).split("||").map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), groups })
    }

    /// The text as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `version` lies in the range.
    pub fn matches(&self, version: &SemverVersion<'_>) -> bool {
        self.groups.iter().any(|group| group.matches(version))
    }

    /// [`matches`](Self::matches), pre-releases counted although no comparator names one.
    pub fn matches_any_kind(&self, version: &SemverVersion<'_>) -> bool {
        self.groups.iter().any(|group| group.comparators.iter().all(|c| c.matches(version)))
    }
}

/// Writes `A - B` as `>= A, <= B `, as the Go library does before anything else.
///
/// It looks at the whole text, `||` included, and takes the white space around: so `!=2 1 - 3` and `1||2 - 3`
/// do not mean what they seem to. Answers must agree with Flux's, so this is done the same way.
fn without_hyphens(text: &str) -> Cow<'_, str> {
    const SPACE: &str = r"[\t\n\x0c\r ]";
    const VERSION: &str = concat!(
        r"v?[0-9|xX*]+(?:\.[0-9|xX*]+)?(?:\.[0-9|xX*]+)?",
        r"(?:-[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?",
        r"(?:\+[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?"
    );
    static HYPHEN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!("{SPACE}*({VERSION}){SPACE}+-{SPACE}+({VERSION}){SPACE}*")).ok());
    match &*HYPHEN {
        Some(pattern) if text.contains('-') => pattern.replace_all(text, ">= $1, <= $2 "),
        _ => Cow::Borrowed(text),
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, RangeError> {
        let raw = Scanner { rest: text }.group().ok_or_else(|| RangeError::Improper(text.to_owned()))?;
        let comparators = raw
            .into_iter()
            .map(|(operator, version)| Ok(Comparator { operator, version: PartialVersion::parse(version)? }))
            .collect::<Result<Vec<_>, RangeError>>()?;
        let admits_pre_releases = comparators.iter().any(|c| !c.version.pre.is_empty());
        Ok(Self { comparators, admits_pre_releases })
    }

    fn matches(&self, version: &SemverVersion<'_>) -> bool {
        (version.pre.is_empty() || self.admits_pre_releases) && self.comparators.iter().all(|c| c.matches(version))
    }
}

impl Comparator {
    fn matches(&self, v: &SemverVersion<'_>) -> bool {
        let c = &self.version;
        match self.operator {
            Operator::Equal if c.precision == Precision::Full => c.compare(v) == Ordering::Equal,
            Operator::Equal | Operator::Tilde => c.tilde(v),
            Operator::NotEqual => c.not_equal(v),
            Operator::Greater => c.greater(v),
            Operator::Less => c.compare(v) == Ordering::Greater,
            Operator::GreaterEqual => c.compare(v) != Ordering::Greater,
            Operator::LessEqual => c.less_equal(v),
            Operator::Caret => c.caret(v),
        }
    }
}

/// The rules of the table in spec 06 5.4, quirks included: Flux users rely on the answers.
impl PartialVersion {
    /// Order of this version against `v`.
    fn compare(&self, v: &SemverVersion<'_>) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(v.major, v.minor, v.patch))
            .then_with(|| compare_pre(&self.pre, v.pre))
    }

    fn tilde(&self, v: &SemverVersion<'_>) -> bool {
        if self.compare(v) == Ordering::Greater {
            return false;
        }
        let zero = (self.major, self.minor, self.patch) == (0, 0, 0);
        match self.precision {
            Precision::Nothing => true,
            Precision::Full if zero => true,
            Precision::Major => v.major == self.major,
            Precision::Minor | Precision::Full => (v.major, v.minor) == (self.major, self.minor),
        }
    }

    fn not_equal(&self, v: &SemverVersion<'_>) -> bool {
        match self.precision {
            Precision::Major => v.major != self.major,
            Precision::Minor if (v.major, v.minor) != (self.major, self.minor) => true,
            Precision::Minor if v.pre.is_empty() && self.pre.is_empty() => false,
            Precision::Minor => compare_pre(&self.pre, v.pre) != Ordering::Equal,
            Precision::Nothing | Precision::Full => self.compare(v) != Ordering::Equal,
        }
    }

    fn greater(&self, v: &SemverVersion<'_>) -> bool {
        match self.precision {
            Precision::Major => v.major > self.major,
            Precision::Minor => (v.major, v.minor) > (self.major, self.minor),
            Precision::Nothing | Precision::Full => self.compare(v) == Ordering::Less,
        }
    }

    fn less_equal(&self, v: &SemverVersion<'_>) -> bool {
        match self.precision {
            Precision::Full => self.compare(v) != Ordering::Less,
            Precision::Major => v.major <= self.major,
            Precision::Nothing | Precision::Minor => (v.major, v.minor) <= (self.major, self.minor),
        }
    }

    fn caret(&self, v: &SemverVersion<'_>) -> bool {
        if self.compare(v) == Ordering::Greater {
            return false;
        }
        if self.major > 0 || self.precision == Precision::Major {
            return v.major == self.major;
        }
        if self.minor > 0 || self.precision == Precision::Minor {
            return (v.major, v.minor) == (0, self.minor);
        }
        (v.major, v.minor, v.patch) == (0, 0, self.patch)
    }

    /// Reads a text that [`Scanner::version`] accepted.
    fn parse(text: &str) -> Result<Self, RangeError> {
        let refused = || RangeError::Version(text.to_owned());
        if text.len() > 256 {
            return Err(refused());
        }
        let body = text.strip_prefix('v').unwrap_or(text);
        let body = body.split_once('+').map_or(body, |(head, _)| head);
        let (core, pre) = body.split_once('-').unwrap_or((body, ""));
        if !pre.is_empty() && !no_leading_zero(pre) {
            return Err(refused());
        }
        let mut numbers = [0; 3];
        let mut written = 0;
        for part in core.split('.') {
            if matches!(part, "x" | "X" | "*") {
                break;
            }
            numbers[written] = number(part).ok_or_else(refused)?;
            written += 1;
        }
        let precision = [Precision::Nothing, Precision::Major, Precision::Minor, Precision::Full][written];
        let [major, minor, patch] = numbers;
        Ok(Self { major, minor, patch, pre: pre.to_owned(), precision })
    }
}

/// Reads one group.
struct Scanner<'a> {
    rest: &'a str,
}

type RawComparator<'a> = (Operator, &'a str);

impl<'a> Scanner<'a> {
    /// All comparators, or `None` when the text has another form.
    fn group(&mut self) -> Option<Vec<RawComparator<'a>>> {
        let mut comparators = Vec::new();
        loop {
            self.space();
            let operator = self.operator().unwrap_or(Operator::Equal);
            self.space();
            comparators.push((operator, self.version()?));
            if self.separator()? == Separator::End {
                return Some(comparators);
            }
        }
    }

    fn space(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches(is_space);
        let found = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        found
    }

    fn separator(&mut self) -> Option<Separator> {
        let space = self.space();
        if self.rest.is_empty() {
            return Some(Separator::End);
        }
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return Some(Separator::Comma);
        }
        space.then_some(Separator::Space)
    }

    fn operator(&mut self) -> Option<Operator> {
        const OPERATORS: &[(&str, Operator)] = &[
            ("!=", Operator::NotEqual),
            (">=", Operator::GreaterEqual),
            ("=>", Operator::GreaterEqual),
            ("<=", Operator::LessEqual),
            ("=<", Operator::LessEqual),
            ("~>", Operator::Tilde),
            ("=", Operator::Equal),
            (">", Operator::Greater),
            ("<", Operator::Less),
            ("~", Operator::Tilde),
            ("^", Operator::Caret),
        ];
        let (text, operator) = OPERATORS.iter().find(|(text, _)| self.rest.starts_with(text))?;
        self.rest = &self.rest[text.len()..];
        Some(*operator)
    }

    /// Something with the form of a version; whether it is one, [`PartialVersion::parse`] tells.
    fn version(&mut self) -> Option<&'a str> {
        let len = version_len(self.rest)?;
        let (version, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(version)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Space,
    Comma,
    End,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn version_len(text: &str) -> Option<usize> {
    let mut end = usize::from(text.starts_with('v'));
    end += part_len(&text[end..])?;
    for _ in 0..2 {
        if let Some(len) = text[end..].strip_prefix('.').and_then(part_len) {
            end += 1 + len;
        }
    }
    for sign in ['-', '+'] {
        if let Some(len) = text[end..].strip_prefix(sign).and_then(identifiers_len) {
            end += 1 + len;
        }
    }
    Some(end)
}

fn part_len(text: &str) -> Option<usize> {
    let len = text.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'x' | b'X' | b'*')).count();
    (len > 0).then_some(len)
}

/// Longest `a.b.c` of non-empty identifiers at the start.
fn identifiers_len(text: &str) -> Option<usize> {
    let run = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')).count();
    (1..=run).rev().find(|len| identifiers(&text[..*len]))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn rows(text: &str) -> impl Iterator<Item = Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("golden rows are JSON"))
    }

    #[test]
    fn ranges_answer_as_recorded() {
        let mut wrong = Vec::new();
        for row in rows(include_str!("../../tests/golden/semver-range.jsonl")) {
            let constraint = row["constraint"].as_str().unwrap();
            let range = SemverRange::parse(constraint);
            if row["quirk"] == true && row.get("error").is_none() {
                // A single `|` inside a version: refused here.
                if constraint.contains('|') && !constraint.contains("||") {
                    assert!(range.is_err(), "{constraint}");
                }
                continue;
            }
            let answer = match (&range, row.get("version")) {
                (Ok(range), Some(version)) => match SemverVersion::parse(version.as_str().unwrap()) {
                    Some(version) => Value::Bool(range.matches(&version)),
                    None => Value::Null,
                },
                (Err(_), _) => Value::String("error".into()),
                (Ok(_), None) => Value::String("accepted".into()),
            };
            let wanted = row.get("matches").cloned().unwrap_or_else(|| Value::String("error".into()));
            if answer != wanted && row["quirk"] != true {
                wrong.push(format!("{row}: {answer}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    }

    /// 4,000 random pairs from `tests/oracle/semver`.
    #[test]
    fn ranges_answer_as_the_go_library() {
        let mut wrong = Vec::new();
        for row in rows(include_str!("../../tests/golden/semver-generated.jsonl")) {
            let version = SemverVersion::parse(row["version"].as_str().unwrap()).expect("the library parses it");
            let answer = SemverRange::parse(row["constraint"].as_str().unwrap()).ok().map(|r| r.matches(&version));
            if answer != row.get("matches").and_then(Value::as_bool) {
                wrong.push(format!("{row}: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    }

    #[test]
    fn versions_parse_as_recorded() {
        for row in rows(include_str!("../../tests/golden/semver-versions.jsonl")) {
            let text = row["version"].as_str().unwrap();
            assert_eq!(SemverVersion::parse_tag(text).is_some(), row["tag"] == true, "{row}");
            match SemverVersion::parse(text) {
                Some(v) => {
                    let numbers = [&row["major"], &row["minor"], &row["patch"]].map(|n| n.as_u64());
                    assert_eq!(numbers, [Some(v.major), Some(v.minor), Some(v.patch)], "{row}");
                    assert_eq!((row["pre"].as_str(), row["meta"].as_str()), (Some(v.pre), Some(v.meta)), "{row}");
                }
                None => assert!(row.get("error").is_some(), "{row}"),
            }
        }
    }

    #[test]
    fn precedence_is_as_recorded() {
        for row in rows(include_str!("../../tests/golden/semver-compare.jsonl")) {
            let parse = |key: &str| SemverVersion::parse(row[key].as_str().unwrap()).unwrap();
            assert_eq!(parse("a").compare(&parse("b")) as i64, row["cmp"].as_i64().unwrap(), "{row}");
        }
    }

    #[test]
    fn limits_are_errors() {
        assert_eq!(SemverRange::parse(&"1 ".repeat(257)), Err(RangeError::TooLong));
        assert_eq!(SemverRange::parse(&["1"; 33].join("||")), Err(RangeError::TooManyGroups));
        assert!(SemverRange::parse(&["1"; 32].join("||")).is_ok());
    }

    #[test]
    fn a_malformed_group_is_quoted() {
        assert_eq!(SemverRange::parse("1 || > =2").unwrap_err().to_string(), "improper constraint: \" > =2\"");
        assert_eq!(SemverRange::parse("").unwrap_err().to_string(), "improper constraint: \"\"");
        assert_eq!(SemverRange::parse("1x").unwrap_err().to_string(), "constraint parser error");
    }

    #[test]
    fn hyphen_ranges_stand_first_or_after_a_comma() {
        assert!(SemverRange::parse("!=2, 1 - 3").is_ok());
        assert!(SemverRange::parse("!=2 1 - 3").is_err());
        assert!(SemverRange::parse("1 - 2||3 - 4").is_err());
        assert!(SemverRange::parse("1 - 2 || 3 - 4").is_ok());
        assert!(SemverRange::parse("1 - 2,").is_err());
    }
}
