//! Windlass command line.
fn main() {}
