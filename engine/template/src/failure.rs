//! From the engine's errors to [`TemplateError`], and back for our functions.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use minijinja::{Error, ErrorKind as EngineKind};
use windlass_model::location::{Location, Source};

use crate::error::{ErrorKind, Frame, TemplateError, TemplatePart};
use crate::scope;
use crate::translate::Translated;
use crate::value::parent_name;

mod way;

/// An error of one of our functions, carried through the engine.
#[derive(Debug)]
struct Raised {
    kind: ErrorKind,
    message: String,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Raised {}

/// An engine error with a Python kind and text.
pub(crate) fn raised(kind: ErrorKind, message: impl Into<String>) -> Error {
    let message = message.into();
    let engine_kind = match kind {
        ErrorKind::Undefined => EngineKind::UndefinedError,
        ErrorKind::NotFound => EngineKind::TemplateNotFound,
        _ => EngineKind::InvalidOperation,
    };
    Error::new(engine_kind, message.clone()).with_source(Raised { kind, message })
}

pub(crate) fn type_error(message: impl Into<String>) -> Error {
    raised(ErrorKind::Type, message)
}

pub(crate) fn value_error(message: impl Into<String>) -> Error {
    raised(ErrorKind::Value, message)
}

/// An inner template failed as a whole; the outer one fails with its error.
pub(crate) fn nested(error: TemplateError) -> Error {
    let kind =
        if error.kind() == ErrorKind::NotFound { EngineKind::TemplateNotFound } else { EngineKind::InvalidOperation };
    Error::new(kind, error.message().to_owned()).with_source(error)
}

/// A macro failed: gets the place of the call as the next step of the way.
pub(crate) fn called(error: Error) -> Error {
    Error::new(EngineKind::InvalidOperation, "a macro failed").with_source(error)
}

/// [`called`] for a macro that a `call` block calls.
pub(crate) fn called_with_body(error: Error) -> Error {
    Error::new(EngineKind::InvalidOperation, CALL_BLOCK).with_source(error)
}

/// The engine gives such an error a place in the body of the block.
const CALL_BLOCK: &str = "a macro failed that has a `call` block";

/// What was being rendered when the engine failed.
pub(crate) enum Rendering<'a> {
    /// A file by its name; the engine's names are paths.
    File(&'a str, &'a Translated),
    /// An inline text that stands at a place.
    Inline(&'a Location, &'a Translated),
}

impl Rendering<'_> {
    fn outermost(&self) -> &Translated {
        let (Self::File(_, outermost) | Self::Inline(_, outermost)) = self;
        outermost
    }

    /// What the template `name` was compiled from.
    fn source(&self, name: &str, text: &str) -> Option<Arc<Translated>> {
        let outermost = self.outermost();
        if outermost.text == text { Some(Arc::new((*outermost).clone())) } else { scope::current_source(name) }
    }
}

/// Steps of the way to an error that are kept, innermost first.
const MAX_FRAMES: usize = 50;

/// The engine's name for inline texts.
pub(crate) const INLINE_NAME: &str = "<template>";

/// Turns an engine error into ours.
pub(crate) fn convert(error: &Error, rendering: &Rendering<'_>) -> TemplateError {
    let mut steps = Vec::new();
    let mut chain = Chain { innermost: error, inner: None };
    let mut current: Option<&Error> = Some(error);
    while let Some(error) = current {
        steps.push(error);
        chain.innermost = error;
        current = None;
        if let Some(source) = error.source() {
            current = source.downcast_ref::<Error>();
            chain.inner = source.downcast_ref::<TemplateError>();
        }
    }
    steps.reverse();
    // An endless recursion has hundreds of steps that say the same.
    let mut frames: Vec<Frame> =
        steps.into_iter().filter_map(|error| frame(error, rendering)).take(MAX_FRAMES).collect();
    let missing = way::to_outermost(&frames, rendering);
    frames.extend(missing);
    let error = chain.error(rendering);
    let error = if chain.inner.is_none() { refined(error, frames.first()) } else { error };
    error.with_frames(frames)
}

/// Undefined values that are no variables: the place tells what they were.
fn refined(error: TemplateError, frame: Option<&Frame>) -> TemplateError {
    if let Some(TemplatePart::Block(name)) = frame.map(|frame| &frame.part).filter(|_| error.message() == NO_PARENT) {
        return TemplateError::new(ErrorKind::Undefined, format!("there is no parent block called '{name}'."));
    }
    let in_macro = frame.is_some_and(|frame| frame.part == TemplatePart::Other);
    let has_macros = frame.is_some_and(|frame| frame.at.source.text.contains("macro "));
    if has_macros && error.message() == "'caller' is undefined" {
        return TemplateError::new(ErrorKind::Undefined, "No caller defined");
    }
    let Some(frame) = frame.filter(|_| error.message() == UNKNOWN_UNDEFINED) else { return error };
    let text = frame.at.source.text.get(frame.at.span.clone()).unwrap_or_default();
    if in_macro && text.starts_with("caller(") {
        return TemplateError::new(ErrorKind::Undefined, "No caller defined");
    }
    let called = text.split('(').next().unwrap_or_default();
    if let Some(message) = scope::name_message(called).filter(|_| text.ends_with(')')) {
        return TemplateError::new(ErrorKind::Undefined, message);
    }
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let message = match text {
        name if is_name && scope::name_message(name).is_some() => scope::name_message(name).unwrap_or_default(),
        _ if text.contains("loop.previtem") => "there is no previous item".to_owned(),
        _ if text.contains("loop.nextitem") => "there is no next item".to_owned(),
        name if is_name && frame.part == TemplatePart::Other => {
            match parameter(&frame.at.source.text[..frame.at.span.start], name) {
                Some(None) => format!("parameter '{name}' was not provided"),
                Some(Some(default)) => format!("'{default}' is undefined"),
                None => format!("'{name}' is undefined"),
            }
        }
        _ => match scope::last_miss_message() {
            Some(message) => message,
            None => return error,
        },
    };
    TemplateError::new(ErrorKind::Undefined, message)
}

/// Whether the last macro that starts in `text` has a parameter `name`, and its default.
fn parameter<'a>(text: &'a str, name: &str) -> Option<Option<&'a str>> {
    let start = text.rfind("macro ").max(text.rfind("call("))?;
    let (_, rest) = text[start..].split_once('(')?;
    let (list, _) = rest.split_once("%}")?;
    let mut declared = list.trim_end().trim_end_matches(['-', '+']).trim_end().trim_end_matches(')').split(',');
    declared.find_map(|parameter| match parameter.split_once('=') {
        Some((known, default)) if known.trim() == name => Some(Some(default.trim())),
        None if parameter.trim() == name => Some(None),
        _ => None,
    })
}

/// The engine's words for `super()` in a block that overrides nothing.
const NO_PARENT: &str = "no parent block exists";

/// An undefined value of which the engine knows no expression.
const UNKNOWN_UNDEFINED: &str = "value is undefined";

struct Chain<'a> {
    innermost: &'a Error,
    inner: Option<&'a TemplateError>,
}

impl Chain<'_> {
    fn error(&self, rendering: &Rendering<'_>) -> TemplateError {
        if let Some(inner) = self.inner {
            return inner.clone();
        }
        if let Some(raised) = self.innermost.source().and_then(|source| source.downcast_ref::<Raised>()) {
            return TemplateError::new(raised.kind, raised.message.clone());
        }
        let (kind, mut message) = describe(self.innermost);
        if kind == ErrorKind::Syntax {
            let (name, text) = (self.innermost.name().unwrap_or_default(), self.innermost.template_source());
            let source = rendering.source(name, text.unwrap_or_default());
            message = source.and_then(|source| source.problem.clone()).unwrap_or(message);
        }
        TemplateError::new(kind, message)
    }
}

fn frame(error: &Error, rendering: &Rendering<'_>) -> Option<Frame> {
    let (name, line) = (error.name()?, error.line()?);
    let compiled = error.template_source().unwrap_or_default();
    let source = rendering.source(name, compiled);
    let offset = |offset: usize| source.as_ref().map_or(offset, |source| source.original_offset(offset));
    let range = error.range().map(|range| offset(range.start)..offset(range.end).max(offset(range.start)));
    let text = source.as_ref().map_or(compiled, |source| &source.original);
    let (line, range) = match error.detail() {
        Some(CALL_BLOCK) => match call_site(text, line, range.as_ref()) {
            Some(tag) => (way::line_of(text, tag), Some(tag..tag + 2)),
            None => (line, range),
        },
        _ => (line, range),
    };
    let syntax = error.kind() == EngineKind::SyntaxError;
    // Python finds unknown filters when it compiles.
    let compiling = syntax || matches!(error.kind(), EngineKind::UnknownFilter | EngineKind::UnknownTest);
    let part = match compiling {
        true => TemplatePart::Other,
        false => way::part_at(text, range.as_ref().map_or_else(|| line_start(text, line), |range| range.start)),
    };
    let (shown_as, at) = match rendering {
        Rendering::Inline(origin, _) if name == INLINE_NAME || name == "<expression>" => {
            let name = if syntax { "<unknown>" } else { INLINE_NAME };
            (name.to_owned(), inline_location(origin, range, text))
        }
        _ => {
            let source = Source::new(name, text);
            let at = match range {
                Some(range) => Location::new(source, range),
                None => Location::at_line(source, line, 1),
            };
            (name.to_owned(), at)
        }
    };
    Some(Frame { at, shown_as, line, part })
}

/// The tag of the `call` block in whose body the engine places an error of the call.
fn call_site(text: &str, line: usize, range: Option<&std::ops::Range<usize>>) -> Option<usize> {
    let start = line_start(text, line);
    // Without a range, a line with such a tag is the right one.
    let is_there = range.is_none() && text.get(start..)?.lines().next().is_some_and(way::starts_call);
    if is_there { None } else { way::call_tag(text, range.map_or(start, |range| range.start)) }
}

/// The place inside the text that the template was taken from, when the
/// template stands there as it is; else the whole origin.
fn inline_location(origin: &Location, range: Option<std::ops::Range<usize>>, text: &str) -> Location {
    let here = origin.source.text.get(origin.span.start..).unwrap_or_default();
    match range {
        Some(range) if !text.is_empty() && here.starts_with(text) => {
            let start = origin.span.start;
            Location::new(origin.source.clone(), start + range.start..start + range.end)
        }
        _ => origin.clone(),
    }
}

fn line_start(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

/// Kind and text of an error that the engine itself raised.
fn describe(error: &Error) -> (ErrorKind, String) {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        EngineKind::SyntaxError | EngineKind::BadEscape => (ErrorKind::Syntax, syntax_message(detail)),
        EngineKind::UndefinedError => (ErrorKind::Undefined, undefined_message(detail)),
        EngineKind::UnknownFilter => (ErrorKind::Assertion, format!("No filter named '{}'.", unknown_name(detail))),
        EngineKind::UnknownTest => (ErrorKind::Assertion, format!("No test named '{}'.", unknown_name(detail))),
        EngineKind::UnknownFunction => {
            (ErrorKind::Undefined, format!("'{}' is undefined", detail.trim_end_matches(" is unknown")))
        }
        EngineKind::UnknownMethod => (ErrorKind::Undefined, unknown_method(detail)),
        EngineKind::UnknownBlock => (
            ErrorKind::Undefined,
            format!("'jinja2.runtime.TemplateReference object' has no attribute '{}'", unknown_block(detail)),
        ),
        EngineKind::TemplateNotFound => (ErrorKind::NotFound, scope::not_found_message(detail)),
        EngineKind::OutOfFuel => (ErrorKind::Limit, "the template runs too long".to_owned()),
        EngineKind::WriteFailure => (ErrorKind::Limit, "the output of the template is too large".to_owned()),
        EngineKind::CannotUnpack => (ErrorKind::Value, unpack_message(detail)),
        _ if detail.contains("is undefined") || detail.contains("convert undefined") => {
            (ErrorKind::Undefined, undefined_message(detail))
        }
        _ if detail.contains("recursion limit") => (ErrorKind::Limit, "maximum recursion depth exceeded".to_owned()),
        _ if detail == "value of type undefined is not callable" => {
            (ErrorKind::Undefined, UNKNOWN_UNDEFINED.to_owned())
        }
        _ if detail == "cannot super outside of block" => (ErrorKind::Undefined, "'super' is undefined".to_owned()),
        _ if is_division_by_zero(detail) => (ErrorKind::ZeroDivision, "division by zero".to_owned()),
        _ if detail.is_empty() => (ErrorKind::Type, error.kind().to_string()),
        _ => (ErrorKind::Type, detail.to_owned()),
    }
}

/// Jinja's words for a token in the wrong place.
fn syntax_message(detail: &str) -> String {
    let Some((found, wanted)) = detail.strip_prefix("unexpected ").and_then(|rest| rest.split_once(", expected "))
    else {
        return detail.to_owned();
    };
    let wanted = match wanted {
        "end of variable block" => "end of print statement",
        "end of block" => "end of statement block",
        _ => return detail.to_owned(),
    };
    match found {
        "end of input" => format!("unexpected end of template, expected '{wanted}'."),
        _ => format!("expected token '{wanted}', got '{}'", found.trim_matches('`')),
    }
}

fn is_division_by_zero(detail: &str) -> bool {
    let calculation = detail.strip_prefix("unable to calculate ").unwrap_or_default();
    [" / 0", " // 0", " % 0", " / 0.0", " // 0.0", " % 0.0", " / False", " // False", " % False"]
        .iter()
        .any(|end| calculation.ends_with(end))
}

/// `filter x is unknown` → `x`.
fn unknown_name(detail: &str) -> String {
    detail.split(' ').nth(1).unwrap_or(detail).replace(crate::translate::NAME_DOT, ".")
}

/// `block 'x' not found` → `x`.
fn unknown_block(detail: &str) -> &str {
    detail.split('\'').nth(1).unwrap_or(detail)
}

/// `map has no method named x` → Jinja's text.
fn unknown_method(detail: &str) -> String {
    let Some((parent, method)) = detail.split_once(" has no method named ") else { return detail.to_owned() };
    let parent = match parent {
        "undefined" => return undefined_message(method),
        "bool" => "bool object",
        "map" => "dict object",
        "sequence" => "list object",
        "string" => "str object",
        "none" => "None",
        "number" => "int object",
        other => other,
    };
    format!("'{parent}' has no attribute '{method}'")
}

/// `sequence of wrong length (expected 2, got 3)` → Python's text.
fn unpack_message(detail: &str) -> String {
    let mut numbers = detail.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<usize>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(expected), Some(got)) if got > expected => format!("too many values to unpack (expected {expected})"),
        (Some(expected), Some(got)) => format!("not enough values to unpack (expected {expected}, got {got})"),
        _ => detail.to_owned(),
    }
}

/// The engine names the expression (`` `a.b` is undefined``); Jinja names the
/// missing thing and the type of what it was looked up in.
fn undefined_message(detail: &str) -> String {
    let expression = detail
        .split_once('`')
        .and_then(|(_, rest)| rest.split_once("` is undefined"))
        .map(|(expression, _)| expression);
    let Some(expression) = expression else {
        return UNKNOWN_UNDEFINED.to_owned();
    };
    let is_name = expression.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name {
        return format!("'{expression}' is undefined");
    }
    let (base, key) = match expression.strip_suffix(']').and_then(|head| head.rsplit_once('[')) {
        Some((base, key)) => (base, key.trim_matches(['"', '\''])),
        None => expression.rsplit_once('.').unwrap_or(("", expression)),
    };
    scope::miss_message(key).unwrap_or_else(|| {
        let parent = scope::variable(base).map_or_else(|| literal_parent(base).to_owned(), |value| parent_name(&value));
        let element = match key {
            "none" | "None" => Some("None"),
            "true" | "True" => Some("True"),
            "false" | "False" => Some("False"),
            number if number.parse::<f64>().is_ok() => Some(number),
            _ => None,
        };
        match element.filter(|_| expression.ends_with(']') || key.parse::<u64>().is_ok()) {
            Some(element) => format!("{parent} has no element {element}"),
            None => format!("'{parent}' has no attribute '{key}'"),
        }
    })
}

/// The type of what an expression starts with, as far as its text tells.
fn literal_parent(base: &str) -> &'static str {
    match base.chars().next() {
        Some('"' | '\'') => "str object",
        Some(c) if c.is_ascii_digit() => "int object",
        _ if base.starts_with("range(") => "range object",
        _ => "dict object",
    }
}

/// A file that could not be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> TemplateError {
    TemplateError::new(ErrorKind::Io, format!("read `{}`: {error}", path.display()))
}

/// Bytes that are not text, in Python's words.
pub(crate) fn not_text(path: &Path, bytes: &[u8], error: &std::str::Utf8Error) -> TemplateError {
    let at = error.valid_up_to();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let reason = match error.error_len() {
        None => "unexpected end of data",
        Some(_) if !(0xc2..=0xf4).contains(&byte) => "invalid start byte",
        Some(_) => "invalid continuation byte",
    };
    let message = format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}");
    let text: Arc<Source> = Source::new(path.display().to_string(), String::from_utf8_lossy(bytes));
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    TemplateError::new(ErrorKind::Decode, message).with_frames([Frame {
        at: Location::at_line(text, line, 1),
        shown_as: path.display().to_string(),
        line,
        part: TemplatePart::Other,
    }])
}
