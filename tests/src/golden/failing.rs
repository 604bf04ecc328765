//! The list of cases that are known to fail; it may only get shorter.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const HEAD: &str = "\
# Golden cases that windlass does not pass yet, one `area/case` per line.
# A case that passes must be removed: `cargo run -p windlass-tests --bin golden -- --write-failing`.
";

/// Path of the list.
pub(super) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden-failing.txt")
}

/// The cases of the list.
pub(super) fn read() -> BTreeSet<String> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Replaces the list.
pub(super) fn write(cases: &BTreeSet<String>) -> std::io::Result<()> {
    let lines: String = cases.iter().flat_map(|case| [case.as_str(), "\n"]).collect();
    fs::write(path(), format!("{HEAD}{lines}"))
}
