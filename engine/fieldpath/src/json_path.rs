//! A path expression of a user: parsed steps and where parsing stopped.

use std::fmt;
use std::str::FromStr;

use crate::filter::Filter;
use crate::path::{FieldPath, Segment};

/// A parsed path expression (spec 03 section 2.5). Display gives the text as it was written.
#[derive(Debug, Clone)]
pub struct JsonPath {
    pub(crate) text: String,
    pub(crate) steps: Vec<Step>,
}

/// One step of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Key(String),
    Index(i64),
    /// `*`: every value of a map or list.
    Wildcard,
    /// `..`: the value itself and everything below it.
    Descent,
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
    },
    Union(Vec<Member>),
    Filter(Filter),
}

/// Member of a union `[0,'x']`.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    Key(String),
    Index(i64),
}

/// An expression does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("json path `{text}`: {kind} at character {}", offset + 1)]
pub struct JsonPathError {
    /// The expression.
    pub text: String,
    /// Byte offset of the problem.
    pub offset: usize,
    /// What is wrong there.
    pub kind: JsonPathErrorKind,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathErrorKind {
    /// The expression has no step.
    #[error("a path must not be empty")]
    Empty,
    /// Something else was needed.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A character that unquoted names cannot have.
    #[error("`{0}` needs brackets and quotes, as in `a['b{0}c']`")]
    Unquoted(char),
    /// A number outside 64 bits.
    #[error("this number is too large")]
    Number,
    /// A slice that never ends.
    #[error("the step of a slice must not be 0")]
    ZeroStep,
    /// A regular expression that does not compile.
    #[error("this regular expression does not compile")]
    Regex,
    /// Nested too deeply.
    #[error("this filter is nested too deeply")]
    TooDeep,
}

impl JsonPath {
    /// Parses an expression.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        let steps = crate::parse::parse(text)?;
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Whether the expression is a lone `..`, which locates every node.
    pub fn is_everything(&self) -> bool {
        matches!(self.steps[..], [Step::Descent])
    }

    /// The same as an exact place, when there are only keys and indexes from the start.
    pub fn as_simple(&self) -> Option<FieldPath> {
        let segment = |step: &Step| match step {
            Step::Key(key) => Some(Segment::Key(key.clone())),
            Step::Index(index) => Some(Segment::Index(usize::try_from(*index).ok()?)),
            _ => None,
        };
        self.steps.iter().map(segment).collect::<Option<Vec<_>>>().map(FieldPath)
    }
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
