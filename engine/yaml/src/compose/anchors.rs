//! Anchored values, and how much aliases may make of them.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::YamlErrorKind;

/// Bytes of text and nodes that aliases may add to one stream.
const MAX_ALIAS_BYTES: usize = 64 << 20;
/// Nodes up to which almost all may come from aliases.
const ALIAS_NODES_LOW: usize = 400_000;
/// Nodes from which only a tenth may come from aliases.
const ALIAS_NODES_HIGH: usize = 4_000_000;

/// The anchors of a document and the count of the stream's nodes.
#[derive(Default)]
pub(super) struct Anchors {
    anchored: HashMap<usize, Anchored>,
    nodes: usize,
    alias_nodes: usize,
    alias_bytes: usize,
}

struct Anchored {
    value: Value,
    nodes: usize,
    height: usize,
    weight: usize,
}

impl Anchors {
    /// Forgets the anchors of the last document.
    pub(super) fn next_document(&mut self) {
        self.anchored.clear();
    }

    /// Counts a node that stands in the text.
    pub(super) fn count(&mut self) {
        self.nodes += 1;
    }

    /// Nodes so far, those of aliases included.
    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    /// Keeps a finished value that has `nodes` nodes in `height` levels.
    pub(super) fn keep(&mut self, anchor: usize, value: &Value, nodes: usize, height: usize) {
        let anchored = Anchored { value: value.clone(), nodes, height, weight: weight(value) };
        self.anchored.insert(anchor, anchored);
    }

    /// The value behind an alias and its height.
    pub(super) fn resolve(&mut self, anchor: usize) -> Result<(Value, usize), YamlErrorKind> {
        let anchored = self.anchored.get(&anchor).ok_or(YamlErrorKind::RecursiveAlias)?;
        // The alias itself is a node, too.
        self.nodes += anchored.nodes + 1;
        self.alias_nodes += anchored.nodes;
        self.alias_bytes += anchored.weight;
        if self.alias_bytes > MAX_ALIAS_BYTES || excessive(self.alias_nodes, self.nodes) {
            return Err(YamlErrorKind::ExcessiveAliasing);
        }
        Ok((anchored.value.clone(), anchored.height))
    }
}

/// Go's rule: the more nodes, the smaller the part that may come from aliases.
fn excessive(alias_nodes: usize, nodes: usize) -> bool {
    let allowed = if nodes <= ALIAS_NODES_LOW {
        0.99
    } else if nodes >= ALIAS_NODES_HIGH {
        0.10
    } else {
        let position = (nodes - ALIAS_NODES_LOW) as f64 / (ALIAS_NODES_HIGH - ALIAS_NODES_LOW) as f64;
        0.99 - 0.89 * position
    };
    alias_nodes > 100 && nodes > 1000 && alias_nodes as f64 / nodes as f64 > allowed
}

/// Bytes that a clone of the value takes, roughly.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 32 + text.len(),
        Value::Array(items) => items.iter().fold(32, |sum, item| sum.saturating_add(weight(item))),
        Value::Object(map) => {
            map.iter().fold(32, |sum, (key, item)| sum.saturating_add(32 + key.len()).saturating_add(weight(item)))
        }
    }
}
