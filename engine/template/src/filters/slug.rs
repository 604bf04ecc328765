//! `slugify`.

use std::sync::LazyLock;

use minijinja::Error;
use minijinja::value::Value;
use regex::{Captures, Regex};

use super::encoding::text;
use crate::binder::signature;
use crate::failure::{type_error, value_error};
use crate::methods::sequence;
use crate::value::{is_true, py_str};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

static QUOTES: LazyLock<Regex> = LazyLock::new(|| pattern("[']+"));
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"&#(\d+);"));
static HEXADECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"&#x([\da-fA-F]+);"));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| pattern(r"&([A-Za-z][A-Za-z0-9]*);"));
static NUMBER_COMMA: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d),(\d)"));
static DISALLOWED: LazyLock<Regex> = LazyLock::new(|| pattern(r"[^-a-zA-Z0-9]+"));
static DISALLOWED_UNICODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\W_]+"));
static DASHES: LazyLock<Regex> = LazyLock::new(|| pattern("-{2,}"));

const PARAMETERS: [&str; 13] = [
    "text",
    "entities",
    "decimal",
    "hexadecimal",
    "max_length",
    "word_boundary",
    "separator",
    "save_order",
    "stopwords",
    "regex_pattern",
    "lowercase",
    "replacements",
    "allow_unicode",
];

struct Options {
    entities: bool,
    decimal: bool,
    hexadecimal: bool,
    max_length: usize,
    word_boundary: bool,
    separator: String,
    save_order: bool,
    stopwords: Vec<String>,
    pattern: Option<Regex>,
    lowercase: bool,
    replacements: Vec<(String, String)>,
    allow_unicode: bool,
}

pub(super) fn slugify(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("slugify", &PARAMETERS, 1).bind(args)?;
    let input = slots[0].clone().unwrap_or_default();
    let input = text(&input, "is not a text")?;
    Ok(Value::from(slug(input, &options(&slots)?)))
}

fn options(slots: &[Option<Value>]) -> Result<Options, Error> {
    let flag = |index: usize, default| slots[index].as_ref().map_or(Ok(default), is_true);
    let words = |index: usize| slots[index].as_ref().map_or(Ok(Vec::new()), sequence);
    let max_length = slots[4].as_ref().and_then(Value::as_i64).unwrap_or(0);
    let pattern = slots[9].as_ref().filter(|value| !value.is_none()).map(py_str);
    let mut replacements = Vec::new();
    for pair in words(11)? {
        match sequence(&pair)?.as_slice() {
            [old, new] => replacements.push((py_str(old), py_str(new))),
            _ => return Err(type_error("replacements must be pairs")),
        }
    }
    Ok(Options {
        entities: flag(1, true)?,
        decimal: flag(2, true)?,
        hexadecimal: flag(3, true)?,
        max_length: usize::try_from(max_length).unwrap_or(0),
        word_boundary: flag(5, false)?,
        separator: slots[6].as_ref().map_or_else(|| "-".to_owned(), py_str),
        save_order: flag(7, false)?,
        stopwords: words(8)?.iter().map(py_str).collect(),
        pattern: pattern
            .map(|text| {
                crate::budget::effort(1000, 20 + text.len())?;
                Regex::new(&text).map_err(|error| value_error(error.to_string()))
            })
            .transpose()?,
        lowercase: flag(10, true)?,
        replacements,
        allow_unicode: flag(12, false)?,
    })
}

fn slug(input: &str, options: &Options) -> String {
    let mut text = input.to_owned();
    replace_all(&mut text, &options.replacements);
    text = QUOTES.replace_all(&text, "-").into_owned();
    if !options.allow_unicode {
        text = ascii(&text);
    }
    text = entities(text, options);
    if !options.allow_unicode {
        text = ascii(&text);
    }
    if options.lowercase {
        text = text.to_lowercase();
    }
    text = QUOTES.replace_all(&text, "").into_owned();
    // Twice: matches cannot overlap, as in `1,2,3`.
    for _ in 0..2 {
        text = NUMBER_COMMA.replace_all(&text, "$1$2").into_owned();
    }
    let disallowed =
        options.pattern.as_ref().unwrap_or(if options.allow_unicode { &DISALLOWED_UNICODE } else { &DISALLOWED });
    text = disallowed.replace_all(&text, "-").into_owned();
    text = DASHES.replace_all(&text, "-").trim_matches('-').to_owned();
    text = without_stopwords(text, options);
    replace_all(&mut text, &options.replacements);
    if options.max_length > 0 {
        text = truncate(&text, options);
    }
    if options.separator == "-" { text } else { text.replace('-', &options.separator) }
}

fn replace_all(text: &mut String, replacements: &[(String, String)]) {
    for (old, new) in replacements {
        *text = text.replace(old, new);
    }
}

fn without_stopwords(text: String, options: &Options) -> String {
    if options.stopwords.is_empty() {
        return text;
    }
    let stops: Vec<String> = options
        .stopwords
        .iter()
        .map(|word| if options.lowercase { word.to_lowercase() } else { word.clone() })
        .collect();
    text.split('-').filter(|word| !stops.iter().any(|stop| stop == word)).collect::<Vec<_>>().join("-")
}

fn truncate(text: &str, options: &Options) -> String {
    let most = options.max_length;
    let length = |text: &str| text.chars().count();
    if length(text) < most {
        return text.to_owned();
    }
    let cut = || text.chars().take(most).collect::<String>().trim_matches('-').to_owned();
    if !options.word_boundary {
        return cut();
    }
    let mut kept = String::new();
    for word in text.split('-').filter(|word| !word.is_empty()) {
        let next = length(&kept) + length(word);
        if next < most {
            kept.push_str(word);
            kept.push('-');
        } else if next == most {
            kept.push_str(word);
            break;
        } else if options.save_order {
            break;
        }
    }
    if kept.is_empty() {
        kept = text.chars().take(most).collect();
    }
    kept.trim_matches('-').to_owned()
}

fn entities(mut text: String, options: &Options) -> String {
    let character = |code: Option<u32>, found: &Captures<'_>| {
        code.and_then(char::from_u32).map_or_else(|| found[0].to_owned(), String::from)
    };
    if options.entities {
        text = ENTITY
            .replace_all(&text, |found: &Captures<'_>| named_entity(&found[1]).unwrap_or(&found[0]).to_owned())
            .into_owned();
    }
    if options.decimal {
        text = DECIMAL.replace_all(&text, |found: &Captures<'_>| character(found[1].parse().ok(), found)).into_owned();
    }
    if options.hexadecimal {
        text = HEXADECIMAL
            .replace_all(&text, |found: &Captures<'_>| character(u32::from_str_radix(&found[1], 16).ok(), found))
            .into_owned();
    }
    text
}

fn named_entity(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "nbsp" => "\u{a0}",
        "copy" => "©",
        "reg" => "®",
        "auml" => "ä",
        "ouml" => "ö",
        "uuml" => "ü",
        "szlig" => "ß",
        "eacute" => "é",
        "egrave" => "è",
        "agrave" => "à",
        "euro" => "€",
        _ => return None,
    })
}

/// Letters of other alphabets in ASCII.
fn ascii(text: &str) -> String {
    // The table of upstream has no words for dingbats and emoji.
    let is_picture = |c: char| matches!(u32::from(c), 0x2600..=0x27bf | 0x1f000..=0x1fbff);
    if text.is_ascii() { text.to_owned() } else { deunicode::deunicode(&text.replace(is_picture, "")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug_of(text: &str) -> String {
        slugify(&[Value::from(text)]).unwrap().to_string()
    }

    #[test]
    fn the_documented_examples() {
        for (text, expected) in [
            ("Hello, World! ß Ünï", "hello-world-ss-uni"),
            ("a_b", "a-b"),
            ("feature/ABC-12", "feature-abc-12"),
            ("1,000 x", "1000-x"),
            ("it's", "it-s"),
            ("&amp; &#97; &#x62;", "a-b"),
            ("", ""),
        ] {
            assert_eq!(slug_of(text), expected);
        }
    }

    #[test]
    fn only_strings_have_slugs() {
        assert!(slugify(&[Value::from(1)]).is_err());
        assert!(slugify(&[Value::UNDEFINED]).is_err());
        assert!(slugify(&[]).is_err());
    }
}
