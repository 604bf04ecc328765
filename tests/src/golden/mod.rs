//! Replays recorded cases: the format of `tests/golden/README.md`.
//!
//! [`suite::run`] runs the cases of an area and compares the outcome with the list of cases that
//! are known to fail; [`case::run`] runs one. Files below `tests/golden-wanted/` take the place of
//! recorded ones where windlass answers differently on purpose.

pub mod case;
mod compare;
mod environment;
mod failing;
mod live;
mod normal;
mod preparation;
mod result_text;
mod result_yaml;
mod run_step;
pub mod steps;
pub mod suite;
mod terminal;

use std::path::{Path, PathBuf};

pub use compare::Mismatch;

/// The areas that have cases with steps.
pub const AREAS: [&str; 4] = ["cli", "cluster", "images", "render"];

/// Folder of the recorded cases.
pub fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Folder of the files that replace recorded ones.
pub fn wanted() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden-wanted")
}

/// Names (`area/case`) of all cases at or below `name`, sorted; empty for an unknown name.
pub fn cases(name: &str) -> Vec<String> {
    let name = name.trim_end_matches('/');
    if recorded().join(name).join("steps.yaml").is_file() {
        return vec![name.to_owned()];
    }
    let folder = recorded().join(name);
    let mut names: Vec<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("steps.yaml").is_file())
        .map(|entry| format!("{name}/{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort();
    names
}

/// A file of a case: the wanted one when there is one, else the recorded one.
fn file_of(case: &str, file: &str) -> PathBuf {
    let wanted = wanted().join(case).join(file);
    if wanted.exists() { wanted } else { recorded().join(case).join(file) }
}
