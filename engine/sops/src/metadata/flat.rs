//! Metadata of formats without nesting: `age__list_0__map_enc` → `age[0].enc`.

use super::problem;
use crate::error::SopsError;
use crate::tree::{Element, Entry, Node, Pair};

/// The tree behind the flat names; their line breaks are written as `\n`.
pub(super) fn unflatten<'a>(pairs: impl Iterator<Item = (&'a str, &'a Node)>) -> Result<Node, SopsError> {
    let mut root = Node::Map(Vec::new());
    for (name, value) in pairs {
        let value = value.as_text().unwrap_or_default().replace("\\n", "\n");
        place(&mut root, &steps(name)?, value).ok_or_else(|| problem(format!("has a misplaced `{name}`")))?;
    }
    Ok(root)
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn steps(name: &str) -> Result<Vec<Step<'_>>, SopsError> {
    const MAP: &str = "__map_";
    const LIST: &str = "__list_";
    let mut steps = Vec::new();
    let mut rest = name;
    let mut is_key = true;
    loop {
        let end = [rest.find(MAP), rest.find(LIST)].into_iter().flatten().min().unwrap_or(rest.len());
        let (step, after) = rest.split_at(end);
        steps.push(if is_key {
            Step::Key(step)
        } else {
            Step::Index(step.parse().map_err(|_| problem(format!("has a malformed `{name}`")))?)
        });
        is_key = after.starts_with(MAP);
        match after.strip_prefix(MAP).or_else(|| after.strip_prefix(LIST)) {
            Some(next) => rest = next,
            None => return Ok(steps),
        }
    }
}

/// `None`: there is something else, or the same, already. Lists must be written in order.
fn place(node: &mut Node, steps: &[Step<'_>], value: String) -> Option<()> {
    let (step, rest) = steps.split_first()?;
    let empty = match rest.first() {
        None => Node::text(value.clone()),
        Some(Step::Key(_)) => Node::Map(Vec::new()),
        Some(Step::Index(_)) => Node::List(Vec::new()),
    };
    let child = match (node, *step) {
        (Node::Map(entries), Step::Key(key)) => {
            let is_it = |entry: &Entry| entry.as_pair().is_some_and(|pair| pair.key == key);
            let at = entries.iter().position(is_it).filter(|_| !rest.is_empty());
            let at = at.or_else(|| {
                (!entries.iter().any(is_it)).then(|| {
                    entries.push(Entry::Pair(Pair::new(key, empty)));
                    entries.len() - 1
                })
            })?;
            match &mut entries[at] {
                Entry::Pair(pair) => &mut pair.value,
                Entry::Comment(_) => return None,
            }
        }
        (Node::List(elements), Step::Index(index)) => {
            if index == elements.len() {
                elements.push(Element::Item { value: empty, inline: None });
            } else if rest.is_empty() {
                return None;
            }
            match elements.get_mut(index)? {
                Element::Item { value, .. } => value,
                Element::Comment(_) => return None,
            }
        }
        _ => return None,
    };
    if rest.is_empty() { Some(()) } else { place(child, rest, value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Node, SopsError> {
        let values: Vec<(&str, Node)> = pairs.iter().map(|(name, value)| (*name, Node::text(*value))).collect();
        unflatten(values.iter().map(|(name, value)| (*name, value)))
    }

    #[test]
    fn lists_of_maps_come_back() {
        let node = of(&[("age__list_0__map_enc", "a\\nb"), ("age__list_0__map_recipient", "r"), ("mac", "m")]);
        let node = node.ok().unwrap();
        let key = node.get("age").and_then(|list| list.items().next()).unwrap();
        assert_eq!(key.get("enc").and_then(Node::as_text), Some("a\nb"));
        assert_eq!(key.get("recipient").and_then(Node::as_text), Some("r"));
        assert_eq!(node.get("mac").and_then(Node::as_text), Some("m"));
    }

    #[test]
    fn contradictions_are_refused() {
        for pairs in [
            &[("mac", "a"), ("mac", "b")][..],
            &[("age__list_x", "a")],
            &[("age__list_1", "a")],
            &[("age", "a"), ("age__map_b", "c")],
            &[("age__map_a", "a"), ("age__list_0", "c")],
        ] {
            assert!(of(pairs).is_err(), "{pairs:?}");
        }
    }
}
