//! Keeps secret values out of everything that is shown or stored.
//!
//! A value is [registered](SecretValues::register) where it enters a run: decrypted files, secret stores, credentials,
//! vars that are `sensitive`. Whatever leaves the run (messages, diffs, results) goes through [`SecretValues::mask`]
//! or [`SecretValues::mask_value`], which replace it in plain, base64, URL-encoded and JSON-escaped form.
//!
//! ```
//! let secrets = windlass_masking::SecretValues::default();
//! secrets.register("p@ss word");
//! assert_eq!(secrets.mask("login with p@ss word"), "login with *****");
//! assert_eq!(secrets.mask("/login?p%40ss%20word"), "/login?*****");
//! assert_eq!(secrets.mask("cEBzcyB3b3Jk"), "*****");
//! ```
//!
//! # What is not masked by its value
//!
//! A value that is everywhere anyway hides nothing and would destroy the output. See [`rule`] for the exact rule:
//! values below four characters, numbers below six digits, and a list of everyday words (`true`, `admin`, …) stay;
//! values below eight characters are masked only where they are a whole word. Of values with several lines also each
//! longer line is masked, as diffs show lines.
//!
//! Not for: deciding what is secret, and Secret objects, whose `data` is hidden by its place (`windlass-diff`).

mod forms;
pub mod rule;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use rule::Reach;

/// What stands in place of a secret.
pub const MASK: &str = "*****";

/// The secret values of a run. Shared by reference; registering and masking need no `mut`.
#[derive(Default)]
pub struct SecretValues {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    known: BTreeSet<String>,
    /// Built when text is masked after values were registered.
    finder: Option<Arc<Finder>>,
}

/// Finds all forms of all values in one walk over a text.
struct Finder {
    automaton: AhoCorasick,
    /// By pattern.
    reach: Vec<Reach>,
}

impl SecretValues {
    /// Masks this value from now on, when [`rule`] lets it be.
    pub fn register(&self, value: &str) {
        let parts = rule::parts(value);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for part in parts {
            if state.known.insert(part.to_owned()) {
                state.finder = None;
            }
        }
    }

    /// A password, and the form in which it is sent together with its user.
    pub fn register_login(&self, user: &str, password: &str) {
        self.register(password);
        self.register(&STANDARD.encode(format!("{user}:{password}")));
    }

    /// As [`Self::register`], for values that are only perhaps secret, such as those of Secret objects, which hold user
    /// and host names too: what [looks like a name](rule::is_name) stays.
    pub fn register_found(&self, value: &str) {
        if !rule::is_name(value.trim()) {
            self.register(value);
        }
    }

    /// Registers every text and number in a value; keys are no secrets.
    pub fn register_value(&self, value: &Value) {
        match value {
            Value::String(text) => self.register(text),
            Value::Number(number) => self.register(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.register_value(item)),
            Value::Object(map) => map.values().for_each(|item| self.register_value(item)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The text without secret values, in time that grows with the text only.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = self.finder() else { return Cow::Borrowed(text) };
        let places = finder.places(text);
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for place in places {
            masked.push_str(&text[end..place.start]);
            masked.push_str(MASK);
            end = place.end;
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }

    /// Masks a text in place.
    pub fn mask_text(&self, text: &mut String) {
        if let Cow::Owned(masked) = self.mask(text) {
            *text = masked;
        }
    }

    /// Masks every text in a value; keys stay.
    pub fn mask_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.mask_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.mask_value(item)),
            Value::Number(number) => {
                if let Cow::Owned(masked) = self.mask(&number.to_string()) {
                    *value = masked.into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Whether nothing has to be masked.
    pub fn is_empty(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).known.is_empty()
    }

    fn finder(&self) -> Option<Arc<Finder>> {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if state.known.is_empty() || state.finder.is_some() {
                return state.finder.clone();
            }
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.finder.is_none() {
            state.finder = Finder::new(&state.known).map(Arc::new);
        }
        state.finder.clone()
    }
}

impl Finder {
    fn new(known: &BTreeSet<String>) -> Option<Self> {
        let mut patterns = Vec::new();
        let mut reach = Vec::new();
        for value in known {
            for form in forms::of(value) {
                patterns.push(form);
                reach.push(rule::reach(value));
            }
        }
        // Fails only for more patterns than memory holds; then everything would have to be hidden, see `places`.
        let automaton = AhoCorasick::new(&patterns).ok()?;
        Some(Self { automaton, reach })
    }

    /// Where secrets stand, in order and without overlaps.
    fn places(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let mut places: Vec<std::ops::Range<usize>> = Vec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let place = found.range();
            if self.reach[found.pattern().as_usize()] == Reach::Words && !rule::is_word(text, &place) {
                continue;
            }
            places.push(place);
        }
        places.sort_by_key(|place| (place.start, place.end));
        let mut merged: Vec<std::ops::Range<usize>> = Vec::with_capacity(places.len());
        for place in places {
            match merged.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => merged.push(place),
            }
        }
        merged
    }
}

impl std::fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.state.read().unwrap_or_else(PoisonError::into_inner).known.len();
        f.debug_struct("SecretValues").field("count", &count).finish()
    }
}

#[cfg(test)]
mod tests;
