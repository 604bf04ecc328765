//! Carrying images, and nothing else, into a live object: `poke-images`. Spec 02 B11.

use serde_json::Value;

use super::find::Carrier;
use super::{FieldPath, Occurrence};

/// What became of each field that holds placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poked {
    /// Fields of the live object that have another value now, as paths in the live object.
    pub changed: Vec<FieldPath>,
    /// Fields of the rendered object without a counterpart, or with other text around the image.
    pub skipped: Vec<FieldPath>,
}

/// Writes the images of a resolved object into its live counterpart.
///
/// `rendered` is the object in which `occurrences` were found, `resolved` the
/// same after [`replace`](super::replace). List elements are matched by name.
pub fn poke(rendered: &Value, resolved: &Value, occurrences: &[Occurrence], live: &mut Value) -> Poked {
    let mut poked = Poked::default();
    for field in occurrences.chunk_by(|a, b| a.path == b.path) {
        let path = &field[0].path;
        let target = path.follow_names(rendered, live);
        match target.and_then(|target| Some((new_value(rendered, resolved, field, target.get(live)?)?, target))) {
            None => poked.skipped.push(path.clone()),
            Some((value, target)) => {
                if let Some(current) = target.get_mut(live).filter(|current| **current != value) {
                    *current = value;
                    poked.changed.push(target);
                }
            }
        }
    }
    poked
}

/// The resolved value, if the live one differs from it in the images only.
fn new_value(rendered: &Value, resolved: &Value, field: &[Occurrence], live: &Value) -> Option<Value> {
    let template = field[0].text(field[0].path.get(rendered)?)?;
    let resolved = field[0].path.get(resolved)?;
    let live_text = field[0].text(live)?;
    // A whole-field image replaces whatever runs; everything else must stay as it is.
    let whole = field.len() == 1 && field[0].range == (0..template.len()) && field[0].carrier == Carrier::Plain;
    (whole || fits(&template, field, &live_text)).then(|| resolved.clone())
}

/// Whether `live` is the template's text with something in place of each placeholder.
fn fits(template: &str, field: &[Occurrence], live: &str) -> bool {
    let mut literals = Vec::new();
    let mut end = 0;
    for occurrence in field {
        literals.push(template.get(end..occurrence.range.start).unwrap_or_default());
        end = occurrence.range.end;
    }
    let Some(mut rest) = live.strip_prefix(literals[0]).and_then(|l| l.strip_suffix(&template[end..])) else {
        return false;
    };
    literals[1..].iter().all(|literal| match rest.find(literal) {
        Some(at) => {
            rest = &rest[at + literal.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::placeholder::{ImageCall, find, replace};

    fn run(rendered: &Value, live: Value) -> (Value, Vec<String>, Vec<String>) {
        let found = find(rendered).occurrences;
        let results: Vec<_> = found.iter().map(|o| Some(format!("{}:new", o.call.image))).collect();
        let (mut resolved, mut live) = (rendered.clone(), live);
        replace(&mut resolved, &found, &results);
        let Poked { changed, skipped } = poke(rendered, &resolved, &found, &mut live);
        let texts = |paths: Vec<FieldPath>| paths.iter().map(ToString::to_string).collect();
        (live, texts(changed), texts(skipped))
    }

    fn mark(image: &str) -> String {
        ImageCall::new(image).encode()
    }

    #[test]
    fn only_the_image_of_the_named_container_changes() {
        let rendered = json!({"replicas": 5, "c": [{"name": "app", "image": mark("x"), "env": "new"}]});
        let live = json!({"replicas": 1, "c": [{"name": "side", "image": "s"}, {"name": "app", "image": "x:old", "env": "old"}]});
        let (live, changed, skipped) = run(&rendered, live);
        let wanted = json!({"replicas": 1, "c": [{"name": "side", "image": "s"}, {"name": "app", "image": "x:new", "env": "old"}]});
        assert_eq!((live, changed, skipped), (wanted, vec!["c[1].image".to_owned()], vec![]));
    }

    #[test]
    fn an_equal_image_is_no_change() {
        let (_, changed, skipped) = run(&json!({"i": mark("x")}), json!({"i": "x:new"}));
        assert_eq!((changed.len(), skipped.len()), (0, 0));
    }

    #[test]
    fn text_around_the_image_must_be_the_same() {
        let rendered = json!({"v": format!("a={} b={};", mark("x"), mark("y"))});
        let (live, _, _) = run(&rendered, json!({"v": "a=x:1 b=y:1;"}));
        assert_eq!(live["v"], "a=x:new b=y:new;");
        for other in ["a=x:1 c=y:1;", "a=x:1 b=y:1", "x"] {
            let (live, changed, skipped) = run(&rendered, json!({ "v": other }));
            assert_eq!((live["v"].as_str(), changed.len(), skipped), (Some(other), 0, vec!["v".to_owned()]));
        }
    }

    #[test]
    fn a_missing_place_is_told() {
        let rendered = json!({"c": [{"name": "app", "image": mark("x")}]});
        for live in [
            json!({}),
            json!({"c": [{"name": "other", "image": "x:1"}]}),
            json!({"c": "text"}),
            json!({"c": [{"name": "app"}]}),
        ] {
            assert_eq!(run(&rendered, live.clone()), (live, vec![], vec!["c[0].image".to_owned()]));
        }
    }
}
