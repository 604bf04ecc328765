//! `from_yaml`: PyYAML's safe loader.

use std::collections::HashMap;

use base64::Engine as _;
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use indexmap::IndexMap;
use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use super::scalars::{Plain, resolve};
use crate::error::ErrorKind;
use crate::failure::{raised, value_error};
use crate::value::{Date, new_dict, new_list};

/// Nodes of a document after its aliases were expanded.
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 200;

/// Reads one document; empty text is none.
pub(crate) fn from_yaml(text: &str) -> Result<Value, Error> {
    crate::budget::effort(20, text.len())?;
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| yaml_error(error.to_string()))?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            event => events.push(event),
        }
    }
    let documents = events.iter().filter(|event| matches!(event, Event::DocumentStart(..))).count();
    if documents > 1 {
        return Err(yaml_error("expected a single document in the stream".to_owned()));
    }
    let mut reader = Reader { events: events.into_iter(), anchors: HashMap::new(), nodes: 0 };
    reader.events.next(); // the start of the document, if there is one
    match reader.events.next() {
        Some(event) => reader.node(event, 0),
        None => Ok(Value::from(())),
    }
}

fn yaml_error(message: String) -> Error {
    raised(ErrorKind::Value, message)
}

struct Reader<'a> {
    events: std::vec::IntoIter<Event<'a>>,
    anchors: HashMap<usize, Value>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Value, Error> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(raised(ErrorKind::Limit, "the YAML text is too large or nested too deep"));
        }
        let (anchor, value) = match event {
            Event::Alias(id) => {
                let value = self.anchors.get(&id).cloned();
                return value.ok_or_else(|| yaml_error("found undefined alias".to_owned()));
            }
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref())?),
            Event::SequenceStart(_, anchor, tag) => (anchor, self.sequence(tag.as_deref(), depth)?),
            Event::MappingStart(_, anchor, tag) => (anchor, self.mapping(tag.as_deref(), depth)?),
            _ => return Err(yaml_error("unexpected end of the document".to_owned())),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn next(&mut self) -> Result<Event<'a>, Error> {
        self.events.next().ok_or_else(|| yaml_error("unexpected end of the document".to_owned()))
    }

    fn sequence(&mut self, tag: Option<&Tag>, depth: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => break,
                event => items.push(self.node(event, depth + 1)?),
            }
        }
        match core_tag(tag)? {
            None | Some("seq") => Ok(new_list(items)),
            Some("omap" | "pairs") => {
                let pairs = items.iter().map(single_pair).collect::<Result<_, _>>()?;
                Ok(new_list(pairs))
            }
            Some(other) => Err(unknown_tag(other)),
        }
    }

    fn mapping(&mut self, tag: Option<&Tag>, depth: usize) -> Result<Value, Error> {
        let mut merged = IndexMap::new();
        let mut entries = IndexMap::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                event => event,
            };
            let is_merge =
                matches!(&key, Event::Scalar(text, ScalarStyle::Plain, _, None) if resolve(text) == Plain::Merge);
            let key = self.node(key, depth + 1)?;
            if matches!(key.kind(), ValueKind::Map | ValueKind::Seq) && !key.is_tuple() {
                return Err(yaml_error("found unhashable key".to_owned()));
            }
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if is_merge { merge(&value, &mut merged)? } else { drop(entries.insert(key, value)) }
        }
        match core_tag(tag)? {
            None | Some("map" | "set") => {
                merged.extend(entries);
                Ok(new_dict(merged))
            }
            Some(other) => Err(unknown_tag(other)),
        }
    }
}

/// What `<<` brings in; of several mappings the first that has a key wins.
fn merge(value: &Value, merged: &mut IndexMap<Value, Value>) -> Result<(), Error> {
    let wrong = || yaml_error("expected a mapping or list of mappings for merging".to_owned());
    match value.kind() {
        ValueKind::Map => {
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                merged.entry(key).or_insert(item);
            }
            Ok(())
        }
        ValueKind::Seq => {
            for mapping in value.try_iter()? {
                if mapping.kind() != ValueKind::Map {
                    return Err(wrong());
                }
                merge(&mapping, merged)?;
            }
            Ok(())
        }
        _ => Err(wrong()),
    }
}

fn single_pair(item: &Value) -> Result<Value, Error> {
    let wrong = || yaml_error("expected a mapping of length 1".to_owned());
    let keys: Vec<Value> = item.try_iter().map_err(|_| wrong())?.collect();
    match (item.kind(), keys.as_slice()) {
        (ValueKind::Map, [key]) => Ok(Value::from(Tuple::from([key.clone(), item.get_item(key)?]))),
        _ => Err(wrong()),
    }
}

/// The name of a tag of YAML itself; other tags are refused.
fn core_tag(tag: Option<&Tag>) -> Result<Option<&str>, Error> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.handle() == "tag:yaml.org,2002:" => Ok(Some(tag.suffix())),
        Some(tag) if tag.handle() == "!" && tag.suffix().is_empty() => Ok(Some("str")),
        Some(tag) => Err(unknown_tag(&format!("{}{}", tag.handle(), tag.suffix()))),
    }
}

fn unknown_tag(tag: &str) -> Error {
    value_error(format!("could not determine a constructor for the tag '{tag}'"))
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Error> {
    let plain = match core_tag(tag)? {
        None if style == ScalarStyle::Plain => resolve(text),
        None | Some("str") => Plain::Text,
        Some("binary") => return binary(text),
        Some("int" | "float" | "bool" | "null" | "timestamp") => resolve(text),
        Some(other) => return Err(unknown_tag(other)),
    };
    Ok(match plain {
        Plain::Null => Value::from(()),
        Plain::Bool(value) => Value::from(value),
        Plain::Int(value) => i64::try_from(value).map_or_else(|_| Value::from(value), Value::from),
        Plain::Float(value) => Value::from(value),
        Plain::Date(text) => Value::from_object(Date::new(text)),
        Plain::Merge | Plain::Value | Plain::Text => Value::from(text),
    })
}

fn binary(text: &str) -> Result<Value, Error> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(compact);
    bytes.map(Value::from_bytes).map_err(|error| value_error(format!("failed to decode base64 data: {error}")))
}
