//! Which rules give plain text its type, and what else a reader accepts.

/// The rules for plain scalars, keys and merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Go's yaml v2 through JSON: configuration files, vars, Helm values and output.
    ///
    /// `yes`, `on`, `y` are booleans, also as keys; keys that are not strings
    /// become strings; timestamps stay text.
    GoV2,
    /// Go's yaml v3 as kustomize uses it: manifests.
    ///
    /// Only `true` and `false` are booleans; timestamps become RFC 3339 text;
    /// keys that are not strings are errors.
    GoV3,
    /// The core schema of YAML 1.2; no merge keys.
    Yaml12,
    /// YAML 1.1 as Python's loader has it: no `y`/`n`, base 60 integers,
    /// exponents need a sign; dates stay text.
    Python,
}

impl Dialect {
    /// Whether a plain `<<` merges.
    pub(crate) fn merges(self) -> bool {
        self != Self::Yaml12
    }

    /// Whether a float without fraction is written as an integer further on,
    /// as it is after a way through JSON.
    pub(crate) fn integral_floats_are_integers(self) -> bool {
        matches!(self, Self::GoV2 | Self::GoV3)
    }
}

/// What a second equal key in one mapping means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// An error at the second key.
    Error,
    /// The last value counts; for the output of Helm charts.
    LastWins,
}

/// How to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// Rules for scalars.
    pub dialect: Dialect,
    /// Meaning of a repeated key.
    pub duplicate_keys: DuplicateKeys,
}

impl ReadOptions {
    /// The strict form of `dialect`: duplicate keys are errors (the Python
    /// dialect has none).
    pub fn new(dialect: Dialect) -> Self {
        let duplicate_keys = match dialect {
            Dialect::Python => DuplicateKeys::LastWins,
            Dialect::GoV2 | Dialect::GoV3 | Dialect::Yaml12 => DuplicateKeys::Error,
        };
        Self { dialect, duplicate_keys }
    }

    /// The same with another rule for repeated keys.
    pub fn duplicate_keys(self, duplicate_keys: DuplicateKeys) -> Self {
        Self { duplicate_keys, ..self }
    }
}

impl From<Dialect> for ReadOptions {
    fn from(dialect: Dialect) -> Self {
        Self::new(dialect)
    }
}
