//! What can be wrong with a YAML text or with its content.

use std::fmt;

use windlass_model::location::Location;

/// A problem at a place in a YAML text.
///
/// Displays as `<file>:<line>:<column>: <reason>`; the reason alone is
/// [`YamlError::kind`]'s display.
#[derive(Debug)]
pub struct YamlError {
    at: Location,
    kind: Box<YamlErrorKind>,
}

/// The cause of a [`YamlError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum YamlErrorKind {
    /// The text is not YAML.
    #[error("{reason}")]
    Syntax {
        /// What the parser did not like.
        reason: String,
    },
    /// The bytes are no text in the announced encoding.
    #[error("the file is not valid {encoding}")]
    Encoding {
        /// Name of the encoding.
        encoding: &'static str,
    },
    /// A key stands twice in one mapping.
    #[error("{}", duplicate_text(key, first.as_ref(), *manifest))]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: Option<Location>,
        /// Whether a manifest is read (the wording differs).
        manifest: bool,
    },
    /// Aliases multiply the content beyond reason.
    #[error("document contains excessive aliasing")]
    ExcessiveAliasing,
    /// An alias stands inside the node that its anchor names.
    #[error("anchor contains itself")]
    RecursiveAlias,
    /// Collections are nested too deeply.
    #[error("exceeded the depth of {limit} nested collections")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// `<<` has a value that cannot be merged.
    #[error("map merge requires map or sequence of maps as the value")]
    InvalidMerge,
    /// A number that no JSON text can express: infinity or not-a-number.
    #[error("json: unsupported value: {value}")]
    UnsupportedValue {
        /// The value as Go prints it (`+Inf`, `-Inf`, `NaN`).
        value: &'static str,
    },
    /// A key that is no string, where only strings are allowed.
    #[error("mapping key {key} is not a string; put it in quotes")]
    NonStringKey {
        /// The key as written, or what it is.
        key: String,
    },
    /// A tag that does not fit the value.
    #[error("cannot decode `{text}` as a {tag}")]
    TagMismatch {
        /// Short form of the tag, such as `!!int`.
        tag: String,
        /// The scalar's text.
        text: String,
    },
    /// A field that the type does not have.
    #[error("unknown field \"{field}\"{}", similar_text(similar))]
    UnknownField {
        /// The field as written.
        field: String,
        /// Path of the mapping it stands in; empty at the top.
        parent: String,
        /// Fields that the type has.
        expected: Vec<String>,
        /// Those of them that look alike.
        similar: Vec<String>,
    },
    /// A field that must be given is absent.
    #[error("missing field \"{field}\"")]
    MissingField {
        /// The field.
        field: String,
    },
    /// A value of another type than the field wants.
    #[error("{}expected {expected}, found {found}", path_text(path))]
    WrongType {
        /// Path of the value, such as `deployments[0].tags`; empty at the top.
        path: String,
        /// What the field wants.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A value that the field's own rules refuse.
    #[error("{}{reason}", path_text(path))]
    Invalid {
        /// Path of the value; empty at the top.
        path: String,
        /// What the rules say.
        reason: String,
    },
}

impl YamlError {
    /// An error at a place; also for callers who check a decoded value further.
    pub fn new(at: Location, kind: YamlErrorKind) -> Self {
        Self { at, kind: Box::new(kind) }
    }

    /// Where.
    pub fn location(&self) -> &Location {
        &self.at
    }

    /// What.
    pub fn kind(&self) -> &YamlErrorKind {
        &self.kind
    }

    /// Splits the error into place and cause.
    pub fn into_parts(self) -> (Location, YamlErrorKind) {
        (self.at, *self.kind)
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.kind)
    }
}

impl std::error::Error for YamlError {}

fn duplicate_text(key: &str, first: Option<&Location>, manifest: bool) -> String {
    match (manifest, first) {
        (true, Some(first)) => format!("mapping key \"{key}\" already defined at line {}", first.line()),
        (true, None) => format!("mapping key \"{key}\" already defined"),
        (false, Some(first)) => format!("key \"{key}\" already set in map (first at line {})", first.line()),
        (false, None) => format!("key \"{key}\" already set in map"),
    }
}

fn similar_text(similar: &[String]) -> String {
    match similar {
        [] => String::new(),
        [one] => format!(", did you mean \"{one}\"?"),
        [head @ .., last] => {
            let head: Vec<String> = head.iter().map(|name| format!("\"{name}\"")).collect();
            format!(", did you mean {} or \"{last}\"?", head.join(", "))
        }
    }
}

fn path_text(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}
