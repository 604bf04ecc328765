//! Where something stands in a user's file.
//!
//! A [`Location`] carries the whole text behind an [`Arc`], so an error can
//! show the line without reading the file again (it may be a string inside
//! another file, or be gone by then).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that the user wrote, and the name to show for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// File path as the user would write it, or the origin of an inline text
    /// such as `deployment.yaml: vars[2]`.
    pub name: String,
    /// The complete text.
    pub text: String,
}

impl Source {
    /// Stores name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }
}

/// A byte range inside a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// The text that `span` points into.
    pub source: Arc<Source>,
    /// Byte range; may be empty (a point), never beyond the text's end.
    pub span: Range<usize>,
}

impl Location {
    /// A location in `source`; a range beyond its end is cut.
    pub fn new(source: Arc<Source>, span: Range<usize>) -> Self {
        let end = source.text.len();
        let span = span.start.min(end)..span.end.min(end).max(span.start.min(end));
        Self { source, span }
    }

    /// The place of 1-based `line` and `column` (in characters), as far as it exists.
    pub fn at_line(source: Arc<Source>, line: usize, column: usize) -> Self {
        let start = offset_of(&source.text, line.max(1), column.max(1));
        Self::new(source, start..start)
    }

    /// 1-based line of the start.
    pub fn line(&self) -> usize {
        self.head().matches('\n').count() + 1
    }

    /// 1-based column of the start, in characters.
    pub fn column(&self) -> usize {
        let head = self.head();
        head[head.rfind('\n').map_or(0, |i| i + 1)..].chars().count() + 1
    }

    fn head(&self) -> &str {
        let mut start = self.span.start;
        while !self.source.text.is_char_boundary(start) {
            start -= 1;
        }
        &self.source.text[..start]
    }
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(i) => start += i + 1,
            None => return text.len(),
        }
    }
    let rest = text[start..].split('\n').next().unwrap_or_default();
    start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(i, _)| i)
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line(), self.column())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_column_count_characters() {
        let source = Source::new("a.yaml", "ä: 1\nbü: 2\n");
        let at = Location::new(source.clone(), 9..10);
        assert_eq!(at.to_string(), "a.yaml:2:3");
        assert_eq!(Location::at_line(source, 2, 3), at.clone().point());
    }

    #[test]
    fn a_range_beyond_the_end_is_cut() {
        let at = Location::new(Source::new("a", "x"), 7..9);
        assert_eq!(at.span, 1..1);
    }

    impl Location {
        fn point(mut self) -> Self {
            self.span.end = self.span.start;
            self
        }
    }
}
