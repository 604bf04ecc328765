//! `to_json` and `tojson`: Python's `json.dumps`.

use std::fmt::Write;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::failure::{type_error, value_error};
use crate::value::{Date, Number, float_text, is_namespace, number_of, py_str, type_name};

const MAX_DEPTH: usize = 500;

/// What the text of a value takes, on top of texts in it.
const NODE: usize = 32;

/// How the text is laid out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) sort_keys: bool,
    pub(crate) indent: Option<String>,
}

/// The value as JSON.
pub(crate) fn to_json(value: &Value, layout: &Layout) -> Result<String, Error> {
    let mut out = String::new();
    write(value, layout, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Value, layout: &Layout, depth: usize, out: &mut String) -> Result<(), Error> {
    crate::scope::charge(NODE)?;
    if depth > MAX_DEPTH {
        return Err(value_error("Circular reference detected"));
    }
    if let Some(date) = value.downcast_object_ref::<Date>() {
        write_text(&date.iso(), out);
        return Ok(());
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::String => write_text(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq => write_items(value, layout, depth, out)?,
        ValueKind::Map if !is_namespace(value) => write_entries(value, layout, depth, out)?,
        _ => return Err(type_error(format!("Object of type {} is not JSON serializable", type_name(value)))),
    }
    Ok(())
}

fn number(value: &Value) -> String {
    match number_of(value) {
        Some(Number::Float(float)) => match float_text(float).as_str() {
            "nan" => "NaN".to_owned(),
            "inf" => "Infinity".to_owned(),
            "-inf" => "-Infinity".to_owned(),
            text => text.to_owned(),
        },
        _ => value.to_string(),
    }
}

fn write_items(value: &Value, layout: &Layout, depth: usize, out: &mut String) -> Result<(), Error> {
    let items: Vec<Value> = value.try_iter()?.collect();
    write_container(('[', ']'), items.len(), layout, depth, out, |index, out| {
        write(&items[index], layout, depth + 1, out)
    })
}

fn write_entries(value: &Value, layout: &Layout, depth: usize, out: &mut String) -> Result<(), Error> {
    let mut keys: Vec<Value> = value.try_iter()?.collect();
    if layout.sort_keys {
        let mut keyed: Vec<(Value, Value)> = keys.into_iter().map(|key| (key.clone(), key)).collect();
        crate::methods::sort_keyed(&mut keyed, false)?;
        keys = keyed.into_iter().map(|(key, _)| key).collect();
    }
    write_container(('{', '}'), keys.len(), layout, depth, out, |index, out| {
        let key = &keys[index];
        write_text(&key_text(key)?, out);
        out.push_str(": ");
        write(&value.get_item(key)?, layout, depth + 1, out)
    })
}

fn write_container(
    brackets: (char, char),
    count: usize,
    layout: &Layout,
    depth: usize,
    out: &mut String,
    mut item: impl FnMut(usize, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(brackets.0);
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        match &layout.indent {
            Some(indent) => new_line(indent, depth + 1, out),
            None if index > 0 => out.push(' '),
            None => {}
        }
        item(index, out)?;
    }
    if let Some(indent) = layout.indent.as_ref().filter(|_| count > 0) {
        new_line(indent, depth, out);
    }
    out.push(brackets.1);
    Ok(())
}

fn new_line(indent: &str, depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(indent, depth));
}

fn key_text(key: &Value) -> Result<String, Error> {
    Ok(match key.kind() {
        ValueKind::String => py_str(key),
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number => number(key),
        _ => return Err(type_error(format!("keys must be str, int, float, bool or None, not {}", type_name(key)))),
    })
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{new_dict, new_list};

    #[test]
    fn layout_and_escapes_are_pythons() {
        let dict = new_dict(
            [(Value::from(1), Value::from(1.5)), (Value::from(()), Value::from("é\u{1F600}\u{7f}/<"))]
                .into_iter()
                .collect(),
        );
        let list = new_list(vec![dict, Value::from(f64::NAN)]);
        let text = to_json(&list, &Layout::default()).unwrap();
        assert_eq!(text, r#"[{"1": 1.5, "null": "\u00e9\ud83d\ude00\u007f/<"}, NaN]"#);
        let indented =
            to_json(&new_list(vec![Value::from(1)]), &Layout { indent: Some("  ".to_owned()), sort_keys: true })
                .unwrap();
        assert_eq!(indented, "[\n  1\n]");
    }

    #[test]
    fn undefined_and_functions_are_errors() {
        for value in [Value::UNDEFINED, Value::from_function(|| 1), Value::from_bytes(vec![1])] {
            assert!(to_json(&value, &Layout::default()).is_err());
        }
        let mixed =
            new_dict([(Value::from(1), Value::from(1)), (Value::from("a"), Value::from(1))].into_iter().collect());
        assert!(to_json(&mixed, &Layout { sort_keys: true, indent: None }).is_err());
    }
}
