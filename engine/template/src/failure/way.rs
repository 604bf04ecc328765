//! Steps of the way to an error that the engine does not tell.
//!
//! It reports the place in a block, but not which template shows the block, nor
//! who includes or extends what is no template at all. The texts tell.

use std::path::Path;

use windlass_model::location::{Location, Source};

use super::Rendering;
use crate::error::{Frame, TemplatePart};
use crate::loading::read_template;
use crate::scope;

/// Templates that extend each other.
const MAX_PARENTS: usize = 20;

/// A template on the way: its name and text.
struct Known {
    name: String,
    text: String,
}

impl Known {
    fn step(&self, offset: usize) -> Frame {
        let line = line_of(&self.text, offset);
        Frame {
            at: Location::new(Source::new(&*self.name, &*self.text), offset..offset + 2),
            shown_as: self.name.clone(),
            line,
            part: part_at(&self.text, offset),
        }
    }

    /// Where the first tag is that fits.
    fn tag(&self, wanted: impl Fn(&str) -> bool) -> Option<usize> {
        tags(&self.text).into_iter().find(|(_, words)| wanted(words)).map(|(start, _)| start)
    }
}

/// What to add after the outermost of `frames`: up to the template that is rendered.
pub(super) fn to_outermost(frames: &[Frame], rendering: &Rendering<'_>) -> Vec<Frame> {
    let (Rendering::File(name, outermost), Some(last)) = (rendering, frames.last()) else { return Vec::new() };
    let mut family = family(name, &outermost.original);
    let Some(mut reached) = family.iter().position(|known| known.name == last.shown_as) else {
        let root = &family[0];
        let is_broken = frames.len() == 1 && last.part == TemplatePart::Other;
        let tag = if is_broken { root.tag(|words| names_file(words, &last.shown_as)) } else { None };
        return tag.map(|tag| root.step(tag)).into_iter().collect();
    };
    let mut added = Vec::new();
    if let TemplatePart::Block(block) = &last.part {
        // The template that extends no other one shows the blocks.
        reached = family.len() - 1;
        added = showing(&family[reached], block);
    }
    family.truncate(reached);
    let extending = family.iter().rev().filter_map(|known| Some(known.step(known.tag(is_extends)?)));
    added.extend(extending);
    added
}

/// The template and those it extends.
fn family(name: &str, text: &str) -> Vec<Known> {
    let mut family = vec![Known { name: name.to_owned(), text: text.to_owned() }];
    while let Some(parent) = family.last().and_then(parent).filter(|_| family.len() < MAX_PARENTS) {
        family.push(parent);
    }
    family
}

fn parent(child: &Known) -> Option<Known> {
    let (_, words) = tags(&child.text).into_iter().find(|(_, words)| is_extends(words))?;
    let path = scope::find(quoted(words)?, &child.name)?;
    Some(Known { name: path.display().to_string(), text: read_template(&path).ok()? })
}

/// The steps from the tag of `block` to the top level of its template.
fn showing(base: &Known, block: &str) -> Vec<Frame> {
    let mut steps = Vec::new();
    let mut wanted = block.to_owned();
    let is_block = |words: &str, name: &str| {
        let mut words = words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        words.next() == Some("block") && words.next() == Some(name)
    };
    while let Some(tag) = base.tag(|words| is_block(words, &wanted)) {
        let step = base.step(tag);
        let around = step.part.clone();
        steps.push(step);
        match around {
            TemplatePart::Block(outer) if outer != wanted => wanted = outer,
            _ => break,
        }
    }
    steps
}

fn is_extends(words: &str) -> bool {
    words.starts_with("extends")
}

/// Whether a tag names the file at `path`.
fn names_file(words: &str, path: &str) -> bool {
    let tag = ["include", "import", "from", "extends"].iter().any(|keyword| words.starts_with(keyword));
    let file = |name: &str| Path::new(path).ends_with(name.trim_start_matches("./").trim_start_matches("../"));
    tag && quoted(words).is_some_and(file)
}

/// The first text in quotes.
fn quoted(words: &str) -> Option<&str> {
    let start = words.find(['\'', '"'])?;
    let (quote, rest) = words[start..].split_at(1);
    rest.split_once(quote).map(|(text, _)| text)
}

/// All tags: where they start, and what they say.
fn tags(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{%") {
        let offset = text.len() - rest.len() + start;
        rest = &rest[start + 2..];
        let inside = rest.split("%}").next().unwrap_or(rest);
        found.push((offset, inside.trim_start_matches(['-', '+']).trim_start()));
    }
    found
}

/// The number of the line at `offset`.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The tag of the `call` block around `offset`, unless that is in the tag of one.
pub(super) fn call_tag(text: &str, offset: usize) -> Option<usize> {
    let mut open = Vec::new();
    for (start, words) in tags(text.get(..offset)?) {
        match words.split(|c: char| !c.is_alphanumeric()).next() {
            Some("call") if !text[start..offset].contains("%}") => return None,
            Some("call") => open.push(start),
            Some("endcall") => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Whether a `call` block starts in a line.
pub(super) fn starts_call(line: &str) -> bool {
    tags(line).iter().any(|(_, words)| words.starts_with("call"))
}

/// Which block or macro encloses `offset`, by a look at the tags before it.
pub(super) fn part_at(text: &str, offset: usize) -> TemplatePart {
    let mut open: Vec<TemplatePart> = Vec::new();
    let text = text.get(..offset.min(text.len())).unwrap_or(text);
    for (start, words) in tags(text) {
        let mut words = words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let is_closed = text[start..].contains("%}");
        match words.next() {
            Some("block") if is_closed => {
                open.push(TemplatePart::Block(words.next().unwrap_or_default().to_owned()));
            }
            Some("macro" | "call") if is_closed => open.push(TemplatePart::Other),
            Some("endblock" | "endmacro" | "endcall") => drop(open.pop()),
            _ => {}
        }
    }
    open.pop().unwrap_or(TemplatePart::TopLevel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_their_tags() {
        let text = "{% macro m() %}x{% endmacro %}{% block b %}y{% endblock %}z";
        let part = |wanted: &str| part_at(text, text.find(wanted).unwrap());
        assert_eq!(part("x{%"), TemplatePart::Other);
        assert_eq!(part("y{%"), TemplatePart::Block("b".to_owned()));
        assert_eq!(part("b %}"), TemplatePart::TopLevel);
        assert_eq!(part_at(text, text.len()), TemplatePart::TopLevel);
    }

    #[test]
    fn the_innermost_open_call_is_found() {
        let text = "{% call a() %}{% call b() %}x{% endcall %}y{% endcall %}z";
        let call = |wanted: &str| call_tag(text, text.find(wanted).unwrap());
        assert_eq!(call("x{%"), Some(14));
        assert_eq!(call("y{%"), Some(0));
        assert_eq!(call("b()"), None);
        assert_eq!(call_tag(text, text.len()), None);
    }

    #[test]
    fn tags_without_an_end_do_no_harm() {
        assert_eq!(tags("a {%- set x"), [(2, "set x")]);
        assert_eq!(quoted("include 'a"), None);
        assert!(names_file("include './sub/a.j2'", "p/sub/a.j2"));
        assert!(!names_file("set x = 'a.j2'", "p/a.j2"));
    }
}
