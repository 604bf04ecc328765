//! Where a value stands in an object.

use std::fmt;

use serde_json::Value;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// Steps from an object's root; displays as `spec.containers[0].image`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<PathStep>);

impl FieldPath {
    /// The value at this path.
    pub fn get<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            PathStep::Key(key) => value.get(key),
            PathStep::Index(index) => value.get(index),
        })
    }

    /// The value at this path, to change.
    pub fn get_mut<'v>(&self, root: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            PathStep::Key(key) => value.get_mut(key),
            PathStep::Index(index) => value.get_mut(index),
        })
    }

    /// The path of the same place in another version of the object.
    ///
    /// List elements with a `name` are found by that name, because something
    /// may have been inserted before them; others by position, unless the other
    /// element has a name. `None` when the place does not exist there.
    pub fn follow_names(&self, root: &Value, other: &Value) -> Option<Self> {
        let mut here = root;
        let mut there = other;
        let mut path = Vec::with_capacity(self.0.len());
        for step in &self.0 {
            match step {
                PathStep::Key(key) => {
                    here = here.get(key)?;
                    there = there.get(key)?;
                    path.push(step.clone());
                }
                PathStep::Index(index) => {
                    here = here.get(index)?;
                    let index = counterpart(here, *index, there.as_array()?)?;
                    there = there.get(index)?;
                    path.push(PathStep::Index(index));
                }
            }
        }
        Some(Self(path))
    }
}

fn counterpart(element: &Value, index: usize, list: &[Value]) -> Option<usize> {
    match name_of(element) {
        Some(name) => list.iter().position(|candidate| name_of(candidate) == Some(name)),
        None => list.get(index).filter(|candidate| name_of(candidate).is_none()).map(|_| index),
    }
}

/// The string `name` of a mapping.
pub(super) fn name_of(value: &Value) -> Option<&str> {
    value.get("name")?.as_str()
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Key(key) if !is_plain(key) => write!(f, "[{key:?}]")?,
                PathStep::Key(key) if i == 0 => f.write_str(key)?,
                PathStep::Key(key) => write!(f, ".{key}")?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
