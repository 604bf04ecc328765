//! Failures -> text. Plain text is what scripts know; the full form adds the source line, where a setting came
//! from, and what to do next.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use windlass_model::location::Location;

use crate::args::UsageError;
use crate::args::value::show_duration;
use crate::printer::{Mark, Printer};
use crate::settings::{ConfigFileError, LayersError, SettingError, SettingErrors};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Settings(SettingErrors),
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    /// The result was written and has errors.
    #[error("command failed")]
    ResultHasErrors,
    #[error("Validation failed")]
    ValidationFailed,
    #[error("the command did not finish within {}: context deadline exceeded", show_duration(*.limit))]
    Timeout { limit: Duration },
    #[error("interrupted")]
    Interrupted,
    #[error("`{command}` is not available yet in this version of windlass")]
    NotYet { command: String },
    #[error("there is no help for {name:?}")]
    UnknownHelpTopic { name: String },
    #[error("{text}")]
    Output { text: String },
    /// `--check` found something.
    #[error("{text}")]
    Outdated { text: String },
    /// Some policies failed, the others were applied.
    #[error("{text}")]
    Partial { text: String },
    /// The reader of stdout went away.
    #[error("")]
    ClosedPipe,
    #[error("{}", .0.text)]
    Engine(EngineFailure),
}

/// An error of the engine, flattened to what is shown.
#[derive(Debug, Default)]
pub(crate) struct EngineFailure {
    /// Text in the form that scripts know.
    pub(crate) text: String,
    /// Where in the user's files.
    pub(crate) at: Option<Location>,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// From the place outwards: who included, imported or called it.
    pub(crate) way: Vec<String>,
}

impl From<LayersError> for Failure {
    fn from(error: LayersError) -> Self {
        match error {
            LayersError::Settings(errors) => Self::Settings(errors),
            LayersError::Usage(error) => Self::Usage(error),
        }
    }
}

/// Form of error messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    Plain,
    Full,
}

impl Failure {
    /// Exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Interrupted => ExitCode::from(130),
            Self::Outdated { .. } => ExitCode::from(2),
            Self::Partial { .. } => ExitCode::from(3),
            Self::ClosedPipe => ExitCode::from(141),
            Self::Usage(_)
            | Self::Setting(_)
            | Self::Settings(_)
            | Self::ConfigFile(_)
            | Self::ResultHasErrors
            | Self::ValidationFailed
            | Self::Timeout { .. }
            | Self::NotYet { .. }
            | Self::UnknownHelpTopic { .. }
            | Self::Output { .. }
            | Self::Engine(_) => ExitCode::FAILURE,
        }
    }

    /// Writes the failure.
    pub(crate) fn show(&self, printer: &Printer, form: ErrorForm) {
        let reports = self.reports();
        match form {
            _ if matches!(self, Self::ClosedPipe) => {}
            ErrorForm::Full if reports.iter().any(Report::says_more) => {
                for report in &reports {
                    printer.raw(&report.render(printer.style().color));
                }
            }
            _ => printer.line(Mark::Error, &self.to_string()),
        }
    }

    fn reports(&self) -> Vec<Report> {
        match self {
            Self::Usage(error) => vec![Report { hint: error.hint(), ..Report::of(error) }],
            Self::Setting(error) => vec![Report::of_setting(error)],
            Self::Settings(errors) => errors.0.iter().map(Report::of_setting).collect(),
            Self::ConfigFile(error) => vec![Report { at: error.at.clone(), ..Report::of(error) }],
            Self::Timeout { .. } => {
                let hint = "raise the limit with `--timeout`, or run the command again: it goes on where it stopped";
                vec![Report { hint: Some(hint.to_owned()), ..Report::of(self) }]
            }
            Self::Engine(EngineFailure { text, at, hint, way }) => {
                let lines = std::iter::once(text.trim_end()).chain(way.iter().map(String::as_str));
                let text = lines.collect::<Vec<_>>().join("\n");
                vec![Report { text, at: at.clone(), hint: hint.clone() }]
            }
            _ => vec![Report::of(self)],
        }
    }
}

/// One message with its surroundings.
#[derive(Debug)]
struct Report {
    text: String,
    at: Option<Location>,
    hint: Option<String>,
}

impl Report {
    fn of(error: &dyn Error) -> Self {
        Self { text: error.to_string().trim_end().to_owned(), at: None, hint: None }
    }

    fn of_setting(error: &SettingError) -> Self {
        let origin = error.origin().map(|origin| format!("the value comes from {origin}"));
        let parts: Vec<_> = origin.into_iter().chain(error.hint.clone()).collect();
        let hint = (!parts.is_empty()).then(|| parts.join("; "));
        Self { hint, ..Self::of(error) }
    }

    fn says_more(&self) -> bool {
        self.at.is_some() || self.hint.is_some()
    }

    fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let diagnostic = Shown {
            source: self.at.as_ref().map(|at| NamedSource::new(&at.source.name, at.source.text.clone())),
            report: self,
        };
        let mut text = String::new();
        match GraphicalReportHandler::new_themed(theme).with_links(false).render_report(&mut text, &diagnostic) {
            Ok(()) => text,
            Err(fmt::Error) => format!("{}\n", self.text),
        }
    }
}

/// A report in the form that miette draws.
#[derive(Debug)]
struct Shown<'a> {
    report: &'a Report,
    source: Option<NamedSource<String>>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report.text)
    }
}

impl Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.report.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = self.report.at.as_ref()?;
        let span = (at.span.start, at.span.len().max(1).min(at.source.text.len() - at.span.start));
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

#[cfg(test)]
mod tests {
    use windlass_model::location::Source as Text;

    use super::*;
    use crate::settings::source::Source;

    fn full(failure: &Failure) -> String {
        failure.reports().iter().map(|report| report.render(false)).collect()
    }

    #[test]
    fn a_setting_says_where_it_came_from() {
        let error =
            SettingError::new("time: missing unit in duration \"30\"", &Source::Variable("KLUCTL_TIMEOUT".into()));
        insta::assert_snapshot!(full(&Failure::Settings(SettingErrors(vec![error]))));
    }

    #[test]
    fn a_place_in_a_file_is_shown_with_its_line() {
        let at = Location::new(Text::new("app/deployment.yaml", "deployments:\n  - pth: x\n"), 17..20);
        let hint = Some("did you mean `path`?".to_owned());
        let failure = EngineFailure { text: "unknown field `pth`".into(), at: Some(at), hint, way: Vec::new() };
        insta::assert_snapshot!(full(&Failure::Engine(failure)));
    }

    #[test]
    fn a_place_at_the_end_of_the_text_is_no_problem() {
        let at = Location::new(Text::new("a.yaml", "a: [\n"), 5..5);
        let failure = EngineFailure {
            text: "unexpected end".into(),
            at: Some(at),
            hint: None,
            way: vec!["from a.yaml:1:1, in template".into()],
        };
        assert!(full(&Failure::Engine(failure)).contains("a.yaml"));
    }

    #[test]
    fn an_interrupt_has_its_own_exit_code() {
        assert_eq!(Failure::Interrupted.exit_code(), ExitCode::from(130));
        assert_eq!(Failure::ResultHasErrors.exit_code(), ExitCode::FAILURE);
    }

    #[test]
    fn commands_of_later_versions_say_so() {
        let failure = Failure::NotYet { command: "windlass controller run".into() };
        assert_eq!(failure.to_string(), "`windlass controller run` is not available yet in this version of windlass");
    }
}
