//! Python's ideas about lines and words of a text.

/// The line ends of `str.splitlines`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `str.isspace` of one character.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.splitlines(keepends=True)`.
pub(crate) fn split_lines_keep(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| is_line_end(*c)) else {
            lines.push(rest);
            break;
        };
        let mut end = at + c.len_utf8();
        if c == '\r' && rest[end..].starts_with('\n') {
            end += 1;
        }
        lines.push(&rest[..end]);
        rest = &rest[end..];
    }
    lines
}

/// `str.splitlines()`.
pub(crate) fn split_lines(text: &str) -> Vec<&str> {
    let without_end = |line: &'_ str| {
        line.strip_suffix("\r\n").or_else(|| line.strip_suffix(is_line_end)).map_or(line.len(), str::len)
    };
    split_lines_keep(text).into_iter().map(|line| &line[..without_end(line)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_like_in_python() {
        assert_eq!(split_lines("a\nb\r\nc\rd\u{85}e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(split_lines("a\n\n"), ["a", ""]);
        assert_eq!(split_lines(""), Vec::<&str>::new());
        assert_eq!(split_lines_keep("a\r\nb"), ["a\r\n", "b"]);
    }
}
