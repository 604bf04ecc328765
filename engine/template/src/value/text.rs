//! `str()` and `repr()` of Python.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};

use super::{Dict, List, Number, float_text, number_of};

/// Nesting beyond this is cut.
const MAX_DEPTH: usize = 100;

/// What the text of a value takes, on top of texts in it.
const NODE: usize = 16;

/// What `{{ value }}` prints.
pub(crate) fn py_str(value: &Value) -> String {
    match value.as_str() {
        Some(text) if value.kind() != ValueKind::Bytes => text.to_owned(),
        _ if value.is_undefined() => String::new(),
        _ => py_repr(value),
    }
}

/// What a value looks like inside a printed list.
pub(crate) fn py_repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut Vec::new(), &mut out);
    out
}

fn write_repr(value: &Value, open: &mut Vec<usize>, out: &mut String) {
    // Whoever prints the text finds out that too much was asked for.
    if open.len() > MAX_DEPTH || crate::scope::charge(NODE).is_err() {
        return out.push_str("...");
    }
    match value.kind() {
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number => match number_of(value) {
            Some(Number::Float(float)) => out.push_str(&float_text(float)),
            _ => out.push_str(&value.to_string()),
        },
        ValueKind::String if value.is_safe() => {
            out.push_str("Markup(");
            write_quoted(value.as_str().unwrap_or_default(), out);
            out.push(')');
        }
        ValueKind::String => write_quoted(value.as_str().unwrap_or_default(), out),
        ValueKind::Bytes => write_bytes(value.as_bytes().unwrap_or_default(), out),
        _ if super::is_loop(value) => out.push_str(&value.to_string().replacen("<loop", "<LoopContext", 1)),
        _ if prints_itself(value) => out.push_str(&value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => write_container(value, open, out, write_sequence),
        ValueKind::Map => write_container(value, open, out, write_mapping),
        _ => out.push_str(&value.to_string()),
    }
}

/// A container inside itself prints as `[...]` or `{...}`.
fn write_container(
    value: &Value,
    open: &mut Vec<usize>,
    out: &mut String,
    write: fn(&Value, &mut Vec<usize>, &mut String),
) {
    let address = |value: &Value| {
        let list = value.downcast_object_ref::<List>().map(|list| std::ptr::from_ref(list) as usize);
        list.or_else(|| value.downcast_object_ref::<Dict>().map(|dict| std::ptr::from_ref(dict) as usize))
    };
    let address = address(value);
    if address.is_some_and(|address| open.contains(&address)) {
        out.push_str(if value.kind() == ValueKind::Map { "{...}" } else { "[...]" });
        return;
    }
    open.push(address.unwrap_or_default());
    write(value, open, out);
    open.pop();
}

/// Containers with a text form of their own.
fn prints_itself(value: &Value) -> bool {
    crate::functions::is_range(value)
        || super::is_module(value)
        || value.downcast_object_ref::<super::View>().is_some()
        || value.downcast_object_ref::<crate::filters::Group>().is_some()
}

fn write_sequence(value: &Value, open: &mut Vec<usize>, out: &mut String) {
    let (opening, closing) = if value.is_tuple() { ('(', ')') } else { ('[', ']') };
    out.push(opening);
    let mut count = 0;
    for item in value.try_iter().into_iter().flatten() {
        if count > 0 {
            out.push_str(", ");
        }
        write_repr(&item, open, out);
        count += 1;
    }
    if value.is_tuple() && count == 1 {
        out.push(',');
    }
    out.push(closing);
}

fn write_mapping(value: &Value, open: &mut Vec<usize>, out: &mut String) {
    let namespace = super::is_namespace(value);
    out.push_str(if namespace { "<Namespace {" } else { "{" });
    for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(&key, open, out);
        out.push_str(": ");
        write_repr(&value.get_item(&key).unwrap_or_default(), open, out);
    }
    out.push_str(if namespace { "}>" } else { "}" });
}

fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => write_escape(c, out),
        }
    }
    out.push(quote);
}

pub(crate) fn write_escape(c: char, out: &mut String) {
    let code = u32::from(c);
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        let c = char::from(byte);
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
}

/// `str.isprintable` for one character, without the full table of unassigned codes.
pub(crate) fn is_printable(c: char) -> bool {
    match u32::from(c) {
        0x20..=0x7e => true,
        0..=0xa0 | 0xad => false,
        0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e => false,
        0x1680 | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x3000 => false,
        0xd800..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe | 0xffff => false,
        0xe0000..=0xe0fff | 0xf0000.. => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{new_dict, new_list};
    use super::*;

    #[test]
    fn nested_values_print_as_python_repr() {
        let dict =
            new_dict([(Value::from("a"), Value::from(1.0)), (Value::from(2), Value::from(()))].into_iter().collect());
        let list = new_list(vec![Value::from("it's"), Value::from(true), dict]);
        assert_eq!(py_str(&list), r#"["it's", True, {'a': 1.0, 2: None}]"#);
    }

    #[test]
    fn unprintable_characters_are_escaped() {
        assert_eq!(py_repr(&Value::from("a\n\u{7f}\u{a0}é\u{200b}'\"")), r#"'a\n\x7f\xa0é\u200b\'"'"#);
        assert_eq!(py_repr(&Value::from_bytes(b"a\x00'".to_vec())), r#"b"a\x00'""#);
    }

    #[test]
    fn a_list_inside_itself_ends() {
        let list = new_list(vec![]);
        let inner = list.clone();
        if let Some(object) = list.downcast_object_ref::<super::super::List>() {
            object.with(|items| items.push(inner));
        }
        assert_eq!(py_str(&list), "[[...]]");
        if let Some(object) = list.downcast_object_ref::<super::super::List>() {
            object.with(Vec::clear); // breaks the cycle, so that it is freed
        }
    }
}
