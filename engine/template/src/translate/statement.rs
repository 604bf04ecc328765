//! Tags and the text between them.

use std::collections::BTreeMap;

use minijinja::machinery::Token;

use super::expression::Parser;
use super::fragment::Fragment;
use super::imports;
use super::loops::{self, Part};
use super::{Lexeme, Purpose};

/// Loops whose bodies hold less text are not asked about it.
const SHORT_BODY: usize = 256;

/// Translates all tags of a template.
///
/// Otherwise what is wrong, in Jinja2's words, if this is one of the common mistakes.
pub(super) fn translate(
    source: &str,
    tokens: &[Lexeme<'_>],
    purpose: Purpose,
) -> Result<Fragment, (usize, Option<String>)> {
    let mut writer = Writer {
        source,
        tokens,
        purpose,
        out: Fragment::default(),
        copied: 0,
        tag_start: 0,
        macros: Vec::new(),
        problem: None,
        early_exits: loops::early_exits(tokens),
    };
    match writer.all() {
        Some(()) => Ok(writer.out),
        None => Err((writer.tag_start, writer.problem)),
    }
}

pub(super) struct Writer<'a> {
    pub(super) source: &'a str,
    pub(super) tokens: &'a [Lexeme<'a>],
    purpose: Purpose,
    pub(super) out: Fragment,
    /// How much of the source is in `out`.
    pub(super) copied: usize,
    /// Where the tag in work starts.
    tag_start: usize,
    /// One entry per open macro: what to add after its end.
    pub(super) macros: Vec<String>,
    pub(super) problem: Option<String>,
    early_exits: BTreeMap<usize, (Part, usize)>,
}

impl<'a> Writer<'a> {
    fn all(&mut self) -> Option<()> {
        let tokens = self.tokens;
        let mut index = 0;
        while index < tokens.len() {
            let is_end = match tokens[index].token {
                Token::VariableStart => |token: &Token<'_>| matches!(token, Token::VariableEnd),
                Token::BlockStart => |token: &Token<'_>| matches!(token, Token::BlockEnd),
                _ => {
                    index += 1;
                    continue;
                }
            };
            self.tag_start = tokens[index].start;
            let end = index + tokens[index..].iter().position(|lexeme| is_end(&lexeme.token))?;
            match tokens[index].token {
                Token::VariableStart => self.variable(index, end)?,
                _ => self.tag(index, end)?,
            }
            index = end + 1;
        }
        self.copy_to(self.source.len());
        Some(())
    }

    pub(super) fn add(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    pub(super) fn put(&mut self, fragment: Fragment) {
        self.out = std::mem::take(&mut self.out).then(fragment);
    }

    pub(super) fn copy_to(&mut self, end: usize) {
        if let Some(text) = self.source.get(self.copied..end) {
            self.put(Fragment::original(text, self.copied));
        }
        self.copied = end;
    }

    /// A parser for the tokens from `first` up to (not including) `end`.
    pub(super) fn parser(&self, first: usize, end: usize) -> Option<Parser<'a>> {
        let before = self.tokens.get(first.checked_sub(1)?)?.end;
        Some(Parser::after(self.source, self.tokens.get(first..end)?, before, self.purpose))
    }

    /// Gives up because of `problem`.
    pub(super) fn fail<T>(&mut self, problem: impl Into<String>) -> Option<T> {
        self.problem.get_or_insert(problem.into());
        None
    }

    fn variable(&mut self, start: usize, end: usize) -> Option<()> {
        if self.source.get(self.tokens[end].start..).is_some_and(|text| text.starts_with('+')) {
            return self.fail("Expected an expression, got 'end of print statement'");
        }
        self.rewrite(start + 1, end, |parser| parser.tuple(true))
    }

    /// Copies up to token `first` and replaces the tokens up to `end`.
    pub(super) fn rewrite(
        &mut self,
        first: usize,
        end: usize,
        parse: impl FnOnce(&mut Parser<'a>) -> Option<Fragment>,
    ) -> Option<()> {
        self.rewrite_wrapped(first, end, "", "", parse)
    }

    fn rewrite_wrapped(
        &mut self,
        first: usize,
        end: usize,
        before: &str,
        after: &str,
        parse: impl FnOnce(&mut Parser<'a>) -> Option<Fragment>,
    ) -> Option<()> {
        let mut parser = self.parser(first, end)?;
        let closing = match self.tokens.get(end)?.token {
            Token::VariableEnd => "end of print statement",
            _ => "end of statement block",
        };
        if parser.at_end() {
            self.problem = Some(format!("Expected an expression, got '{closing}'"));
            return None;
        }
        let parsed = parse(&mut parser);
        if let Some(found) = parser.described().filter(|_| parsed.is_some()) {
            self.problem = Some(format!("expected token '{closing}', got '{found}'"));
            return None;
        }
        if parsed.is_none() {
            self.problem = parser.problem();
        }
        let fragment = parsed?;
        self.copy_to(self.tokens.get(first - 1)?.end);
        // A keyword before needs a blank; an opening delimiter does not mind.
        if matches!(self.tokens[first - 1].token, Token::Ident(_)) {
            self.add(" ");
        }
        self.put(fragment.wrapped(before, after));
        self.copied = parser.last_end();
        Some(())
    }

    fn tag(&mut self, start: usize, end: usize) -> Option<()> {
        let name = start + 1;
        let Token::Ident(keyword) = self.tokens.get(name)?.token else { return None };
        if let Some((part, of)) = self.early_exits.get(&start).copied() {
            self.early_exit(start, end, part, of);
        }
        match keyword {
            "if" | "elif" => self.rewrite(name + 1, end, |parser| parser.tuple(true)),
            "for" => self.for_loop(name, end),
            "set" => self.set(name, end),
            "with" => self.with(name, end),
            "include" => self.include(start, end),
            "filter" => self.scope_start(name, end),
            "autoescape" => {
                self.rewrite(name + 1, end, Parser::expression)?;
                self.scope_start(name, end)
            }
            "endset" | "endfilter" | "endautoescape" => self.scope_end(start, end),
            "trans" | "pluralize" | "debug" | "endtrans" => {
                self.problem = Some(format!("Encountered unknown tag '{keyword}'."));
                None
            }
            "extends" => self.rewrite(name + 1, end, |parser| imports::template_name(parser, "false")),
            "import" | "from" => self.import(start, end),
            "macro" => self.macro_start(name, end),
            "endmacro" => self.macro_end(end),
            "call" => self.call_block(name, end),
            _ => Some(()),
        }
    }

    /// Notes whether a pass of the loop `of` reached its end, for its `else`.
    fn early_exit(&mut self, start: usize, end: usize, part: Part, of: usize) {
        self.copy_to(self.tokens[start].end);
        match part {
            Part::Start => return self.add(&format!(" set __loop{of} = __namespace() %}}{{%")),
            Part::Else => self
                .add(&format!(" set __loop{of}.done = true %}}{{% endfor %}}{{% if __loop{of}.done is not defined ")),
            Part::End => self.add(" endif "),
        }
        self.copied = self.tokens[end].start;
    }

    /// The first token that fits at bracket depth zero.
    pub(super) fn find(&self, first: usize, end: usize, wanted: impl Fn(&Token<'_>) -> bool) -> Option<usize> {
        let mut depth = 0;
        for index in first..end {
            match &self.tokens[index].token {
                token if depth == 0 && wanted(token) => return Some(index),
                Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => depth += 1,
                Token::ParenClose | Token::BracketClose | Token::BraceClose => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// How much text the body of a loop writes in one turn, apart from values; `end` ends its tag.
    fn body_text(&self, end: usize) -> usize {
        let (mut size, mut depth) = (0, 1);
        for pair in self.tokens.get(end..).unwrap_or_default().windows(2) {
            match (&pair[0].token, &pair[1].token) {
                (Token::TemplateData(text), _) => size += text.len(),
                (Token::BlockStart, Token::Ident("for")) => depth += 1,
                (Token::BlockStart, Token::Ident("endfor")) if depth == 1 => break,
                (Token::BlockStart, Token::Ident("endfor")) => depth -= 1,
                _ => {}
            }
        }
        size
    }

    fn for_loop(&mut self, name: usize, end: usize) -> Option<()> {
        let keyword = self.find(name + 1, end, |token| matches!(token, Token::Ident("in")))?;
        let text = self.body_text(end);
        let after = if text > SHORT_BODY { format!(", {text})") } else { ")".to_owned() };
        self.rewrite(keyword + 1, end, |parser| {
            let mut result = parser.tuple(false)?.wrapped("__iter(", &after);
            if parser.is_name("if") {
                result = result.then(parser.keyword()?).then(parser.expression()?);
            }
            if parser.is_name("recursive") {
                result = result.then(parser.take()?);
            }
            Some(result)
        })
    }

    fn set(&mut self, name: usize, end: usize) -> Option<()> {
        let Some(index) = self.find(name + 1, end, |token| matches!(token, Token::Assign)) else {
            return self.scope_start(name, end);
        };
        let several = self.tokens[name..index].iter().any(|lexeme| matches!(lexeme.token, Token::Comma));
        let before = if several { "__unpack(" } else { "" };
        self.rewrite_wrapped(index + 1, end, before, if several { ")" } else { "" }, |parser| parser.tuple(true))
    }

    /// Names set inside stay inside.
    fn scope_start(&mut self, name: usize, end: usize) -> Option<()> {
        let is_filter = !matches!(self.tokens[name].token, Token::Ident("autoescape"));
        let arguments = if is_filter { self.filter_arguments(name, end) } else { None };
        if let Some((first, filters)) = arguments {
            self.copy_to(self.tokens.get(first - 1)?.end);
            self.put(filters);
        } else {
            self.copy_to(self.tokens[end - 1].end);
        }
        self.add(" %}{% with");
        self.add(" ");
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// The calls in `filter f(1) | g` and `set x | f(1)`, translated, and the first token of them.
    fn filter_arguments(&self, name: usize, end: usize) -> Option<(usize, Fragment)> {
        let first = self.find(name + 1, end, |token| matches!(token, Token::ParenOpen))?;
        let mut parser = self.parser(first, end)?;
        let mut result = Fragment::default();
        while !parser.at_end() {
            let next = if parser.starts_call() { parser.arguments() } else { parser.take() };
            result = result.then(next?);
        }
        Some((first, result))
    }

    fn scope_end(&mut self, start: usize, end: usize) -> Option<()> {
        let Token::Ident(keyword) = self.tokens.get(start + 1)?.token else { return None };
        self.copy_to(self.tokens[start].end);
        self.add(&format!(" endwith %}}{{% {keyword} "));
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// All right sides are evaluated before any name is set.
    fn with(&mut self, name: usize, end: usize) -> Option<()> {
        let mut targets: Vec<String> = Vec::new();
        let mut values = Fragment::default();
        let mut first = name + 1;
        while first < end {
            let assign = self.find(first, end, |token| matches!(token, Token::Assign))?;
            let target = self.source.get(self.tokens[first].start..self.tokens[assign - 1].end)?;
            let several = target.contains(',') && !target.starts_with('(');
            targets.push(if several { format!("({target})") } else { target.to_owned() });
            let stop = self.find(assign + 1, end, |token| matches!(token, Token::Comma)).unwrap_or(end);
            let mut parser = self.parser(assign + 1, stop)?;
            values = values.then(parser.expression()?).add(", ");
            if !parser.at_end() {
                return None;
            }
            first = stop + 1;
        }
        match targets.as_slice() {
            [] => Some(()),
            targets => {
                self.copy_to(self.tokens[name].end);
                let comma = if targets.len() == 1 { "," } else { "" };
                self.put(values.wrapped(&format!(" ({}{comma}) = (", targets.join(", ")), ")"));
                self.copied = self.tokens[end - 1].end;
                Some(())
            }
        }
    }
}
