//! Globs of `gitFiles`: `*` and `?` stay inside of a path element, `**` does not (spec 01 section 13.4).

use regex::Regex;

/// A glob over the whole of a `/`-separated path.
#[derive(Debug)]
pub(super) struct PathGlob(Regex);

impl PathGlob {
    /// Reads a glob; the error says what is wrong with it.
    pub(super) fn parse(glob: &str) -> Result<Self, String> {
        let pattern = format!("(?s)^{}$", translate(glob)?);
        Regex::new(&pattern).map(Self).map_err(|_| "it is no valid glob".to_owned())
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

fn translate(glob: &str) -> Result<String, String> {
    let mut pattern = String::new();
    let mut chars = glob.chars().peekable();
    let mut open = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                while chars.next_if_eq(&'*').is_some() {}
                pattern.push_str(".*");
            }
            '*' => pattern.push_str("[^/]*"),
            '?' => pattern.push_str("[^/]"),
            '[' => class(&mut chars, &mut pattern)?,
            '{' => {
                open += 1;
                pattern.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                pattern.push(')');
            }
            ',' if open > 0 => pattern.push('|'),
            '\\' => {
                let escaped = chars.next().ok_or("it ends with a backslash")?;
                pattern.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
            }
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    if open > 0 { Err("a `{` is not closed".to_owned()) } else { Ok(pattern) }
}

/// `[abc]`, `[a-z]`, `[!a-z]`.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, pattern: &mut String) -> Result<(), String> {
    pattern.push('[');
    if chars.next_if(|c| *c == '!' || *c == '^').is_some() {
        pattern.push('^');
    }
    let mut is_empty = true;
    for c in chars.by_ref() {
        match c {
            ']' if !is_empty => {
                pattern.push(']');
                return Ok(());
            }
            ']' => return Err("`[]` is empty".to_owned()),
            '-' => pattern.push('-'),
            other => {
                if !other.is_alphanumeric() {
                    pattern.push('\\');
                }
                pattern.push(other);
            }
        }
        is_empty = false;
    }
    Err("a `[` is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_know_elements() {
        for (glob, path, matches) in [
            ("*/v.yaml", "deep/v.yaml", true),
            ("*/v.yaml", "a/b/v.yaml", false),
            ("**/c.txt", "a/b/c.txt", true),
            ("**/c.txt", "c.txt", false),
            ("**", "a/b", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("{a,b}/[x-z].yaml", "b/y.yaml", true),
            ("{a,b}/[!x-z].yaml", "b/y.yaml", false),
            ("a.b", "axb", false),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
        ] {
            assert_eq!(PathGlob::parse(glob).unwrap().matches(path), matches, "{glob} {path}");
        }
    }

    #[test]
    fn wrong_globs_are_refused() {
        for glob in ["{a", "[a", "[]", r"a\", "[z-a]"] {
            assert!(PathGlob::parse(glob).is_err(), "{glob}");
        }
    }
}
