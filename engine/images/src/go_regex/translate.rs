//! From Go syntax to the Rust engine's, outside of character classes.

use super::class;

const MAX_REPEAT: u32 = 1000;

pub(super) struct Translated {
    pub(super) pattern: String,
    /// Index 0 is the whole match.
    pub(super) names: Vec<Option<String>>,
}

/// Rewrites `pattern`; the error is the reason alone.
pub(super) fn translate(pattern: &str) -> Result<Translated, String> {
    let mut t = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        names: vec![None],
        open: Vec::new(),
        sequence_weight: 1,
        last: Last::Nothing,
    };
    while !t.rest.is_empty() {
        t.step()?;
    }
    if t.open.is_empty() { Ok(Translated { pattern: t.out, names: t.names }) } else { Err("missing closing )".into()) }
}

/// What the next repetition operator would apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    /// An atom; the number is the product of the counted repetitions in it.
    Atom(u32),
    Repeat,
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    names: Vec<Option<String>>,
    /// Weight of the sequence around each open group.
    open: Vec<u32>,
    /// Largest product of nested counts seen in the current group.
    sequence_weight: u32,
    last: Last,
}

impl<'a> Translator<'a> {
    fn step(&mut self) -> Result<(), String> {
        let c = self.rest.chars().next().unwrap_or_default();
        match c {
            '(' => self.open_group(),
            ')' => self.close_group(),
            '|' => {
                self.take(1);
                self.out.push('|');
                self.last = Last::Nothing;
                Ok(())
            }
            '*' | '+' | '?' => {
                let text = self.take(1);
                self.repeat(text, None)
            }
            '{' => self.brace(),
            '[' => {
                let len = class::translate(self.rest, &mut self.out)?;
                self.take(len);
                self.atom(1);
                Ok(())
            }
            '\\' => self.escape(),
            '^' | '$' | '.' => {
                let text = self.take(1);
                self.out.push_str(text);
                self.atom(1);
                Ok(())
            }
            _ => {
                self.take(c.len_utf8());
                self.literal(c);
                Ok(())
            }
        }
    }

    fn take(&mut self, len: usize) -> &'a str {
        let (head, rest) = self.rest.split_at(len);
        self.rest = rest;
        head
    }

    fn atom(&mut self, weight: u32) {
        self.last = Last::Atom(weight);
    }

    fn literal(&mut self, c: char) {
        push_literal(&mut self.out, c);
        self.atom(1);
    }

    fn brace(&mut self) -> Result<(), String> {
        match counts(self.rest) {
            None => {
                self.take(1);
                self.literal('{');
                Ok(())
            }
            Some((len, min, max)) => {
                let text = self.take(len);
                let (Some(min), Some(max)) = (min, max) else {
                    return Err("invalid repeat count".into());
                };
                if max.is_some_and(|max| max < min) {
                    return Err("invalid repeat count".into());
                }
                self.repeat(text, Some(max.unwrap_or(min)))
            }
        }
    }

    fn repeat(&mut self, text: &str, count: Option<u32>) -> Result<(), String> {
        let weight = match self.last {
            Last::Nothing => return Err("missing argument to repetition operator".into()),
            Last::Repeat => return Err("invalid nested repetition operator".into()),
            Last::Atom(weight) => match count {
                Some(0) => 1,
                Some(count) => weight.saturating_mul(count),
                None => weight,
            },
        };
        if weight > MAX_REPEAT {
            return Err("invalid repeat count".into());
        }
        self.out.push_str(text);
        if self.rest.starts_with('?') {
            self.take(1);
            self.out.push('?');
        }
        self.sequence_weight = self.sequence_weight.max(weight);
        self.last = Last::Repeat;
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), String> {
        let Some(after) = self.rest.strip_prefix("(?") else {
            self.take(1);
            self.names.push(None);
            self.enter("(");
            return Ok(());
        };
        let named = after.strip_prefix("P<").or_else(|| after.strip_prefix('<'));
        let Some(named) = named.filter(|_| !after.starts_with("<=") && !after.starts_with("<!")) else {
            return self.flags(after);
        };
        let Some((name, rest)) = named.split_once('>') else {
            return Err("invalid named capture".into());
        };
        if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
            return Err("invalid named capture".into());
        }
        self.names.push(Some(name.to_owned()));
        self.rest = rest;
        self.enter("(");
        Ok(())
    }

    fn enter(&mut self, text: &str) {
        self.out.push_str(text);
        self.open.push(self.sequence_weight);
        self.sequence_weight = 1;
        self.last = Last::Nothing;
    }

    fn close_group(&mut self) -> Result<(), String> {
        let Some(outer) = self.open.pop() else {
            return Err("unexpected )".into());
        };
        self.take(1);
        self.out.push(')');
        let inner = std::mem::replace(&mut self.sequence_weight, outer);
        self.atom(inner);
        self.sequence_weight = self.sequence_weight.max(inner);
        Ok(())
    }

    /// `(?i)`, `(?i-s:`, `(?:`; anything else after `(?` is Perl's.
    fn flags(&mut self, after: &'a str) -> Result<(), String> {
        let perl = || "invalid or unsupported Perl syntax".to_owned();
        let end = after.find([')', ':']).ok_or_else(perl)?;
        let (text, closed) = (&after[..end], after[end..].starts_with(')'));
        let (on, off) = text.split_once('-').map_or((text, None), |(on, off)| (on, Some(off)));
        let known = |flags: &str| flags.chars().all(|c| "imsU".contains(c));
        if !known(on) || off.is_some_and(|off| off.is_empty() || !known(off)) {
            return Err(perl());
        }
        let off = off.unwrap_or_default();
        let mut written = String::new();
        written.extend("imsU".chars().filter(|c| on.contains(*c) && !off.contains(*c)));
        if !off.is_empty() {
            written.push('-');
            written.extend("imsU".chars().filter(|c| off.contains(*c)));
        }
        self.rest = &after[end + 1..];
        match (closed, written.is_empty()) {
            (true, true) => self.last = Last::Nothing,
            (true, false) => {
                self.out.push_str(&format!("(?{written})"));
                self.last = Last::Nothing;
            }
            (false, _) => self.enter(&format!("(?{written}:")),
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if let Some(quoted) = self.rest.strip_prefix(r"\Q") {
            let (text, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            text.chars().for_each(|c| self.literal(c));
            self.rest = rest;
            return Ok(());
        }
        let next = self.rest[1..].chars().next();
        match next {
            Some('A' | 'z' | 'B') => {
                let text = self.take(2);
                self.out.push_str(text);
            }
            Some('b') => {
                self.take(2);
                self.out.push_str(r"(?-u:\b)");
            }
            _ => {
                let (len, item) = class::escape(self.rest)?;
                self.take(len);
                match item {
                    class::Item::Char(c) => push_literal(&mut self.out, c),
                    class::Item::Set(set) => self.out.push_str(&set),
                }
            }
        }
        self.atom(1);
        Ok(())
    }
}

pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        out.push_str(&format!(r"\x{{{:x}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// A complete `{n}`, `{n,}` or `{n,m}`: its length, minimum and maximum.
/// The outer `None` means that the brace is literal, an inner one that a number is too large.
fn counts(text: &str) -> Option<(usize, Option<u32>, Option<Option<u32>>)> {
    let end = text.find('}')?;
    let body = &text[1..end];
    let (min, max) = body.split_once(',').map_or((body, None), |(min, max)| (min, Some(max)));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let plain = |t: &str| !t.is_empty() && digits(t) && (t.len() == 1 || !t.starts_with('0'));
    if !plain(min) || max.is_some_and(|m| !m.is_empty() && !plain(m)) {
        return None;
    }
    let count = |t: &str| t.parse::<u32>().ok().filter(|n| *n <= MAX_REPEAT);
    let max = match max {
        None => Some(count(min)),
        Some("") => Some(None),
        Some(max) => count(max).map(Some),
    };
    Some((end + 1, count(min), max))
}
