//! Refuses what would exhaust the stack of the engine's parser and compiler.
//!
//! Both go through an expression recursively, and so does freeing it. Brackets
//! are limited by the engine itself; chains such as `a.b.c.d` or `- - - x`
//! are not, however long they are.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Weight of the links of one expression; no text with fewer bytes gets there.
const MAX_WEIGHT: usize = 2400;

/// Branches of one `if`.
const MAX_BRANCHES: usize = 400;

/// The message for what [`too_deep`] finds.
pub(super) const PROBLEM: &str = "the expression is nested too deep";

/// Where the tag starts that is too deep, if one is.
pub(super) fn too_deep(text: &str, in_expression: bool) -> Option<usize> {
    // An operator with its weight takes at least a byte.
    if text.len() < MAX_WEIGHT / 4 {
        return None;
    }
    let mut tag = Tag::default();
    let mut branches = Vec::new();
    let mut expects_keyword = false;
    // What follows a mistake of the lexer is not parsed.
    for (token, span) in tokenize(text, in_expression, SyntaxConfig::default()).map_while(Result::ok) {
        match &token {
            Token::VariableStart | Token::BlockStart => tag = Tag::at(span.start_offset as usize),
            Token::Ident("if") if expects_keyword => branches.push(0),
            Token::Ident("elif") if expects_keyword => {
                let count = branches.last_mut()?;
                *count += 1;
                if *count > MAX_BRANCHES {
                    return Some(tag.start);
                }
            }
            Token::Ident("endif") if expects_keyword => drop(branches.pop()),
            token => tag.add(token),
        }
        expects_keyword = matches!(token, Token::BlockStart);
        if tag.weight() > MAX_WEIGHT {
            return Some(tag.start);
        }
    }
    None
}

/// The links of the expressions in one tag: one sum per open bracket.
#[derive(Default)]
struct Tag {
    start: usize,
    outer: Vec<usize>,
    outer_weight: usize,
    current: usize,
    /// The last token ends an operand, so that a sign is an operator.
    after_operand: bool,
}

impl Tag {
    fn at(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    fn weight(&self) -> usize {
        self.outer_weight + self.current
    }

    fn add(&mut self, token: &Token<'_>) {
        let after_operand = ends_operand(token);
        let after_operand = std::mem::replace(&mut self.after_operand, after_operand);
        match token {
            Token::Comma | Token::Colon => self.current = 0,
            Token::BracketOpen | Token::BraceOpen | Token::ParenOpen => {
                self.current += 4;
                self.outer.push(self.current);
                self.outer_weight += self.current;
                self.current = 0;
            }
            Token::BracketClose | Token::BraceClose | Token::ParenClose => {
                self.current = self.outer.pop().unwrap_or_default();
                self.outer_weight -= self.current;
            }
            Token::Plus | Token::Minus if after_operand => self.current += 1,
            Token::Dot | Token::Pipe | Token::Plus | Token::Minus | Token::Ident("not" | "if" | "is") => {
                self.current += 4;
            }
            Token::Ident("and" | "or" | "in") => self.current += 1,
            Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::TemplateData(_)
            | Token::VariableEnd
            | Token::BlockEnd => {}
            _ => self.current += 1,
        }
    }
}

/// Whether an operator or a closing delimiter may follow.
fn ends_operand(token: &Token<'_>) -> bool {
    match token {
        Token::Ident(name) => !matches!(*name, "not" | "and" | "or" | "in" | "is" | "if" | "else"),
        Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => true,
        Token::BracketClose | Token::BraceClose | Token::ParenClose => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_chains_are_found_where_their_tag_starts() {
        for link in [".a", "|abs", " is odd", " if 1 else 2", "+1", "*1", "()", "[0]"] {
            let text = format!("x{{{{ 1{} }}}}", link.repeat(3000));
            assert_eq!(too_deep(&text, false), Some(1), "{link}");
        }
        for prefix in ["-", "not ", "+", "("] {
            assert_eq!(too_deep(&format!("{{{{ {} ' ", prefix.repeat(1000)), false), Some(0), "{prefix}");
        }
        assert_eq!(too_deep(&"-".repeat(1000), true), Some(0));
        let branches = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 2 %}".repeat(500));
        assert!(too_deep(&branches, false).is_some());
    }

    #[test]
    fn long_lists_and_many_tags_are_no_chains() {
        assert_eq!(too_deep(&format!("{{{{ [{}] }}}}", "a.b | upper, -1, ".repeat(5000)), false), None);
        assert_eq!(too_deep(&"{{ a.b.c | d }}{% if x.y %}{% elif z %}{% endif %}".repeat(5000), false), None);
        assert_eq!(too_deep(&format!("{{{{ f({}) }}}}", "(a.b), ".repeat(5000)), false), None);
    }
}
