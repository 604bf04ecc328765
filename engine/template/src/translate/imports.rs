//! `include`, `import` and `from`.
//!
//! The engine shows included and imported templates everything that is
//! visible, and cannot leave the context out. The body of a macro sees only
//! the project variables and what it names, so a macro that names nothing is
//! the place to include from without context.

use minijinja::machinery::Token;

use super::expression::Parser;
use super::fragment::Fragment;
use super::statement::Writer;

/// The template that a tag names; what is not a plain text is checked at run time.
pub(super) fn template_name(parser: &mut Parser<'_>, flags: &str) -> Option<Fragment> {
    let plain = parser.described().is_some_and(|kind| kind == "string");
    let name = parser.expression()?;
    if plain {
        return Some(name);
    }
    let flags = if flags.contains(',') { flags.to_owned() } else { format!("{flags}, false") };
    Some(name.wrapped("__template(", &format!(", {flags})")))
}

/// What follows the name of the template.
#[derive(Default)]
struct Options {
    ignore_missing: bool,
    with_context: Option<bool>,
}

impl Writer<'_> {
    /// An included template sees everything here but cannot set names here.
    pub(super) fn include(&mut self, start: usize, end: usize) -> Option<()> {
        let name = start + 1;
        let mut parser = self.parser(name + 1, end)?;
        let ignores = self.tokens[name..end]
            .windows(2)
            .any(|pair| matches!((&pair[0].token, &pair[1].token), (Token::Ident("ignore"), Token::Ident("missing"))));
        let target = template_name(&mut parser, if ignores { "true, true" } else { "true" })?;
        let Options { ignore_missing, with_context } = options(&mut parser)?;
        let ignore = if ignore_missing { " ignore missing" } else { "" };
        self.copy_to(self.tokens[start].end);
        let (before, after) = match with_context {
            Some(false) => (
                format!(
                    " with %}}{{% macro __include(__name) %}}{{% include __name{ignore} %}}{{% endmacro %}}{{{{ __include("
                ),
                ") }}{% endwith ".to_owned(),
            ),
            _ => (" with %}{% include ".to_owned(), format!("{ignore} %}}{{% endwith ")),
        };
        self.put(target.wrapped(&before, &after));
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// `import X as m` and `from X import a, b as c`.
    pub(super) fn import(&mut self, start: usize, end: usize) -> Option<()> {
        let name = start + 1;
        let is_from = matches!(self.tokens[name].token, Token::Ident("from"));
        let mut parser = self.parser(name + 1, end)?;
        let target = template_name(&mut parser, "false")?;
        let names = if is_from { self.imported_names(&mut parser)? } else { vec![module_name(&mut parser)?] };
        let Options { ignore_missing, with_context } = options(&mut parser)?;
        if ignore_missing {
            return None;
        }
        let line = self.source[..self.tokens[start].start].matches('\n').count() + 1;
        let (before, after) = if with_context == Some(true) {
            (" set __source = ", " %}{% import __source as __imported ")
        } else {
            (
                " set __source = ",
                " %}{% set __found = __namespace() %}{% with %}\
                 {% macro __import(__name, __found) %}{% import __name as __module %}{% set __found.module = __module %}\
                 {% endmacro %}{% set __done = __import(__source, __found) %}{% endwith %}\
                 {% set __imported = __found.module ",
            )
        };
        self.copy_to(self.tokens[start].end);
        self.put(target.wrapped(before, after));
        for (name, alias) in names {
            self.add(&match is_from {
                true => format!("%}}{{% set {alias} = __export(__imported, '{name}', __source, {line}, '{alias}') "),
                false => format!("%}}{{% set {alias} = __imported "),
            });
        }
        self.copied = self.tokens[end].start;
        Some(())
    }

    /// The names after `import`, each with the one it gets here.
    fn imported_names(&mut self, parser: &mut Parser<'_>) -> Option<Vec<(String, String)>> {
        if !parser.is_name("import") {
            return None;
        }
        parser.take()?;
        let mut names = Vec::new();
        loop {
            if ["with", "without"].iter().any(|word| parser.is_name(word)) && parser.is_name_after("context") {
                break;
            }
            let Some(name) = parser.name() else {
                return self.fail("expected token 'name', got 'end of statement block'");
            };
            if name.starts_with('_') {
                return self.fail("names starting with an underline can not be imported");
            }
            let alias = if parser.is_name("as") {
                parser.take()?;
                parser.name()?
            } else {
                name.clone()
            };
            names.push((name, alias));
            if !parser.skip_comma() {
                break;
            }
        }
        Some(names)
    }
}

fn module_name(parser: &mut Parser<'_>) -> Option<(String, String)> {
    if !parser.is_name("as") {
        return None;
    }
    parser.take()?;
    let name = parser.name()?;
    Some((name.clone(), name))
}

fn options(parser: &mut Parser<'_>) -> Option<Options> {
    let mut options = Options::default();
    if parser.is_name("ignore") && parser.is_name_after("missing") {
        parser.take()?;
        parser.take()?;
        options.ignore_missing = true;
    }
    if (parser.is_name("with") || parser.is_name("without")) && parser.is_name_after("context") {
        options.with_context = Some(parser.is_name("with"));
        parser.take()?;
        parser.take()?;
    }
    if parser.at_end() { Some(options) } else { None }
}
