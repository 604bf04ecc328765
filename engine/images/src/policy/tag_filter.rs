//! Which tags a policy sees, and which part of them it compares.

use std::borrow::Cow;

use regex::CaptureLocations;

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
        let extract = match (&pattern, extract.filter(|text| !text.is_empty())) {
            (Some(pattern), Some(extract)) => Some(Template::parse(extract, pattern)),
            _ => None,
        };
        Ok(Self { exclude: Vec::new(), pattern, extract })
    }

    /// Adds exclusions.
    pub fn excluding<S: AsRef<str>>(mut self, patterns: &[S]) -> Result<Self, PolicyError> {
        for pattern in patterns {
            self.exclude.push(GoRegex::search(pattern.as_ref())?);
        }
        Ok(self)
    }

    /// The part of a tag that is compared; nothing for a tag that is out.
    pub fn compared<'t>(&self, tag: &'t str) -> Option<Cow<'t, str>> {
        let mut locations = self.pattern.as_ref().map(GoRegex::locations);
        self.value(tag, locations.as_mut()).ok()
    }

    /// The part of each tag to compare, or why it is out.
    pub(super) fn values<'t, S: AsRef<str>>(&self, tags: &'t [S]) -> Vec<Result<Cow<'t, str>, Fate>> {
        let mut locations = self.pattern.as_ref().map(GoRegex::locations);
        tags.iter().map(|tag| self.value(tag.as_ref(), locations.as_mut())).collect()
    }

    /// The part of a tag that the pattern's group `version` found, when nothing is extracted anyway.
    pub(super) fn version_group<'t>(&self, tag: &'t str) -> Option<&'t str> {
        let pattern = self.pattern.as_ref().filter(|_| self.extract.is_none())?;
        let mut locations = pattern.locations();
        let found = pattern.locate(&mut locations, tag);
        let group = || pattern.groups_named("version").find_map(|index| locations.get(index));
        found.then(group).flatten().and_then(|(start, end)| tag.get(start..end))
    }

    fn value<'t>(&self, tag: &'t str, locations: Option<&mut CaptureLocations>) -> Result<Cow<'t, str>, Fate> {
        if let Some(pattern) = self.exclude.iter().position(|pattern| pattern.is_match(tag)) {
            return Err(Fate::Excluded { pattern });
        }
        match (&self.pattern, &self.extract, locations) {
            (Some(pattern), Some(template), Some(locations)) => {
                if pattern.locate(locations, tag) {
                    Ok(Cow::Owned(template.expand(tag, locations)))
                } else {
                    Err(Fate::NoMatch)
                }
            }
            (Some(pattern), _, _) if !pattern.is_match(tag) => Err(Fate::NoMatch),
            _ => Ok(Cow::Borrowed(tag)),
        }
    }
}

/// `$name`, `${name}`, `$1`, `$$`; spec 06 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The first of these groups that took part in the match.
    Groups(Vec<usize>),
}

impl Template {
    fn parse(text: &str, pattern: &GoRegex) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            pieces.push(Piece::Text(rest[..at].to_owned()));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                pieces.push(Piece::Text("$".into()));
                rest = after;
            } else if let Some((name, after)) = reference(rest) {
                pieces.push(Piece::Groups(groups(name, pattern)));
                rest = after;
            } else {
                pieces.push(Piece::Text("$".into()));
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }

    fn expand(&self, tag: &str, locations: &CaptureLocations) -> String {
        let mut value = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Groups(groups) => {
                    let found = groups.iter().find_map(|index| locations.get(*index));
                    value.push_str(found.and_then(|(start, end)| tag.get(start..end)).unwrap_or_default());
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

/// The groups that a reference means: one by its number, or all with the name.
fn groups(name: &str, pattern: &GoRegex) -> Vec<usize> {
    let numeric = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    match name.parse() {
        Ok(index) if numeric => vec![index],
        _ => pattern.groups_named(name).collect(),
    }
}
