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

// The system allocator grows per-thread arenas with a system call per page; rendering is parallel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    app::run(std::env::args_os())
}
