//! Why filters are refused.
//!
//! The texts are contract where spec 02 B3.1 quotes them, misspelling and
//! token numbers included.

use crate::go_regex::PatternError;
use crate::semver::RangeError;

/// Every name that can be called.
pub(crate) const FILTERS: &str = "semver, prefix, number, regex, alphabetical, numerical, natural, timestamp, calver, newest_build, \
     policy, digest";

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text ends or goes on where something else is needed.
    #[error("unexpected token {token}, expected {expected}")]
    Unexpected {
        /// Go's scanner number: -1 end, -2 identifier, -3 integer, -6 text, else the character's code.
        token: i32,
        /// What would be right.
        expected: &'static str,
    },
    /// No such filter.
    #[error("unknown filter `{0}`, expected one of {FILTERS}")]
    UnknownFilter(String),
    /// A parameter the filter does not have.
    #[error("unkown arg {0}")]
    UnknownArgument(String),
    /// A parameter given twice.
    #[error("arg {0} given more than once")]
    RepeatedArgument(String),
    /// More positional arguments than parameters.
    #[error("too many arguments")]
    TooManyArguments,
    /// A positional argument after a named one.
    #[error("positional arguments must come before named ones")]
    PositionalAfterNamed,
    /// A parameter that has no default is missing.
    #[error("required arg {0} not found")]
    MissingArgument(&'static str),
    /// A value of another kind.
    #[error("invalid value for arg {name}, must be {wanted}")]
    WrongKind {
        /// The parameter.
        name: &'static str,
        /// `a bool`, `a string`.
        wanted: &'static str,
    },
    /// The suffix of a prefix is no filter.
    #[error("invalid suffix, must be a filter")]
    SuffixNotAFilter,
    /// `regex("")`.
    #[error("pattern can't be empty")]
    EmptyPattern,
    /// The pattern does not compile.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The range does not parse.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// `semver(true, range=…)`: no range has a tag without numbers.
    #[error("allow_no_nums can't be combined with a range")]
    RangeWithoutNumbers,
    /// The format of calendar versions is wrong.
    #[error("invalid calver format `{format}`: {reason}")]
    Calver {
        /// The whole format.
        format: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `semver(loose=true)` without a range: only ranges know it.
    #[error("{0} needs a range, such as semver(range=\">=1.0\", {0}=true)")]
    OptionWithoutRange(&'static str),
    /// `prefix('x', suffix=policy('p'))`.
    #[error("a policy can't be the suffix of a prefix; it has its own filter")]
    SuffixIsPolicy,
    /// Text after the closing parenthesis.
    #[error("unexpected text `{0}` after the filter")]
    Trailing(String),
    /// A text that no filter expression could carry.
    #[error("`{0}` contains both kinds of quotes")]
    BothQuotes(String),
}
