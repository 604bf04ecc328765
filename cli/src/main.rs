//! Windlass command line.

use std::process::ExitCode;

mod args;
mod env_vars;
mod files;
mod settings;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
