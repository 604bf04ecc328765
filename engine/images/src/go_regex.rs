//! Patterns in Go's RE2 syntax.
//!
//! Users write these patterns for Go programs. The Rust engine matches the same
//! way, but reads some texts differently (`[a&&b]`, `a{,3}`, `\Q…\E`, repeated
//! group names), so a pattern is checked and rewritten first. Spec 06 5.1.

mod class;
mod translate;

use std::fmt;

use regex::{CaptureLocations, Regex};

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}: `{pattern}`")]
pub struct PatternError {
    /// The whole pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A compiled pattern.
#[derive(Clone)]
pub struct GoRegex {
    text: String,
    regex: Regex,
    /// Name of each group, by index; a name may occur twice.
    names: Vec<Option<String>>,
}

impl GoRegex {
    /// Compiles a pattern that is searched anywhere in a text.
    pub fn search(pattern: &str) -> Result<Self, PatternError> {
        Self::compile(pattern, |body| body)
    }

    /// Compiles a pattern that must match a whole text.
    pub fn whole(pattern: &str) -> Result<Self, PatternError> {
        Self::compile(pattern, |body| format!(r"\A(?:{body})\z"))
    }

    fn compile(pattern: &str, frame: impl Fn(String) -> String) -> Result<Self, PatternError> {
        let refused = |reason: String| PatternError { pattern: pattern.to_owned(), reason };
        let translated = translate::translate(pattern).map_err(refused)?;
        let regex = Regex::new(&frame(translated.pattern)).map_err(|e| refused(short_reason(&e)))?;
        Ok(Self { text: pattern.to_owned(), regex, names: translated.names })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Room for the groups of one match, to be used again for the next text.
    pub(crate) fn locations(&self) -> CaptureLocations {
        self.regex.capture_locations()
    }

    /// Finds the first match's groups.
    pub(crate) fn locate(&self, locations: &mut CaptureLocations, text: &str) -> bool {
        self.regex.captures_read(locations, text).is_some()
    }

    /// Indexes of the groups with this name.
    pub(crate) fn groups_named(&self, name: &str) -> impl Iterator<Item = usize> {
        self.names.iter().enumerate().filter(move |(_, n)| n.as_deref() == Some(name)).map(|(i, _)| i)
    }
}

/// The engine draws a picture over several lines; its last line is the reason.
fn short_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or(&text).trim_start_matches("error: ").to_owned()
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl Eq for GoRegex {}

impl fmt::Debug for GoRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GoRegex({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_groups_alternatives() {
        let pattern = GoRegex::whole("a|b").unwrap();
        assert!(pattern.is_match("a") && pattern.is_match("b"));
        assert!(!pattern.is_match("ax") && !pattern.is_match("yb"));
    }

    #[test]
    fn go_only_syntax_is_understood() {
        for (pattern, text) in [
            (r"\Qa.b\E+", "a.bb"),
            (r"\101", "A"),
            ("[a&&b]", "&"),
            ("a{,3}", "a{,3}"),
            ("[]a]", "]"),
            (r"\<a", "<a"),
            ("(?P<1>a)", "a"),
            (r"[\d-z]", "-"),
            ("[[a]", "["),
            ("x{", "x{"),
            (r"\x{42}", "B"),
            ("(?ii)a", "A"),
        ] {
            assert!(GoRegex::search(pattern).unwrap().is_match(text), "{pattern}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            "(",
            ")",
            "a**",
            "a{2}{3}",
            "a{1001}",
            "(a{100}){11}",
            r"\1",
            r"\C",
            r"\Z",
            "(?=x)",
            "(?!x)",
            "(?x)a",
            "[z-a]",
            r"[a-\d]",
            "[a",
            "[]",
            "*a",
            r"\",
            "(?P<n",
            "(?P<a-b>a)",
            "(?#c)",
            "[[:foo:]]",
            r"\p{Latn}",
            r"\x{110000}",
        ] {
            assert!(GoRegex::search(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_error_names_the_pattern() {
        let error = GoRegex::search("(").unwrap_err().to_string();
        assert_eq!(error, "error parsing regexp: missing closing ): `(`");
        let error = GoRegex::search("(?!x)").unwrap_err().to_string();
        assert!(error.starts_with("error parsing regexp: invalid or unsupported Perl syntax"), "{error}");
    }
}
