//! `to_yaml`.

use base64::Engine as _;
use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::emit::{Context, Emitter, Style, is_break};
use super::scalars::{Plain, is_special_elsewhere, resolve};
use crate::failure::raised;
use crate::value::{Date, Number, float_text, is_namespace, number_of, undefined};

/// Containers inside themselves end here.
const MAX_DEPTH: usize = 200;

/// What a value takes until it is written.
const NODE: usize = 100;

/// A value as it will be written.
enum Node {
    Scalar(Text),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

struct Text {
    text: String,
    tag: Option<&'static str>,
    style: Style,
    /// Whether the text fits on one line as a key.
    single_line: bool,
}

/// The value as a YAML document in PyYAML's layout.
pub(crate) fn to_yaml(value: &Value) -> Result<String, Error> {
    let node = node(value, 0)?;
    let mut emitter = Emitter::new();
    write(&node, Context::Root, &mut emitter);
    Ok(emitter.finish())
}

fn cannot_represent(value: &Value) -> Error {
    if value.is_undefined() {
        return undefined(value);
    }
    raised(crate::error::ErrorKind::Type, format!("('cannot represent an object', {})", crate::value::py_repr(value)))
}

fn node(value: &Value, depth: usize) -> Result<Node, Error> {
    crate::scope::charge(NODE)?;
    if depth > MAX_DEPTH {
        return Err(raised(crate::error::ErrorKind::Limit, "maximum recursion depth exceeded"));
    }
    if let Some(date) = value.downcast_object_ref::<Date>() {
        return Ok(plain(date.text().to_owned()));
    }
    Ok(match value.kind() {
        ValueKind::None => plain("null".to_owned()),
        ValueKind::Bool => plain(if value.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => plain(match number_of(value) {
            Some(Number::Float(float)) => float_scalar(float),
            _ => value.to_string(),
        }),
        ValueKind::String => Node::Scalar(string(value.as_str().unwrap_or_default())),
        ValueKind::Bytes => Node::Scalar(binary(value.as_bytes().unwrap_or_default())),
        ValueKind::Seq => {
            Node::Sequence(value.try_iter()?.map(|item| node(&item, depth + 1)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map if !is_namespace(value) => {
            let mut entries = Vec::new();
            for key in value.try_iter()? {
                entries.push((node(&key, depth + 1)?, node(&value.get_item(&key)?, depth + 1)?));
            }
            Node::Mapping(entries)
        }
        _ => return Err(cannot_represent(value)),
    })
}

fn plain(text: String) -> Node {
    Node::Scalar(Text { text, tag: None, style: Style::Plain, single_line: true })
}

fn float_scalar(float: f64) -> String {
    match float_text(float).as_str() {
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        "nan" => ".nan".to_owned(),
        text if !text.contains('.') => text.replace('e', ".0e"),
        text => text.to_owned(),
    }
}

fn binary(bytes: &[u8]) -> Text {
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut text = String::new();
    for line in encoded.as_bytes().chunks(76) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    Text { text, tag: Some("!!binary"), style: Style::Literal, single_line: false }
}

fn string(text: &str) -> Text {
    let analysis = Analysis::of(text);
    let several_lines = py_lines(text) > 1;
    let style = if several_lines && analysis.block_allowed() {
        Style::Literal
    } else if !several_lines && !is_numeric(text) && reads_back(text) && analysis.plain_allowed() {
        Style::Plain
    } else if analysis.single_allowed() {
        Style::Single
    } else {
        Style::Double
    };
    Text { text: text.to_owned(), tag: None, style, single_line: !text.is_empty() && !analysis.line_breaks }
}

/// `str.isnumeric`, for what occurs: digits of any script.
fn is_numeric(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_numeric)
}

fn reads_back(text: &str) -> bool {
    resolve(text) == Plain::Text && !is_special_elsewhere(text)
}

/// How many lines `str.splitlines` makes of the text.
fn py_lines(text: &str) -> usize {
    crate::text::split_lines(text).len()
}

fn write(node: &Node, context: Context, emitter: &mut Emitter) {
    match node {
        Node::Scalar(scalar) => {
            if let Some(tag) = scalar.tag {
                emitter.tag(tag);
            }
            let style = match scalar.style {
                Style::Literal if context == Context::SimpleKey => Style::Double,
                style => style,
            };
            emitter.scalar(&scalar.text, style, context);
        }
        Node::Sequence(items) => {
            let items: Vec<_> =
                items.iter().map(|item| move |emitter: &mut Emitter| write(item, Context::Sequence, emitter)).collect();
            emitter.sequence(context, &items);
        }
        Node::Mapping(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| {
                    let simple = is_simple_key(key);
                    let context = if simple { Context::SimpleKey } else { Context::Mapping };
                    (
                        simple,
                        move |emitter: &mut Emitter| write(key, context, emitter),
                        move |emitter: &mut Emitter| write(value, Context::Mapping, emitter),
                    )
                })
                .collect();
            emitter.mapping(&entries);
        }
    }
}

/// Keys that are empty, long or have several lines are written with `?`.
fn is_simple_key(key: &Node) -> bool {
    match key {
        Node::Scalar(scalar) => {
            let tag = scalar.tag.map_or(0, str::len);
            scalar.single_line && scalar.text.chars().count() + tag < 128
        }
        Node::Sequence(items) => items.is_empty(),
        Node::Mapping(entries) => entries.is_empty(),
    }
}

/// What PyYAML finds out about a text before it chooses a style.
#[derive(Default)]
struct Analysis {
    empty: bool,
    indicators: bool,
    line_breaks: bool,
    special: bool,
    leading: bool,
    trailing: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut found = Self { empty: chars.is_empty(), ..Self::default() };
        found.indicators = text.starts_with("---") || text.starts_with("...");
        let white =
            |index: usize| chars.get(index).is_none_or(|c| matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(*c));
        let last = chars.len().wrapping_sub(1);
        for (index, &c) in chars.iter().enumerate() {
            let followed = white(index + 1);
            let preceded = index == 0 || white(index - 1);
            found.indicators |= match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => index == 0,
                '#' => preceded,
                '?' | '-' => index == 0 && followed,
                ':' => followed,
                _ => false,
            };
            found.line_breaks |= is_break(c);
            found.special |= c != '\n' && !(' '..='~').contains(&c);
            if c == ' ' {
                found.leading |= index == 0;
                found.trailing |= index == last;
                found.trailing_space |= index == last;
                found.break_space |= index > 0 && is_break(chars[index - 1]);
            } else if is_break(c) {
                found.leading |= index == 0;
                found.trailing |= index == last;
                found.space_break |= index > 0 && chars[index - 1] == ' ';
            }
        }
        found
    }

    fn plain_allowed(&self) -> bool {
        let Self { empty, indicators, line_breaks, special, leading, trailing, break_space, space_break, .. } = *self;
        !(empty || indicators || line_breaks || special || leading || trailing || break_space || space_break)
    }

    fn single_allowed(&self) -> bool {
        !(self.break_space || self.space_break || self.special)
    }

    fn block_allowed(&self) -> bool {
        !(self.empty || self.trailing_space || self.space_break || self.special)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_would_change_type_are_quoted() {
        for text in ["yes", "010", "12e03", "y", "1e5", "2020-01-01", "~", "", "=", "-", "a: b", "x #y", "123"] {
            assert!(to_yaml(&Value::from(text)).unwrap().starts_with('\''), "{text}");
        }
        for text in ["abc", "v1.2", "a:b", "x#y", "1.2.3", "-x"] {
            assert_eq!(to_yaml(&Value::from(text)).unwrap(), format!("{text}\n...\n"));
        }
    }

    #[test]
    fn what_has_no_yaml_form_is_an_error() {
        let function = Value::from_function(|| 1);
        assert!(to_yaml(&function).is_err());
        assert!(to_yaml(&Value::UNDEFINED).is_err());
    }
}
