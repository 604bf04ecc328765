//! Expressions, with Jinja2's grammar and precedence.

use minijinja::machinery::Token;

use super::Lexeme;
use super::fragment::Fragment;
use super::{Purpose, literal};

/// Expressions nested deeper are left to the engine (which refuses them).
const MAX_DEPTH: usize = 120;

/// The engine allows about twice as many in a call.
const MAX_ARGUMENTS: usize = 1000;

/// Stands for a dot in the name of a filter or test.
pub(crate) const NAME_DOT: &str = "__dot__";

/// A recursive descent parser; `None` means "not understood".
pub(super) struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Lexeme<'a>],
    position: usize,
    /// End of the last token, in the source.
    last_end: usize,
    depth: usize,
    purpose: Purpose,
    /// What is wrong, in Jinja2's words, if this is one of the common mistakes.
    problem: Option<String>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a str, tokens: &'a [Lexeme<'a>], purpose: Purpose) -> Self {
        let last_end = tokens.first().map_or(0, |token| token.start);
        Self::after(source, tokens, last_end, purpose)
    }

    /// A parser for tokens that follow a token which ends at `last_end`.
    pub(super) fn after(source: &'a str, tokens: &'a [Lexeme<'a>], last_end: usize, purpose: Purpose) -> Self {
        Self { source, tokens, position: 0, last_end, depth: 0, purpose, problem: None }
    }

    /// What is wrong with the expression.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    /// Gives up because of `problem`.
    fn fail<T>(&mut self, problem: impl Into<String>) -> Option<T> {
        self.problem.get_or_insert(problem.into());
        None
    }

    pub(super) fn at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    /// The next token in Jinja2's words, for syntax errors.
    pub(super) fn described(&self) -> Option<String> {
        let lexeme = self.tokens.get(self.position)?;
        let text = self.source.get(lexeme.start..lexeme.end)?;
        Some(match lexeme.token {
            Token::Str(_) | Token::String(_) => "string".to_owned(),
            Token::Int(_) | Token::Int128(_) => "integer".to_owned(),
            Token::Float(_) => "float".to_owned(),
            _ => text.to_owned(),
        })
    }

    pub(super) fn last_end(&self) -> usize {
        self.last_end
    }

    fn peek(&self) -> Option<&'a Token<'a>> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(self.position + ahead).map(|lexeme| &lexeme.token)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Ident(ident)) if *ident == name)
    }

    /// Whether the token after the next one is this name.
    pub(super) fn is_name_after(&self, name: &str) -> bool {
        matches!(self.peek_at(1), Some(Token::Ident(ident)) if *ident == name)
    }

    pub(super) fn starts_call(&self) -> bool {
        matches!(self.peek(), Some(Token::ParenOpen))
    }

    /// The next token, if it is a name.
    pub(super) fn name(&mut self) -> Option<String> {
        let Some(Token::Ident(name)) = self.peek() else { return None };
        self.take()?;
        Some((*name).to_owned())
    }

    pub(super) fn skip_comma(&mut self) -> bool {
        let comma = matches!(self.peek(), Some(Token::Comma));
        comma && self.take().is_some()
    }

    /// The next token as it stands, with the white space before it.
    pub(super) fn take(&mut self) -> Option<Fragment> {
        let lexeme = self.tokens.get(self.position)?;
        let (start, end) = (self.last_end, lexeme.end);
        self.position += 1;
        self.last_end = end;
        let (gap, text) = (self.source.get(start..lexeme.start)?, self.source.get(lexeme.start..end)?);
        Some(Fragment::from(gap).then(Fragment::original(text, lexeme.start)))
    }

    /// A keyword, and a blank in case the next token becomes a call.
    pub(super) fn keyword(&mut self) -> Option<Fragment> {
        Some(self.take()?.add(" "))
    }

    /// Drops the next token but keeps the line breaks before it.
    fn skip(&mut self) -> Option<Fragment> {
        let lexeme = self.tokens.get(self.position)?;
        let gap = self.source.get(self.last_end..lexeme.start)?;
        self.position += 1;
        self.last_end = lexeme.end;
        Some(Fragment::from("\n".repeat(gap.matches('\n').count()).as_str()))
    }

    /// `expr` or `expr, expr, ..` without parentheses.
    pub(super) fn tuple(&mut self, conditional: bool) -> Option<Fragment> {
        let first = self.item(conditional)?;
        if !matches!(self.peek(), Some(Token::Comma)) {
            return Some(first);
        }
        let mut result = first;
        while matches!(self.peek(), Some(Token::Comma)) {
            result = result.then(self.take()?);
            if self.ends_expression() {
                break;
            }
            result = result.then(self.item(conditional)?);
        }
        Some(result.wrapped("__tuple((", "))"))
    }

    fn item(&mut self, conditional: bool) -> Option<Fragment> {
        if conditional { self.expression() } else { self.or() }
    }

    fn ends_expression(&self) -> bool {
        self.at_end() || self.is_name("if") || self.is_name("recursive")
    }

    /// `a if b else c` and everything tighter.
    pub(super) fn expression(&mut self) -> Option<Fragment> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.or()?;
        while self.is_name("if") {
            let keyword = self.keyword()?;
            let condition = self.or()?;
            value = value.then(keyword).then(condition);
            if self.is_name("else") {
                value = value.then(self.keyword()?).then(self.expression()?);
            }
            value = value.wrapped("(", ")");
            if self.is_name("else") {
                return None;
            }
        }
        self.depth -= 1;
        Some(value)
    }

    fn or(&mut self) -> Option<Fragment> {
        let mut left = self.and()?;
        let mut joined = false;
        while self.is_name("or") {
            joined = true;
            left = left.then(self.keyword()?).then(self.and()?);
        }
        Some(if joined { left.wrapped("(", ")") } else { left })
    }

    fn and(&mut self) -> Option<Fragment> {
        let mut left = self.not()?;
        let mut joined = false;
        while self.is_name("and") {
            joined = true;
            left = left.then(self.keyword()?).then(self.not()?);
        }
        Some(if joined { left.wrapped("(", ")") } else { left })
    }

    fn not(&mut self) -> Option<Fragment> {
        if !self.is_name("not") {
            return self.compare();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let result = self.keyword()?.then(self.not()?).wrapped("(", ")");
        self.depth -= 1;
        Some(result)
    }

    fn compare(&mut self) -> Option<Fragment> {
        let mut left = self.sum()?;
        let mut links: Vec<Fragment> = Vec::new();
        while let Some(operator) = self.comparison() {
            let (gap, right) = match operator {
                Comparison::Call(_) => (self.skip()?, self.sum()?),
                Comparison::NotIn => (self.skip()?.then(self.skip()?), self.sum()?),
            };
            links.push(match operator {
                Comparison::Call(name) => call(name, left, gap, right.clone()),
                Comparison::NotIn => call("__in", left, gap, right.clone()).wrapped("(not ", ")"),
            });
            // The next link compares with the same operand; its lines were counted already.
            left = Fragment::from(right.text.replace('\n', " ").as_str());
        }
        let mut links = links.into_iter();
        let Some(first) = links.next() else { return Some(left) };
        let mut count = 1;
        let all = links.fold(first, |all, link| {
            count += 1;
            all.add(" and ").then(link)
        });
        Some(if count > 1 { all.wrapped("(", ")") } else { all })
    }

    fn comparison(&self) -> Option<Comparison> {
        Some(match self.peek()? {
            Token::Eq => Comparison::Call("__eq"),
            Token::Ne => Comparison::Call("__ne"),
            Token::Lt => Comparison::Call("__lt"),
            Token::Lte => Comparison::Call("__le"),
            Token::Gt => Comparison::Call("__gt"),
            Token::Gte => Comparison::Call("__ge"),
            Token::Ident("in") => Comparison::Call("__in"),
            Token::Ident("not") if matches!(self.peek_at(1), Some(Token::Ident("in"))) => Comparison::NotIn,
            _ => return None,
        })
    }

    fn sum(&mut self) -> Option<Fragment> {
        let mut chain = Chain::new(self.concat()?);
        loop {
            let name = match self.peek() {
                Some(Token::Plus) => "__add",
                Some(Token::Minus) => "__sub",
                _ => return Some(chain.finish()),
            };
            chain = chain.link(name, self.skip()?, self.concat()?);
        }
    }

    fn concat(&mut self) -> Option<Fragment> {
        let mut result = self.product()?;
        let mut joined = false;
        while matches!(self.peek(), Some(Token::Tilde)) {
            joined = true;
            result = result.add(",").then(self.skip()?).then(self.product()?);
        }
        Some(if joined { result.wrapped("__concat(", ")") } else { result })
    }

    fn product(&mut self) -> Option<Fragment> {
        let mut chain = Chain::new(self.power()?);
        loop {
            let name = match self.peek() {
                Some(Token::Mul) => "__mul",
                Some(Token::Div) => "__div",
                Some(Token::FloorDiv) => "__floordiv",
                Some(Token::Mod) => "__mod",
                _ => return Some(chain.finish()),
            };
            chain = chain.link(name, self.skip()?, self.power()?);
        }
    }

    fn power(&mut self) -> Option<Fragment> {
        let mut chain = Chain::new(self.unary(true)?);
        loop {
            let name = match self.peek() {
                Some(Token::Pow) => "__pow",
                _ => return Some(chain.finish()),
            };
            chain = chain.link(name, self.skip()?, self.unary(true)?);
        }
    }

    fn unary(&mut self, with_filters: bool) -> Option<Fragment> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = match self.peek()? {
            Token::Minus => self.signed("__neg(")?,
            Token::Plus => self.signed("__pos(")?,
            _ => self.primary()?,
        };
        let value = self.postfix(value)?;
        self.depth -= 1;
        if with_filters { self.filters(value) } else { Some(value) }
    }

    fn signed(&mut self, function: &str) -> Option<Fragment> {
        let gap = self.skip()?;
        Some(gap.then(self.unary(false)?).wrapped(function, ")"))
    }

    fn primary(&mut self) -> Option<Fragment> {
        match self.peek()? {
            Token::Str(_) | Token::String(_) => {
                let mut text = self.string()?;
                while matches!(self.peek(), Some(Token::Str(_) | Token::String(_))) {
                    text = text.then(self.string()?);
                }
                Some(text)
            }
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => {
                let lexeme = self.tokens.get(self.position)?;
                if !literal::is_number(self.source.get(lexeme.start..lexeme.end)?) {
                    return self.fail("expected token 'end of print statement', got 'integer'");
                }
                self.take()
            }
            Token::Ident(_) => self.take(),
            Token::ParenOpen => self.parenthesised(),
            Token::BracketOpen => self.list(),
            Token::BraceOpen => self.dict(),
            _ => None,
        }
    }

    /// A string with Python's escapes.
    fn string(&mut self) -> Option<Fragment> {
        let lexeme = self.tokens.get(self.position)?;
        match literal::rewritten(self.source.get(lexeme.start..lexeme.end)?) {
            Ok(None) => self.take(),
            Ok(Some(text)) => Some(self.skip()?.add(" ").add(&text)),
            Err(problem) => self.fail(problem),
        }
    }

    fn parenthesised(&mut self) -> Option<Fragment> {
        let mut result = self.take()?;
        let mut grows = false;
        while !matches!(self.peek()?, Token::ParenClose) {
            // A literal does not nest deeper at every turn of a loop, a variable may.
            let variable = !matches!(self.peek()?, Token::Str(_) | Token::String(_) | Token::Int(_));
            result = result.then(self.expression()?);
            if matches!(self.peek()?, Token::Comma) {
                grows |= variable;
                result = result.then(self.take()?);
            } else if !matches!(self.peek()?, Token::ParenClose) {
                return None;
            }
        }
        let result = result.then(self.take()?);
        Some(if grows { result.wrapped("__tuple(", ")") } else { result })
    }

    fn list(&mut self) -> Option<Fragment> {
        let mut items = self.skip()?;
        let mut count = 0;
        while !matches!(self.peek()?, Token::BracketClose) {
            count += 1;
            items = items.then(self.expression()?);
            if matches!(self.peek()?, Token::Comma) {
                items = items.then(self.take()?);
            } else if !matches!(self.peek()?, Token::BracketClose) {
                return None;
            }
        }
        let items = items.then(self.skip()?);
        Some(if count > MAX_ARGUMENTS { items.wrapped("__thaw([", "])") } else { items.wrapped("__list(", ")") })
    }

    fn dict(&mut self) -> Option<Fragment> {
        let start = self.skip()?;
        let mut entries = Vec::new();
        while !matches!(self.peek()?, Token::BraceClose) {
            let key = self.expression()?;
            if !matches!(self.peek()?, Token::Colon) {
                return None;
            }
            let colon = self.skip()?;
            let mut value = self.expression()?;
            if matches!(self.peek()?, Token::Comma) {
                value = value.then(self.take()?);
            } else if !matches!(self.peek()?, Token::BraceClose) {
                return None;
            }
            entries.push((key, colon, value));
        }
        let long = entries.len() > MAX_ARGUMENTS / 2;
        let (separator, before, after) = if long { (":", "__thaw({", "})") } else { (",", "__dict(", ")") };
        let mut result = start;
        for (key, colon, value) in entries {
            result = result.then(key).add(separator).then(colon).then(value);
        }
        Some(result.then(self.skip()?).wrapped(before, after))
    }

    fn postfix(&mut self, mut value: Fragment) -> Option<Fragment> {
        loop {
            value = match self.peek() {
                Some(Token::Dot) => match self.peek_at(1)? {
                    Token::Ident(name) => {
                        let method = matches!(self.peek_at(2), Some(Token::ParenOpen));
                        let key = format!("'{name}'");
                        self.owned(value, &key, method).then(self.take()?).then(self.take()?)
                    }
                    Token::Int(index) => {
                        let key = index.to_string();
                        self.owned(value, &key, false).then(self.take()?).then(self.take()?)
                    }
                    Token::Float(_) => value.then(self.take()?).then(self.take()?),
                    _ => return None,
                },
                Some(Token::BracketOpen) => self.subscript(value)?,
                Some(Token::ParenOpen) => value.then(self.arguments()?),
                _ => return Some(value),
            };
        }
    }

    /// When explaining, notes what `value` is if it has no `key`.
    fn owned(&self, value: Fragment, key: &str, method: bool) -> Fragment {
        let own = matches!(value.text.trim(), "self" | "super" | "loop");
        if self.purpose == Purpose::Render || own {
            return value;
        }
        let after = format!(", {key}, {method})");
        value.wrapped("__owner(", &after)
    }

    fn subscript(&mut self, value: Fragment) -> Option<Fragment> {
        let called = value.text.ends_with(')');
        let open = self.take()?;
        let mut parts: Vec<Fragment> = vec![Fragment::default()];
        let mut slice = false;
        loop {
            match self.peek()? {
                Token::Colon => {
                    slice = true;
                    parts.push(self.skip()?);
                }
                Token::BracketClose => break,
                _ => {
                    let part = parts.pop()?;
                    if !part.text.trim().is_empty() {
                        return None;
                    }
                    parts.push(part.then(self.tuple(true)?));
                }
            }
        }
        if !slice {
            let index = parts.pop().filter(|part| !part.text.trim().is_empty())?;
            let key = index.text.trim();
            let text = key.starts_with(['\'', '"']);
            let plain = text || (!called && key.bytes().all(|byte| byte.is_ascii_digit()));
            if plain {
                let key = key.replace('\n', " ");
                return Some(self.owned(value, &key, false).then(open).then(index).then(self.take()?));
            }
            return Some(value.add(", ").then(index).then(self.skip()?).wrapped("__item(", ")"));
        }
        parts.resize(3, Fragment::default());
        let mut result = value.wrapped("__slice(", "");
        for part in parts {
            let part = if part.text.trim().is_empty() { part.add("none") } else { part };
            result = result.add(", ").then(part);
        }
        Some(result.then(self.skip()?).add(")"))
    }

    /// `(a, *b, c=d, **e)`.
    pub(super) fn arguments(&mut self) -> Option<Fragment> {
        let mut result = self.take()?;
        while !matches!(self.peek()?, Token::ParenClose) {
            if matches!(self.peek()?, Token::Mul | Token::Pow) {
                result = result.then(self.take()?);
            } else if matches!((self.peek(), self.peek_at(1)), (Some(Token::Ident(_)), Some(Token::Assign))) {
                result = result.then(self.take()?).then(self.take()?);
            }
            result = result.then(self.expression()?);
            if matches!(self.peek()?, Token::Comma) {
                result = result.then(self.take()?);
            } else if !matches!(self.peek()?, Token::ParenClose) {
                return None;
            }
        }
        Some(result.then(self.take()?))
    }

    fn filters(&mut self, mut value: Fragment) -> Option<Fragment> {
        loop {
            value = match self.peek() {
                Some(Token::Pipe) => {
                    let mut filtered = value.then(self.take()?).then(self.dotted_name()?);
                    if matches!(self.peek(), Some(Token::ParenOpen)) {
                        filtered = filtered.then(self.arguments()?);
                    }
                    filtered
                }
                Some(Token::Ident("is")) => self.test(value)?,
                Some(Token::ParenOpen) => value.wrapped("(", ")").then(self.arguments()?),
                _ => return Some(value),
            };
        }
    }

    fn dotted_name(&mut self) -> Option<Fragment> {
        match self.peek()? {
            Token::Ident(_) => {}
            _ => return None,
        }
        let mut name = self.take()?;
        while matches!((self.peek(), self.peek_at(1)), (Some(Token::Dot), Some(Token::Ident(_)))) {
            // The engine knows no such names, as Jinja2 has none either: it fails when it comes here.
            name = name.add(NAME_DOT).then(self.skip()?).then(self.take()?);
        }
        Some(name)
    }

    fn test(&mut self, value: Fragment) -> Option<Fragment> {
        let mut result = value.then(self.take()?);
        if self.is_name("not") {
            result = result.then(self.take()?);
        }
        result = result.then(self.dotted_name()?);
        let bare_argument = match self.peek() {
            Some(Token::Ident("is")) => return self.fail("You cannot chain multiple tests with is"),
            Some(Token::Ident(name)) => !matches!(*name, "else" | "or" | "and"),
            Some(token) => matches!(
                token,
                Token::Str(_)
                    | Token::String(_)
                    | Token::Int(_)
                    | Token::Int128(_)
                    | Token::Float(_)
                    | Token::BracketOpen
                    | Token::BraceOpen
            ),
            None => false,
        };
        if matches!(self.peek(), Some(Token::ParenOpen)) {
            result = result.then(self.arguments()?);
        } else if bare_argument {
            let argument = self.primary()?;
            result = result.then(self.postfix(argument)?.wrapped("(", ")"));
        }
        Some(result.wrapped("(", ")"))
    }
}

#[derive(Clone, Copy)]
enum Comparison {
    Call(&'static str),
    NotIn,
}

fn call(name: &str, left: Fragment, gap: Fragment, right: Fragment) -> Fragment {
    Fragment::from(name).add("(").then(left).add(",").then(gap).then(right).add(")")
}

/// A run of one operator is one call, so that long sums do not nest.
struct Chain {
    name: Option<&'static str>,
    text: Fragment,
    links: usize,
}

impl Chain {
    fn new(first: Fragment) -> Self {
        Self { name: None, text: first, links: 0 }
    }

    fn link(self, name: &'static str, gap: Fragment, right: Fragment) -> Self {
        let links = self.links + 1;
        let left = match self.name {
            Some(current) if current == name && !links.is_multiple_of(MAX_ARGUMENTS) => self.text,
            _ => Fragment::from(name).add("(").then(self.finish()),
        };
        Self { name: Some(name), text: left.add(",").then(gap).then(right), links }
    }

    fn finish(self) -> Fragment {
        if self.name.is_some() { self.text.add(")") } else { self.text }
    }
}
