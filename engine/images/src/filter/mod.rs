//! The version filters of `images.get_image`: which tags count, and their order.
//!
//! A filter exists as an object (`version.prefix("v", suffix=version.number())`)
//! and as text (`"prefix('v', suffix=number())"`). Both become a
//! [`VersionFilter`]; its display form is a text that parses to the same filter.

mod calver;
mod error;
mod parse;
mod timestamp;

use std::fmt;

use crate::go_regex::GoRegex;
use crate::loose_version::LooseVersion;
use crate::policy::{Fate, Order, Rank};
use crate::semver::{SemverRange, SemverSelection};

pub(crate) use calver::CalendarVersion;
pub use calver::CalverFormat;
pub(crate) use error::FILTERS;
pub use error::FilterError;
pub use timestamp::TimestampUnit;

/// What `latest_version` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionFilter {
    /// Tags that begin with a number, or every tag.
    Semver {
        /// Admits tags without numbers.
        allow_no_nums: bool,
    },
    /// Tags of digits only.
    Number,
    /// Tags that the pattern matches entirely.
    Regex(GoRegex),
    /// Tags that begin with a text, and whose rest the suffix filter takes.
    Prefix {
        /// The text, taken literally.
        prefix: String,
        /// What the rest must be.
        suffix: Box<VersionFilter>,
        /// Whether the suffix was written, for the display form.
        suffix_given: bool,
    },
    /// Semantic versions in a range.
    Range(SemverSelection),
    /// Every tag, in byte order.
    Alphabetical(Order),
    /// Tags that are numbers of any kind, exact at any size.
    Numerical(Order),
    /// Every tag; digit runs compared as numbers, the rest as bytes.
    Natural(Order),
    /// Tags with a Unix time, the newest.
    Timestamp(TimestampUnit),
    /// Tags that are calendar versions, the newest.
    Calver(CalverFormat),
    /// Every tag; the image that was built last.
    NewestBuild,
    /// A policy of the project, by name; [`crate::project_policy`] knows it.
    Named {
        /// The name, or `namespace:name`.
        policy: String,
    },
    /// One tag, of which the digest is wanted too.
    Digest {
        /// The tag.
        tag: String,
    },
}

impl Default for VersionFilter {
    fn default() -> Self {
        Self::Semver { allow_no_nums: false }
    }
}

impl VersionFilter {
    /// Parses the text form; nothing may follow the closing parenthesis.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// A regex filter; an empty or broken pattern is an error.
    pub fn regex(pattern: &str) -> Result<Self, FilterError> {
        if pattern.is_empty() {
            return Err(FilterError::EmptyPattern);
        }
        Ok(Self::Regex(GoRegex::whole(pattern)?))
    }

    /// A prefix filter; without `suffix` the rest must be a version.
    ///
    /// # Errors
    /// The suffix is a policy of the project, which has its own filter.
    pub fn prefix(prefix: &str, suffix: Option<Self>) -> Result<Self, FilterError> {
        if suffix.as_ref().is_some_and(|suffix| matches!(suffix, Self::Named { .. })) {
            return Err(FilterError::SuffixIsPolicy);
        }
        let suffix_given = suffix.is_some();
        Ok(Self::Prefix { prefix: prefix.to_owned(), suffix: Box::new(suffix.unwrap_or_default()), suffix_given })
    }

    /// A filter of semantic versions; `allow_no_nums` must be false, as no range has a tag without numbers.
    pub fn range(range: &str, options: RangeOptions) -> Result<Self, FilterError> {
        let RangeOptions { allow_no_nums, loose, prerelease } = options;
        if allow_no_nums {
            return Err(FilterError::RangeWithoutNumbers);
        }
        Ok(Self::Range(SemverSelection { range: SemverRange::parse(range)?, loose, prerelease }))
    }

    /// `semver()` in the form of kluctl; what only a range has must not be given.
    pub fn semver(options: RangeOptions) -> Result<Self, FilterError> {
        match options {
            RangeOptions { allow_no_nums, loose: false, prerelease: false } => Ok(Self::Semver { allow_no_nums }),
            RangeOptions { loose: true, .. } => Err(FilterError::OptionWithoutRange("loose")),
            RangeOptions { .. } => Err(FilterError::OptionWithoutRange("prerelease")),
        }
    }

    /// A filter that a policy of the project decides.
    pub fn named(policy: &str) -> Result<Self, FilterError> {
        if policy.is_empty() || policy.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(FilterError::WrongKind { name: "name", wanted: "the name of a policy" });
        }
        Ok(Self::Named { policy: policy.to_owned() })
    }

    /// A filter of Unix times; `auto`, `s`, `ms`, `us` or `ns`.
    pub fn timestamp(unit: &str) -> Result<Self, FilterError> {
        TimestampUnit::parse(unit).map(Self::Timestamp)
    }

    /// A filter of calendar versions, such as `YYYY.0M.0D[.MICRO]`.
    pub fn calver(format: &str) -> Result<Self, FilterError> {
        CalverFormat::parse(format).map(Self::Calver)
    }

    /// A filter of one tag.
    pub fn digest(tag: &str) -> Result<Self, FilterError> {
        let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !first || tag.len() > 128 || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return Err(FilterError::WrongKind { name: "tag", wanted: "a tag" });
        }
        Ok(Self::Digest { tag: tag.to_owned() })
    }

    /// Whether the result must name the digest of the chosen tag.
    pub fn wants_digest(&self) -> bool {
        match self {
            Self::Digest { .. } => true,
            Self::Prefix { suffix, .. } => suffix.wants_digest(),
            _ => false,
        }
    }

    /// The policy of the project that decides in its place.
    pub(crate) fn policy_name(&self) -> Option<&str> {
        match self {
            Self::Named { policy } => Some(policy),
            _ => None,
        }
    }

    /// Whether build times are compared.
    pub(crate) fn wants_build_times(&self) -> bool {
        match self {
            Self::NewestBuild => true,
            Self::Prefix { suffix, .. } => suffix.wants_build_times(),
            _ => false,
        }
    }

    /// Whether of equal tags the smallest wins, as numerical policies have it.
    pub(crate) fn is_numerical(&self) -> bool {
        match self {
            Self::Numerical(_) => true,
            Self::Prefix { suffix, .. } => suffix.is_numerical(),
            _ => false,
        }
    }

    /// The tag's place in the order of this filter, or why it does not match.
    pub(crate) fn rank<'a>(&self, tag: &'a str, built: &dyn Fn() -> Option<i128>) -> Result<Rank<'a>, Fate> {
        let loose = |matches| if matches { Ok(Rank::Loose(LooseVersion::parse(tag))) } else { Err(Fate::FilteredOut) };
        match self {
            Self::Semver { allow_no_nums } => loose(*allow_no_nums || LooseVersion::parse(tag).has_numbers()),
            Self::Number => loose(is_number(tag)),
            Self::Regex(pattern) => loose(pattern.is_match(tag)),
            Self::Prefix { prefix, suffix, suffix_given: _ } => {
                let rest = tag.strip_prefix(prefix.as_str()).ok_or(Fate::FilteredOut)?;
                suffix.rank(rest, built)
            }
            Self::Range(range) => Rank::semver(tag, range),
            Self::Alphabetical(order) => Ok(Rank::Text(tag, *order)),
            Self::Numerical(order) => Rank::number(tag, *order),
            Self::Natural(order) => Ok(Rank::Natural(tag, *order)),
            Self::Timestamp(unit) => unit.nanoseconds(tag).map(Rank::Time).ok_or(Fate::NotATimestamp),
            Self::Calver(format) => format.version(tag).map(Rank::Calendar).ok_or(Fate::NotACalendarVersion),
            Self::NewestBuild => built().map(Rank::Built).ok_or(Fate::NoBuildTime),
            Self::Digest { tag: fixed } if tag == fixed => Ok(Rank::Fixed),
            Self::Digest { .. } | Self::Named { .. } => Err(Fate::FilteredOut),
        }
    }
}

/// Options of `semver(…)` besides the range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RangeOptions {
    /// Admits tags without numbers; only without a range.
    pub allow_no_nums: bool,
    /// Reads the version at the end of a tag; only with a range.
    pub loose: bool,
    /// Admits pre-releases; only with a range.
    pub prerelease: bool,
}

/// `asc` or `desc`.
pub(crate) fn order(text: &str) -> Result<Order, FilterError> {
    Order::parse(text).map_err(|_| FilterError::WrongKind { name: "order", wanted: "asc or desc" })
}

fn is_number(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for VersionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Semver { allow_no_nums: false } => f.write_str("semver(allow_no_nums=False)"),
            Self::Semver { allow_no_nums: true } => f.write_str("semver(allow_no_nums=True)"),
            Self::Number => f.write_str("number()"),
            Self::Regex(pattern) => write!(f, "regex({})", quoted(pattern.as_str())),
            Self::Prefix { prefix, suffix, suffix_given } => {
                write!(f, "prefix({}", quoted(prefix))?;
                if *suffix_given {
                    write!(f, ", suffix={suffix}")?;
                }
                f.write_str(")")
            }
            Self::Range(SemverSelection { range, loose, prerelease }) => {
                write!(f, "semver(range={}", quoted(range.as_str()))?;
                f.write_str(if *loose { ", loose=True" } else { "" })?;
                f.write_str(if *prerelease { ", prerelease=True)" } else { ")" })
            }
            Self::NewestBuild => f.write_str("newest_build()"),
            Self::Named { policy } => write!(f, "policy({})", quoted(policy)),
            Self::Alphabetical(order) => write!(f, "alphabetical(order=\"{}\")", order.as_str()),
            Self::Numerical(order) => write!(f, "numerical(order=\"{}\")", order.as_str()),
            Self::Natural(order) => write!(f, "natural(order=\"{}\")", order.as_str()),
            Self::Timestamp(unit) => write!(f, "timestamp(unit=\"{}\")", unit.as_str()),
            Self::Calver(format) => write!(f, "calver({})", quoted(format.as_str())),
            Self::Digest { tag } => write!(f, "digest({})", quoted(tag)),
        }
    }
}

/// Texts have no escapes, so the quote must not occur in it; see [`FilterError::BothQuotes`].
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &[&str] = &[
        "latest",
        "foo",
        "v2",
        "3x",
        "abc1",
        "master-7",
        "master-10",
        "master-1.2.3",
        "main-9",
        "007",
        "12",
        "v",
        "1.0.0",
        "master-",
        "ax",
        "yb",
        "a",
        "b",
        "release.1",
        "releaseX2",
    ];

    fn rank<'a>(filter: &VersionFilter, tag: &'a str) -> Result<Rank<'a>, Fate> {
        filter.rank(tag, &|| None)
    }

    fn latest(filter: &str) -> Option<&'static str> {
        let filter = VersionFilter::parse(filter).unwrap();
        TAGS.iter()
            .copied()
            .filter(|tag| rank(&filter, tag).is_ok())
            .max_by(|a, b| rank(&filter, a).unwrap().compare(&rank(&filter, b).unwrap()))
    }

    #[test]
    fn filters_choose_as_recorded() {
        for (filter, wanted) in [
            ("semver()", "12"),
            ("semver(true)", "12"),
            ("number()", "12"),
            (r#"regex("v[0-9]+")"#, "v2"),
            ("regex('master-[0-9]+')", "master-10"),
            ("regex('a|b')", "b"),
            ("prefix('master-')", "master-10"),
            ("prefix('master-', suffix=number())", "master-10"),
            ("prefix(\"master-\", number())", "master-10"),
            ("prefix('release.')", "release.1"),
            (" semver ( allow_no_nums = True ) ", "12"),
            ("prefix('ma', prefix('ster-', number()))", "master-10"),
        ] {
            assert_eq!(latest(filter), Some(wanted), "{filter}");
        }
    }

    #[test]
    fn a_filter_may_match_nothing() {
        assert_eq!(latest("prefix('zzz')"), None);
        assert_eq!(latest("prefix('master-1.2.', number())"), Some("master-1.2.3"));
        assert_eq!(latest("regex('nope')"), None);
    }

    #[test]
    fn a_prefix_needs_something_after_it() {
        let filter = VersionFilter::prefix("master-", None).unwrap();
        assert!(rank(&filter, "master-").is_err());
        assert!(rank(&filter, "master-1").is_ok());
    }

    #[test]
    fn which_tags_are_versions() {
        let filter = VersionFilter::default();
        for tag in ["1", "1.2.3.4", "v2", "1.0-rc1", "2021-05-01", "1x", "9f8e7d"] {
            assert!(rank(&filter, tag).is_ok(), "{tag}");
        }
        for tag in ["latest", "v", "", "vv1", "-1", "V1"] {
            assert!(rank(&filter, tag).is_err(), "{tag}");
        }
    }

    #[test]
    fn display_forms_are_the_known_ones_and_parse_back() {
        for text in [
            "semver(allow_no_nums=False)",
            "semver(allow_no_nums=True)",
            "number()",
            r#"prefix("x")"#,
            r#"prefix("x", suffix=number())"#,
            r#"regex("a.*")"#,
            r#"regex('a"b')"#,
            r#"prefix("x", suffix=prefix("y", suffix=regex("\d+")))"#,
            r#"semver(range=">=1.2 <2 || ^3.x-0")"#,
            r#"semver(range="1.x", loose=True)"#,
            r#"semver(range="1.x", loose=True, prerelease=True)"#,
            r#"newest_build()"#,
            r#"prefix("dev-", suffix=newest_build())"#,
            r#"policy("shop:web")"#,
            r#"alphabetical(order="asc")"#,
            r#"numerical(order="desc")"#,
            r#"natural(order="desc")"#,
            r#"timestamp(unit="auto")"#,
            r#"timestamp(unit="ms")"#,
            r#"calver("YYYY.0M.0D[.MICRO]")"#,
            r#"calver('YYYY"')"#,
            r#"digest("stable")"#,
            r#"prefix("dev-", suffix=semver(range="1.x"))"#,
        ] {
            let filter = VersionFilter::parse(text).unwrap();
            assert_eq!(filter.to_string(), text);
            assert_eq!(VersionFilter::parse(&filter.to_string()).unwrap(), filter);
        }
    }
}
