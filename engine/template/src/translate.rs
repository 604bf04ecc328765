//! From Jinja2 to the dialect of the engine.
//!
//! The engine differs from Python's Jinja2 where no hook reaches: operators,
//! literals that can change, scopes of `include` and `with`, macro arguments.
//! Those places are rewritten before compilation, token by token, so that
//! every line keeps its number; [`Translated::original_offset`] leads back to
//! the user's text. What this module does not understand it leaves alone:
//! the engine then reports the syntax error.

mod expression;
mod fragment;
mod loops;
mod statement;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use fragment::Fragment;

/// A template in the engine's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translated {
    /// The user's text.
    pub(crate) original: String,
    /// The text to compile.
    pub(crate) text: String,
    /// Offsets in `text` and where they come from, ascending.
    marks: Vec<(usize, usize)>,
    /// What is wrong with the syntax, in Jinja2's words.
    pub(crate) problem: Option<String>,
}

impl Translated {
    /// The offset in the user's text.
    pub(crate) fn original_offset(&self, offset: usize) -> usize {
        let after = self.marks.partition_point(|(translated, _)| *translated <= offset);
        match after.checked_sub(1).map(|index| self.marks[index]) {
            Some((translated, original)) => original + (offset - translated),
            None => offset,
        }
        .min(self.original.len())
    }

    fn unchanged(text: &str, problem: Option<String>) -> Self {
        Self { original: text.to_owned(), text: text.to_owned(), marks: Vec::new(), problem }
    }

    fn of(text: &str, fragment: Fragment) -> Self {
        Self { original: text.to_owned(), text: fragment.text, marks: fragment.marks, problem: None }
    }
}

/// Translates a whole template.
pub(crate) fn template(text: &str) -> Translated {
    let Some(tokens) = tokens(text, false) else { return Translated::unchanged(text, None) };
    match statement::translate(text, &tokens) {
        Ok(fragment) => Translated::of(text, fragment),
        Err(problem) => Translated::unchanged(text, problem),
    }
}

/// Translates one expression.
pub(crate) fn expression(text: &str) -> Translated {
    let Some(tokens) = tokens(text, true) else { return Translated::unchanged(text, None) };
    let mut parser = expression::Parser::new(text, &tokens);
    match (parser.tuple(true), parser.described()) {
        (Some(fragment), None) => Translated::of(text, fragment),
        (Some(_), Some(found)) => {
            Translated::unchanged(text, Some(format!("expected token 'end of statement block', got '{found}'")))
        }
        (None, _) => Translated::unchanged(text, None),
    }
}

/// A token and its place.
#[derive(Debug)]
struct Lexeme<'a> {
    token: Token<'a>,
    start: usize,
    end: usize,
}

fn tokens(text: &str, in_expression: bool) -> Option<Vec<Lexeme<'_>>> {
    tokenize(text, in_expression, SyntaxConfig::default())
        .map(|token| {
            let (token, span) = token.ok()?;
            let (start, end) = (span.start_offset as usize, span.end_offset as usize);
            text.get(start..end)?;
            Some(Lexeme { token, start, end })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_become_calls_and_lines_stay() {
        let translated = template("a\n{{ x %\n y + 1 }}\n{% if a < b %}{% endif %}");
        assert_eq!(translated.text, "a\n{{__add(__mod( x,\n y), 1) }}\n{% if __lt( a, b) %}{% endif %}");
    }

    #[test]
    fn offsets_lead_back_to_the_original() {
        let translated = template("{{ 1 + missing }}");
        let offset = translated.text.find("missing").unwrap();
        assert_eq!(translated.original_offset(offset), 7);
    }

    #[test]
    fn what_is_not_understood_stays() {
        for text in ["{{ a b }}", "{% if %}", "{{ 1 + }}", "{{ [1, }}", "{% include %}", "{% macro %}"] {
            assert_eq!(template(text).text, text);
        }
        assert_eq!(expression("a %}{{ b").text, "a %}{{ b");
    }
}
