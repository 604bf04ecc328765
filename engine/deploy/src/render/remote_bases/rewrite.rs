//! Leads entries of kustomizations to what was laid beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use windlass_yaml::{Dialect, Document, PathElement, Source, parse_first, to_string};

use super::copy::write_new;
use super::entries::Spot;
use super::error::{RemoteBaseError, RemoteBaseProblem};
use super::tree::Found;

/// New texts of entries, by file.
#[derive(Default)]
pub(super) struct Rewrites(BTreeMap<PathBuf, File>);

struct File {
    document: Arc<Document>,
    changes: Vec<(Spot, String)>,
}

impl Rewrites {
    pub(super) fn add(&mut self, found: &Found, target: &Path) {
        let path = relative(&found.folder.dir, target);
        let file = File { document: found.document.clone(), changes: Vec::new() };
        let changes = &mut self.0.entry(found.file.clone()).or_insert(file).changes;
        changes.push((found.spot.clone(), format!("{}{path}", found.spot.prefix)));
    }

    /// Writes the files; returns what went wrong.
    pub(super) fn write(self) -> Vec<RemoteBaseError> {
        let mut errors = Vec::new();
        for (path, File { document, changes }) in self.0 {
            let Err(error) = write_new(&path, &rewritten(&document, &changes)) else { continue };
            let first = changes.first().map(|(spot, _)| spot.clone());
            let (at, entry) = first.map_or((Vec::new(), String::new()), |spot| (spot.path, spot.text));
            let problem = RemoteBaseProblem::io("write", path)(error);
            let entry = windlass_kustomize::without_login(&entry);
            errors.push(RemoteBaseError { at: document.location(&at), entry, problem });
        }
        errors
    }
}

/// In place, so that the notation of everything else stays; where the notation of an entry prevents that, anew.
fn rewritten(document: &Document, changes: &[(Spot, String)]) -> String {
    let mut value = document.value.clone();
    let mut spans = Vec::new();
    for (spot, text) in changes {
        if let Some(entry) = entry_mut(&mut value, &spot.path) {
            *entry = text.as_str().into();
        }
        spans.extend(document.locate(&spot.path).map(|span| (span, text)));
    }
    spans.sort_by_key(|(span, _)| span.start);
    let mut edited = document.source().text.clone();
    for (span, text) in spans.into_iter().rev() {
        if edited.get(span.clone()).is_some() {
            edited.replace_range(span, &Value::from(text.as_str()).to_string());
        }
    }
    let read = parse_first(&Source::new("", edited.as_str()), Dialect::GoV2);
    if read.is_ok_and(|read| read.value == value) { edited } else { to_string(&value) }
}

fn entry_mut<'v>(value: &'v mut Value, path: &[PathElement]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        PathElement::Key(key) => value.get_mut(key),
        PathElement::Index(index) => value.get_mut(index),
    })
}

/// From one folder to another place, both without links.
fn relative(from: &Path, to: &Path) -> String {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let path: Vec<String> = up.chain(down).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}

#[cfg(test)]
mod tests {
    use super::super::entries::entries;
    use super::*;

    fn change(text: &str) -> String {
        let document = parse_first(&Source::new("", text), Dialect::GoV2).unwrap();
        let changes: Vec<_> = entries(&document.value).into_iter().map(|spot| (spot, "../x".to_owned())).collect();
        rewritten(&document, &changes)
    }

    #[test]
    fn everything_else_keeps_its_notation() {
        let text = "# why\nresources:\n- https://h/o/r//a # pinned\n- 'b'\nimages: [{name: a, newTag: 1.0}]\n";
        let wanted = "# why\nresources:\n- \"../x\" # pinned\n- \"../x\"\nimages: [{name: a, newTag: 1.0}]\n";
        assert_eq!(change(text), wanted);
    }

    #[test]
    fn entries_in_other_notations_are_written_anew() {
        for text in ["resources:\n- >-\n  https://h/o/r//a\n", "a: &a https://h/o/r//a\nresources: [*a]\n"] {
            let changed = parse_first(&Source::new("", change(text)), Dialect::GoV2).unwrap();
            assert_eq!(changed.value["resources"][0], "../x", "{text}");
        }
    }

    #[test]
    fn paths_go_up_and_down() {
        assert_eq!(relative(Path::new("/r/a/b"), Path::new("/r/.x/c")), "../../.x/c");
        assert_eq!(relative(Path::new("/r"), Path::new("/r/.x")), ".x");
        assert_eq!(relative(Path::new("/r"), Path::new("/r")), ".");
    }
}
