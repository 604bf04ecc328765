//! Plain values that the other crates hand to each other. No I/O.

pub mod deployment;
pub mod event;
pub mod location;
pub mod object;
pub mod object_ref;
