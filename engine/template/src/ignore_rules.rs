//! `.templateignore`: which files are copied instead of rendered.

use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

const FILE_NAME: &str = ".templateignore";

/// The rules above and inside an item directory, outermost first.
#[derive(Debug, Default)]
pub(crate) struct IgnoreRules {
    levels: Vec<(PathBuf, Gitignore)>,
}

impl IgnoreRules {
    /// Reads the rules from `source_root` down to the parent of `item_dir`.
    pub(crate) fn above(source_root: &Path, item_dir: &Path) -> Result<Self, (PathBuf, String)> {
        let mut rules = Self::default();
        let Ok(relative) = item_dir.strip_prefix(source_root) else { return Ok(rules) };
        let mut dir = source_root.to_owned();
        for part in relative {
            rules.enter(&dir)?;
            dir.push(part);
        }
        Ok(rules)
    }

    /// Adds the rules of `dir`, if it has any; directories must come outermost first.
    pub(crate) fn enter(&mut self, dir: &Path) -> Result<(), (PathBuf, String)> {
        let path = dir.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err((path, error.to_string())),
        };
        let mut builder = GitignoreBuilder::new(dir);
        for line in text.lines() {
            builder.add_line(Some(path.clone()), line).map_err(|error| (path.clone(), error.to_string()))?;
        }
        let rules = builder.build().map_err(|error| (path, error.to_string()))?;
        self.levels.push((dir.to_owned(), rules));
        Ok(())
    }

    /// How many directories have rules so far; see [`Self::leave_to`].
    pub(crate) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// Forgets the rules of the directories entered since `depth`.
    pub(crate) fn leave_to(&mut self, depth: usize) {
        self.levels.truncate(depth);
    }

    /// Whether the file is copied unrendered; deeper rules win.
    pub(crate) fn is_ignored(&self, file: &Path) -> bool {
        for (dir, rules) in self.levels.iter().rev() {
            let Ok(relative) = file.strip_prefix(dir) else { continue };
            match rules.matched_path_or_any_parents(relative, false) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> (tempfile::TempDir, IgnoreRules) {
        let dir = tempfile::tempdir().unwrap();
        let item = dir.path().join("app/item");
        std::fs::create_dir_all(item.join("n")).unwrap();
        for (path, text) in files {
            std::fs::write(dir.path().join(path).join(FILE_NAME), text).unwrap();
        }
        let mut rules = IgnoreRules::above(dir.path(), &item).unwrap();
        rules.enter(&item).unwrap();
        (dir, rules)
    }

    #[test]
    fn patterns_are_relative_to_their_directory_and_deeper_ones_win() {
        let (dir, rules) = rules(&[
            ("", "*.tpl\n# comment\n\n!keep.tpl\n"),
            ("app", "/item/anchored.txt\nsub/\n"),
            ("app/item", "raw-*\n!raw-not.txt\n**/deep.txt\n"),
        ]);
        let ignored = |path: &str| rules.is_ignored(&dir.path().join("app/item").join(path));
        for path in ["a.tpl", "anchored.txt", "sub/x.txt", "n/sub/y", "raw-1", "n/deep.txt"] {
            assert!(ignored(path), "{path} is ignored");
        }
        for path in ["keep.tpl", "n/anchored.txt", "raw-not.txt", "n/other.txt", "# comment"] {
            assert!(!ignored(path), "{path} is rendered");
        }
    }

    #[test]
    fn an_unreadable_rule_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
        assert!(IgnoreRules::default().enter(dir.path()).is_err());
    }
}
