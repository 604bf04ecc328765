//! Tags and the text between them.

use std::collections::BTreeMap;

use minijinja::machinery::Token;

use super::Lexeme;
use super::expression::Parser;
use super::fragment::Fragment;
use super::loops::{self, Part};

/// Translates all tags of a template.
///
/// Otherwise what is wrong, in Jinja2's words, if this is one of the common mistakes.
pub(super) fn translate(source: &str, tokens: &[Lexeme<'_>]) -> Result<Fragment, Option<String>> {
    let mut writer = Writer {
        source,
        tokens,
        out: Fragment::default(),
        copied: 0,
        variadic: Vec::new(),
        problem: None,
        early_exits: loops::early_exits(tokens),
    };
    match writer.all() {
        Some(()) => Ok(writer.out),
        None => Err(writer.problem),
    }
}

/// The template that a tag names; what is not a plain text is checked at run time.
fn template_name(parser: &mut Parser<'_>, flags: &str) -> Option<Fragment> {
    let plain = parser.described().is_some_and(|kind| kind == "string");
    let name = parser.expression()?;
    if plain {
        return Some(name);
    }
    let flags = if flags.contains(',') { flags.to_owned() } else { format!("{flags}, false") };
    Some(name.wrapped("__template(", &format!(", {flags})")))
}

struct Writer<'a> {
    source: &'a str,
    tokens: &'a [Lexeme<'a>],
    out: Fragment,
    /// How much of the source is in `out`.
    copied: usize,
    /// One entry per open macro: what to add after its end.
    variadic: Vec<Option<String>>,
    problem: Option<String>,
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

    fn add(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    fn put(&mut self, fragment: Fragment) {
        self.out = std::mem::take(&mut self.out).then(fragment);
    }

    fn copy_to(&mut self, end: usize) {
        if let Some(text) = self.source.get(self.copied..end) {
            self.put(Fragment::original(text, self.copied));
        }
        self.copied = end;
    }

    /// A parser for the tokens from `first` up to (not including) `end`.
    fn parser(&self, first: usize, end: usize) -> Option<Parser<'a>> {
        let before = self.tokens.get(first.checked_sub(1)?)?.end;
        Some(Parser::after(self.source, self.tokens.get(first..end)?, before))
    }

    fn variable(&mut self, start: usize, end: usize) -> Option<()> {
        self.rewrite(start + 1, end, |parser| parser.tuple(true))
    }

    /// Copies up to token `first` and replaces the tokens up to `end`.
    fn rewrite(
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
            "trans" | "pluralize" | "debug" | "endtrans" => {
                self.problem = Some(format!("Encountered unknown tag '{keyword}'."));
                None
            }
            "extends" => self.rewrite(name + 1, end, |parser| template_name(parser, "false")),
            "import" | "from" => self.import(name, end),
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
    fn find(&self, first: usize, end: usize, wanted: impl Fn(&Token<'_>) -> bool) -> Option<usize> {
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

    fn for_loop(&mut self, name: usize, end: usize) -> Option<()> {
        let keyword = self.find(name + 1, end, |token| matches!(token, Token::Ident("in")))?;
        self.rewrite(keyword + 1, end, |parser| {
            let mut result = parser.tuple(false)?.wrapped("__iter(", ")");
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
        match self.find(name + 1, end, |token| matches!(token, Token::Assign | Token::Pipe)) {
            Some(index) if matches!(self.tokens[index].token, Token::Assign) => {
                self.rewrite(index + 1, end, |parser| parser.tuple(true))
            }
            _ => Some(()),
        }
    }

    /// All right sides are evaluated before any name is set.
    fn with(&mut self, name: usize, end: usize) -> Option<()> {
        let mut targets: Vec<String> = Vec::new();
        let mut values = Fragment::default();
        let mut first = name + 1;
        while first < end {
            let assign = self.find(first, end, |token| matches!(token, Token::Assign))?;
            let target = self.source.get(self.tokens[first].start..self.tokens[assign - 1].end)?;
            targets.push(target.to_owned());
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

    /// An included template sees everything here but cannot set names here.
    fn include(&mut self, start: usize, end: usize) -> Option<()> {
        let name = start + 1;
        let mut parser = self.parser(name + 1, end)?;
        let ignore = self.tokens[name..end]
            .windows(2)
            .any(|pair| matches!((&pair[0].token, &pair[1].token), (Token::Ident("ignore"), Token::Ident("missing"))));
        let target = template_name(&mut parser, if ignore { "true, true" } else { "true" })?;
        let mut rest = Fragment::default();
        while !parser.at_end() {
            rest = rest.then(parser.take()?);
        }
        self.copy_to(self.tokens[start].end);
        self.add(" with %}{% include ");
        self.put(target.then(rest).add(" %}{% endwith "));
        self.copied = self.tokens[end].start;
        Some(())
    }

    fn import(&mut self, name: usize, end: usize) -> Option<()> {
        self.rewrite(name + 1, end, |parser| {
            let mut result = template_name(parser, "false")?;
            while !parser.at_end() {
                result = result.then(parser.take()?);
            }
            Some(result)
        })
    }

    fn macro_start(&mut self, name: usize, end: usize) -> Option<()> {
        let Token::Ident(macro_name) = self.tokens.get(name + 1)?.token else { return None };
        if !matches!(self.tokens.get(name + 2)?.token, Token::ParenOpen)
            || !matches!(self.tokens.get(end - 1)?.token, Token::ParenClose)
        {
            return None;
        }
        let (mut parameters, mut list, mut late) = (Vec::new(), Vec::new(), Fragment::default());
        let mut first = name + 3;
        while first < end - 1 {
            let Token::Ident(parameter) = self.tokens[first].token else { return None };
            parameters.push(parameter);
            let stop = self.find(first, end - 1, |token| matches!(token, Token::Comma)).unwrap_or(end - 1);
            let mut declared = parameter.to_owned();
            if stop > first + 1 {
                if !matches!(self.tokens[first + 1].token, Token::Assign) {
                    return None;
                }
                let mut parser = self.parser(first + 2, stop)?;
                let default = parser.expression()?;
                if !parser.at_end() {
                    return None;
                }
                declared.push_str("=__unset");
                // Evaluated at each call, in order, so it may use earlier parameters.
                late = late
                    .add(&format!("{{% if {parameter} is __unset %}}{{% set {parameter} ="))
                    .add(" ")
                    .then(default)
                    .add(" %}{% endif %}");
            }
            list.push(declared);
            first = stop + 1;
        }
        let (varargs, kwargs) = self.extra_arguments(end);
        if varargs || kwargs {
            list.push("__varargs=none, __kwargs=none".to_owned());
            late = late.add("{% set varargs = __varargs %}{% set kwargs = __kwargs %}");
            let names: Vec<String> = parameters.iter().map(|parameter| format!("'{parameter}'")).collect();
            let wrapper =
                format!("{{% set {macro_name} = __variadic({macro_name}, {varargs}, {kwargs}, {}) ", names.join(", "));
            self.variadic.push(Some(wrapper));
        } else {
            self.variadic.push(None);
        }
        self.copy_to(self.tokens[name + 2].end);
        self.add(&list.join(", "));
        self.add(")");
        if !late.text.is_empty() {
            // The tag's own end closes the last inserted tag, for its white space marker.
            let late = Fragment { text: late.text.strip_suffix("%}")?.to_owned(), marks: late.marks };
            self.put(late.wrapped(" %}", ""));
        }
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// Whether the body of the macro that starts before `end` uses `varargs` and `kwargs`.
    fn extra_arguments(&self, end: usize) -> (bool, bool) {
        let (mut depth, mut varargs, mut kwargs) = (0, false, false);
        for (index, lexeme) in self.tokens.iter().enumerate().skip(end + 1) {
            let starts_tag = matches!(self.tokens[index - 1].token, Token::BlockStart);
            match lexeme.token {
                Token::Ident("macro") if starts_tag => depth += 1,
                Token::Ident("endmacro") if starts_tag && depth == 0 => break,
                Token::Ident("endmacro") if starts_tag => depth -= 1,
                Token::Ident("varargs") => varargs = true,
                Token::Ident("kwargs") => kwargs = true,
                _ => {}
            }
        }
        (varargs, kwargs)
    }

    fn macro_end(&mut self, end: usize) -> Option<()> {
        if let Some(wrapper) = self.variadic.pop()? {
            self.copy_to(self.tokens[end - 1].end);
            self.add(" %}");
            self.add(&wrapper);
            self.copied = self.tokens[end].start;
        }
        Some(())
    }

    fn call_block(&mut self, name: usize, end: usize) -> Option<()> {
        let mut first = name + 1;
        if matches!(self.tokens.get(first)?.token, Token::ParenOpen) {
            first = self.find(first + 1, end, |token| matches!(token, Token::ParenClose))? + 1;
        }
        self.rewrite(first, end, Parser::expression)
    }
}
