//! Benchmarks: generate a project, measure the server's floor, or print the whole report.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use windlass_tests::bench::{Client, Plan, Shape, charts, generate, listings, probe, registry_client, report};
use windlass_tests::windlass::{Profile, built};
use windlass_tests::{ControlPlane, Options, SandboxError};

/// Measures windlass against the floor that the API server sets on this machine.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write a project of N objects into a folder.
    Generate {
        /// Empty folder.
        folder: PathBuf,
        /// Number of objects, with the namespace.
        objects: usize,
    },
    /// Print the server's floor for N objects.
    Probe {
        /// Number of objects, with the namespace.
        objects: usize,
    },
    /// Render 40 charts (release build, or WINDLASS_BIN) and compare with one Go process that does the same.
    Charts {
        /// Runs per figure.
        #[arg(long, default_value_t = 7)]
        runs: usize,
    },
    /// Measure tag lists (release build of this program) against the floor and crane.
    Registry,
    /// The measured client of `registry`.
    #[command(hide = true)]
    RegistryClient {
        /// What it does.
        client: Client,
        /// host:port.
        address: String,
        /// Repositories without the registry.
        repositories: Vec<String>,
    },
    /// Run render, deploy and diff (release build, or WINDLASS_BIN) and print a table.
    Report {
        /// Sizes for render.
        #[arg(long, value_delimiter = ',', default_value = "100,1001,4001")]
        render: Vec<usize>,
        /// Sizes for deploy and diff.
        #[arg(long, value_delimiter = ',', default_value = "1001")]
        cluster: Vec<usize>,
        /// Runs per figure.
        #[arg(long, default_value_t = 5)]
        runs: usize,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> Result<(), SandboxError> {
    match action {
        Action::Generate { folder, objects } => generate(&folder, Shape { objects }),
        Action::Probe { objects } => {
            let plane = ControlPlane::start(Options { audit: false, ..Options::default() })?;
            let floors = probe(&plane, Shape { objects })?;
            let _ = writeln!(io::stdout(), "{floors:#?}");
            Ok(())
        }
        Action::Charts { runs } => charts(&built(Profile::Release)?, runs, &mut io::stdout()),
        Action::Registry => listings(&mut io::stdout()),
        Action::RegistryClient { client, address, repositories } => {
            let listed = registry_client(client, &address, &repositories);
            let listed = listed.map_err(|error| SandboxError::Request { what: address, reason: error.to_string() })?;
            let _ = writeln!(io::stdout(), "{listed}");
            Ok(())
        }
        Action::Report { render, cluster, runs } => {
            let binary = built(Profile::Release)?;
            report(&Plan { binary, render, cluster, runs }, &mut io::stdout())
        }
    }
}
