//! The version filters of `images.get_image`: which tags count, and their order.
//!
//! A filter exists as an object (`version.prefix("v", suffix=version.number())`)
//! and as text (`"prefix('v', suffix=number())"`). Both become a
//! [`VersionFilter`]; its display form is a text that parses to the same filter.

mod parse;

use std::fmt;

use crate::go_regex::{GoRegex, PatternError};
use crate::loose_version::LooseVersion;

pub use parse::FilterError;

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
    pub fn prefix(prefix: &str, suffix: Option<Self>) -> Self {
        let suffix_given = suffix.is_some();
        Self::Prefix { prefix: prefix.to_owned(), suffix: Box::new(suffix.unwrap_or_default()), suffix_given }
    }

    /// The tag's place in the order of this filter, or `None` when it does not match.
    pub fn rank<'a>(&self, tag: &'a str) -> Option<LooseVersion<'a>> {
        match self {
            Self::Semver { allow_no_nums } => {
                Some(LooseVersion::parse(tag)).filter(|version| *allow_no_nums || version.has_numbers())
            }
            Self::Number => is_number(tag).then(|| LooseVersion::parse(tag)),
            Self::Regex(pattern) => pattern.is_match(tag).then(|| LooseVersion::parse(tag)),
            Self::Prefix { prefix, suffix, suffix_given: _ } => suffix.rank(tag.strip_prefix(prefix.as_str())?),
        }
    }
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
        }
    }
}

/// Texts have no escapes, so the quote must not occur in it; see [`FilterError::BothQuotes`].
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

impl From<PatternError> for FilterError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
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

    fn latest(filter: &str) -> Option<&'static str> {
        let filter = VersionFilter::parse(filter).unwrap();
        TAGS.iter()
            .copied()
            .filter(|tag| filter.rank(tag).is_some())
            .max_by(|a, b| filter.rank(a).unwrap().compare(&filter.rank(b).unwrap()))
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
        let filter = VersionFilter::prefix("master-", None);
        assert!(filter.rank("master-").is_none());
        assert!(filter.rank("master-1").is_some());
    }

    #[test]
    fn which_tags_are_versions() {
        let filter = VersionFilter::default();
        for tag in ["1", "1.2.3.4", "v2", "1.0-rc1", "2021-05-01", "1x", "9f8e7d"] {
            assert!(filter.rank(tag).is_some(), "{tag}");
        }
        for tag in ["latest", "v", "", "vv1", "-1", "V1"] {
            assert!(filter.rank(tag).is_none(), "{tag}");
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
        ] {
            let filter = VersionFilter::parse(text).unwrap();
            assert_eq!(filter.to_string(), text);
            assert_eq!(VersionFilter::parse(&filter.to_string()).unwrap(), filter);
        }
    }
}
