//! Builds values from parser events.
//!
//! One pass, no span table. Guards against documents that are small on disk
//! and huge in memory (aliases) or deep (nesting), because values are
//! built, cloned and dropped recursively.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};
use windlass_model::location::{Location, Source};

use crate::dialect::{Dialect, DuplicateKeys, ReadOptions};
use crate::emit::{format_float, format_float32};
use crate::error::{YamlError, YamlErrorKind};
use crate::locate;
use crate::resolve::{Resolved, resolve};
use crate::timestamp;

/// Nesting that no hand-written or generated manifest reaches.
pub(crate) const MAX_DEPTH: usize = 500;
/// Bytes of text and nodes that aliases may add to one stream.
const MAX_ALIAS_BYTES: usize = 64 << 20;
/// Nodes below which aliases are never counted as excessive.
const ALIAS_NODES_LOW: usize = 400_000;
/// Nodes from which only a tenth may come from aliases.
const ALIAS_NODES_HIGH: usize = 4_000_000;

pub(crate) type SpannedEvent<'s> = (Event<'s>, Span);

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

/// Turns a scanner's complaint into ours.
pub(crate) fn syntax_error(source: &Arc<Source>, error: &ScanError) -> YamlError {
    let at = error.marker().byte_offset().unwrap_or(source.text.len());
    let reason = error.info();
    YamlError::new(Location::new(source.clone(), at..at), YamlErrorKind::Syntax { reason })
}

/// Reads the documents of one text in turn.
pub(crate) struct Composer<'s> {
    source: &'s Arc<Source>,
    parser: Parser<'s, StrInput<'s>>,
    options: ReadOptions,
    anchors: HashMap<usize, Anchored>,
    depth: usize,
    deepest: usize,
    nodes: usize,
    alias_nodes: usize,
    alias_bytes: usize,
}

/// The value behind an anchor; nothing while it is being built.
struct Anchored {
    value: Option<Value>,
    nodes: usize,
    height: usize,
    weight: usize,
}

enum Key {
    Text(String),
    Merge,
}

impl<'s> Composer<'s> {
    pub(crate) fn new(source: &'s Arc<Source>, options: ReadOptions) -> Self {
        Self {
            source,
            parser: parser(&source.text),
            options,
            anchors: HashMap::new(),
            depth: 0,
            deepest: 0,
            nodes: 0,
            alias_nodes: 0,
            alias_bytes: 0,
        }
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
        self.anchors.clear();
        let mut value = Value::Null;
        while let Some(event) = self.next_event()? {
            match event.0 {
                Event::DocumentEnd | Event::StreamEnd => break,
                _ => value = self.node(event)?,
            }
        }
        Ok(Some(value))
    }

    fn next_event(&mut self) -> Result<Option<SpannedEvent<'s>>, YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(syntax_error(self.source, &error)),
            None => Ok(None),
        }
    }

    fn node_event(&mut self) -> Result<SpannedEvent<'s>, YamlError> {
        let end = self.source.text.len();
        self.next_event()?.ok_or_else(|| {
            let reason = "unexpected end of the document".to_owned();
            self.error(end..end, YamlErrorKind::Syntax { reason })
        })
    }

    fn error(&self, span: Range<usize>, kind: YamlErrorKind) -> YamlError {
        YamlError::new(Location::new(self.source.clone(), span), kind)
    }

    fn node(&mut self, (event, span): SpannedEvent<'s>) -> Result<Value, YamlError> {
        self.nodes += 1;
        match event {
            Event::Scalar(text, style, 0, tag) => self.scalar(text.into_owned(), style, tag.as_deref(), &span),
            Event::Scalar(text, style, anchor, tag) => {
                self.anchored(anchor, |this| this.scalar(text.into_owned(), style, tag.as_deref(), &span))
            }
            Event::SequenceStart(_, 0, _) => self.nested(&span, Self::sequence),
            Event::SequenceStart(_, anchor, _) => self.anchored(anchor, |this| this.nested(&span, Self::sequence)),
            Event::MappingStart(_, 0, _) => self.nested(&span, Self::mapping),
            Event::MappingStart(_, anchor, _) => self.anchored(anchor, |this| this.nested(&span, Self::mapping)),
            Event::Alias(anchor) => self.alias(anchor, &span),
            other => {
                let reason = format!("unexpected {other:?}");
                Err(self.error(bytes(&span), YamlErrorKind::Syntax { reason }))
            }
        }
    }

    fn nested(&mut self, span: &Span, build: fn(&mut Self) -> Result<Value, YamlError>) -> Result<Value, YamlError> {
        self.depth += 1;
        self.check_depth(self.depth, span)?;
        self.deepest = self.deepest.max(self.depth);
        let value = build(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn check_depth(&self, depth: usize, span: &Span) -> Result<(), YamlError> {
        if depth > MAX_DEPTH {
            return Err(self.error(bytes(span), YamlErrorKind::TooDeep { limit: MAX_DEPTH }));
        }
        Ok(())
    }

    fn sequence(&mut self) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.node_event()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                event => items.push(self.node(event)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, YamlError> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        loop {
            let event = match self.node_event()? {
                (Event::MappingEnd, _) => break,
                event => event,
            };
            let key_span = bytes(&event.1);
            let key = self.key(event)?;
            let value_event = self.node_event()?;
            match key {
                Key::Merge => self.merge_source(value_event, &mut merged)?,
                Key::Text(key) => {
                    let value = self.node(value_event)?;
                    self.insert(&mut map, key, value, key_span)?;
                }
            }
        }
        for source in merged {
            for (key, value) in source {
                map.entry(key).or_insert(value);
            }
        }
        Ok(Value::Object(map))
    }

    fn insert(
        &self,
        map: &mut Map<String, Value>,
        key: String,
        value: Value,
        span: Range<usize>,
    ) -> Result<(), YamlError> {
        match self.options.duplicate_keys {
            DuplicateKeys::LastWins => {
                map.insert(key, value);
                Ok(())
            }
            // One look-up; serde_json's own entry would cost two for new keys.
            DuplicateKeys::Error => match map.insert(key.clone(), value) {
                None => Ok(()),
                Some(_) => Err(self.duplicate(key, span)),
            },
        }
    }

    fn duplicate(&self, key: String, span: Range<usize>) -> YamlError {
        let first = locate::first_of_duplicate(self.source, span.start, self.options)
            .map(|first| Location::new(self.source.clone(), first));
        let manifest = self.options.dialect == Dialect::GoV3;
        self.error(span, YamlErrorKind::DuplicateKey { key, first, manifest })
    }

    /// Values of a `<<`, those that count first in front.
    fn merge_source(&mut self, event: SpannedEvent<'s>, merged: &mut Vec<Map<String, Value>>) -> Result<(), YamlError> {
        let span = bytes(&event.1);
        match self.node(event)? {
            Value::Object(map) => merged.push(map),
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::Object(map) => merged.push(map),
                        _ => return Err(self.error(span, YamlErrorKind::InvalidMerge)),
                    }
                }
            }
            _ => return Err(self.error(span, YamlErrorKind::InvalidMerge)),
        }
        Ok(())
    }

    fn key(&mut self, (event, span): SpannedEvent<'s>) -> Result<Key, YamlError> {
        let dialect = self.options.dialect;
        let (key, written) = match event {
            Event::Scalar(text, style, 0, None) => {
                if style == ScalarStyle::Plain && text == "<<" && dialect.merges() {
                    return Ok(Key::Merge);
                }
                if style != ScalarStyle::Plain || resolve(&text, dialect) == Resolved::Text {
                    return Ok(Key::Text(text.into_owned()));
                }
                (key_text(&text, dialect), format!("`{text}`"))
            }
            Event::Scalar(_, _, _, Some(tag)) if dialect.merges() && is_merge_tag(&tag) => return Ok(Key::Merge),
            _ => {
                let (written, other_type) = describe_key(&event, dialect);
                let value = self.node((event, span))?;
                (value_key(value, dialect).filter(|_| !other_type), written)
            }
        };
        key.map(Key::Text).ok_or_else(|| self.error(bytes(&span), YamlErrorKind::NonStringKey { key: written }))
    }

    fn anchored(
        &mut self,
        anchor: usize,
        build: impl FnOnce(&mut Self) -> Result<Value, YamlError>,
    ) -> Result<Value, YamlError> {
        let unfinished = Anchored { value: None, nodes: 0, height: 0, weight: 0 };
        self.anchors.insert(anchor, unfinished);
        let (nodes, deepest) = (self.nodes, self.deepest);
        self.deepest = self.depth;
        let value = build(self)?;
        let height = self.deepest - self.depth;
        self.deepest = self.deepest.max(deepest);
        let done =
            Anchored { nodes: self.nodes - nodes + 1, height, weight: weight(&value), value: Some(value.clone()) };
        self.anchors.insert(anchor, done);
        Ok(value)
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Value, YamlError> {
        let (Some(anchored), depth) = (self.anchors.get(&anchor), self.depth) else {
            return Err(self.error(bytes(span), YamlErrorKind::RecursiveAlias));
        };
        let Some(value) = &anchored.value else {
            return Err(self.error(bytes(span), YamlErrorKind::RecursiveAlias));
        };
        self.nodes += anchored.nodes;
        self.alias_nodes += anchored.nodes;
        self.alias_bytes += anchored.weight;
        let height = anchored.height;
        if self.alias_bytes > MAX_ALIAS_BYTES || excessive(self.alias_nodes, self.nodes) {
            return Err(self.error(bytes(span), YamlErrorKind::ExcessiveAliasing));
        }
        self.check_depth(depth + height, span)?;
        self.deepest = self.deepest.max(depth + height);
        Ok(value.clone())
    }

    fn scalar(&self, text: String, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Value, YamlError> {
        let dialect = self.options.dialect;
        let tag = tag.filter(|tag| dialect != Dialect::GoV3 || !is_unspecific(tag));
        let resolved = match tag.map(|tag| tag.suffix_in_namespace(YAML_NAMESPACE)) {
            None if style == ScalarStyle::Plain => resolve(&text, dialect),
            None | Some(None) => Resolved::Text,
            Some(Some(tag)) => match apply_tag(&tag, &text, dialect) {
                Some(resolved) => resolved,
                None => {
                    let tag = format!("!!{tag}");
                    return Err(self.error(bytes(span), YamlErrorKind::TagMismatch { tag, text }));
                }
            },
        };
        Ok(match resolved {
            Resolved::Text => Value::String(text),
            Resolved::Timestamp(stamp) => Value::String(stamp),
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) => value.into(),
            Resolved::UInt(value) => value.into(),
            Resolved::Float(value) => return self.float(value, span),
        })
    }

    fn float(&self, value: f64, span: &Span) -> Result<Value, YamlError> {
        let integer = self.options.dialect.integral_floats_are_integers().then(|| integral(value)).flatten();
        if let Some(integer) = integer {
            return Ok(Value::Number(integer));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| {
            let value = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            self.error(bytes(span), YamlErrorKind::UnsupportedValue { value })
        })
    }
}

/// A key as errors show it, and whether v3 takes it for another type than string.
fn describe_key(event: &Event<'_>, dialect: Dialect) -> (String, bool) {
    let text = match event {
        Event::Scalar(text, _, _, tag) => {
            let string = tag.as_ref().is_none_or(|tag| tag.is_yaml_core_schema_tag("str"));
            return (format!("`{text}`"), dialect == Dialect::GoV3 && !string);
        }
        Event::SequenceStart(..) => "(a list)",
        Event::MappingStart(..) => "(a mapping)",
        _ => "(an alias)",
    };
    (text.to_owned(), false)
}

/// The integer that a float without fraction is written as, when that fits 64
/// bits: its shortest digits, filled up with zeros.
pub(crate) fn integral(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || !value.is_finite() {
        return None;
    }
    if value.abs() < EXACT {
        return Some(Number::from(value as i64));
    }
    let digits = value.to_string();
    digits.parse::<i64>().map(Number::from).or_else(|_| digits.parse::<u64>().map(Number::from)).ok()
}

/// Text of a plain key; nothing where only strings are keys.
pub(crate) fn key_text(text: &str, dialect: Dialect) -> Option<String> {
    let resolved = resolve(text, dialect);
    if resolved == Resolved::Text {
        return Some(text.to_owned());
    }
    typed_key(resolved, dialect)
}

fn typed_key(resolved: Resolved, dialect: Dialect) -> Option<String> {
    if dialect == Dialect::GoV3 {
        return None;
    }
    match resolved {
        Resolved::Null if dialect == Dialect::GoV2 => None,
        Resolved::Null => Some("null".to_owned()),
        Resolved::Bool(value) => Some(value.to_string()),
        Resolved::Int(value) => Some(value.to_string()),
        Resolved::UInt(value) => Some(value.to_string()),
        Resolved::Float(value) => Some(float_key(value, dialect)),
        Resolved::Timestamp(text) => Some(text),
        Resolved::Text => None,
    }
}

/// Go prints float keys with 32 bits.
fn float_key(value: f64, dialect: Dialect) -> String {
    let narrow = if dialect == Dialect::GoV2 { f64::from(value as f32) } else { value };
    if narrow.is_nan() {
        ".nan".to_owned()
    } else if narrow.is_infinite() {
        if narrow > 0.0 { ".inf".to_owned() } else { "-.inf".to_owned() }
    } else if dialect == Dialect::GoV2 {
        format_float32(value as f32)
    } else {
        format_float(value)
    }
}

/// Text of a key that is an alias or tagged.
fn value_key(value: Value, dialect: Dialect) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(value) => typed_key(Resolved::Bool(value), dialect),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => typed_key(Resolved::Int(value), dialect),
            (_, Some(value), _) => typed_key(Resolved::UInt(value), dialect),
            (_, _, Some(value)) => typed_key(Resolved::Float(value), dialect),
            _ => None,
        },
        Value::Null => typed_key(Resolved::Null, dialect),
        Value::Array(_) | Value::Object(_) => None,
    }
}

const YAML_NAMESPACE: &str = "tag:yaml.org,2002:";

/// The value of an explicitly tagged scalar; nothing when the tag does not fit it.
fn apply_tag(tag: &str, text: &str, dialect: Dialect) -> Option<Resolved> {
    match (tag, resolve(text, dialect)) {
        ("int", found @ (Resolved::Int(_) | Resolved::UInt(_))) => Some(found),
        ("float", Resolved::Int(value)) => Some(Resolved::Float(value as f64)),
        ("float", Resolved::UInt(value)) => Some(Resolved::Float(value as f64)),
        ("float", found @ Resolved::Float(_)) => Some(found),
        ("bool", found @ Resolved::Bool(_)) => Some(found),
        ("null", Resolved::Null) => Some(Resolved::Null),
        ("int" | "float" | "bool" | "null", _) => None,
        ("timestamp", _) => {
            let stamp = timestamp::to_rfc3339(text)?;
            Some(if dialect == Dialect::GoV3 { Resolved::Timestamp(stamp) } else { Resolved::Text })
        }
        ("binary", _) => binary(text).map(Resolved::Timestamp),
        _ => Some(Resolved::Text),
    }
}

fn is_merge_tag(tag: &Tag) -> bool {
    tag.suffix_in_namespace(YAML_NAMESPACE).as_deref() == Some("merge")
}

/// A lone `!`, which v3 drops.
fn is_unspecific(tag: &Tag) -> bool {
    tag.suffix().is_empty() && tag.original_handle() == "!" || tag.handle().is_empty() && tag.suffix() == "!"
}

/// Text behind base64; values are text, so other bytes are refused.
fn binary(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len()), 0_u32, 0);
    let digits = text.bytes().filter(|b| !b.is_ascii_whitespace());
    for digit in digits.take_while(|b| *b != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    String::from_utf8(bytes).ok()
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
