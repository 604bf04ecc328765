//! Which `else` belongs to which loop.

use std::collections::BTreeMap;

use minijinja::machinery::Token;

use super::Lexeme;

/// What a tag means for a loop whose `else` depends on more than its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Start,
    Else,
    End,
}

/// A loop or condition that is open.
struct Open {
    start: usize,
    is_loop: bool,
    recursive: bool,
    leaves_early: bool,
    other: Option<usize>,
}

/// The tags of loops with `else` and `continue` or `break`, by the index of
/// their first token, each with the index of its loop.
///
/// Jinja2 runs `else` unless some pass reached its end; the engine, unless
/// there was an item.
pub(super) fn early_exits(tokens: &[Lexeme<'_>]) -> BTreeMap<usize, (Part, usize)> {
    let mut open: Vec<Open> = Vec::new();
    let mut found = BTreeMap::new();
    for (start, pair) in tokens.windows(2).enumerate() {
        let (Token::BlockStart, Token::Ident(keyword)) = (&pair[0].token, &pair[1].token) else { continue };
        match *keyword {
            "for" | "if" => open.push(Open {
                start,
                is_loop: *keyword == "for",
                recursive: is_recursive(&tokens[start..]),
                leaves_early: false,
                other: None,
            }),
            "break" | "continue" => {
                if let Some(innermost) = open.iter_mut().rev().find(|open| open.is_loop) {
                    innermost.leaves_early = true;
                }
            }
            "else" => {
                if let Some(innermost) = open.last_mut() {
                    innermost.other = Some(start);
                }
            }
            "endif" => drop(open.pop()),
            "endfor" => {
                let closed = open.pop().filter(|open| open.is_loop && open.leaves_early && !open.recursive);
                if let Some((of, other)) = closed.and_then(|open| Some((open.start, open.other?))) {
                    found.extend([(of, (Part::Start, of)), (other, (Part::Else, of)), (start, (Part::End, of))]);
                }
            }
            _ => {}
        }
    }
    found
}

fn is_recursive(tag: &[Lexeme<'_>]) -> bool {
    let inside = tag.iter().take_while(|lexeme| !matches!(lexeme.token, Token::BlockEnd));
    inside.last().is_some_and(|lexeme| matches!(lexeme.token, Token::Ident("recursive")))
}
