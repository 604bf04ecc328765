//! Which value a marker belongs to. Spec 06 7.2 and 14.6.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::document::{Comment, Kind, Node, Nodes, ObjectIdentity, Role};
use super::marker::{self, Marker};
use super::quote::Style;

/// A marker of a text and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The comment, from its `#`.
    pub(super) comment: Range<usize>,
    /// What it asks for, or why it asks for nothing.
    pub(super) marker: Result<Marker, String>,
    /// The value, or why there is none.
    pub(super) value: Result<Value, &'static str>,
    pub(super) object: ObjectIdentity,
}

/// A value that may be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// The bytes to replace; empty for a missing value.
    pub(super) span: Range<usize>,
    /// What they say.
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) flow: bool,
}

pub(super) const TEMPLATED: &str = "the value is made by a template";
pub(super) const BLOCK: &str = "a block scalar is not edited; write the value on the line of its key";
const ALIAS: &str = "an alias is not edited; mark the value that defines its anchor";
const COLLECTION: &str = "the marker stands behind a collection; put it behind the value";
const KEY: &str = "the marker belongs to the key; put it behind the value, on the value's line";
const NEXT_LINE: &str = "the value stands on the next line; put the marker behind it";
const NOTHING: &str = "no value belongs to this comment; put it behind the value";
const TAGGED: &str = "the tag of the value is not that of a text; remove it";
const DOCUMENT: &str = "the whole document is one value; nothing tells what it is";
const REPEATED: &str = "the key stands twice in its mapping and only its first value counts";

/// Every marker of the text, in order; nothing when the text is no YAML.
pub(super) fn find(text: &str) -> Option<Vec<Placed>> {
    let nodes = super::document::read(text)?;
    let finder = Finder { text, nodes: &nodes };
    let placed = nodes.comments.iter().enumerate().filter_map(|(index, comment)| {
        let marker = marker::parse(text.get(comment.span.clone())?)?;
        let found = finder.under(index, comment);
        let object = found.map_or_else(|_| finder.nearest_object(comment), |node| nodes.identity(node));
        let value = found.and_then(|node| finder.value(node));
        Some(Placed { comment: comment.span.clone(), marker, value, object })
    });
    Some(placed.collect())
}

struct Finder<'a> {
    text: &'a str,
    nodes: &'a Nodes,
}

impl<'a> Finder<'a> {
    /// The scalar that a comment belongs to.
    fn under(&self, index: usize, comment: &Comment) -> Result<&'a Node, &'static str> {
        let head = self.line_before(comment);
        let found = if head.trim().is_empty() { self.below(index, comment)? } else { self.beside(head, comment)? };
        match found.role {
            Role::Root => Err(DOCUMENT),
            Role::Key => Err(KEY),
            _ if found.repeated => Err(REPEATED),
            Role::Value | Role::Item => Ok(found),
        }
    }

    fn line_before(&self, comment: &Comment) -> &'a str {
        let start = self.text[..comment.span.start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        self.text[start..comment.span.start].trim_start_matches('\u{feff}')
    }

    /// Of a comment behind something.
    fn beside(&self, head: &str, comment: &Comment) -> Result<&'a Node, &'static str> {
        let line = comment.span.start - head.len();
        let before = self.nodes.nodes.iter().take(comment.before).rev();
        if let Some(last) = before.clone().next()
            && is_block(last)
            && last.span.start >= comment.span.end
        {
            return Err(BLOCK);
        }
        let nearest = before
            .clone()
            .find(|node| !node.span.is_empty() && node.span.end > line && node.span.end <= comment.span.start);
        let Some(nearest) = nearest else {
            // `- # marker`: the item that comes next, or none.
            let dashes = head.split_whitespace().all(|word| word == "-");
            let next =
                self.nodes.nodes.iter().find(|node| node.span.start >= comment.span.end && !is_block_start(node));
            return match next {
                Some(node) if dashes && self.follows_dash(node, comment) => scalar(node),
                _ if is_block_header(head) => Err(BLOCK),
                _ => Err(NOTHING),
            };
        };
        let between = self.text[nearest.span.end..comment.span.start].trim();
        match (&nearest.kind, nearest.role, between) {
            (_, Role::Key, ":") => self.empty_value(nearest),
            (_, _, between) if is_block_header(between) => Err(BLOCK),
            (_, Role::Key, between) if between.starts_with(':') => Err(NEXT_LINE),
            (_, _, "" | ",") => scalar(nearest),
            (_, _, between) if between.ends_with('-') => Err(NEXT_LINE),
            _ => Err(NOTHING),
        }
    }

    /// The value of a key that has none.
    fn empty_value(&self, key: &Node) -> Result<&'a Node, &'static str> {
        let at = self.nodes.nodes.iter().position(|node| node.span == key.span && node.role == Role::Key);
        let value = at.and_then(|at| self.nodes.nodes.get(at + 1));
        value.filter(|node| node.is_empty() && node.role == Role::Value).ok_or(NEXT_LINE)
    }

    /// Whether the node is the item of the dash in front of the comment: no other dash stands between them.
    fn follows_dash(&self, node: &Node, comment: &Comment) -> bool {
        node.role == Role::Item && (node.is_empty() || !self.has_indicator(comment.span.end..node.span.start))
    }

    fn has_indicator(&self, between: Range<usize>) -> bool {
        let text = self.text.get(between).unwrap_or_default();
        text.lines().any(|line| line.trim_start().starts_with(['-', ':', '?']))
    }

    /// Of a comment on a line of its own: the scalar that comes next, when no key comes first.
    fn below(&self, index: usize, comment: &Comment) -> Result<&'a Node, &'static str> {
        let next = self
            .nodes
            .nodes
            .iter()
            .find(|node| node.span.start >= comment.span.end && !node.span.is_empty() && !is_block_start(node));
        let next = next.ok_or(NOTHING)?;
        if next.role == Role::Key {
            return Err(KEY);
        }
        let between = self.text.get(comment.span.end..next.span.start).unwrap_or_default();
        let dashes = between.split_whitespace().filter(|word| *word == "-").count();
        let block = self.neighbours(index, comment) || is_block(next) || between.contains('#');
        let alone = dashes <= 1 && !block;
        let beside = self.nodes.comments.iter().any(|other| {
            other.span.start >= next.span.end && !self.text[next.span.end..other.span.start].contains(['\n', '\r'])
        });
        if alone && !beside { scalar(next) } else { Err(NOTHING) }
    }

    /// Whether another comment stands on the line above or below: together they are one comment.
    fn neighbours(&self, index: usize, comment: &Comment) -> bool {
        let touches = |between: Range<usize>| {
            self.text.get(between).is_some_and(|text| text.trim().is_empty() && text.matches('\n').count() <= 1)
        };
        let comments = &self.nodes.comments;
        let above = index.checked_sub(1).and_then(|at| comments.get(at));
        let own_line = |other: &Comment| self.line_before(other).trim().is_empty();
        above.is_some_and(|other| own_line(other) && touches(other.span.end..comment.span.start))
            || comments.get(index + 1).is_some_and(|other| touches(comment.span.end..other.span.start))
    }

    fn nearest_object(&self, comment: &Comment) -> ObjectIdentity {
        let before = self.nodes.nodes.iter().rev().find(|node| node.span.start <= comment.span.start);
        before.map(|node| self.nodes.identity(node)).unwrap_or_default()
    }

    /// The bytes to replace.
    fn value(&self, node: &Node) -> Result<Value, &'static str> {
        let Kind::Scalar { text, style, tag } = &node.kind else { return Err(COLLECTION) };
        let raw = &self.text[node.span.clone()];
        if raw.contains("{{") || raw.contains("{%") {
            return Err(TEMPLATED);
        }
        let style = match style {
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            // A number's tag goes too.
            ScalarStyle::Plain if tag.as_deref().is_some_and(|tag| !NUMBERS.contains(&tag)) => Style::Tagged,
            ScalarStyle::Plain => Style::Plain,
            _ => return Err(BLOCK),
        };
        if !node.is_empty() {
            let start = match tag.as_deref().filter(|tag| NUMBERS.contains(tag)) {
                Some(tag) => self.start_of_tag(node, tag)?,
                None => node.span.start,
            };
            return Ok(Value { span: start..node.span.end, text: text.clone(), style, flow: node.flow });
        }
        let at = self.end_of_indicator(node).ok_or(NOTHING)?;
        Ok(Value { span: at..at, text: String::new(), style: Style::Plain, flow: node.flow })
    }

    /// The tag of a number goes with the number: the new value is a string.
    fn start_of_tag(&self, node: &Node, tag: &str) -> Result<usize, &'static str> {
        let head = self.text[..node.span.start].trim_end();
        let rest = head.strip_suffix(tag).and_then(|rest| rest.strip_suffix("!!"));
        rest.map(str::len).ok_or(TAGGED)
    }

    /// Behind the `:` or `-` that an absent value belongs to.
    fn end_of_indicator(&self, node: &Node) -> Option<usize> {
        let indicator = if node.role == Role::Item { '-' } else { ':' };
        let rest = &self.text[node.span.start..];
        if rest.starts_with(indicator) {
            return Some(node.span.start + 1);
        }
        // An absent item is reported behind its comment.
        let line = self.text[..node.span.start].rfind('\n').map_or(0, |at| at + 1);
        let head = &self.text[line..node.span.start];
        let before_comment = head.split_once('#').map_or(head, |(before, _)| before);
        before_comment.rfind(indicator).map(|at| line + at + 1)
    }
}

/// Tags under which the new text would not be what the old one was.
const NUMBERS: [&str; 5] = ["int", "float", "bool", "null", "timestamp"];

fn scalar(node: &Node) -> Result<&Node, &'static str> {
    match node.kind {
        Kind::Scalar { .. } if is_block(node) => Err(BLOCK),
        Kind::Scalar { .. } => Ok(node),
        Kind::Alias => Err(ALIAS),
        Kind::Start { .. } | Kind::End => Err(COLLECTION),
    }
}

fn is_block(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. })
}

fn is_block_start(node: &Node) -> bool {
    matches!(node.kind, Kind::Start { flow: false })
}

/// `|`, `>-`, `|2` at the end.
fn is_block_header(text: &str) -> bool {
    let head = text.trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-');
    head.strip_suffix(['|', '>']).is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '\t', ':']))
}
