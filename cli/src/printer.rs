//! The only writer to stdout and stderr. Data goes to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use windlass_masking::SecretValues;

/// What a line on a terminal begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Success,
    Warning,
    Error,
    Info,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Self::Success => "✓",
            Self::Warning => "⚠",
            Self::Error => "✗",
            Self::Info => "ⓘ",
        }
    }

    /// SGR code of the sign's colour.
    fn color(self) -> u8 {
        match self {
            Self::Success | Self::Info => 32,
            Self::Warning => 33,
            Self::Error => 31,
        }
    }
}

/// How the printer shows what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Redrawn lines with marks; otherwise bare lines.
    pub(crate) draws: bool,
    pub(crate) color: bool,
}

impl Style {
    /// Drawn when stderr is a terminal and nobody debugs.
    pub(crate) fn detect(debug: bool, no_color: bool) -> Self {
        let draws = io::stderr().is_terminal() && !debug;
        Self { draws, color: draws && !no_color }
    }
}

/// Writes to stdout and stderr, without mixing up lines of parallel work.
#[derive(Debug)]
pub(crate) struct Printer {
    style: Style,
    active: MultiProgress,
    /// Values that must never be shown on stderr.
    secrets: Arc<SecretValues>,
}

impl Printer {
    pub(crate) fn new(style: Style) -> Self {
        let target = if style.draws { ProgressDrawTarget::stderr_with_hz(20) } else { ProgressDrawTarget::hidden() };
        Self { style, active: MultiProgress::with_draw_target(target), secrets: Arc::default() }
    }

    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Values to hide in everything that goes to stderr.
    pub(crate) fn hide<'a>(&self, secrets: impl Iterator<Item = &'a str>) {
        secrets.for_each(|secret| self.secrets.register(secret));
    }

    /// Users with passwords, which are hidden in the form in which they are sent too.
    pub(crate) fn hide_logins<'a>(&self, logins: impl Iterator<Item = (&'a str, &'a str)>) {
        logins.for_each(|(user, password)| self.secrets.register_login(user, password));
    }

    /// The values that are hidden; what is registered later is hidden from then on.
    pub(crate) fn secrets(&self) -> &Arc<SecretValues> {
        &self.secrets
    }

    /// Writes data to stdout.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        self.active.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }

    /// Writes one message to stderr.
    pub(crate) fn line(&self, mark: Mark, text: &str) {
        let text = self.masked(text);
        if self.style.draws {
            let line = format!("{} {text}\n", self.sign(mark));
            self.active.suspend(|| write_stderr(&line));
        } else {
            write_stderr(&format!("{text}\n"));
        }
    }

    /// Writes text to stderr as it is, except for secrets.
    pub(crate) fn raw(&self, text: &str) {
        let text = self.masked(text);
        self.active.suspend(|| write_stderr(&text));
    }

    /// Runs `work` while nothing is redrawn.
    pub(crate) fn undisturbed<T>(&self, work: impl FnOnce() -> T) -> T {
        self.active.suspend(work)
    }

    /// A line at the bottom that shows unfinished work; invisible without a terminal.
    pub(crate) fn activity(&self, text: &str) -> ProgressBar {
        let bar = self.active.add(ProgressBar::new_spinner());
        let template = if self.style.color { "{spinner:.green} {msg}" } else { "{spinner} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]));
        }
        bar.set_message(self.masked(text));
        if self.style.draws {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        bar
    }

    /// Ends an activity; a text stays as a finished line.
    pub(crate) fn finish(&self, bar: &ProgressBar, mark: Mark, text: Option<&str>) {
        bar.finish_and_clear();
        self.active.remove(bar);
        if let Some(text) = text.filter(|_| self.style.draws) {
            self.line(mark, text);
        }
    }

    /// The sign, in colour if wanted.
    pub(crate) fn sign(&self, mark: Mark) -> String {
        if self.style.color { format!("\u{1b}[{}m{}\u{1b}[0m", mark.color(), mark.sign()) } else { mark.sign().into() }
    }

    /// Another text for unfinished work.
    pub(crate) fn change(&self, bar: &ProgressBar, text: &str) {
        bar.set_message(self.masked(text));
    }

    fn masked(&self, text: &str) -> String {
        self.secrets.mask(text).into_owned()
    }
}

/// Nobody can be told that stderr is closed.
fn write_stderr(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Width of tables: `COLUMNS`, else the terminal on stdout, else 80.
pub(crate) fn width(columns: Option<usize>) -> usize {
    let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.or_else(terminal).unwrap_or(80)
}
