//! Plain values that the other crates hand to each other. No I/O.

pub mod location;
