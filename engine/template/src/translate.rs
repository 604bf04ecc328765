//! From Jinja2 to the dialect of the engine.
//!
//! The engine differs from Python's Jinja2 where no hook reaches: operators,
//! literals that can change, scopes of `include` and `with`, macro arguments.
//! Those places are rewritten before compilation, token by token, so that
//! every line keeps its number; [`Translated::original_offset`] leads back to
//! the user's text. What this module does not understand it leaves alone:
//! the engine then reports the syntax error.

mod complexity;
mod expression;
mod fragment;
mod imports;
mod literal;
mod loops;
mod macros;
mod statement;

use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

pub(crate) use expression::NAME_DOT;
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

    /// An expression that is none; with a `problem` it must not compile.
    fn wrong(text: &str, problem: Option<String>) -> Self {
        let mut translated = Self::unchanged(text, problem);
        if translated.problem.is_some() {
            translated.text.push_str(" )");
        }
        translated
    }

    /// A mistake in the tag at `start`: compiling fails even if the engine would accept the text.
    fn mistaken(text: &str, start: usize, problem: String) -> Self {
        let mut translated = Self::unchanged(text, Some(problem));
        if parse(text, "", SyntaxConfig::default()).is_ok() {
            translated.text = format!("{}{{% __mistake %}}", text.get(..start).unwrap_or_default());
        }
        translated
    }

    /// The engine must not even see the tag at `start`.
    fn too_deep(text: &str, start: usize) -> Self {
        let before = text.get(..start).unwrap_or_default();
        let translated = Self::unchanged(text, Some(complexity::PROBLEM.to_owned()));
        Self { text: format!("{before}{{% __mistake %}}"), ..translated }
    }

    fn of(text: &str, fragment: Fragment) -> Self {
        Self { original: text.to_owned(), text: fragment.text, marks: fragment.marks, problem: None }
    }
}

/// What a translation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Rendering.
    Render,
    /// Rendering again after an undefined value, to learn what it was looked up in.
    Explain,
}

/// Translates a whole template.
pub(crate) fn template(text: &str, purpose: Purpose) -> Translated {
    if let Some(start) = complexity::too_deep(text, false) {
        return Translated::too_deep(text, start);
    }
    let Some(tokens) = tokens(text, false) else { return Translated::unchanged(text, None) };
    match statement::translate(text, &tokens, purpose) {
        Ok(fragment) => Translated::of(text, fragment),
        Err((_, None)) => Translated::unchanged(text, None),
        Err((start, Some(problem))) => Translated::mistaken(text, start, problem),
    }
}

/// Translates one expression.
pub(crate) fn expression(text: &str, purpose: Purpose) -> Translated {
    if complexity::too_deep(text, true).is_some() {
        let text = Translated::unchanged(text, Some(complexity::PROBLEM.to_owned()));
        return Translated { text: ")".to_owned(), ..text };
    }
    let Some(tokens) = tokens(text, true) else { return Translated::unchanged(text, None) };
    let mut parser = expression::Parser::new(text, &tokens, purpose);
    match (parser.tuple(true), parser.described()) {
        (Some(fragment), None) => Translated::of(text, fragment),
        (Some(_), Some(found)) => {
            Translated::wrong(text, Some(format!("expected token 'end of statement block', got '{found}'")))
        }
        (None, _) => Translated::wrong(text, parser.problem()),
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

    fn render(text: &str) -> Translated {
        template(text, Purpose::Render)
    }

    #[test]
    fn operators_become_calls_and_lines_stay() {
        let translated = render("a\n{{ x %\n y + 1 }}\n{% if a < b %}{% endif %}");
        assert_eq!(translated.text, "a\n{{__add(__mod( x,\n y), 1) }}\n{% if __lt( a, b) %}{% endif %}");
    }

    #[test]
    fn offsets_lead_back_to_the_original() {
        let translated = render("{{ 1 + missing }}");
        let offset = translated.text.find("missing").unwrap();
        assert_eq!(translated.original_offset(offset), 7);
    }

    #[test]
    fn what_is_not_understood_stays() {
        for text in ["{{ a b }}", "{% if %}", "{{ 1 + }}", "{{ [1, }}", "{% include %}", "{% macro %}"] {
            assert_eq!(render(text).text, text);
        }
        assert_eq!(expression("a %}{{ b", Purpose::Render).text, "a %}{{ b");
    }
}
