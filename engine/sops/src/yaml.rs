//! YAML text → trees with comments, one per document.
//!
//! Scalars have the types that Go's yaml v3 gives them, because the authentication code is made of those.

mod emit;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, Placement, ScalarStyle, Span, StrInput, Tag};
use windlass_model::location::{Location, Source};
use windlass_yaml::{Dialect, Resolved, resolve};

use crate::error::SyntaxError;
use crate::tree::{Element, Entry, Node, Pair, Scalar};

pub(crate) use emit::to_text;

/// Nesting and copies of aliases that no hand-written file reaches.
const MAX_DEPTH: usize = 256;
const MAX_COPIES: usize = 100_000;

/// The documents of the text.
pub(crate) fn read(source: &Arc<Source>) -> Result<Vec<Node>, SyntaxError> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(true);
    let parser: Parser<'_, StrInput<'_>> = Parser::new_from_str_with_options(&source.text, options);
    let mut composer = Composer::new(source);
    for next in parser {
        let (event, span) = next.map_err(|error| composer.syntax(&error))?;
        composer.accept(event, &span)?;
    }
    Ok(composer.documents)
}

/// A collection whose end has not come yet.
struct Open {
    content: Content,
    anchor: usize,
    /// Column of its members.
    column: usize,
    /// Comments after the member that is still open.
    trailing: Vec<String>,
}

enum Content {
    Map { entries: Vec<Entry>, key: Option<(String, Option<String>)> },
    List(Vec<Element>),
}

struct Composer<'s> {
    source: &'s Arc<Source>,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copies: usize,
    /// Comments that stand before what comes next.
    head: Vec<String>,
    /// Where the root of the document starts.
    root: usize,
}

impl<'s> Composer<'s> {
    fn new(source: &'s Arc<Source>) -> Self {
        Self {
            source,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            copies: 0,
            head: Vec::new(),
            root: 0,
        }
    }

    fn syntax(&self, error: &granit_parser::ScanError) -> SyntaxError {
        let at = error.marker().byte_offset().unwrap_or(0);
        self.error(at..at, error.info())
    }

    fn error(&self, at: Range<usize>, reason: impl Into<String>) -> SyntaxError {
        SyntaxError { at: Location::new(self.source.clone(), at), reason: reason.into() }
    }

    fn accept(&mut self, event: Event<'_>, span: &Span) -> Result<(), SyntaxError> {
        let is_root = self.open.is_empty();
        if is_root && matches!(event, Event::Scalar(..) | Event::MappingStart(..) | Event::SequenceStart(..)) {
            self.root = span.byte_range().unwrap_or(0..0).start;
        }
        match event {
            Event::Comment(text, Placement::Right) => self.inline(&text),
            Event::Comment(text, _) => self.own_line(&text, span.start.col()),
            Event::Scalar(text, style, anchor, tag) => {
                if self.takes_key() {
                    return self.key(text.into_owned(), span);
                }
                let node = scalar(text.into_owned(), style, tag.as_deref());
                self.anchor(anchor, &node);
                self.place(node)?;
            }
            Event::MappingStart(_, anchor, _) => self.start(map(), anchor, span)?,
            Event::SequenceStart(_, anchor, _) => self.start(Content::List(Vec::new()), anchor, span)?,
            Event::MappingEnd | Event::SequenceEnd => self.end()?,
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::DocumentEnd => self.anchors.clear(),
            _ => {}
        }
        Ok(())
    }

    fn takes_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: String, span: &Span) -> Result<(), SyntaxError> {
        let range = span.byte_range().unwrap_or(0..0);
        let twice = self.error(range, format!("the key `{text}` stands twice in one mapping"));
        let head = std::mem::take(&mut self.head);
        let Some(Open { content: Content::Map { entries, key }, .. }) = self.open.last_mut() else { return Ok(()) };
        if entries.iter().filter_map(Entry::as_pair).any(|pair| pair.key == text) {
            return Err(twice);
        }
        entries.extend(head.into_iter().map(Entry::Comment));
        *key = Some((text, None));
        Ok(())
    }

    fn start(&mut self, content: Content, anchor: usize, span: &Span) -> Result<(), SyntaxError> {
        if self.takes_key() {
            return Err(self.error(span.byte_range().unwrap_or(0..0), "keys that are collections are not supported"));
        }
        let mut open = Open { content, anchor, column: span.start.col(), trailing: Vec::new() };
        for text in std::mem::take(&mut self.head) {
            open.comment(text);
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        for text in std::mem::take(&mut self.head) {
            if let Some(open) = self.open.last_mut() {
                open.comment(text);
            }
        }
        let Some(open) = self.open.pop() else { return Ok(()) };
        let node = match open.content {
            Content::Map { entries, .. } => Node::Map(entries),
            Content::List(elements) => Node::List(elements),
        };
        self.anchor(open.anchor, &node);
        self.place(node)
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<(), SyntaxError> {
        let range = span.byte_range().unwrap_or(0..0);
        if self.takes_key() {
            return Err(self.error(range, "aliases as keys are not supported"));
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(self.error(range, "the alias stands inside of what it stands for"));
        };
        self.copies += size(&node);
        if self.copies > MAX_COPIES {
            return Err(self.error(range, "the aliases of the file expand to too many values"));
        }
        self.place(node)
    }

    fn place(&mut self, value: Node) -> Result<(), SyntaxError> {
        let head = std::mem::take(&mut self.head);
        let Some(open) = self.open.last_mut() else {
            return self.document(value, head);
        };
        match &mut open.content {
            Content::Map { entries, key } => {
                entries.extend(head.into_iter().map(Entry::Comment));
                let (key, inline) = key.take().unwrap_or_default();
                entries.push(Entry::Pair(Pair { key, value, inline }));
            }
            Content::List(elements) => {
                elements.extend(head.into_iter().map(Element::Comment));
                elements.push(Element::Item { value, inline: None });
            }
        }
        for text in std::mem::take(&mut open.trailing) {
            open.comment(text);
        }
        Ok(())
    }

    /// The root of a document; nothing counts as an empty map, as SOPS has it.
    fn document(&mut self, value: Node, head: Vec<String>) -> Result<(), SyntaxError> {
        let mut entries: Vec<Entry> = head.into_iter().map(Entry::Comment).collect();
        match value {
            Node::Map(more) => entries.extend(more),
            Node::Null => {}
            _ => return Err(self.error(self.root..self.root, "the document is no mapping")),
        }
        self.documents.push(Node::Map(entries));
        Ok(())
    }

    /// A comment at the end of a line belongs to the value, or to the key whose value follows.
    fn inline(&mut self, text: &str) {
        let Some(open) = self.open.last_mut() else { return self.head.push(text.to_owned()) };
        let place = match &mut open.content {
            Content::Map { key: Some((_, inline)), .. } => Some(inline),
            Content::Map { entries, key: None } => entries.last_mut().and_then(|entry| match entry {
                Entry::Pair(pair) => Some(&mut pair.inline),
                Entry::Comment(_) => None,
            }),
            Content::List(elements) => elements.last_mut().and_then(|element| match element {
                Element::Item { inline, .. } => Some(inline),
                Element::Comment(_) => None,
            }),
        };
        match place {
            Some(inline @ None) => *inline = Some(text.to_owned()),
            _ => self.head.push(text.to_owned()),
        }
    }

    /// Less indented than the members of the innermost collections: these are over.
    fn own_line(&mut self, text: &str, column: usize) {
        let Some(innermost) = self.open.len().checked_sub(1) else {
            if let (true, Some(Node::Map(entries))) = (self.head.is_empty(), self.documents.last_mut()) {
                return entries.push(Entry::Comment(text.to_owned()));
            }
            return self.head.push(text.to_owned());
        };
        let at = (0..=innermost).rev().find(|at| self.open[*at].column <= column).unwrap_or(0);
        if at == innermost {
            self.head.push(text.to_owned());
        } else {
            self.open[at].trailing.push(text.to_owned());
        }
    }
}

impl Open {
    fn comment(&mut self, text: String) {
        match &mut self.content {
            Content::Map { entries, .. } => entries.push(Entry::Comment(text)),
            Content::List(elements) => elements.push(Element::Comment(text)),
        }
    }
}

fn map() -> Content {
    Content::Map { entries: Vec::new(), key: None }
}

fn size(node: &Node) -> usize {
    1 + node.pairs().map(|pair| size(&pair.value)).sum::<usize>() + node.items().map(size).sum::<usize>()
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    let plain = style == ScalarStyle::Plain;
    let resolved = match tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:")) {
        Some(tag) if tag == "str" => Resolved::Text,
        Some(_) => resolve(&text, Dialect::GoV3),
        None if plain && tag.is_none() => resolve(&text, Dialect::GoV3),
        None => Resolved::Text,
    };
    Node::Scalar(match resolved {
        Resolved::Null => return Node::Null,
        Resolved::Text => Scalar::Text(text),
        Resolved::Timestamp(stamp) => Scalar::Time(stamp),
        Resolved::Bool(value) => Scalar::Bool(value),
        Resolved::Int(value) => Scalar::Int(value),
        Resolved::UInt(value) => Scalar::UInt(value),
        Resolved::Float(value) => Scalar::Float(value),
    })
}

#[cfg(test)]
mod tests;
