//! Builds values from parser events.
//!
//! One pass without recursion and without a table of spans. Nesting is limited
//! all the same, because values are cloned, written and dropped recursively.

mod anchors;
mod keys;
mod scalars;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Value};
use windlass_model::location::{Location, Source};

use crate::dialect::{Dialect, DuplicateKeys, ReadOptions};
use crate::error::{YamlError, YamlErrorKind};
use crate::locate;
use anchors::Anchors;
use keys::{Key, value_key};

pub(crate) use keys::key_text;
pub(crate) use scalars::{integral, scalar};

/// Nesting that no hand-written or generated manifest reaches.
pub(crate) const MAX_DEPTH: usize = 256;

/// A parser over `text` with this crate's limits; comments are skipped.
pub(crate) fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// Byte range of an event.
pub(crate) fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

/// Reads the documents of one text in turn.
pub(crate) struct Composer<'s> {
    source: &'s Arc<Source>,
    parser: Parser<'s, StrInput<'s>>,
    options: ReadOptions,
    anchors: Anchors,
    open: Vec<Open>,
    deepest: usize,
}

/// A collection whose end has not come yet.
struct Open {
    content: Content,
    start: Range<usize>,
    anchor: usize,
    nodes_before: usize,
    deepest_before: usize,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping { map: Map<String, Value>, merged: Vec<Map<String, Value>>, key: Option<Pending> },
}

/// A key that waits for its value.
enum Pending {
    Text(String, Range<usize>),
    Merge,
}

impl<'s> Composer<'s> {
    pub(crate) fn new(source: &'s Arc<Source>, options: ReadOptions) -> Self {
        let parser = parser(&source.text);
        Self { source, parser, options, anchors: Anchors::default(), open: Vec::new(), deepest: 0 }
    }

    /// The next document's value; nothing at the end of the text.
    pub(crate) fn next_document(&mut self) -> Result<Option<Value>, YamlError> {
        loop {
            match self.next_event()? {
                Some((Event::DocumentStart(..), _)) => break,
                Some((Event::StreamEnd, _)) | None => return Ok(None),
                Some(_) => {}
            }
        }
        self.anchors.next_document();
        let mut document = Value::Null;
        while let Some((event, span)) = self.next_event()? {
            if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
                break;
            }
            if self.expects_key() && event != Event::MappingEnd {
                self.key(event, &span)?;
            } else if let Some(value) = self.node(event, &span)? {
                document = value;
            }
        }
        Ok(Some(document))
    }

    fn next_event(&mut self) -> Result<Option<(Event<'s>, Span)>, YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok(None),
        }
    }

    fn syntax_error(&self, error: &ScanError) -> YamlError {
        let at = error.marker().byte_offset().unwrap_or(self.source.text.len());
        self.error(at..at, YamlErrorKind::Syntax { reason: error.info() })
    }

    fn error(&self, span: Range<usize>, kind: YamlErrorKind) -> YamlError {
        YamlError::new(Location::new(self.source.clone(), span), kind)
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, event: Event<'s>, span: &Span) -> Result<(), YamlError> {
        let dialect = self.options.dialect;
        let pending = match Key::of(&event, dialect) {
            Key::Text(text) => Pending::Text(text, bytes(span)),
            Key::Merge => Pending::Merge,
            Key::Refused(key) => return Err(self.error(bytes(span), YamlErrorKind::NonStringKey { key })),
            Key::Composed => {
                let value = self.leaf(event, span)?;
                let text = value_key(value, dialect).ok_or_else(|| {
                    let key = format!("`{}`", &self.source.text[bytes(span)]);
                    self.error(bytes(span), YamlErrorKind::NonStringKey { key })
                })?;
                Pending::Text(text, bytes(span))
            }
        };
        if let Some(Open { content: Content::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(pending);
        }
        Ok(())
    }

    /// Takes a node's event; gives the document's value when it is complete.
    fn node(&mut self, event: Event<'s>, span: &Span) -> Result<Option<Value>, YamlError> {
        match event {
            Event::SequenceStart(_, anchor, _) => {
                self.start(Content::Sequence(Vec::new()), anchor, span)?;
                Ok(None)
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping { map: Map::new(), merged: Vec::new(), key: None };
                self.start(content, anchor, span)?;
                Ok(None)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let start = open.start.clone();
                    let value = self.finish(open);
                    self.deliver(value, start)
                }
                None => Ok(None),
            },
            _ => {
                let value = self.leaf(event, span)?;
                self.deliver(value, bytes(span))
            }
        }
    }

    fn start(&mut self, content: Content, anchor: usize, span: &Span) -> Result<(), YamlError> {
        self.anchors.count();
        let open = Open {
            content,
            start: bytes(span),
            anchor,
            nodes_before: self.anchors.nodes(),
            deepest_before: self.deepest,
        };
        if anchor != 0 {
            self.deepest = self.open.len();
        }
        self.open.push(open);
        self.reach(self.open.len(), span)
    }

    /// Notes how deep the document is.
    fn reach(&mut self, depth: usize, span: &Span) -> Result<(), YamlError> {
        if depth > MAX_DEPTH {
            return Err(self.error(bytes(span), YamlErrorKind::TooDeep { limit: MAX_DEPTH }));
        }
        self.deepest = self.deepest.max(depth);
        Ok(())
    }

    fn finish(&mut self, open: Open) -> Value {
        let value = match open.content {
            Content::Sequence(items) => Value::Array(items),
            Content::Mapping { mut map, merged, .. } => {
                for source in merged {
                    for (key, value) in source {
                        map.entry(key).or_insert(value);
                    }
                }
                Value::Object(map)
            }
        };
        if open.anchor != 0 {
            let height = self.deepest - self.open.len();
            let nodes = self.anchors.nodes() - open.nodes_before + 1;
            self.anchors.keep(open.anchor, &value, nodes, height);
            self.deepest = self.deepest.max(open.deepest_before);
        }
        value
    }

    /// The value of a scalar or an alias.
    fn leaf(&mut self, event: Event<'s>, span: &Span) -> Result<Value, YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.anchors.count();
                let value =
                    scalar(self.without_invented_end(text, style, span), style, tag.as_deref(), self.options.dialect)
                        .map_err(|kind| self.error(bytes(span), kind))?;
                if anchor != 0 {
                    self.anchors.keep(anchor, &value, 1, 0);
                }
                Ok(value)
            }
            Event::Alias(anchor) => {
                let (value, height) = self.anchors.resolve(anchor).map_err(|kind| self.error(bytes(span), kind))?;
                self.reach(self.open.len() + height, span)?;
                Ok(value)
            }
            other => {
                let reason = format!("unexpected {other:?}");
                Err(self.error(bytes(span), YamlErrorKind::Syntax { reason }))
            }
        }
    }

    /// The text of a scalar; a block scalar whose last line ends with the text has no line break at its end
    /// (Go's reading), although the parser gives it one.
    fn without_invented_end(&self, text: Cow<'_, str>, style: ScalarStyle, span: &Span) -> String {
        let mut text = text.into_owned();
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) && text.ends_with('\n') {
            let source = &self.source.text;
            let last = source.rsplit(['\n', '\r']).next().unwrap_or_default();
            if bytes(span).end >= source.len() && !last.trim().is_empty() {
                text.pop();
            }
        }
        text
    }

    /// Hands a value to the collection around it, or back when there is none.
    fn deliver(&mut self, value: Value, span: Range<usize>) -> Result<Option<Value>, YamlError> {
        let duplicate_keys = self.options.duplicate_keys;
        match self.open.last_mut().map(|open| &mut open.content) {
            None => return Ok(Some(value)),
            Some(Content::Sequence(items)) => items.push(value),
            Some(Content::Mapping { map, merged, key }) => match key.take() {
                Some(Pending::Text(text, key_span)) => {
                    if duplicate_keys == DuplicateKeys::Error && map.contains_key(&text) {
                        return Err(self.duplicate(text, key_span));
                    }
                    map.insert(text, value);
                }
                Some(Pending::Merge) => {
                    let valid = merge(value, merged);
                    if !valid {
                        return Err(self.error(span, YamlErrorKind::InvalidMerge));
                    }
                }
                None => {}
            },
        }
        Ok(None)
    }

    fn duplicate(&self, key: String, span: Range<usize>) -> YamlError {
        let first = locate::first_of_duplicate(self.source, span.start, self.options)
            .map(|first| Location::new(self.source.clone(), first));
        let manifest = self.options.dialect == Dialect::GoV3;
        self.error(span, YamlErrorKind::DuplicateKey { key, first, manifest })
    }
}

/// Adds the sources of a `<<`, those that count first in front; false when they are no mappings.
fn merge(value: Value, merged: &mut Vec<Map<String, Value>>) -> bool {
    let sources = match value {
        Value::Array(items) => items,
        other => vec![other],
    };
    sources.into_iter().all(|source| match source {
        Value::Object(map) => {
            merged.push(map);
            true
        }
        _ => false,
    })
}
