//! `macro` and `call`: arguments with Python's rules.
//!
//! The engine binds arguments in its own way, so every macro is wrapped in a
//! value of ours after its end (see `functions/macros.rs`), which passes one
//! value for each parameter: an own marker for those whose default applies.

use minijinja::machinery::Token;

use super::fragment::Fragment;
use super::statement::Writer;

/// The parameters of a macro or of a `call` block.
struct Parameters {
    /// Name and whether there is a default.
    names: Vec<(String, bool)>,
    /// Tags that give the defaults: evaluated at each call, in order, so they may use earlier parameters.
    defaults: Fragment,
}

impl Writer<'_> {
    pub(super) fn macro_start(&mut self, name: usize, end: usize) -> Option<()> {
        let Token::Ident(macro_name) = self.tokens.get(name + 1)?.token else { return None };
        if !matches!(self.tokens.get(name + 2)?.token, Token::ParenOpen)
            || !matches!(self.tokens.get(end - 1)?.token, Token::ParenClose)
        {
            return None;
        }
        let Parameters { names, mut defaults } = self.parameters(name + 3, end - 1)?;
        let has = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
        let (varargs, kwargs, caller) = self.special_names(end);
        let (varargs, kwargs) = (varargs && !has("varargs"), kwargs && !has("kwargs"));
        let mut list: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        for (used, name, internal) in [(varargs, "varargs", "__varargs"), (kwargs, "kwargs", "__kwargs")] {
            if used {
                list.push(internal);
                defaults = defaults.add(&format!("{{% set {name} = {internal} %}}"));
            }
        }
        let declared: String =
            names.iter().map(|(name, optional)| format!(", '{name}{}'", if *optional { "=" } else { "" })).collect();
        self.macros
            .push(format!("{{% set {macro_name} = __macro({macro_name}, {varargs}, {kwargs}, {caller}{declared}) "));
        let list = list.join(", ");
        self.copy_to(self.tokens[name + 2].end);
        self.add(&list);
        self.add(")");
        self.put_at_start(defaults)?;
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// Adds tags after the one being written, whose own end closes the last of them, for its white space marker.
    fn put_at_start(&mut self, tags: Fragment) -> Option<()> {
        if !tags.text.is_empty() {
            let tags = Fragment { text: tags.text.strip_suffix("%}")?.to_owned(), marks: tags.marks };
            self.put(tags.wrapped(" %}", ""));
        }
        Some(())
    }

    /// The parameters between the tokens `first` and `end`.
    fn parameters(&mut self, mut first: usize, end: usize) -> Option<Parameters> {
        let (mut names, mut defaults) = (Vec::new(), Fragment::default());
        while first < end {
            let Token::Ident(parameter) = self.tokens[first].token else { return None };
            let stop = self.find(first, end, |token| matches!(token, Token::Comma)).unwrap_or(end);
            let optional = stop > first + 1;
            if optional {
                if !matches!(self.tokens[first + 1].token, Token::Assign) {
                    return None;
                }
                let mut parser = self.parser(first + 2, stop)?;
                let default = parser.expression()?;
                if !parser.at_end() {
                    return None;
                }
                defaults = defaults
                    .add(&format!("{{% if {parameter} is __unset %}}{{% set {parameter} ="))
                    .add(" ")
                    .then(default)
                    .add(" %}{% endif %}");
            } else if names.last().is_some_and(|(_, optional)| *optional) {
                return self.fail("non-default argument follows default argument");
            } else if parameter == "caller" {
                return self.fail(
                    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.",
                );
            }
            if names.iter().any(|(known, _)| known == parameter) {
                return self.fail(format!("duplicate argument '{parameter}' in function definition"));
            }
            names.push((parameter.to_owned(), optional));
            first = stop + 1;
        }
        Some(Parameters { names, defaults })
    }

    /// Whether the body of the macro whose tag ends at `end` uses `varargs`, `kwargs` and `caller`.
    fn special_names(&self, end: usize) -> (bool, bool, bool) {
        let (mut depth, mut varargs, mut kwargs, mut caller) = (0, false, false, false);
        for (index, lexeme) in self.tokens.iter().enumerate().skip(end + 1) {
            let previous = &self.tokens[index - 1].token;
            let starts_tag = matches!(previous, Token::BlockStart);
            match lexeme.token {
                Token::Ident("macro") if starts_tag => depth += 1,
                Token::Ident("endmacro") if starts_tag && depth == 0 => break,
                Token::Ident("endmacro") if starts_tag => depth -= 1,
                Token::Ident(_) if matches!(previous, Token::Dot) || depth > 0 => {}
                Token::Ident("varargs") => varargs = true,
                Token::Ident("kwargs") => kwargs = true,
                Token::Ident("caller") => caller = true,
                _ => {}
            }
        }
        (varargs, kwargs, caller)
    }

    pub(super) fn macro_end(&mut self, end: usize) -> Option<()> {
        let wrapper = self.macros.pop()?;
        self.copy_to(self.tokens[end - 1].end);
        self.add(" %}");
        self.add(&wrapper);
        self.copied = self.tokens[end].start;
        Some(())
    }

    pub(super) fn call_block(&mut self, name: usize, end: usize) -> Option<()> {
        let mut first = name + 1;
        let mut defaults = Fragment::default();
        if matches!(self.tokens.get(first)?.token, Token::ParenOpen) {
            let close = self.find(first + 1, end, |token| matches!(token, Token::ParenClose))?;
            let parameters = self.parameters(first + 1, close)?;
            let list: Vec<String> = parameters
                .names
                .iter()
                .map(|(name, optional)| if *optional { format!("{name}=__unset") } else { name.clone() })
                .collect();
            self.copy_to(self.tokens[first].end);
            self.add(&list.join(", "));
            self.copied = self.tokens[close].start;
            defaults = parameters.defaults;
            first = close + 1;
        }
        self.rewrite(first, end, super::expression::Parser::expression)?;
        self.copy_to(self.tokens[end - 1].end);
        self.put_at_start(defaults)?;
        self.copied = self.tokens[end].start;
        Some(())
    }
}
