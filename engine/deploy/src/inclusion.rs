//! Which items and objects a run is about (spec 01 section 7.4).

use std::collections::BTreeSet;

use windlass_model::object::{ITEM_DIR_ANNOTATION, Object, TAG_LABEL_PREFIX};

/// Filters of the command line. Directories are relative to the source root and compared literally.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inclusion {
    /// Only items with one of these tags.
    pub include_tags: BTreeSet<String>,
    /// No items with one of these tags.
    pub exclude_tags: BTreeSet<String>,
    /// Only items in one of these directories.
    pub include_dirs: BTreeSet<String>,
    /// No items in one of these directories.
    pub exclude_dirs: BTreeSet<String>,
}

impl Inclusion {
    /// Whether any filter is given.
    pub fn is_active(&self) -> bool {
        self.has_tags() || !self.include_dirs.is_empty() || !self.exclude_dirs.is_empty()
    }

    /// Whether a filter by tag is given.
    pub fn has_tags(&self) -> bool {
        !self.include_tags.is_empty() || !self.exclude_tags.is_empty()
    }

    /// The rule of spec 01 section 7.4 for an item with these tags and this directory.
    pub fn includes<'a>(&self, tags: impl IntoIterator<Item = &'a str>, dir: Option<&str>) -> bool {
        let mut included = dir.is_some_and(|d| self.include_dirs.contains(d));
        let mut excluded = dir.is_some_and(|d| self.exclude_dirs.contains(d));
        for tag in tags {
            included |= self.include_tags.contains(tag);
            excluded |= self.exclude_tags.contains(tag);
        }
        let filtered = !self.include_tags.is_empty() || !self.include_dirs.is_empty();
        !excluded && (included || !filtered)
    }

    /// The same rule for a live object, read from its labels and annotation.
    pub fn includes_object(&self, object: &Object) -> bool {
        let tags = object.labels().filter(|(key, _)| is_tag_label(key)).map(|(_, value)| value);
        self.includes(tags, object.annotation(ITEM_DIR_ANNOTATION))
    }
}

fn is_tag_label(key: &str) -> bool {
    key.strip_prefix(TAG_LABEL_PREFIX).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inclusion(include_tags: &[&str], exclude_tags: &[&str], include_dirs: &[&str]) -> Inclusion {
        let set = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        Inclusion {
            include_tags: set(include_tags),
            exclude_tags: set(exclude_tags),
            include_dirs: set(include_dirs),
            exclude_dirs: BTreeSet::new(),
        }
    }

    #[test]
    fn without_filters_everything_is_included() {
        assert!(Inclusion::default().includes([], None));
        assert!(!Inclusion::default().is_active());
    }

    #[test]
    fn tags_and_directories_are_one_set_and_exclusion_wins() {
        let filter = inclusion(&["a"], &["x"], &["dir"]);
        assert!(filter.includes(["a"], None));
        assert!(filter.includes(["b"], Some("dir")));
        assert!(!filter.includes(["b"], Some("dir/sub")));
        assert!(!filter.includes(["a", "x"], Some("dir")));
    }

    #[test]
    fn objects_match_by_numbered_tag_labels_only() {
        let object = Object(json!({"metadata": {"labels": {"kluctl.io/tag-0": "a", "kluctl.io/tag-b": "c"}}}));
        assert!(inclusion(&["a"], &[], &[]).includes_object(&object));
        assert!(!inclusion(&["c"], &[], &[]).includes_object(&object));
    }
}
