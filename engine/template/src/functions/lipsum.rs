//! `lipsum`: filler text. Always the same one, because two runs must give the same output.

use minijinja::Error;
use minijinja::value::Value;

use crate::binder::signature;
use crate::failure::value_error;
use crate::methods::capitalized;
use crate::value::{Number, is_true, number_of};

const WORDS: [&str; 24] = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetuer",
    "adipiscing",
    "elit",
    "sed",
    "diam",
    "nonummy",
    "nibh",
    "euismod",
    "tincidunt",
    "ut",
    "laoreet",
    "dolore",
    "magna",
    "aliquam",
    "erat",
    "volutpat",
    "wisi",
    "enim",
    "minim",
];

/// `lipsum(n=5, html=True, min=20, max=100)`.
pub(super) fn lipsum(args: &[Value]) -> Result<Value, Error> {
    let slots = signature("generate_lorem_ipsum", &["n", "html", "min", "max"], 0).bind(args)?;
    let number = |index: usize, default: i128| match slots[index].as_ref().and_then(number_of) {
        Some(Number::Int(number)) => number,
        _ => default,
    };
    let (paragraphs, least, most) = (number(0, 5), number(2, 20), number(3, 100));
    if least >= most {
        return Err(value_error(format!("empty range for randrange() ({least}, {most}, {})", most - least)));
    }
    let count = |number: i128| usize::try_from(number.max(0)).unwrap_or(usize::MAX);
    crate::budget::reserve_times(count(paragraphs), count(least).saturating_mul(12))?;
    let html = slots[1].as_ref().map_or(Ok(true), is_true)?;
    let texts = (0..count(paragraphs)).map(|index| paragraph(index, count(least).max(1)));
    Ok(if html {
        let texts: Vec<String> = texts.map(|text| format!("<p>{text}</p>")).collect();
        Value::from_safe_string(texts.join("\n"))
    } else {
        Value::from(texts.collect::<Vec<_>>().join("\n\n"))
    })
}

/// So many words, in sentences of eight.
fn paragraph(index: usize, words: usize) -> String {
    let mut out = String::new();
    for position in 0..words {
        let word = WORDS[(index * 7 + position * 5) % WORDS.len()];
        match position {
            0 => out.push_str(&capitalized(word)),
            _ if position.is_multiple_of(8) => out.push_str(&format!(". {}", capitalized(word))),
            _ => out.push_str(&format!(" {word}")),
        }
    }
    out + "."
}
