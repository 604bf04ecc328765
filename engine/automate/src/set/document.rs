//! Scalars, comments and object identities of a YAML text, with exact byte spans.
//!
//! Built on parser events only; no value is composed, so that a file with
//! repeated keys, unknown tags or undefined anchors can be edited too.

use std::collections::HashSet;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

/// Identity of the object that a value stands in; parts may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectIdentity {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

/// Where a node stands in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Key,
    Value,
    Item,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar {
        text: String,
        style: ScalarStyle,
        tag: Option<String>,
    },
    Alias,
    /// Begin of a collection.
    Start {
        flow: bool,
    },
    /// End of a flow collection.
    End,
}

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    pub(super) role: Role,
    /// Inside a flow collection.
    pub(super) flow: bool,
    /// Below a key that stands a second time in its mapping.
    pub(super) repeated: bool,
    document: usize,
    item: Option<usize>,
}

impl Node {
    /// A scalar without any character.
    pub(super) fn is_empty(&self) -> bool {
        self.span.is_empty() && matches!(self.kind, Kind::Scalar { style: ScalarStyle::Plain, .. })
    }
}

/// A comment and the number of nodes that were read before it.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) span: Range<usize>,
    pub(super) before: usize,
}

/// All that a text has.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) nodes: Vec<Node>,
    pub(super) comments: Vec<Comment>,
    identities: Vec<Identities>,
}

#[derive(Debug, Default)]
struct Identities {
    root: ObjectIdentity,
    items: Vec<(usize, ObjectIdentity)>,
}

enum Frame {
    /// `role` is that of the collection in its own parent.
    Mapping {
        key: Option<String>,
        seen: HashSet<String>,
        flow: bool,
        repeated: bool,
        role: Role,
    },
    Sequence {
        next: usize,
        flow: bool,
        role: Role,
    },
}

/// Reads the whole text; nothing when it is no YAML.
pub(super) fn read(text: &str) -> Option<Nodes> {
    let mut reader = Reader::default();
    let mut events = Parser::new_from_str(text);
    while let Some(event) = events.next_event() {
        let (event, span) = event.ok()?;
        reader.event(event, bytes(&span));
    }
    Some(reader.found)
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

impl Nodes {
    /// The object that a node stands in: of a `List` the item, else the document.
    pub(super) fn identity(&self, node: &Node) -> ObjectIdentity {
        let Some(identities) = self.identities.get(node.document) else { return ObjectIdentity::default() };
        let list = matches!(identities.root.kind.as_str(), "List" | "ResourceList");
        let item = node.item.filter(|_| list);
        let found = item.map(|item| identities.items.iter().find(|(index, _)| *index == item).map(|(_, own)| own));
        found.map_or_else(|| identities.root.clone(), |own| own.cloned().unwrap_or_default())
    }
}

#[derive(Default)]
struct Reader {
    found: Nodes,
    stack: Vec<Frame>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::DocumentStart(..) => self.found.identities.push(Identities::default()),
            Event::Comment(..) => self.found.comments.push(Comment { span, before: self.found.nodes.len() }),
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(|tag| tag.suffix().to_owned());
                self.identify(&text);
                self.push(span, Kind::Scalar { text: text.into_owned(), style, tag });
            }
            Event::Alias(_) => {
                self.push(span, Kind::Alias);
            }
            Event::SequenceStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let role = self.push(span, Kind::Start { flow });
                self.stack.push(Frame::Sequence { next: 0, flow, role });
            }
            Event::MappingStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let role = self.push(span, Kind::Start { flow });
                self.stack.push(Frame::Mapping { key: None, seen: HashSet::new(), flow, repeated: false, role });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = self.stack.pop() else { return };
                if let (Role::Value, Some(Frame::Mapping { key, .. })) = (closed.role(), self.stack.last_mut()) {
                    *key = None;
                }
                if closed.is_flow() {
                    let node = self.node(span, Kind::End, Role::Root);
                    self.found.nodes.push(node);
                }
            }
            _ => {}
        }
    }

    fn repeated(&self) -> bool {
        self.stack.iter().any(|frame| matches!(frame, Frame::Mapping { repeated: true, .. }))
    }

    /// Takes the node's place in its parent and moves the parent on.
    fn push(&mut self, span: Range<usize>, kind: Kind) -> Role {
        let role = match self.stack.last() {
            None => Role::Root,
            Some(Frame::Sequence { .. }) => Role::Item,
            Some(Frame::Mapping { key: None, .. }) => Role::Key,
            Some(Frame::Mapping { .. }) => Role::Value,
        };
        let node = self.node(span, kind, role);
        match self.stack.last_mut() {
            None => {}
            Some(Frame::Sequence { next, .. }) => *next += 1,
            Some(Frame::Mapping { key, seen, repeated, .. }) if role == Role::Key => {
                let name = match &node.kind {
                    Kind::Scalar { text, .. } => text.clone(),
                    _ => String::new(),
                };
                let again = !seen.insert(name.clone());
                *repeated = again && matches!(node.kind, Kind::Scalar { .. });
                *key = Some(name);
            }
            // The key of a collection stays open until the collection ends.
            Some(Frame::Mapping { key, .. }) if !matches!(node.kind, Kind::Start { .. }) => *key = None,
            Some(Frame::Mapping { .. }) => {}
        }
        self.found.nodes.push(node);
        role
    }

    fn node(&self, span: Range<usize>, kind: Kind, role: Role) -> Node {
        let item = match &self.stack[..] {
            [_, Frame::Sequence { next, .. }, inner @ ..] if self.below_items() => {
                Some(if inner.is_empty() { *next } else { next.saturating_sub(1) })
            }
            _ => None,
        };
        Node {
            span,
            kind,
            role,
            flow: self.stack.iter().any(Frame::is_flow),
            repeated: self.repeated(),
            document: self.found.identities.len().saturating_sub(1),
            item,
        }
    }

    /// Inside the value of a top-level `items`; its key is still open.
    fn below_items(&self) -> bool {
        self.stack.len() > 1 && self.open_key(0) == Some("items")
    }

    fn open_key(&self, depth: usize) -> Option<&str> {
        match self.stack.get(depth)? {
            Frame::Mapping { key, .. } => key.as_deref(),
            Frame::Sequence { .. } => None,
        }
    }

    /// Notes a scalar that names the object around it.
    fn identify(&mut self, text: &str) {
        let (base, item) = match &self.stack[..] {
            [_, Frame::Sequence { next, .. }, _, ..] if self.below_items() => (2, Some(next.saturating_sub(1))),
            _ => (0, None),
        };
        let depth = self.stack.len();
        let part = match (depth.checked_sub(base), self.open_key(base), self.open_key(base + 1)) {
            (Some(1), Some("apiVersion"), _) => 0,
            (Some(1), Some("kind"), _) => 1,
            (Some(2), Some("metadata"), Some("namespace")) => 2,
            (Some(2), Some("metadata"), Some("name")) => 3,
            _ => return,
        };
        let Some(identities) = self.found.identities.last_mut() else { return };
        let identity = match item {
            None => &mut identities.root,
            Some(index) => {
                if identities.items.last().is_none_or(|(last, _)| *last != index) {
                    identities.items.push((index, ObjectIdentity::default()));
                }
                let Some((_, identity)) = identities.items.last_mut() else { return };
                identity
            }
        };
        let place = match part {
            0 => &mut identity.api_version,
            1 => &mut identity.kind,
            2 => &mut identity.namespace,
            _ => &mut identity.name,
        };
        if place.is_empty() {
            text.clone_into(place);
        }
    }
}

impl Frame {
    fn is_flow(&self) -> bool {
        matches!(self, Self::Mapping { flow: true, .. } | Self::Sequence { flow: true, .. })
    }

    fn role(&self) -> Role {
        let (Self::Mapping { role, .. } | Self::Sequence { role, .. }) = self;
        *role
    }
}
