//! Character classes and escapes that stand for characters.

use super::translate::push_literal;

/// What an escape stands for.
pub(super) enum Item {
    Char(char),
    /// A set in the Rust engine's syntax, valid inside and outside of a class.
    Set(String),
}

/// Copies the class at the start of `text` to `out`; tells its length in `text`.
pub(super) fn translate(text: &str, out: &mut String) -> Result<usize, String> {
    let missing = || "missing closing ]".to_owned();
    let mut rest = &text[1..];
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if let Some((name, len)) = named_class(rest)? {
            out.push_str(name);
            rest = &rest[len..];
            continue;
        }
        let (low, len) = match item(rest).ok_or_else(missing)?? {
            (Item::Set(set), len) => {
                out.push_str(&set);
                rest = &rest[len..];
                continue;
            }
            (Item::Char(c), len) => (c, len),
        };
        rest = &rest[len..];
        push_literal(out, low);
        let Some(range) = rest.strip_prefix('-').filter(|r| !r.is_empty() && !r.starts_with(']')) else {
            continue;
        };
        match item(range).ok_or_else(missing)?? {
            (Item::Char(high), len) if high >= low => {
                out.push('-');
                push_literal(out, high);
                rest = &range[len..];
            }
            _ => return Err("invalid character class range".into()),
        }
    }
    out.push(']');
    Ok(text.len() - rest.len() + 1)
}

/// One character or escape of a class; `None` at the end of the text.
fn item(text: &str) -> Option<Result<(Item, usize), String>> {
    let c = text.chars().next()?;
    Some(match c {
        '\\' => escape(text).map(|(len, item)| (item, len)),
        _ => Ok((Item::Char(c), c.len_utf8())),
    })
}

/// `[:alpha:]` and relatives.
fn named_class(text: &str) -> Result<Option<(&str, usize)>, String> {
    const NAMES: &[&str] = &[
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    ];
    let Some(end) = text.strip_prefix("[:").and_then(|t| t.find(":]")) else {
        return Ok(None);
    };
    let name = &text[2..end + 2];
    if NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        Ok(Some((&text[..end + 4], end + 4)))
    } else {
        Err("invalid character class range".into())
    }
}

/// An escape that is a character or a set; its length in `text`.
pub(super) fn escape(text: &str) -> Result<(usize, Item), String> {
    let refused = || Err("invalid escape sequence".to_owned());
    let Some(c) = text[1..].chars().next() else {
        return Err("trailing backslash at end of expression".into());
    };
    let set = |set: &str| Ok((2, Item::Set(set.to_owned())));
    match c {
        'd' => set("[0-9]"),
        'D' => set("[^0-9]"),
        's' => set(r"[\t\n\x0c\r ]"),
        'S' => set(r"[^\t\n\x0c\r ]"),
        'w' => set("[0-9A-Za-z_]"),
        'W' => set("[^0-9A-Za-z_]"),
        'p' | 'P' => unicode_set(text),
        'x' => hexadecimal(text),
        '0' => Ok(octal(text)),
        '1'..='7' if text[2..].starts_with(|d: char| ('0'..='7').contains(&d)) => Ok(octal(text)),
        'a' => Ok((2, Item::Char('\x07'))),
        'f' => Ok((2, Item::Char('\x0c'))),
        'n' => Ok((2, Item::Char('\n'))),
        'r' => Ok((2, Item::Char('\r'))),
        't' => Ok((2, Item::Char('\t'))),
        'v' => Ok((2, Item::Char('\x0b'))),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((2, Item::Char(c))),
        _ => refused(),
    }
}

/// Up to three octal digits.
fn octal(text: &str) -> (usize, Item) {
    let digits: String = text[1..].chars().take(3).take_while(|d| ('0'..='7').contains(d)).collect();
    let code = u32::from_str_radix(&digits, 8).unwrap_or_default();
    (1 + digits.len(), Item::Char(char::from_u32(code).unwrap_or_default()))
}

/// `\x41` or `\x{41}`.
fn hexadecimal(text: &str) -> Result<(usize, Item), String> {
    let body = &text[2..];
    let (digits, len) = match body.strip_prefix('{') {
        Some(braced) => match braced.find('}') {
            Some(end) => (&braced[..end], end + 4),
            None => ("", 0),
        },
        None => (body.get(..2).unwrap_or_default(), 4),
    };
    let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| valid).and_then(char::from_u32);
    code.map(|c| (len, Item::Char(c))).ok_or_else(|| "invalid escape sequence".to_owned())
}

/// `\pL`, `\p{Greek}`, `\p{^L}` and their upper-case forms.
fn unicode_set(text: &str) -> Result<(usize, Item), String> {
    let refused = || "invalid character class range".to_owned();
    let body = &text[2..];
    let (name, len) = match body.strip_prefix('{') {
        Some(braced) => braced.find('}').map(|end| (&braced[..end], end + 4)).ok_or_else(refused)?,
        None => body.chars().next().map(|c| (&body[..c.len_utf8()], 2 + c.len_utf8())).ok_or_else(refused)?,
    };
    let (name, inverted) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    if !go_knows(name) {
        return Err(refused());
    }
    let letter = if text.starts_with(r"\P") != inverted { 'P' } else { 'p' };
    Ok((len, Item::Set(format!("\\{letter}{{{name}}}"))))
}

/// Go knows general categories and the long names of scripts, not the four-letter codes.
fn go_knows(name: &str) -> bool {
    const FOUR_LETTER_SCRIPTS: &[&str] = &["Ahom", "Cham", "Kawi", "Lisu", "Miao", "Modi", "Newa", "Thai", "Toto"];
    let mut chars = name.chars();
    let capitalised = chars.next().is_some_and(|c| c.is_ascii_uppercase());
    capitalised
        && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
        && (name.len() != 4 || FOUR_LETTER_SCRIPTS.contains(&name))
}
