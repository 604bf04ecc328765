//! The text form of filters: `prefix("v", suffix=number())`.

use super::{FilterError, RangeOptions, VersionFilter};
use crate::policy::Order;

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Ident(&'a str),
    Integer(&'a str),
    Text(&'a str),
    Sign(char),
    End,
}

impl Token<'_> {
    fn number(&self) -> i32 {
        match self {
            Self::End => -1,
            Self::Ident(_) => -2,
            Self::Integer(_) => -3,
            Self::Text(_) => -6,
            Self::Sign(c) => u32::from(*c).cast_signed(),
        }
    }
}

enum Value<'a> {
    Text(&'a str),
    Ident(&'a str),
    Integer(&'a str),
    Filter(VersionFilter),
}

struct Parser<'a> {
    rest: &'a str,
}

pub(super) fn parse(text: &str) -> Result<VersionFilter, FilterError> {
    let mut parser = Parser { rest: text };
    let Token::Ident(name) = parser.peek() else {
        return Err(parser.unexpected("ident"));
    };
    parser.advance();
    let filter = parser.filter(name)?;
    match parser.rest.trim() {
        "" => Ok(filter),
        trailing => Err(FilterError::Trailing(trailing.to_owned())),
    }
}

impl<'a> Parser<'a> {
    /// The next token and the text after it.
    fn scan(&self) -> (Token<'a>, &'a str) {
        let rest = self.rest.trim_start();
        let Some(c) = rest.chars().next() else {
            return (Token::End, rest);
        };
        let run = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
        match c {
            'a'..='z' | 'A'..='Z' | '_' => {
                let (word, rest) = rest.split_at(run(|c| c.is_ascii_alphanumeric() || c == '_'));
                (Token::Ident(word), rest)
            }
            '0'..='9' => {
                let (digits, rest) = rest.split_at(run(|c| c.is_ascii_digit()));
                (Token::Integer(digits), rest)
            }
            '\'' | '"' => match rest[1..].split_once(c) {
                Some((text, rest)) => (Token::Text(text), rest),
                None => (Token::End, ""),
            },
            _ => (Token::Sign(c), &rest[c.len_utf8()..]),
        }
    }

    fn peek(&self) -> Token<'a> {
        self.scan().0
    }

    fn advance(&mut self) {
        self.rest = self.scan().1;
    }

    fn unexpected(&self, expected: &'static str) -> FilterError {
        FilterError::Unexpected { token: self.peek().number(), expected }
    }

    fn sign(&mut self, sign: char, expected: &'static str) -> Result<(), FilterError> {
        if self.peek() != Token::Sign(sign) {
            return Err(self.unexpected(expected));
        }
        self.advance();
        Ok(())
    }

    /// Arguments and construction; the name has been read.
    fn filter(&mut self, name: &str) -> Result<VersionFilter, FilterError> {
        self.sign('(', "(")?;
        let parameters: &[&'static str] = match name {
            "semver" => &["allow_no_nums", "range", "loose", "prerelease"],
            "prefix" => &["prefix", "suffix"],
            "number" | "newest_build" => &[],
            "regex" => &["pattern"],
            "alphabetical" | "numerical" | "natural" => &["order"],
            "timestamp" => &["unit"],
            "calver" => &["format"],
            "policy" => &["name"],
            "digest" => &["tag"],
            _ => return Err(FilterError::UnknownFilter(name.to_owned())),
        };
        // As kluctl's `semver` has one parameter, the range must be named.
        let positional = if name == "semver" { 1 } else { parameters.len() };
        let mut values = self.arguments(parameters, positional)?.into_iter();
        let (first, second) = (values.next().flatten(), values.next().flatten());
        let (third, fourth) = (values.next().flatten(), values.next().flatten());
        let order = |value: Option<Value<'a>>| value.map_or(Ok(Order::default()), Value::order);
        match name {
            "semver" => {
                let flag = |value: Option<Value<'a>>, name| value.map_or(Ok(false), |v| v.boolean(name));
                let options = RangeOptions {
                    allow_no_nums: flag(first, "allow_no_nums")?,
                    loose: flag(third, "loose")?,
                    prerelease: flag(fourth, "prerelease")?,
                };
                match second {
                    None => VersionFilter::semver(options),
                    Some(range) => VersionFilter::range(range.text("range")?, options),
                }
            }
            "prefix" => {
                let prefix = required(first, "prefix")?;
                let suffix = second.map(Value::suffix).transpose()?;
                VersionFilter::prefix(prefix, suffix)
            }
            "number" => Ok(VersionFilter::Number),
            "newest_build" => Ok(VersionFilter::NewestBuild),
            "policy" => VersionFilter::named(required(first, "name")?),
            "alphabetical" => Ok(VersionFilter::Alphabetical(order(first)?)),
            "numerical" => Ok(VersionFilter::Numerical(order(first)?)),
            "natural" => Ok(VersionFilter::Natural(order(first)?)),
            "timestamp" => VersionFilter::timestamp(first.map_or(Ok("auto"), |v| v.text("unit"))?),
            "calver" => VersionFilter::calver(required(first, "format")?),
            "digest" => VersionFilter::digest(required(first, "tag")?),
            _ => VersionFilter::regex(required(first, "pattern")?),
        }
    }

    /// The values by parameter, up to and including the closing parenthesis; parameters after the `positional` ones must be named.
    fn arguments(
        &mut self,
        parameters: &[&'static str],
        positional: usize,
    ) -> Result<Vec<Option<Value<'a>>>, FilterError> {
        let mut values: Vec<Option<Value<'a>>> = parameters.iter().map(|_| None).collect();
        if self.peek() == Token::Sign(')') {
            self.advance();
            return Ok(values);
        }
        if parameters.is_empty() {
            return Err(self.unexpected("("));
        }
        let mut named = false;
        for position in 0.. {
            let slot = match self.keyword() {
                Some(keyword) => {
                    named = true;
                    let slot = parameters.iter().position(|p| *p == keyword);
                    slot.ok_or_else(|| FilterError::UnknownArgument(keyword.to_owned()))?
                }
                None if named => return Err(FilterError::PositionalAfterNamed),
                None if position < positional => position,
                None => parameters.len(),
            };
            let value = self.value()?;
            match values.get_mut(slot) {
                None => return Err(FilterError::TooManyArguments),
                Some(Some(_)) => return Err(FilterError::RepeatedArgument(parameters[slot].to_owned())),
                Some(empty) => *empty = Some(value),
            }
            match self.peek() {
                Token::Sign(',') => self.advance(),
                Token::Sign(')') => break,
                _ => return Err(self.unexpected(", or )")),
            }
        }
        self.advance();
        Ok(values)
    }

    /// `name =`, consumed when there.
    fn keyword(&mut self) -> Option<&'a str> {
        let (Token::Ident(name), rest) = self.scan() else {
            return None;
        };
        let ahead = Parser { rest };
        let (Token::Sign('='), rest) = ahead.scan() else {
            return None;
        };
        self.rest = rest;
        Some(name)
    }

    fn value(&mut self) -> Result<Value<'a>, FilterError> {
        let token = self.peek();
        let value = match token {
            Token::Text(text) => Value::Text(text),
            Token::Integer(digits) => Value::Integer(digits),
            Token::Ident(name) => {
                self.advance();
                return if self.peek() == Token::Sign('(') {
                    Ok(Value::Filter(self.filter(name)?))
                } else {
                    Ok(Value::Ident(name))
                };
            }
            Token::Sign(_) | Token::End => return Err(self.unexpected("string, ident or int")),
        };
        self.advance();
        Ok(value)
    }
}

fn required<'a>(value: Option<Value<'a>>, name: &'static str) -> Result<&'a str, FilterError> {
    value.ok_or(FilterError::MissingArgument(name))?.text(name)
}

impl<'a> Value<'a> {
    fn order(self) -> Result<Order, FilterError> {
        super::order(self.text("order")?)
    }

    fn boolean(self, name: &'static str) -> Result<bool, FilterError> {
        match self {
            Self::Ident("true" | "True" | "TRUE" | "t" | "T") | Self::Integer("1") => Ok(true),
            Self::Ident("false" | "False" | "FALSE" | "f" | "F") | Self::Integer("0") => Ok(false),
            _ => Err(FilterError::WrongKind { name, wanted: "a bool" }),
        }
    }

    fn text(self, name: &'static str) -> Result<&'a str, FilterError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(FilterError::WrongKind { name, wanted: "a string" }),
        }
    }

    fn suffix(self) -> Result<VersionFilter, FilterError> {
        match self {
            Self::Filter(filter) => Ok(filter),
            _ => Err(FilterError::SuffixNotAFilter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn errors_have_the_known_texts() {
        for (text, wanted) in [
            ("semver(", "unexpected token -1, expected string, ident or int"),
            ("semver", "unexpected token -1, expected ("),
            ("semver(maybe)", "invalid value for arg allow_no_nums, must be a bool"),
            ("semver(a=1)", "unkown arg a"),
            ("semver(true, true)", "too many arguments"),
            ("regex()", "required arg pattern not found"),
            (r#"regex("")"#, "pattern can't be empty"),
            ("prefix()", "required arg prefix not found"),
            (r#"prefix("a", suffix=5)"#, "invalid suffix, must be a filter"),
            (r#"prefix("a", suffix="x")"#, "invalid suffix, must be a filter"),
            ("", "unexpected token -1, expected ident"),
            ("5", "unexpected token -3, expected ident"),
            ("semver(allow_no_nums=true, allow_no_nums=true)", "arg allow_no_nums given more than once"),
            ("semver() garbage", "unexpected text `garbage` after the filter"),
            ("prefix(suffix=number(), 'x')", "positional arguments must come before named ones"),
            ("prefix(5)", "invalid value for arg prefix, must be a string"),
            ("semver(range='')", "improper constraint: \"\""),
            ("semver(range='1x')", "constraint parser error"),
            ("semver(range='1', range='2')", "arg range given more than once"),
            ("semver(range=5)", "invalid value for arg range, must be a string"),
            ("semver(true, range='1.x')", "allow_no_nums can't be combined with a range"),
            ("semver('1.x')", "invalid value for arg allow_no_nums, must be a bool"),
            ("semver(false, '1.x')", "too many arguments"),
            ("alphabetical(order='up')", "invalid value for arg order, must be asc or desc"),
            ("alphabetical(desc)", "invalid value for arg order, must be a string"),
            ("numerical(range='1')", "unkown arg range"),
            ("numerical(1)", "invalid value for arg order, must be a string"),
            ("natural('asc', 'desc')", "too many arguments"),
            ("natural('asc', order='desc')", "arg order given more than once"),
            ("timestamp('h')", "invalid value for arg unit, must be one of auto, s, ms, us, ns"),
            ("timestamp(unit='')", "invalid value for arg unit, must be one of auto, s, ms, us, ns"),
            ("calver()", "required arg format not found"),
            ("calver('YYYYMM0D')", "invalid calver format `YYYYMM0D`: MM varies in length, so 0D can't follow at once"),
            ("digest()", "required arg tag not found"),
            ("digest('a:b')", "invalid value for arg tag, must be a tag"),
            ("digest('')", "invalid value for arg tag, must be a tag"),
            ("digest(stable)", "invalid value for arg tag, must be a string"),
            ("newest_build(1)", "unexpected token -3, expected ("),
            ("semver(loose=true)", "loose needs a range, such as semver(range=\">=1.0\", loose=true)"),
            ("semver(prerelease=1)", "prerelease needs a range, such as semver(range=\">=1.0\", prerelease=true)"),
            ("semver(range='1.x', loose='yes')", "invalid value for arg loose, must be a bool"),
            ("policy()", "required arg name not found"),
            ("policy('')", "invalid value for arg name, must be the name of a policy"),
            ("policy('a b')", "invalid value for arg name, must be the name of a policy"),
            ("prefix('a', suffix=policy('b'))", "a policy can't be the suffix of a prefix; it has its own filter"),
            ("prefix('a', suffix=calver('MM'))", "invalid calver format `MM`: it has no year"),
            ("regex('(')", "error parsing regexp: missing closing ): `(`"),
        ] {
            assert_eq!(error(text), wanted, "{text}");
        }
    }

    #[test]
    fn unknown_filters_are_named() {
        assert!(error("nope()").contains("unknown filter `nope`"));
        assert!(error("prefix('a', nope())").contains("unknown filter `nope`"));
    }

    #[test]
    fn arguments_of_number_are_refused() {
        assert_eq!(error("number(1)"), "unexpected token -3, expected (");
    }

    #[test]
    fn an_open_text_is_an_error() {
        assert!(error("prefix('a").starts_with("unexpected token -1"));
        assert!(error("prefix('a'").starts_with("unexpected token -1"));
        assert!(error("prefix('a' 'b')").starts_with("unexpected token -6"));
    }

    #[test]
    fn texts_are_raw() {
        let VersionFilter::Regex(pattern) = parse(r#"regex("\d+")"#).unwrap() else {
            panic!("a regex filter");
        };
        assert_eq!(pattern.as_str(), r"\d+");
    }
}
