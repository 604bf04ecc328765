//! Which items a run is about.

use super::layers::Layers;
use super::source::{SettingError, Sourced};

/// Tags and directories to include and exclude, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inclusion {
    pub(crate) include_tags: Vec<String>,
    pub(crate) exclude_tags: Vec<String>,
    pub(crate) include_dirs: Vec<String>,
    pub(crate) exclude_dirs: Vec<String>,
}

impl Inclusion {
    /// Reads the flags; absolute directories are errors.
    pub(crate) fn read(layers: &Layers) -> Result<Self, SettingError> {
        let texts = |name: &str| layers.list(name).into_iter().map(|text| text.value).collect();
        Ok(Self {
            include_tags: texts("include-tag"),
            exclude_tags: texts("exclude-tag"),
            include_dirs: relative_dirs("include-deployment-dir", layers)?,
            exclude_dirs: relative_dirs("exclude-deployment-dir", layers)?,
        })
    }
}

fn relative_dirs(flag: &str, layers: &Layers) -> Result<Vec<String>, SettingError> {
    layers.list(flag).into_iter().map(|dir| relative(flag, dir)).collect()
}

fn relative(flag: &str, dir: Sourced<String>) -> Result<String, SettingError> {
    if dir.value.starts_with('/') {
        let hint = "write the directory relative to the project's root deployment";
        return Err(SettingError::new(format!("--{flag} path must be relative"), &dir.source).with_hint(hint));
    }
    Ok(dir.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    #[test]
    fn absolute_directories_are_refused() {
        for flag in ["include-deployment-dir", "exclude-deployment-dir"] {
            let layers = layers(&["render", &format!("--{flag}=/abs")], &[], "").expect("layers");
            let error = Inclusion::read(&layers).expect_err("must fail");
            assert_eq!(error.reason, format!("--{flag} path must be relative"));
        }
    }

    #[test]
    fn filters_keep_their_order() {
        let layers = layers(&["render", "-I", "b", "-I", "a", "-E", "c", "--include-deployment-dir", "x/y"], &[], "");
        let inclusion = Inclusion::read(&layers.expect("layers")).expect("inclusion");
        assert_eq!(inclusion.include_tags, ["b", "a"]);
        assert_eq!((inclusion.exclude_tags.len(), inclusion.include_dirs.len()), (1, 1));
    }
}
