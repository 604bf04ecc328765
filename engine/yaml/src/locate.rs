//! Finds the bytes that a value was read from.
//!
//! Only errors and editors ask, so the text is parsed a second time and the
//! reading path keeps no table.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, ScalarStyle};
use windlass_model::location::Source;

use crate::compose::{bytes, key_text, parser};
use crate::dialect::{Dialect, ReadOptions};
use crate::document::PathElement;

/// What of a path is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
}

/// Byte range of a value or key in document `index`.
pub(crate) fn find(
    source: &Arc<Source>,
    index: usize,
    options: ReadOptions,
    path: &[PathElement],
    part: Part,
) -> Option<Range<usize>> {
    let tree = Tree::document(&source.text, index, options.dialect);
    let mut at = tree.root?;
    let mut key = None;
    for element in path {
        at = tree.follow(at);
        match (element, &tree.nodes[at].kind) {
            (PathElement::Index(index), Kind::Sequence(items)) => {
                at = *items.get(*index)?;
                key = None;
            }
            (PathElement::Key(name), Kind::Mapping(_)) => {
                let entry = tree.entry(at, name, 0)?;
                at = entry.value;
                key = Some(entry.key_span.clone());
            }
            _ => return None,
        }
    }
    match (part, key) {
        (Part::Key, Some(span)) => Some(span),
        _ => Some(tree.nodes[at].span.clone()),
    }
}

/// Where the key that stands again at `offset` stands first.
pub(crate) fn first_of_duplicate(source: &Arc<Source>, offset: usize, options: ReadOptions) -> Option<Range<usize>> {
    let index = documents_before(&source.text, offset);
    let tree = Tree::document(&source.text, index, options.dialect);
    tree.nodes.iter().find_map(|node| {
        let Kind::Mapping(entries) = &node.kind else {
            return None;
        };
        let second = entries.iter().find(|entry| entry.key_span.start == offset)?;
        entries.iter().find(|entry| entry.key == second.key).map(|first| first.key_span.clone())
    })
}

fn documents_before(text: &str, offset: usize) -> usize {
    let mut count = 0;
    let mut events = parser(text);
    while let Some(Ok((event, span))) = events.next_event() {
        if bytes(&span).start >= offset {
            break;
        }
        count += usize::from(event == Event::DocumentEnd);
    }
    count
}

/// Spans of one document; children are indices into `nodes`.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    root: Option<usize>,
    anchors: HashMap<usize, usize>,
}

struct Node {
    span: Range<usize>,
    kind: Kind,
}

enum Kind {
    Scalar,
    Alias(Option<usize>),
    Sequence(Vec<usize>),
    Mapping(Vec<Entry>),
}

struct Entry {
    /// Nothing for a merge and for keys without text.
    key: Option<String>,
    merge: bool,
    key_span: Range<usize>,
    value: usize,
}

/// A collection whose end has not come yet.
struct Open {
    node: usize,
    flow: bool,
    /// Key that waits for its value.
    key: Option<(Option<String>, bool, Range<usize>)>,
}

impl Tree {
    /// Reads document `index`; stops quietly at a syntax error.
    fn document(text: &str, index: usize, dialect: Dialect) -> Self {
        let mut tree = Self::default();
        let mut open: Vec<Open> = Vec::new();
        let mut events = parser(text);
        let mut current = 0;
        while let Some(Ok((event, span))) = events.next_event() {
            if event == Event::DocumentEnd {
                if current == index {
                    break;
                }
                current += 1;
            } else if current == index {
                tree.event(&event, bytes(&span), &mut open, dialect);
            }
        }
        while let Some(unfinished) = open.pop() {
            tree.close(unfinished, text.len(), &mut open);
        }
        tree
    }

    fn event(&mut self, event: &Event<'_>, span: Range<usize>, open: &mut Vec<Open>, dialect: Dialect) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = *style == ScalarStyle::Plain && tag.is_none();
                let node = self.push(span, Kind::Scalar, *anchor);
                let merge = plain && text == "<<" && dialect.merges();
                self.add(node, || scalar_key(text, plain, dialect), merge, open);
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(anchor).copied();
                let node = self.push(span, Kind::Alias(target), 0);
                self.add(node, || None, false, open);
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = *style == granit_parser::StructureStyle::Flow;
                let node = self.push(span, Kind::Sequence(Vec::new()), *anchor);
                open.push(Open { node, flow, key: None });
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = *style == granit_parser::StructureStyle::Flow;
                let node = self.push(span, Kind::Mapping(Vec::new()), *anchor);
                open.push(Open { node, flow, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = open.pop() {
                    self.close(done, span.end, open);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, span: Range<usize>, kind: Kind, anchor: usize) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { span, kind });
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.root.get_or_insert(node);
        node
    }

    fn close(&mut self, done: Open, end: usize, open: &mut [Open]) {
        let children: Vec<Range<usize>> = match &self.nodes[done.node].kind {
            Kind::Sequence(items) => items.iter().map(|item| self.nodes[*item].span.clone()).collect(),
            Kind::Mapping(entries) => entries
                .iter()
                .map(|entry| {
                    let value = &self.nodes[entry.value].span;
                    entry.key_span.start..value.end.max(entry.key_span.end)
                })
                .collect(),
            Kind::Scalar | Kind::Alias(_) => Vec::new(),
        };
        let mapping = matches!(self.nodes[done.node].kind, Kind::Mapping(_));
        let span = &mut self.nodes[done.node].span;
        if done.flow {
            span.end = end.max(span.start);
        } else if let (Some(first), Some(last)) = (children.first(), children.last()) {
            if mapping {
                span.start = first.start;
            }
            span.end = last.end.max(span.start);
        }
        self.add(done.node, || None, false, open);
    }

    /// Hands a finished node to its parent, as key, value or item.
    fn add(&mut self, node: usize, key: impl FnOnce() -> Option<String>, merge: bool, open: &mut [Open]) {
        let Some(parent) = open.last_mut() else {
            return;
        };
        let span = self.nodes[node].span.clone();
        match &mut self.nodes[parent.node].kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping(entries) => match parent.key.take() {
                None => parent.key = Some((key(), merge, span)),
                Some((key, merge, key_span)) => entries.push(Entry { key, merge, key_span, value: node }),
            },
            Kind::Scalar | Kind::Alias(_) => {}
        }
    }

    /// The node that an alias stands for.
    fn follow(&self, at: usize) -> usize {
        match self.nodes[at].kind {
            Kind::Alias(Some(target)) => target,
            _ => at,
        }
    }

    /// The entry of a mapping, an own one before merged ones; names of
    /// fields match in any case, as in typed decoding.
    fn entry(&self, at: usize, name: &str, merges: usize) -> Option<&Entry> {
        const MAX_MERGES: usize = 64;
        let at = self.follow(at);
        let Kind::Mapping(entries) = &self.nodes[at].kind else {
            return None;
        };
        let own = |matches: fn(&str, &str) -> bool| {
            entries.iter().rev().find(|entry| entry.key.as_deref().is_some_and(|key| matches(key, name)))
        };
        own(|key, name| key == name)
            .or_else(|| {
                let mut sources = entries.iter().filter(|entry| entry.merge && merges < MAX_MERGES);
                sources.find_map(|entry| self.merged_entry(entry.value, name, merges + 1))
            })
            .or_else(|| own(|key, name| key.eq_ignore_ascii_case(name)))
    }

    fn merged_entry(&self, at: usize, name: &str, merges: usize) -> Option<&Entry> {
        let at = self.follow(at);
        match &self.nodes[at].kind {
            Kind::Sequence(items) => items.iter().find_map(|item| self.entry(*item, name, merges)),
            _ => self.entry(at, name, merges),
        }
    }
}

fn scalar_key(text: &str, plain: bool, dialect: Dialect) -> Option<String> {
    if plain { key_text(text, dialect) } else { Some(text.to_owned()) }
}
