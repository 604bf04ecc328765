//! What went wrong in a template, and where.
//!
//! [`fmt::Display`] prints the layout that kluctl users know (scripts compare
//! it); a richer report is built by the CLI from the fields.

use std::fmt;

use windlass_model::location::Location;

/// The family of a template error; its name is printed like Python's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An undefined name, key or index was used.
    Undefined,
    /// The text is not a template.
    Syntax,
    /// An unknown filter or test.
    Assertion,
    /// A rule of the language was broken while rendering.
    Runtime,
    /// `raise(..)` was called.
    Raised,
    /// Another template does not exist on the search path.
    NotFound,
    /// A value of the wrong type.
    Type,
    /// A value of the right type, but not usable.
    Value,
    /// A missing key.
    Key,
    /// A missing index.
    Index,
    /// A missing attribute of a Python object.
    Attribute,
    /// A number beyond what the engine computes with.
    Overflow,
    /// Division by zero.
    ZeroDivision,
    /// Bytes that are not UTF-8.
    Decode,
    /// A file could not be read or written.
    Io,
    /// Fuel, recursion or output size ran out.
    Limit,
    /// The engine itself failed.
    Internal,
}

impl ErrorKind {
    /// The name as kluctl prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Undefined => "UndefinedError",
            Self::Syntax => "TemplateSyntaxError",
            Self::Assertion => "TemplateAssertionError",
            Self::Runtime => "TemplateRuntimeError",
            Self::Raised => "TemplateError",
            Self::NotFound => "TemplateNotFound",
            Self::Type => "TypeError",
            Self::Value => "ValueError",
            Self::Key => "KeyError",
            Self::Index => "IndexError",
            Self::Attribute => "AttributeError",
            Self::Overflow => "OverflowError",
            Self::ZeroDivision => "ZeroDivisionError",
            Self::Decode => "UnicodeDecodeError",
            Self::Io => "OSError",
            Self::Limit => "LimitExceeded",
            Self::Internal => "InternalError",
        }
    }
}

/// Which part of a template was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Outside of blocks and macros.
    TopLevel,
    /// Inside `{% block NAME %}`.
    Block(String),
    /// Inside a macro or `call` body, or not running at all (syntax error).
    Other,
}

impl fmt::Display for TemplatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopLevel => f.write_str("top-level template code"),
            Self::Block(name) => write!(f, "block '{name}'"),
            Self::Other => f.write_str("template"),
        }
    }
}

/// One step of the way to the error: a place in a file or an inline text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The file (or the origin of an inline text) and the place in it.
    pub at: Location,
    /// Name to print in the upstream layout: the path, `<template>` or `<unknown>`.
    pub shown_as: String,
    /// 1-based line in the template's own text.
    pub line: usize,
    /// What was running.
    pub part: TemplatePart,
}

impl Frame {
    /// The source line with its indentation; `None` for inline templates,
    /// whose line upstream does not print either.
    fn source_line(&self) -> Option<&str> {
        if self.shown_as.starts_with('<') {
            return None;
        }
        self.at.source.text.lines().nth(self.line.saturating_sub(1))
    }
}

/// Templates that render each other again and again need not all be shown.
const MAX_FRAMES: usize = 200;

/// A template that could not be rendered.
#[derive(Clone, PartialEq, Eq)]
pub struct TemplateError {
    repr: Box<Repr>,
}

#[derive(Clone, PartialEq, Eq)]
struct Repr {
    kind: ErrorKind,
    message: String,
    frames: Vec<Frame>,
}

impl TemplateError {
    /// An error without a place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { repr: Box::new(Repr { kind, message: message.into(), frames: Vec::new() }) }
    }

    /// Adds places; the innermost is the first.
    pub(crate) fn with_frames(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.repr.frames.extend(frames);
        self.repr.frames.truncate(MAX_FRAMES);
        self
    }

    /// The family.
    pub fn kind(&self) -> ErrorKind {
        self.repr.kind
    }

    /// What happened, in one line.
    pub fn message(&self) -> &str {
        &self.repr.message
    }

    /// The innermost place.
    pub fn location(&self) -> Option<&Location> {
        self.repr.frames.first().map(|frame| &frame.at)
    }

    /// All places from the innermost template to the one rendered.
    pub fn frames(&self) -> &[Frame] {
        &self.repr.frames
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr { kind, message, frames } = &*self.repr;
        if *kind == ErrorKind::NotFound {
            return f.write_str(message);
        }
        if let Some(frame) = frames.first() {
            writeln!(f, "  File \"{}\", line {}, in {}", frame.shown_as, frame.line, frame.part)?;
            if let Some(line) = frame.source_line().filter(|line| !line.trim().is_empty()) {
                writeln!(f, "    {}", line.trim())?;
                if let Some(marks) = marks(line) {
                    writeln!(f, "    {marks}")?;
                }
            }
        }
        write!(f, "{}: {message}", kind.name())
    }
}

/// Python underlines the first 25 columns of longer lines: it takes them for the statement that raised.
fn marks(line: &str) -> Option<String> {
    let indentation = line.len() - line.trim_start().len();
    let marked = 25usize.checked_sub(indentation).filter(|marked| *marked > 0)?;
    (line.trim().len() > marked).then(|| "^".repeat(marked))
}

impl fmt::Debug for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateError({self})")
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lines_are_underlined() {
        assert_eq!(marks("commonLabels: {a: \"{{ nope }}\"}").as_deref(), Some("^^^^^^^^^^^^^^^^^^^^^^^^^"));
        assert_eq!(marks("        image: \"{{ images.get_image() }}\"").as_deref(), Some("^^^^^^^^^^^^^^^^^"));
        assert_eq!(marks("- path: \"{{ a }}\""), None);
        assert_eq!(marks(&format!("{}x: {{{{ a }}}}", " ".repeat(30))), None);
    }
}
