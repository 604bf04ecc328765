//! From the words of the command line to the exit code.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::args::{Invocation, Request, parse};
use crate::commands;
use crate::completion;
use crate::diagnostics::{ErrorForm, Failure};
use crate::env_vars::Environment;
use crate::printer::{Printer, Style};
use crate::settings::source::{Source, Sourced};
use crate::settings::{ConfigFile, Layers, SettingError};

/// Everything about the process that commands may know.
#[derive(Clone)]
pub(crate) struct App {
    /// Name under which the program was called: `windlass`, or `kluctl` as a link to it.
    pub(crate) program: String,
    pub(crate) environment: Environment,
    pub(crate) printer: Arc<Printer>,
}

/// Runs the program.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let environment = Environment::of_process();
    let program = program_name(arguments.next());
    let no_color = environment.no_color();
    let mut app = App { program, environment, printer: Arc::new(Printer::new(Style::detect(false, no_color))) };
    let mut form = ErrorForm::Plain;
    match execute(&mut app, arguments, &mut form) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(&app.printer, form);
            failure.exit_code()
        }
    }
}

fn execute(app: &mut App, arguments: impl Iterator<Item = OsString>, form: &mut ErrorForm) -> Result<(), Failure> {
    *form = auto_form();
    let words: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some((words, descriptions)) = completion::question(&words) {
        return completion::answer(app, words, descriptions);
    }
    let request = parse(&app.program, &words, app.environment.home().as_deref())?;
    let file = ConfigFile::load(&app.environment.config_dirs())?;
    let (Request::Run(invocation) | Request::Help(invocation) | Request::Version(invocation)) = &request;
    let layers = Layers::merge(invocation, &app.environment, &file);
    *form = chosen_form(&wanted_form(invocation, &app.environment))?;
    if let Ok(layers) = &layers {
        let no_color = layers.switch("no-color") || app.environment.no_color();
        app.printer = Arc::new(Printer::new(Style::detect(layers.switch("debug"), no_color)));
    }
    match request {
        Request::Help(invocation) => commands::help(app, &invocation.path),
        Request::Version(_) => commands::version_line(app),
        Request::Run(invocation) => run_command(app, &invocation, &layers?),
    }
}

fn run_command(app: &App, invocation: &Invocation, layers: &Layers) -> Result<(), Failure> {
    commands::dispatch(app, invocation, layers)
}

/// Links named `kluctl` keep that name in messages, for scripts that read them.
fn program_name(path: Option<OsString>) -> String {
    let name = path.as_deref().map(Path::new).and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
    if name.as_deref() == Some("kluctl") { "kluctl".to_owned() } else { "windlass".to_owned() }
}

fn auto_form() -> ErrorForm {
    if std::io::stderr().is_terminal() { ErrorForm::Full } else { ErrorForm::Plain }
}

/// The value of `--errors`. Not taken from the layers, because their own errors are shown in this form too.
fn wanted_form(invocation: &Invocation, environment: &Environment) -> Sourced<String> {
    let of_flag = invocation.given.iter().rev().find(|given| given.flag.name == "errors");
    match (of_flag, environment.scalar("errors")) {
        (Some(given), _) => Sourced::new(given.text.clone(), Source::Flag(given.written.clone())),
        (None, Some(variable)) => Sourced::new(variable.value, Source::Variable(variable.name)),
        (None, None) => Sourced::new("auto".to_owned(), Source::Default),
    }
}

fn chosen_form(text: &Sourced<String>) -> Result<ErrorForm, SettingError> {
    match text.value.as_str() {
        "plain" => Ok(ErrorForm::Plain),
        "full" => Ok(ErrorForm::Full),
        "auto" => Ok(auto_form()),
        other => Err(SettingError::new(format!("--errors must be auto, plain or full, not '{other}'"), &text.source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_named_kluctl_keeps_its_name() {
        let name = |path: &str| program_name(Some(path.into()));
        assert_eq!(name("bin/kluctl"), "kluctl");
        assert_eq!(name("kluctl.exe"), "kluctl");
        assert_eq!(name("bin/windlass-1.0"), "windlass");
        assert_eq!(program_name(None), "windlass");
    }
}
