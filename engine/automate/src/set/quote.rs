//! How a new value is written in the place of an old one.

/// Notation of the old value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// Without quotes, behind an explicit tag that makes it a string.
    Tagged,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
}

/// The bytes for `value`: the old notation where it can hold it, else double quotes.
pub(crate) fn written(value: &str, style: Style, flow: bool) -> String {
    let printable = !value.chars().any(char::is_control);
    match style {
        Style::Single if printable => format!("'{}'", value.replace('\'', "''")),
        Style::Plain if plain(value, flow) && windlass_yaml::is_plain_string(value) && !is_number(value) => {
            value.to_owned()
        }
        Style::Tagged if plain(value, flow) => value.to_owned(),
        _ => double(value),
    }
}

/// Whether the characters allow a plain scalar on one line.
fn plain(value: &str, flow: bool) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "_-./:@+".contains(c);
    !value.is_empty()
        && value.chars().all(known)
        && !value.starts_with([':', '@'])
        && value != "-"
        && !value.starts_with("---")
        && !value.starts_with("...")
        && !value.ends_with(':')
        && !(flow && value.contains(['{', '}', '[', ']', ',']))
}

/// Also one too large to be one, of which readers think differently.
fn is_number(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit()) && value.parse::<f64>().is_ok()
}

fn double(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_notation_stays_where_it_can() {
        assert_eq!(written("1.2.3", Style::Plain, false), "1.2.3");
        assert_eq!(written("1.2.3", Style::Single, false), "'1.2.3'");
        assert_eq!(written("1.2.3", Style::Double, false), "\"1.2.3\"");
        assert_eq!(written("it's", Style::Single, false), "'it''s'");
    }

    #[test]
    fn what_would_not_be_a_string_is_quoted() {
        for value in ["1.10", "1e3", "on", "null", "0x1F", "1_000", "2024-01-02", "12:30:45", "", "-", "a: b", "a,b"] {
            assert_eq!(written(value, Style::Plain, true), format!("\"{value}\""), "{value}");
        }
        assert_eq!(written("a\"\u{1}", Style::Single, false), "\"a\\\"\\u0001\"");
    }
}
