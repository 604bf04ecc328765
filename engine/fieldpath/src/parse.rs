//! Text to steps.

use crate::filter::{Comparison, Filter, Operand};
use crate::json_path::{JsonPath, JsonPathError, JsonPathErrorKind as Kind, Member, Step};

/// Filters nest; a limit keeps hostile input from exhausting the stack.
const MAX_DEPTH: usize = 64;

pub(crate) fn parse(text: &str) -> Result<Vec<Step>, JsonPathError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let steps =
        parser.path(End::Text).map_err(|kind| JsonPathError { text: text.to_owned(), offset: parser.at, kind })?;
    Ok(steps)
}

/// Where a path may stop.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// At the end of the text only.
    Text,
    /// At anything that cannot continue it: a path inside a filter.
    Operand,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str, what: &'static str) -> Result<(), Kind> {
        if self.eat(token) { Ok(()) } else { Err(Kind::Expected(what)) }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn path(&mut self, end: End) -> Result<Vec<Step>, Kind> {
        let rooted = self.eat("$") || self.eat("@");
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Descent);
                if self.peek() == Some('.') {
                    return Err(Kind::Expected("a name or `*`"));
                }
                if self.peek().is_some_and(|c| c == '*' || is_name(c, end)) {
                    steps.push(self.child(end)?);
                }
            } else if self.eat(".") {
                steps.push(self.child(end)?);
            } else if self.eat("[") {
                steps.push(self.bracket()?);
            } else if steps.is_empty() && !rooted && self.peek().is_some() {
                steps.push(self.child(end)?);
            } else if self.peek().is_none() || end == End::Operand {
                break;
            } else {
                return Err(self.unexpected());
            }
        }
        if steps.is_empty() && end == End::Text && !rooted { Err(Kind::Empty) } else { Ok(steps) }
    }

    fn unexpected(&self) -> Kind {
        match self.peek() {
            Some(c) if !matches!(c, '$' | '@' | ']' | ')' | '(') => Kind::Unquoted(c),
            _ => Kind::Expected("`.` or `[`"),
        }
    }

    fn child(&mut self, end: End) -> Result<Step, Kind> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        let rest = self.rest();
        let length = rest.find(|c| !is_name(c, end)).unwrap_or(rest.len());
        if length == 0 {
            return Err(match self.peek() {
                Some('-' | '/' | ' ' | '\'' | '"') => self.unexpected(),
                _ => Kind::Expected("a name or `*`"),
            });
        }
        self.at += length;
        Ok(Step::Key(rest[..length].to_owned()))
    }

    fn bracket(&mut self) -> Result<Step, Kind> {
        self.skip_spaces();
        if self.eat("*") {
            self.close()?;
            return Ok(Step::Wildcard);
        }
        if self.eat("?") {
            self.skip_spaces();
            let filter = self.filter()?;
            self.close()?;
            return Ok(Step::Filter(filter));
        }
        if let Some(slice) = self.slice()? {
            return Ok(slice);
        }
        let mut members = vec![self.member()?];
        self.skip_spaces();
        while self.eat(",") {
            self.skip_spaces();
            members.push(self.member()?);
            self.skip_spaces();
        }
        self.expect("]", "`]` or `,`")?;
        Ok(match (members.len(), members.pop()) {
            (1, Some(Member::Key(key))) => Step::Key(key),
            (1, Some(Member::Index(index))) => Step::Index(index),
            (_, last) => {
                members.extend(last);
                Step::Union(members)
            }
        })
    }

    fn close(&mut self) -> Result<(), Kind> {
        self.skip_spaces();
        self.expect("]", "`]`")
    }

    /// `a:b:c` with every part optional; nothing is consumed when there is no `:`.
    fn slice(&mut self) -> Result<Option<Step>, Kind> {
        let from = self.at;
        let start = self.optional_integer()?;
        self.skip_spaces();
        if !self.eat(":") {
            self.at = from;
            return Ok(None);
        }
        let end = self.optional_integer()?;
        self.skip_spaces();
        let mut step = None;
        if self.eat(":") {
            let at = self.at;
            step = self.optional_integer()?;
            if step == Some(0) {
                self.at = at;
                return Err(Kind::ZeroStep);
            }
        }
        self.close()?;
        Ok(Some(Step::Slice { start, end, step }))
    }

    fn optional_integer(&mut self) -> Result<Option<i64>, Kind> {
        self.skip_spaces();
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return if sign == 0 { Ok(None) } else { Err(Kind::Expected("a number")) };
        }
        let number = rest[..sign + digits].parse().map_err(|_| Kind::Number)?;
        self.at += sign + digits;
        Ok(Some(number))
    }

    fn member(&mut self) -> Result<Member, Kind> {
        if let Some(text) = self.quoted()? {
            return Ok(Member::Key(text));
        }
        match self.optional_integer()? {
            Some(index) => Ok(Member::Index(index)),
            None => Err(Kind::Expected("a number, a quoted name, `*` or `?(`")),
        }
    }

    fn quoted(&mut self) -> Result<Option<String>, Kind> {
        let Some(quote @ ('\'' | '"')) = self.peek() else { return Ok(None) };
        self.delimited(quote).map(Some)
    }

    /// Text up to the next unescaped `quote`; a backslash keeps the character after it, `\n` and `\t` included.
    fn delimited(&mut self, quote: char) -> Result<String, Kind> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += offset + c.len_utf8();
                    return Ok(text);
                }
                '\\' if quote != '/' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, escaped)) => text.push(escaped),
                    None => break,
                },
                c => text.push(c),
            }
        }
        self.at = start;
        Err(Kind::Expected("a closing quote"))
    }

    fn filter(&mut self) -> Result<Filter, Kind> {
        self.expect("(", "`(`")?;
        let filter = self.any_of()?;
        self.skip_spaces();
        self.expect(")", "`)` or an operator")?;
        Ok(filter)
    }

    fn any_of(&mut self) -> Result<Filter, Kind> {
        let mut left = self.all_of()?;
        while self.operator("||") {
            left = Filter::Or(Box::new(left), Box::new(self.all_of()?));
        }
        Ok(left)
    }

    fn all_of(&mut self) -> Result<Filter, Kind> {
        let mut left = self.term()?;
        while self.operator("&&") {
            left = Filter::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn operator(&mut self, token: &str) -> bool {
        self.skip_spaces();
        self.eat(token)
    }

    fn term(&mut self) -> Result<Filter, Kind> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Kind::TooDeep);
        }
        self.skip_spaces();
        let term = if self.eat("!") {
            Filter::Not(Box::new(self.term()?))
        } else if self.peek() == Some('(') {
            self.filter()?
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn comparison(&mut self) -> Result<Filter, Kind> {
        let left = self.operand()?;
        self.skip_spaces();
        if self.eat("=~") {
            self.skip_spaces();
            let at = self.at;
            let pattern = match self.peek() {
                Some(quote @ ('/' | '\'' | '"')) => self.delimited(quote)?,
                _ => return Err(Kind::Expected("a regular expression such as `/x/`")),
            };
            return match regex::Regex::new(&pattern) {
                Ok(regex) => Ok(Filter::Match(left, Box::new(regex))),
                Err(_) => {
                    self.at = at;
                    Err(Kind::Regex)
                }
            };
        }
        const OPERATORS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (token, comparison) in OPERATORS {
            if self.eat(token) {
                return Ok(Filter::Compare(left, comparison, self.operand()?));
            }
        }
        Ok(Filter::Exists(left))
    }

    fn operand(&mut self) -> Result<Operand, Kind> {
        self.skip_spaces();
        if let Some(text) = self.quoted()? {
            return Ok(Operand::Literal(text.into()));
        }
        match self.peek() {
            Some(root @ ('@' | '$')) => {
                let from = self.at;
                let steps = self.path(End::Operand)?;
                let path = JsonPath { text: self.text[from..self.at].to_owned(), steps };
                Ok(if root == '@' { Operand::Element(path) } else { Operand::Root(path) })
            }
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Operand, Kind> {
        let rest = self.rest();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let literal = match &rest[..length] {
            // Go's spelling, accepted as upstream's dialect does.
            "nil" => serde_json::Value::Null,
            text => serde_json::from_str(text).map_err(|_| Kind::Expected("`@`, a number or a quoted text"))?,
        };
        self.at += length;
        Ok(Operand::Literal(literal))
    }
}

/// Characters of unquoted names. Inside filters the ones that could be operators end a name.
fn is_name(c: char, end: End) -> bool {
    let special = match end {
        End::Text => "_#%:;?^{|}~",
        End::Operand => "_",
    };
    c.is_ascii_alphanumeric() || !c.is_ascii() || special.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, Kind) {
        let error = JsonPath::parse(text).unwrap_err();
        (error.offset, error.kind)
    }

    #[test]
    fn every_form_of_the_dialect_parses() {
        for text in [
            "a",
            "a.b",
            ".a",
            "$",
            "$.a.b",
            "@.a",
            "$['a']",
            "a[\"b-c\"]",
            "a[0]",
            "a[-1]",
            "*",
            "a.*",
            "a[*]",
            "..",
            "..a",
            "a..b",
            "a..",
            "$..",
            "a..[0]",
            "[1:2]",
            "a[:2]",
            "a[1:]",
            "a[::2]",
            "a[-2:-1:1]",
            "a[0,'x', 2]",
            "a[?(@.name == 'x')]",
            "a[?(@.name=='x' && (@.b > 1.5 || !(@.c)))].d",
            "a[?(@ =~ /^x/)]",
            "a[?(@.x != null)]",
            "é.a#b%c:d;e?f^g{h|i}j~k",
            "a.0",
            "data['it\\'s']",
            "a[?($.x.y == @.z)]",
        ] {
            assert!(JsonPath::parse(text).is_ok(), "{text}: {:?}", JsonPath::parse(text));
        }
    }

    #[test]
    fn simple_paths_become_exact_places() {
        let simple = |text: &str| JsonPath::parse(text).unwrap().as_simple().map(|path| path.to_string());
        assert_eq!(simple("$.aa['x-y'][0]").as_deref(), Some("aa[\"x-y\"][0]"));
        assert_eq!(simple("$").as_deref(), Some(""));
        for text in ["a.*", "a[-1]", "..", "a[0,1]", "a[0:1]", "a[?(@.b)]"] {
            assert_eq!(simple(text), None, "{text}");
        }
    }

    #[test]
    fn errors_tell_the_place() {
        assert_eq!(error(""), (0, Kind::Empty));
        assert_eq!(error("metadata.labels.my-label"), (18, Kind::Unquoted('-')));
        assert_eq!(error("a/b"), (1, Kind::Unquoted('/')));
        assert_eq!(error("a b"), (1, Kind::Unquoted(' ')));
        assert_eq!(error("a."), (2, Kind::Expected("a name or `*`")));
        assert_eq!(error("a.[0]"), (2, Kind::Expected("a name or `*`")));
        assert_eq!(error("a...b"), (3, Kind::Expected("a name or `*`")));
        assert_eq!(error("a$"), (1, Kind::Expected("`.` or `[`")));
        assert_eq!(error("a]"), (1, Kind::Expected("`.` or `[`")));
        assert_eq!(error("a['b"), (2, Kind::Expected("a closing quote")));
        assert_eq!(error("a['b'"), (5, Kind::Expected("`]` or `,`")));
        assert_eq!(error("a[b]"), (2, Kind::Expected("a number, a quoted name, `*` or `?(`")));
        assert_eq!(error("a[-]"), (2, Kind::Expected("a number")));
        assert_eq!(error("a[99999999999999999999]"), (2, Kind::Number));
        assert_eq!(error("a[::0]"), (4, Kind::ZeroStep));
        assert_eq!(error("a[*"), (3, Kind::Expected("`]`")));
    }

    #[test]
    fn broken_filters_tell_the_place() {
        assert_eq!(error("a[?@.b]"), (3, Kind::Expected("`(`")));
        assert_eq!(error("a[?(@.b == x)]"), (11, Kind::Expected("`@`, a number or a quoted text")));
        assert_eq!(error("a[?(@.b == 'x']"), (14, Kind::Expected("`)` or an operator")));
        assert_eq!(error("a[?(@.b =~ /(/)]"), (11, Kind::Regex));
        assert_eq!(error("a[?(@.b =~ 1)]"), (11, Kind::Expected("a regular expression such as `/x/`")));
        assert_eq!(error(&format!("a[?({}", "(".repeat(1000))).1, Kind::TooDeep);
    }
}
