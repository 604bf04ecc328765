//! The command line as a user types it: every command, every flag with its help text, and the parser.
//!
//! The surface is a table and the parser reads it. A general purpose parser is not used, because scripts
//! depend on details in which such parsers differ: a value flag takes the next word even when it starts
//! with `-`, switches take `--flag=False`, numbers and durations are written as in Go, and the error
//! texts are matched by scripts.

pub(crate) mod commands;
mod credentials;
pub(crate) mod flag;
mod gitops;
pub(crate) mod global;
mod helm;
pub(crate) mod help;
mod image;
mod images;
mod inclusion;
mod misc;
mod oci;
pub(crate) mod parse;
mod project;
mod results;
pub(crate) mod value;

pub(crate) use commands::{Command, ROOT};
pub(crate) use flag::{Flag, Kind};
pub(crate) use parse::{Invocation, Request, UsageError, parse};
