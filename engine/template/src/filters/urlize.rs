//! `urlize`: links for what looks like an address.

use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{AutoEscape, Error, State};
use regex::Regex;

use super::strings::{escaped, integer};
use super::{Function, defined};
use crate::binder::signature;
use crate::error::ErrorKind;
use crate::failure::raised;
use crate::methods::sequence;
use crate::value::{is_true, py_repr, py_str};

pub(super) const FILTERS: &[(&str, Function)] = &[("urlize", |state, args| urlize(state, args))];

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)^(
            (https?://|www\.) (([\w%-]+\.)+)? ([a-z]{2,63} | xn--[\w%]{2,59})
            | ([\w%-]{2,63}\.)+ (com|net|int|edu|gov|org|info|mil)
            | https?:// ( \d{1,3}(\.\d{1,3}){3} | \[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\] )
        )(:\d{1,5})? ([/?\#]\S*)? $",
    )
    .ok()
});
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\S+@\w[\w.-]*\.\w+$").ok());
static SCHEME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\w.+-]{2,}:/{0,2}$").ok());

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn urlize(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let parameters = &["value", "trim_url_limit", "nofollow", "target", "rel", "extra_schemes"];
    let slots = signature("do_urlize", parameters, 1).bind(args)?;
    let given = |index: usize| slots[index].as_ref().filter(|value| !value.is_none());
    let text = defined(slots[0].as_ref())?;
    let mut relations: Vec<String> =
        py_str(given(4).unwrap_or(&Value::from(""))).split_whitespace().map(str::to_owned).collect();
    if slots[2].as_ref().map_or(Ok(false), is_true)? {
        relations.push("nofollow".to_owned());
    }
    relations.push("noopener".to_owned());
    relations.sort();
    relations.dedup();
    let mut schemes = Vec::new();
    for scheme in given(5).map(sequence).transpose()?.unwrap_or_default() {
        if !matches(&SCHEME, &py_str(&scheme)) {
            let message = format!("{} is not a valid URI scheme prefix.", py_repr(&scheme));
            return Err(raised(ErrorKind::Assertion, message));
        }
        schemes.push(py_str(&scheme));
    }
    let limit = given(1).map(|limit| integer(Some(limit), 0)).transpose()?;
    let target = given(3).map(py_str).filter(|target| !target.is_empty());
    let target = target.map(|target| format!(" target=\"{}\"", escaped(&target))).unwrap_or_default();
    let links = Links {
        attributes: format!(" rel=\"{}\"{target}", escaped(&relations.join(" "))),
        limit: limit.map(|limit| usize::try_from(limit).unwrap_or(0)),
        schemes,
    };
    let text = if text.is_safe() { py_str(text) } else { escaped(&py_str(text)) };
    let text = links.add_to(&text);
    Ok(if state.auto_escape() == &AutoEscape::None { Value::from(text) } else { Value::from_safe_string(text) })
}

struct Links {
    attributes: String,
    limit: Option<usize>,
    schemes: Vec<String>,
}

impl Links {
    fn add_to(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            out.push_str(&self.word(&rest[..word]));
            rest = &rest[word..];
            let space = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            out.push_str(&rest[..space]);
            rest = &rest[space..];
        }
        out
    }

    fn word(&self, word: &str) -> String {
        let (head, middle, tail) = parts(word);
        format!("{head}{}{tail}", self.linked(&middle))
    }

    fn linked(&self, text: &str) -> String {
        let attributes = &self.attributes;
        if matches(&URL, text) {
            let scheme = if text.starts_with("https://") || text.starts_with("http://") { "" } else { "https://" };
            return format!("<a href=\"{scheme}{text}\"{attributes}>{}</a>", self.trimmed(text));
        }
        if let Some(address) = text.strip_prefix("mailto:").filter(|address| matches(&EMAIL, address)) {
            return format!("<a href=\"{text}\">{address}</a>");
        }
        if text.contains('@') && !text.starts_with("www.") && !text.contains(':') && matches(&EMAIL, text) {
            return format!("<a href=\"mailto:{text}\">{text}</a>");
        }
        let known = |linked: String, scheme: &String| {
            let fits = linked != *scheme && linked.starts_with(scheme.as_str());
            if fits { format!("<a href=\"{linked}\"{attributes}>{linked}</a>") } else { linked }
        };
        self.schemes.iter().fold(text.to_owned(), known)
    }

    fn trimmed(&self, text: &str) -> String {
        match self.limit {
            Some(limit) if text.chars().count() > limit => text.chars().take(limit).chain("...".chars()).collect(),
            _ => text.to_owned(),
        }
    }
}

const OPENING: [&str; 3] = ["(", "<", "&lt;"];
const CLOSING: [&str; 5] = [")", ">", ".", ",", "&gt;"];

/// Brackets and punctuation around a word are not part of it, unless brackets inside need them.
fn parts(word: &str) -> (&str, String, String) {
    let mut start = 0;
    while let Some(mark) = OPENING.iter().find(|mark| word[start..].starts_with(**mark)) {
        start += mark.len();
    }
    let (head, rest) = word.split_at(start);
    let mut end = rest.len();
    while let Some(mark) = CLOSING.iter().find(|mark| rest[..end].ends_with(**mark)) {
        end -= mark.len();
    }
    let (mut middle, mut tail) = (rest[..end].to_owned(), rest[end..].to_owned());
    for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
        let opened = middle.matches(open).count();
        if opened <= middle.matches(close).count() {
            continue;
        }
        for _ in 0..opened.min(tail.matches(close).count()) {
            let Some(at) = tail.find(close) else { break };
            let moved: String = tail.drain(..at + close.len()).collect();
            middle.push_str(&moved);
        }
    }
    (head, middle, tail)
}
