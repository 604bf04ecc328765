//! Runs golden cases for a developer: `golden [--verbose] [--write-failing] [area/case ...]`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use windlass_tests::golden::{AREAS, cases, suite};
use windlass_tests::windlass;

/// Replays recorded cases with windlass and shows what differs.
#[derive(Parser)]
struct Arguments {
    /// Show every command and its output.
    #[arg(short, long)]
    verbose: bool,
    /// Put the outcome of these cases into tests/golden-failing.txt.
    #[arg(long)]
    write_failing: bool,
    /// Show only names, not differences.
    #[arg(short, long)]
    quiet: bool,
    /// Areas or cases; all without any.
    cases: Vec<String>,
}

fn main() -> ExitCode {
    let Arguments { verbose, write_failing, quiet, cases: chosen } = Arguments::parse();
    let chosen = if chosen.is_empty() { AREAS.map(str::to_owned).to_vec() } else { chosen };
    let mut names = Vec::new();
    for name in &chosen {
        let found = cases(name);
        if found.is_empty() {
            tell(&format!("no case `{name}`"));
            return ExitCode::from(2);
        }
        names.extend(found);
    }
    let binary = match windlass::built(windlass::Profile::Dev) {
        Ok(binary) => binary,
        Err(error) => {
            tell(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let reports = suite::run(&names, &binary, verbose, |report| {
        let word = if report.passed() { "ok  " } else { "FAIL" };
        let seconds = report.took.as_secs_f32();
        tell(&if report.passed() || quiet {
            format!("{word} {seconds:5.1} s  {}", report.case)
        } else {
            format!("{word} {seconds:5.1} s  {}", report.describe())
        });
    });
    let passed = reports.iter().filter(|report| report.passed()).count();
    tell(&format!("{passed} of {} passed", reports.len()));
    if write_failing && let Err(error) = suite::write_failing(&reports) {
        tell(&format!("write the list: {error}"));
        return ExitCode::FAILURE;
    }
    if passed == reports.len() || write_failing { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(line: &str) {
    // A closed pipe is the reader's wish.
    let _ = writeln!(std::io::stdout(), "{line}");
}
