//! Which tags a policy sees, and which part of them it compares.

use std::borrow::Cow;

use super::{Fate, PolicyError};
use crate::go_regex::GoRegex;

/// Exclusions, then a pattern with an optional extraction. Empty by default: every tag passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagFilter {
    /// Tags that match any of these are left out.
    pub exclude: Vec<GoRegex>,
    /// Tags must match this somewhere.
    pub pattern: Option<GoRegex>,
    extract: Option<Template>,
}

impl TagFilter {
    /// A filter of pattern and extraction texts; an empty extraction is none.
    pub fn new(pattern: Option<&str>, extract: Option<&str>) -> Result<Self, PolicyError> {
        let pattern = pattern.map(GoRegex::search).transpose()?;
        let extract = extract.filter(|text| !text.is_empty()).map(Template::parse);
        Ok(Self { exclude: Vec::new(), pattern, extract })
    }

    /// Adds exclusions.
    pub fn excluding<S: AsRef<str>>(mut self, patterns: &[S]) -> Result<Self, PolicyError> {
        for pattern in patterns {
            self.exclude.push(GoRegex::search(pattern.as_ref())?);
        }
        Ok(self)
    }

    /// The part of `tag` to compare, or why it is out.
    pub(super) fn value<'t>(&self, tag: &'t str) -> Result<Cow<'t, str>, Fate> {
        if let Some(pattern) = self.exclude.iter().position(|pattern| pattern.is_match(tag)) {
            return Err(Fate::Excluded { pattern });
        }
        match (&self.pattern, &self.extract) {
            (None, _) => Ok(Cow::Borrowed(tag)),
            (Some(pattern), None) if pattern.is_match(tag) => Ok(Cow::Borrowed(tag)),
            (Some(_), None) => Err(Fate::NoMatch),
            (Some(pattern), Some(template)) => {
                let captures = pattern.captures(tag).ok_or(Fate::NoMatch)?;
                Ok(Cow::Owned(template.expand(pattern, &captures)))
            }
        }
    }
}

/// `$name`, `${name}`, `$1`, `$$`; spec 06 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Index(usize),
    Name(String),
}

impl Template {
    fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            pieces.push(Piece::Text(rest[..at].to_owned()));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                pieces.push(Piece::Text("$".into()));
                rest = after;
            } else if let Some((name, after)) = reference(rest) {
                pieces.push(group(name));
                rest = after;
            } else {
                pieces.push(Piece::Text("$".into()));
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }

    fn expand(&self, pattern: &GoRegex, captures: &regex::Captures<'_>) -> String {
        let mut value = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Index(index) => value.push_str(captures.get(*index).map_or("", |m| m.as_str())),
                Piece::Name(name) => {
                    let found = pattern.groups_named(name).find_map(|index| captures.get(index));
                    value.push_str(found.map_or("", |m| m.as_str()));
                }
            }
        }
        value
    }
}

/// The name after a `$`, and the text behind it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let word = |text: &str| text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = match text.strip_prefix('{') {
        Some(braced) => {
            let (name, rest) = braced.split_at(word(braced));
            (name, rest.strip_prefix('}')?)
        }
        None => text.split_at(word(text)),
    };
    (!name.is_empty()).then_some((name, rest))
}

fn group(name: &str) -> Piece {
    let numeric = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    match name.parse() {
        Ok(index) if numeric => Piece::Index(index),
        _ => Piece::Name(name.to_owned()),
    }
}
