//! Names of sources in place of the temporary folders that they were written to.
//!
//! An error inside an include tells a path; that folder is gone when the user reads it, so the text says where the
//! file comes from instead: `https://host/repo@ref: path`.

use std::path::PathBuf;

use windlass_model::location::{Location, Source};

/// Folders and what they are called.
#[derive(Debug, Default)]
pub(super) struct SourceNames(Vec<(String, String)>);

impl SourceNames {
    pub(super) fn new(names: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut all = Vec::new();
        for (folder, name) in names {
            let real = folder.canonicalize().ok().filter(|real| *real != folder);
            all.extend(real.into_iter().chain([folder]).map(|dir| (dir.display().to_string(), name.clone())));
        }
        // The longest first: one may be in another.
        all.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Self(all)
    }

    /// The text with names for folders.
    pub(super) fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (folder, name)| replace(&text, folder, name))
    }

    /// The place with the name of its file.
    pub(super) fn apply_to(&self, mut at: Location) -> Location {
        let name = self.apply(&at.source.name);
        if name != at.source.name {
            at.source = Source::new(name, at.source.text.clone());
        }
        at
    }
}

/// A folder whose name only begins alike is another one.
fn replace(text: &str, folder: &str, name: &str) -> String {
    let mut parts = text.split(folder);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut rest = part.chars();
        match rest.next() {
            Some('/' | '\\') if rest.as_str().starts_with(|next: char| !next.is_whitespace()) => {
                result.push_str(name);
                result.push_str(": ");
                result.push_str(rest.as_str());
            }
            Some(next) if next.is_alphanumeric() || matches!(next, '-' | '_') => {
                result.push_str(folder);
                result.push_str(part);
            }
            _ => {
                result.push_str(name);
                result.push_str(part);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> SourceNames {
        SourceNames::new([("/t/git-a".into(), "https://h/r@main".into()), ("/t/oci-b".into(), "oci://h/r:v1".into())])
    }

    #[test]
    fn folders_are_told_as_their_sources() {
        let told = names().apply("in /t/git-a: `/t/oci-b/x/y.yaml:3:4`, \"/t/git-a\"; /t/git-a");
        let expected = "in https://h/r@main: `oci://h/r:v1: x/y.yaml:3:4`, \"https://h/r@main\"; https://h/r@main";
        assert_eq!(told, expected);
    }

    #[test]
    fn other_folders_stay() {
        for text in ["/t/git-ab/x", "/t/git-a-b", "t/git", ""] {
            assert_eq!(names().apply(text), text);
        }
        assert_eq!(SourceNames::default().apply("/t/git-a"), "/t/git-a");
    }

    #[test]
    fn places_have_the_name_of_the_source() {
        let at = |name: &str| Location::new(Source::new(name, "a: 1\n"), 3..4);
        assert_eq!(names().apply_to(at("/t/git-a/d.yaml")).source.name, "https://h/r@main: d.yaml");
        assert_eq!(names().apply_to(at("/p/d.yaml")), at("/p/d.yaml"));
    }
}
