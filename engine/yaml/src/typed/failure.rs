//! serde's complaints as data.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

#[derive(Debug)]
pub(super) enum Failure {
    UnknownField { field: String, expected: &'static [&'static str] },
    MissingField { field: &'static str },
    WrongType { found: String, expected: String },
    Invalid { reason: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { field, .. } => write!(f, "unknown field \"{field}\""),
            Self::MissingField { field } => write!(f, "missing field \"{field}\""),
            Self::WrongType { found, expected } => write!(f, "expected {expected}, found {found}"),
            Self::Invalid { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for Failure {}

impl Error for Failure {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::Invalid { reason: reason.to_string() }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::WrongType { found: describe(unexpected), expected: plain_name(&expected.to_string()) }
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownField { field: field.to_owned(), expected }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField { field }
    }
}

/// What serde expects, in the words of YAML.
fn plain_name(expected: &str) -> String {
    let name = match expected {
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "a mapping",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        _ if expected.starts_with("struct ") => "a mapping",
        _ if expected.starts_with("enum ") => "the name of a variant",
        _ => expected,
    };
    name.to_owned()
}

/// Kinds and short values; the text of strings may be a secret and stays out.
fn describe(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("boolean {value}"),
        Unexpected::Unsigned(value) => format!("number {value}"),
        Unexpected::Signed(value) => format!("number {value}"),
        Unexpected::Float(value) => format!("number {value}"),
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a string".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}
