//! The test servers for people: start them, run something against them, stop them.
//!
//! `start` leaves a process behind that holds the servers; it listens on a loopback port whose
//! address is in the state folder, and ends when `stop` calls there.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use windlass_tests::Options;
use windlass_tests::servers::build::{self, Server};
use windlass_tests::servers::{ServerSet, Wanted, push};

/// Starts and stops real servers on loopback: Kubernetes API server, etcd, OCI registry.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start servers in the background and write their addresses to DIR/env.
    Start {
        #[command(flatten)]
        servers: Servers,
        #[command(flatten)]
        state: State,
    },
    /// Stop the servers of `start`.
    Stop {
        #[command(flatten)]
        state: State,
    },
    /// Push a tiny image under each tag.
    Push {
        /// host:port of the registry.
        #[arg(long, env = "REGISTRY")]
        registry: String,
        /// Repository without the registry.
        repository: String,
        /// Tags of the image.
        #[arg(required = true)]
        tags: Vec<String>,
    },
    /// Run a command with servers of its own; its exit code is ours.
    Run {
        #[command(flatten)]
        servers: Servers,
        /// The command.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Build all servers that are not in the cache yet.
    Build,
    /// The background process of `start`.
    #[command(hide = true)]
    Serve {
        #[command(flatten)]
        servers: Servers,
        #[command(flatten)]
        state: State,
    },
}

#[derive(Args, Clone, Copy)]
struct Servers {
    /// Also run kube-controller-manager.
    #[arg(long)]
    controllers: bool,
    /// Also run a scheduler and a simulated node, so that pods become ready.
    #[arg(long)]
    kwok: bool,
    /// Also run an OCI registry.
    #[arg(long)]
    registry: bool,
}

#[derive(Args)]
struct State {
    /// Folder that remembers what is running.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Action::Start { servers, state } => start(servers, &state.state),
        Action::Stop { state } => stop(&state.state),
        Action::Serve { servers, state } => serve(servers, &state.state),
        Action::Run { servers, command } => run(servers, &command),
        Action::Build => build_all(),
        Action::Push { registry, repository, tags } => {
            let tags: Vec<_> = tags.iter().map(String::as_str).collect();
            push(&registry, &repository, &tags).map(|()| ExitCode::SUCCESS).map_err(Into::into)
        }
    };
    outcome.unwrap_or_else(|error| {
        tell(&format!("error: {}", chain(error.as_ref())));
        ExitCode::FAILURE
    })
}

impl Servers {
    fn wanted(self) -> Wanted {
        let Self { controllers, kwok, registry } = self;
        Wanted { plane: Options { controllers, kwok, ..Options::default() }, registry }
    }

    fn flags(self) -> Vec<&'static str> {
        let Self { controllers, kwok, registry } = self;
        let all = [(controllers, "--controllers"), (kwok, "--kwok"), (registry, "--registry")];
        all.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag).collect()
    }
}

fn start(servers: Servers, state: &Path) -> Outcome {
    fs::create_dir_all(state)?;
    let state = state.canonicalize()?;
    if connect(&state).is_some() {
        return Err(format!("servers of `{}` are running; stop them first", state.display()).into());
    }
    let variables = state.join("env");
    let _ = fs::remove_file(&variables);
    let log = File::create(state.join("log"))?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .args(servers.flags())
        .arg("--state")
        .arg(&state)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C at the terminal is not for the servers.
        .process_group(0)
        .spawn()?;
    let mut shown = 0;
    while !variables.exists() {
        shown += show_progress(&state, shown);
        if child.try_wait()?.is_some() {
            show_progress(&state, shown);
            return Err("the servers could not be started".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    tell(&format!("servers are running; `source {}` leads to them", variables.display()));
    Ok(ExitCode::SUCCESS)
}

/// Passes on what the background process has written (a cold build takes minutes).
fn show_progress(state: &Path, shown: usize) -> usize {
    let log = fs::read(state.join("log")).unwrap_or_default();
    let new = log.get(shown..).unwrap_or_default();
    let _ = std::io::stderr().write_all(new);
    new.len()
}

fn serve(servers: Servers, state: &Path) -> Outcome {
    let set = ServerSet::start(servers.wanted())?;
    let control = TcpListener::bind("127.0.0.1:0")?;
    fs::write(state.join("control"), control.local_addr()?.to_string())?;
    let exports: String =
        set.environment().into_iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    // A reader must never see half of the file.
    fs::write(state.join("env.new"), exports)?;
    fs::rename(state.join("env.new"), state.join("env"))?;
    for caller in control.incoming() {
        let mut caller = caller?;
        let mut order = String::new();
        BufReader::new(&caller).read_line(&mut order)?;
        if order.trim() == "stop" {
            drop(set);
            fs::remove_file(state.join("env"))?;
            fs::remove_file(state.join("control"))?;
            caller.write_all(b"stopped\n")?;
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn stop(state: &Path) -> Outcome {
    let Some(mut connection) = connect(state) else {
        tell("no servers are running");
        return Ok(ExitCode::SUCCESS);
    };
    connection.write_all(b"stop\n")?;
    // The answer comes when everything has ended.
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    if answer.trim() == "stopped" { Ok(ExitCode::SUCCESS) } else { Err("the servers did not confirm their end".into()) }
}

fn connect(state: &Path) -> Option<TcpStream> {
    let address = fs::read_to_string(state.join("control")).ok()?;
    TcpStream::connect(address).ok()
}

fn run(servers: Servers, command: &[String]) -> Outcome {
    let (program, arguments) = command.split_first().ok_or("a command is missing")?;
    let set = ServerSet::start(servers.wanted())?;
    let status = Command::new(program).args(arguments).envs(set.environment()).status()?;
    drop(set);
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn build_all() -> Outcome {
    for server in Server::ALL {
        tell(&build::ensure(server)?.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
