//! `get_var`: a value by JSON path, or a default.

use std::cell::OnceCell;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, State};

use super::renders::visible;
use crate::binder::signature;
use crate::failure::{type_error, value_error};
use crate::scope;
use crate::value::{py_repr, type_name};

pub(super) fn get_var(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    crate::budget::effort(100, 4)?;
    let slots = signature("get_var", &["path", "default"], 1).bind(args)?;
    let paths = slots[0].clone().unwrap_or_default();
    let root = Context { names: OnceCell::new(), state };
    let candidates: Vec<Value> = match paths.kind() {
        ValueKind::String => vec![paths],
        ValueKind::Seq | ValueKind::Iterable => paths.try_iter()?.collect(),
        _ if paths.is_undefined() => return Err(crate::value::undefined(&paths)),
        _ => return Err(type_error(format!("expected a path or a list of paths, not '{}'", type_name(&paths)))),
    };
    for candidate in &candidates {
        let steps = steps_of(candidate)?;
        if let Some(found) = root.find(&steps)? {
            return Ok(found);
        }
    }
    Ok(slots[1].clone().unwrap_or_else(|| Value::from(())))
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Names; `*` in one is a wildcard.
    Names(Vec<String>),
    /// A key exactly as written (from a list of keys).
    Key(String),
    Index(i64),
    Slice(Option<i64>, Option<i64>, Option<i64>),
    /// All members.
    Every,
    /// `..`: any depth below.
    Descend,
    /// `` `len` ``.
    Length,
}

fn steps_of(path: &Value) -> Result<Vec<Step>, Error> {
    if let Some(text) = path.as_str() {
        return parse(text).map_err(|error| value_error(format!("Invalid json path '{text}'. Error={error}")));
    }
    let elements = path.try_iter().map_err(|_| type_error(format!("'{}' is not a path", type_name(path))))?;
    elements
        .map(|element| match (element.as_str(), element.as_i64()) {
            (Some(key), _) => Ok(Step::Key(key.to_owned())),
            (None, Some(index)) => Ok(Step::Index(index)),
            _ => Err(type_error(format!("{} is not a key or index", py_repr(&element)))),
        })
        .collect()
}

fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut parser = PathParser { rest: text.trim(), steps: Vec::new() };
    parser.path()?;
    Ok(parser.steps)
}

struct PathParser<'a> {
    rest: &'a str,
    steps: Vec<Step>,
}

impl<'a> PathParser<'a> {
    fn path(&mut self) -> Result<(), String> {
        let mut first = true;
        if self.take("$") {
            first = false;
        } else if self.rest == "@" {
            self.rest = "";
            return Ok(());
        }
        if first && self.rest.is_empty() {
            return Err("Parse error near the end of string!".to_owned());
        }
        while !self.rest.is_empty() {
            if self.rest.starts_with('[') {
                self.bracket()?;
            } else if self.take("..") {
                self.steps.push(Step::Descend);
                if !self.rest.starts_with('[') {
                    self.member()?;
                }
            } else if first || self.take(".") {
                self.member()?;
            } else {
                return Err(self.unexpected());
            }
            first = false;
        }
        Ok(())
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn unexpected(&self) -> String {
        match self.rest.chars().next() {
            Some(c) => format!("Unexpected character: {c}"),
            None => "Parse error near the end of string!".to_owned(),
        }
    }

    fn member(&mut self) -> Result<(), String> {
        if self.take("`len`") {
            self.steps.push(Step::Length);
            return Ok(());
        }
        if self.take("*") {
            self.steps.push(Step::Every);
            return Ok(());
        }
        if self.rest.starts_with('[') {
            return self.bracket();
        }
        let mut names = vec![self.name()?];
        while self.take(",") {
            names.push(self.name()?);
        }
        self.steps.push(Step::Names(names));
        Ok(())
    }

    fn name(&mut self) -> Result<String, String> {
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let end =
                    rest.find(quote).ok_or_else(|| "Unexpected EOF in string literal or identifier".to_owned())?;
                self.rest = rest[end + 1..].trim_start();
                return Ok(rest[..end].to_owned());
            }
        }
        let is_start = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '@');
        if !self.rest.starts_with(is_start) {
            return Err(self.unexpected());
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '-')))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name == "where" {
            return Err("Parse error at 1:0 near token where (WHERE)".to_owned());
        }
        self.rest = rest.trim_start();
        Ok(name.to_owned())
    }

    fn bracket(&mut self) -> Result<(), String> {
        self.take("[");
        let step = if self.take("*") {
            Step::Every
        } else if self.rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | ':')) {
            self.index()?
        } else {
            let mut names = vec![self.name()?];
            while self.take(",") {
                names.push(self.name()?);
            }
            Step::Names(names)
        };
        if !self.take("]") {
            return Err(self.unexpected());
        }
        self.steps.push(step);
        Ok(())
    }

    fn index(&mut self) -> Result<Step, String> {
        let first = self.number()?;
        if !self.take(":") {
            return first.map(Step::Index).ok_or_else(|| self.unexpected());
        }
        let second = self.number()?;
        let third = if self.take(":") { self.number()? } else { None };
        Ok(Step::Slice(first, second, third))
    }

    fn number(&mut self) -> Result<Option<i64>, String> {
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| format!("Unexpected character: {digits}"))
    }
}

/// The whole template context as the root of paths.
struct Context<'a, 'state, 'env> {
    /// All names, for paths that begin with a wildcard.
    names: OnceCell<indexmap::IndexMap<String, Value>>,
    state: &'a State<'state, 'env>,
}

impl Context<'_, '_, '_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        self.state.lookup(name)
    }

    fn names(&self) -> &indexmap::IndexMap<String, Value> {
        // The next call is refused when this one was too much.
        let _ = crate::budget::effort(1000, 4);
        self.names.get_or_init(|| visible(self.state))
    }

    fn all(&self) -> Vec<Value> {
        let names = self.names();
        let mut found: Vec<Value> = names.values().cloned().collect();
        let vars = scope::current().vars;
        found.extend(vars.iter().filter(|(name, _)| !names.contains_key(&***name)).map(|(_, value)| value.thaw()));
        found
    }

    /// The only match of a path.
    fn find(&self, steps: &[Step]) -> Result<Option<Value>, Error> {
        let Some((first, rest)) = steps.split_first() else { return Ok(None) };
        let mut found: Vec<Value> = match first {
            Step::Key(name) => self.lookup(name).into_iter().collect(),
            Step::Names(names) => names.iter().flat_map(|name| self.named(name)).collect(),
            Step::Every => self.all(),
            Step::Descend => self.all().iter().flat_map(descendants).collect(),
            Step::Index(_) | Step::Slice(..) | Step::Length => Vec::new(),
        };
        if let (Step::Descend, Some(Step::Names(names))) = (first, rest.first()) {
            // The root itself is the first place to look at.
            let mut matches: Vec<Value> = names.iter().flat_map(|name| self.named(name)).collect();
            for value in &found {
                matches.extend(names.iter().flat_map(|name| members(value, name)));
            }
            found = matches;
            return only(follow(found, &rest[1..]));
        }
        only(follow(found, rest))
    }

    fn named(&self, pattern: &str) -> Vec<Value> {
        if !pattern.contains('*') {
            return self.lookup(pattern).into_iter().collect();
        }
        let vars = scope::current().vars;
        let here = self.names();
        let mut names: Vec<&str> = here.keys().map(String::as_str).collect();
        names.extend(vars.keys().map(|name| &**name).filter(|name| !here.contains_key(*name)));
        names.into_iter().filter(|name| wildcard(pattern, name)).filter_map(|name| self.lookup(name)).collect()
    }
}

fn only(mut found: Vec<Value>) -> Result<Option<Value>, Error> {
    if found.len() > 1 {
        return Err(value_error("Only simple jsonpath supported in get_dict_value"));
    }
    Ok(found.pop())
}

fn follow(mut found: Vec<Value>, steps: &[Step]) -> Vec<Value> {
    for step in steps {
        found = found.iter().flat_map(|value| apply(value, step)).collect();
    }
    found
}

fn apply(value: &Value, step: &Step) -> Vec<Value> {
    match step {
        Step::Key(key) => member(value, key).into_iter().collect(),
        Step::Names(names) => names.iter().flat_map(|name| members(value, name)).collect(),
        Step::Index(index) => items(value).and_then(|items| at(&items, *index)).into_iter().collect(),
        Step::Slice(start, stop, step) => slice(value, *start, *stop, step.unwrap_or(1)),
        Step::Every => match value.kind() {
            ValueKind::Map => children(value),
            _ => items(value).unwrap_or_default(),
        },
        Step::Descend => descendants(value),
        Step::Length => value.len().map(Value::from).into_iter().collect(),
    }
}

fn member(value: &Value, key: &str) -> Option<Value> {
    if value.kind() != ValueKind::Map {
        return None;
    }
    value.get_item(&Value::from(key)).ok().filter(|member| !member.is_undefined())
}

fn members(value: &Value, pattern: &str) -> Vec<Value> {
    if !pattern.contains('*') {
        return member(value, pattern).into_iter().collect();
    }
    if value.kind() != ValueKind::Map {
        return Vec::new();
    }
    let keys = value.try_iter().into_iter().flatten();
    keys.filter_map(|key| key.as_str().filter(|key| wildcard(pattern, key)).and_then(|key| member(value, key)))
        .collect()
}

/// The items of a sequence, or the characters of a string.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value.kind() {
        ValueKind::String => Some(value.as_str()?.chars().map(Value::from).collect()),
        ValueKind::Seq => Some(value.try_iter().ok()?.collect()),
        _ => None,
    }
}

fn at(items: &[Value], index: i64) -> Option<Value> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let index = if index < 0 { items.len().checked_sub(distance)? } else { distance };
    items.get(index).cloned()
}

fn slice(value: &Value, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<Value> {
    let Some(items) = items(value) else { return Vec::new() };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let clamp = |bound: i64| if bound < 0 { (bound + length).max(0) } else { bound.min(length) };
    let (start, stop) = (clamp(start.unwrap_or(0)), clamp(stop.unwrap_or(length)));
    let step = usize::try_from(step.max(1)).unwrap_or(1);
    (start..stop).step_by(step).filter_map(|index| at(&items, index)).collect()
}

fn children(value: &Value) -> Vec<Value> {
    match value.kind() {
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            keys.filter_map(|key| value.get_item(&key).ok()).collect()
        }
        ValueKind::Seq => value.try_iter().into_iter().flatten().collect(),
        _ => Vec::new(),
    }
}

/// The value and everything below it.
fn descendants(value: &Value) -> Vec<Value> {
    const MOST: usize = 100_000; // a list may contain itself
    let mut found = Vec::new();
    let mut open = vec![value.clone()];
    while let Some(value) = open.pop() {
        if found.len() >= MOST {
            break;
        }
        open.extend(children(&value).into_iter().rev());
        found.push(value);
    }
    found
}

/// Shell wildcards: `*` is any run of characters.
fn wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(previous) = last.replace(part) {
            match rest.find(previous) {
                Some(at) => rest = &rest[at + previous.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_parse() {
        let names = |name: &str| Step::Names(vec![name.to_owned()]);
        assert_eq!(parse("a.b-c[0]"), Ok(vec![names("a"), names("b-c"), Step::Index(0)]));
        assert_eq!(parse("$.a['x/y'].\"z w\""), Ok(vec![names("a"), names("x/y"), names("z w")]));
        assert_eq!(parse("a[-1]"), Ok(vec![names("a"), Step::Index(-1)]));
        assert_eq!(parse("a[0:1].*"), Ok(vec![names("a"), Step::Slice(Some(0), Some(1), None), Step::Every]));
        assert_eq!(parse("a..b"), Ok(vec![names("a"), Step::Descend, names("b")]));
        assert_eq!(parse("a.`len`"), Ok(vec![names("a"), Step::Length]));
    }

    #[test]
    fn malformed_paths_are_errors() {
        for path in ["", "m.0", "m.1x", "a b", "a.", "a[", "a['x", "where", "a[x", "a/b"] {
            assert!(parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn wildcards_match_like_a_shell() {
        for (pattern, name, expected) in [
            ("*", "x", true),
            ("a*", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "abd", false),
            ("*b*", "abc", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(wildcard(pattern, name), expected, "{pattern} {name}");
        }
    }
}
