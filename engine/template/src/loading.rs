//! Reads template files.

use std::borrow::Cow;
use std::path::Path;

use crate::error::TemplateError;
use crate::failure::{not_text, unreadable};

/// The text of a template file with `\n` line ends.
pub(crate) fn read_template(path: &Path) -> Result<String, TemplateError> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = text_of(path, bytes)?;
    Ok(match unix_lines(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(text) => text,
    })
}

pub(crate) fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, TemplateError> {
    String::from_utf8(bytes).map_err(|error| {
        let reason = error.utf8_error();
        not_text(path, &error.into_bytes(), &reason)
    })
}

/// Python's universal newlines: CRLF and lone CR become LF.
pub(crate) fn unix_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { Cow::Borrowed(text) }
}
