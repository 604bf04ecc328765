//! Windlass command line: parse, run, exit code.

mod app;
mod args;
mod commands;
mod completion;
mod diagnostics;
mod env_vars;
mod files;
mod interrupt;
mod printer;
mod progress;
mod prompts;
mod settings;
mod wire;

fn main() -> std::process::ExitCode {
    app::run(std::env::args_os())
}
