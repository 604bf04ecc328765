//! Words of the command line -> command and flag values. Checks each value; touches no environment.

use std::path::Path;

use super::commands::{Command, Operands, ROOT};
use super::flag::{Flag, Kind};
use super::global::GLOBAL;
use super::value;

/// A flag that stood on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) flag: &'static Flag,
    /// Text of the value, already checked against the flag's kind.
    pub(crate) text: String,
    /// How the user wrote the flag: `--target` or `-t`.
    pub(crate) written: String,
}

/// A command with the flags given to it.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// From the root's child down to the command; empty for the root.
    pub(crate) path: Vec<&'static Command>,
    /// In the order of the command line.
    pub(crate) given: Vec<Given>,
    /// Words for `help`.
    pub(crate) operands: Vec<String>,
}

impl Invocation {
    /// The command to run.
    pub(crate) fn command(&self) -> &'static Command {
        self.path.last().copied().unwrap_or(&ROOT)
    }
}

/// What the words ask for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Run a command.
    Run(Invocation),
    /// Show the help page of a command.
    Help(Invocation),
    /// Show `<program> version <version>`.
    Version(Invocation),
}

/// Why the words make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("unknown command {word:?} for {program:?}{}", similar_commands(.similar))]
    UnknownCommand { word: String, program: String, similar: Vec<&'static str> },
    #[error("unknown flag: --{name}")]
    UnknownFlag { name: String, similar: Option<&'static str> },
    #[error("unknown shorthand flag: {short:?} in -{word}")]
    UnknownShortFlag { short: char, word: String },
    #[error("flag needs an argument: --{name}")]
    MissingValue { name: &'static str },
    #[error("flag needs an argument: {short:?} in -{short}")]
    MissingShortValue { short: char },
    #[error("invalid argument {text:?} for {flag:?} flag: {reason}")]
    BadValue { text: String, flag: String, reason: String },
    #[error("bad flag syntax: {word}")]
    BadSyntax { word: String },
    #[error("required flag(s) {name:?} not set")]
    Required { name: &'static str },
    #[error("unexpected argument {word:?} for {command:?}")]
    UnexpectedOperand { word: String, command: String, hint: String },
}

impl UsageError {
    /// What to do next, shown by the full form of errors.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownFlag { similar: Some(name), .. } => Some(format!("did you mean `--{name}`?")),
            Self::UnexpectedOperand { hint, .. } => Some(hint.clone()),
            Self::BadValue { text, reason, .. } if reason.starts_with("time: missing unit") => {
                Some(format!("write a unit, such as `{text}s` or `{text}m`"))
            }
            Self::BadValue { reason, .. } if reason.starts_with("strconv.ParseBool") => {
                Some("use the flag alone, or with `=true` or `=false`".to_owned())
            }
            Self::Required { name } => Some(format!("add `--{name} <value>`")),
            _ => None,
        }
    }
}

fn similar_commands(names: &[&str]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let list: String = names.iter().map(|name| format!("\t{name}\n")).collect();
    format!("\n\nDid you mean this?\n{list}")
}

/// Reads `words` (without the program's name).
pub(crate) fn parse(program: &str, words: &[String], home: Option<&Path>) -> Result<Request, UsageError> {
    let mut parser = Parser { program, home, words: words.iter(), path: Vec::new(), given: Vec::new(), ask: Ask::Run };
    let operands = parser.run()?;
    let invocation = Invocation { path: parser.path, given: parser.given, operands };
    Ok(match parser.ask {
        Ask::Run => Request::Run(invocation),
        Ask::Help => Request::Help(invocation),
        Ask::Version => Request::Version(invocation),
    })
}

#[derive(PartialEq, Eq)]
enum Ask {
    Run,
    Help,
    Version,
}

struct Parser<'a> {
    program: &'a str,
    home: Option<&'a Path>,
    words: std::slice::Iter<'a, String>,
    path: Vec<&'static Command>,
    given: Vec<Given>,
    ask: Ask,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<Vec<String>, UsageError> {
        let mut operands = Vec::new();
        let mut flags_ended = false;
        while let Some(word) = self.words.next() {
            if self.command().operands == Operands::Anything {
                self.ask = if matches!(word.as_str(), "-h" | "--help") { Ask::Help } else { Ask::Run };
            } else if !flags_ended && word == "--" {
                flags_ended = true;
            } else if !flags_ended && word.starts_with("--") {
                self.long(word)?;
            } else if !flags_ended && word.len() > 1 && word.starts_with('-') {
                self.shorts(&word[1..])?;
            } else if self.takes(operands.len()) {
                operands.push(word.clone());
            } else if !self.enter(word)? {
                break;
            }
        }
        Ok(operands)
    }

    /// Whether one more word may follow the command.
    fn takes(&self, before: usize) -> bool {
        match self.command().operands {
            Operands::CommandNames | Operands::Many(_) => true,
            Operands::One(_) => before == 0,
            Operands::None | Operands::Anything => false,
        }
    }

    fn command(&self) -> &'static Command {
        self.path.last().copied().unwrap_or(&ROOT)
    }

    /// Goes into the sub-command `word`; false when the rest of the line does not matter.
    fn enter(&mut self, word: &str) -> Result<bool, UsageError> {
        let command = self.command();
        if let Some(sub) = command.subcommand(word) {
            self.path.push(sub);
            return Ok(true);
        }
        if self.path.is_empty() {
            return Err(UsageError::UnknownCommand {
                word: word.to_owned(),
                program: self.program.to_owned(),
                similar: similar(word),
            });
        }
        if !command.subcommands.is_empty() {
            self.ask = Ask::Help;
            return Ok(false);
        }
        Err(self.unexpected(word))
    }

    fn unexpected(&self, word: &str) -> UsageError {
        let names: Vec<_> = self.path.iter().map(|command| command.name).collect();
        let after_switch = self.given.last().filter(|given| given.flag.kind == Kind::Switch);
        let hint = match after_switch {
            Some(given) if value::read(Kind::Switch, word, None).is_ok() => {
                format!("a switch takes its value with `=`: `--{}={word}`", given.flag.name)
            }
            _ if self.command().flag("target").is_some() => format!("select a target with `-t {word}`"),
            _ => "this command takes flags only".to_owned(),
        };
        UsageError::UnexpectedOperand {
            word: word.to_owned(),
            command: format!("{} {}", self.program, names.join(" ")),
            hint,
        }
    }

    fn long(&mut self, word: &str) -> Result<(), UsageError> {
        let body = &word[2..];
        if body.starts_with(['-', '=']) {
            return Err(UsageError::BadSyntax { word: word.to_owned() });
        }
        let (name, attached) = match body.split_once('=') {
            Some((name, text)) => (name, Some(text.to_owned())),
            None => (body, None),
        };
        let Some(flag) = self.command().flag(name) else {
            return self.builtin(name, attached.as_deref());
        };
        let text = match attached {
            Some(text) => text,
            None if flag.kind == Kind::Switch => "true".to_owned(),
            None => self.words.next().cloned().ok_or(UsageError::MissingValue { name: flag.name })?,
        };
        self.push(flag, text, format!("--{name}"))
    }

    /// `--help` and the root's `--version` are no settings.
    fn builtin(&mut self, name: &str, attached: Option<&str>) -> Result<(), UsageError> {
        let ask = match name {
            "help" => Ask::Help,
            "version" if self.path.is_empty() => Ask::Version,
            _ => {
                return Err(UsageError::UnknownFlag { name: name.to_owned(), similar: self.similar_flag(name) });
            }
        };
        if attached.is_none_or(|text| value::read(Kind::Switch, text, None) == Ok(value::Value::Bool(true))) {
            self.ask = ask;
        }
        Ok(())
    }

    fn shorts(&mut self, word: &str) -> Result<(), UsageError> {
        let mut rest = word;
        while let Some(short) = rest.chars().next() {
            let tail = &rest[short.len_utf8()..];
            let Some(flag) = self.command().short_flag(short) else {
                match short {
                    'h' => self.ask = Ask::Help,
                    'v' if self.path.is_empty() => self.ask = Ask::Version,
                    _ => return Err(UsageError::UnknownShortFlag { short, word: rest.to_owned() }),
                }
                rest = tail;
                continue;
            };
            let written = format!("-{short}");
            if let Some(text) = tail.strip_prefix('=') {
                return self.push(flag, text.to_owned(), written);
            }
            if flag.kind == Kind::Switch {
                self.push(flag, "true".to_owned(), written)?;
                rest = tail;
                continue;
            }
            let text = match tail {
                "" => self.words.next().cloned().ok_or(UsageError::MissingShortValue { short })?,
                _ => tail.to_owned(),
            };
            return self.push(flag, text, written);
        }
        Ok(())
    }

    fn push(&mut self, flag: &'static Flag, text: String, written: String) -> Result<(), UsageError> {
        value::read(flag.kind, &text, self.home).map_err(|reason| UsageError::BadValue {
            text: text.clone(),
            flag: flag.display(),
            reason,
        })?;
        self.given.push(Given { flag, text, written });
        Ok(())
    }

    fn similar_flag(&self, name: &str) -> Option<&'static str> {
        let names = self.command().flags().chain(GLOBAL).filter(|flag| !flag.hidden).map(|flag| flag.name);
        names
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .filter(|(distance, _)| *distance <= 3)
            .min()
            .map(|(_, known)| known)
    }
}

fn similar(word: &str) -> Vec<&'static str> {
    let lower = word.to_lowercase();
    ROOT.subcommands
        .iter()
        .map(|command| command.name)
        .filter(|name| strsim::levenshtein(name, &lower) <= 2 || name.starts_with(&lower))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[&str]) -> Vec<String> {
        line.iter().map(|word| (*word).to_owned()).collect()
    }

    fn run(line: &[&str]) -> Invocation {
        match parse("kluctl", &words(line), None) {
            Ok(Request::Run(invocation)) => invocation,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    fn error(line: &[&str]) -> String {
        match parse("kluctl", &words(line), None) {
            Err(error) => error.to_string(),
            other => panic!("{line:?}: {other:?}"),
        }
    }

    fn given(line: &[&str]) -> Vec<(String, String)> {
        run(line).given.into_iter().map(|g| (g.flag.name.to_owned(), g.text)).collect()
    }

    #[test]
    fn every_spelling_of_a_value_is_read() {
        let wanted = vec![("target".to_owned(), "dev".to_owned())];
        for line in [
            &["render", "-t", "dev"][..],
            &["render", "-tdev"],
            &["render", "-t=dev"],
            &["render", "--target", "dev"],
            &["render", "--target=dev"],
        ] {
            assert_eq!(given(line), wanted, "{line:?}");
        }
    }

    #[test]
    fn a_value_flag_takes_the_next_word_whatever_it_is() {
        assert_eq!(given(&["render", "-t", "--debug"]), [("target".into(), "--debug".into())]);
        assert_eq!(given(&["render", "-a", "--"]), [("arg".into(), "--".into())]);
    }

    #[test]
    fn switches_combine_and_take_values_with_equals() {
        assert_eq!(
            given(&["deploy", "-yt", "dev", "--prune=F"]),
            [("yes".into(), "true".into()), ("target".into(), "dev".into()), ("prune".into(), "F".into())]
        );
    }

    #[test]
    fn global_flags_may_stand_before_the_command() {
        assert_eq!(
            given(&["--debug", "--cpu-profile", "render", "render", "--no-color"]),
            [
                ("debug".into(), "true".into()),
                ("cpu-profile".into(), "render".into()),
                ("no-color".into(), "true".into())
            ]
        );
    }

    #[test]
    fn recorded_errors_of_the_reference_tool() {
        assert_eq!(error(&["deploi"]), "unknown command \"deploi\" for \"kluctl\"\n\nDid you mean this?\n\tdeploy\n");
        assert_eq!(error(&["render", "--no-such-flag"]), "unknown flag: --no-such-flag");
        assert_eq!(error(&["render", "-Z"]), "unknown shorthand flag: 'Z' in -Z");
        assert_eq!(
            error(&["render", "--timeout", "30"]),
            "invalid argument \"30\" for \"--timeout\" flag: time: missing unit in duration \"30\""
        );
        assert_eq!(
            error(&["render", "--print-all=maybe"]),
            "invalid argument \"maybe\" for \"--print-all\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"
        );
        assert_eq!(error(&["render", "--offline-kubernetes", "-t"]), "flag needs an argument: 't' in -t");
        assert_eq!(
            error(&["render", "--project-dir", "missing"]),
            "invalid argument \"missing\" for \"--project-dir\" flag: missing does not exist"
        );
        assert_eq!(
            error(&["deploy", "--keep-command-results-count", "x"]),
            "invalid argument \"x\" for \"--keep-command-results-count\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
        );
        assert_eq!(error(&["render", "--debug", "--nope=1"]), "unknown flag: --nope");
        assert_eq!(
            error(&["deploy", "--yes=", "-t", "dev"]),
            "invalid argument \"\" for \"-y, --yes\" flag: strconv.ParseBool: parsing \"\": invalid syntax"
        );
        assert_eq!(error(&["deploy", "--offline-kubernetes", "-t", "dev"]), "unknown flag: --offline-kubernetes");
        assert_eq!(error(&["validate", "-t", "dev", "-F", "a=b"]), "unknown shorthand flag: 'F' in -F");
        assert_eq!(error(&["list-targets", "-a", "region=us"]), "unknown shorthand flag: 'a' in -a");
        assert_eq!(error(&["helm-pull", "-t", "x"]), "unknown shorthand flag: 't' in -t");
        assert_eq!(error(&["render", "--target"]), "flag needs an argument: --target");
        assert_eq!(error(&["deploy", "-yZ"]), "unknown shorthand flag: 'Z' in -Z");
        assert_eq!(error(&["render", "---x"]), "bad flag syntax: ---x");
        assert_eq!(error(&["render", "--=x"]), "bad flag syntax: --=x");
    }

    #[test]
    fn leftover_words_are_errors_with_advice() {
        let cases = [
            (
                &["deploy", "prod"][..],
                "unexpected argument \"prod\" for \"kluctl deploy\"",
                "select a target with `-t prod`",
            ),
            (
                &["deploy", "--yes", "false"],
                "unexpected argument \"false\" for \"kluctl deploy\"",
                "a switch takes its value with `=`: `--yes=false`",
            ),
            (
                &["version", "--", "-x"],
                "unexpected argument \"-x\" for \"kluctl version\"",
                "this command takes flags only",
            ),
            (
                &["completion", "bash", "x"],
                "unexpected argument \"x\" for \"kluctl completion bash\"",
                "this command takes flags only",
            ),
        ];
        for (line, text, hint) in cases {
            let problem = parse("kluctl", &words(line), None).expect_err("must fail");
            assert_eq!((problem.to_string().as_str(), problem.hint().as_deref()), (text, Some(hint)));
        }
    }

    #[test]
    fn a_near_flag_is_proposed() {
        let problem = parse("kluctl", &words(&["deploy", "--dryrun"]), None).expect_err("must fail");
        assert_eq!(problem.hint().as_deref(), Some("did you mean `--dry-run`?"));
    }

    #[test]
    fn an_unknown_word_below_a_group_shows_the_groups_help() {
        let Ok(Request::Help(invocation)) = parse("kluctl", &words(&["gitops", "foo", "--bar"]), None) else {
            panic!("not help");
        };
        assert_eq!(invocation.command().name, "gitops");
    }

    #[test]
    fn the_version_flag_belongs_to_the_root() {
        assert!(matches!(parse("kluctl", &words(&["-v"]), None), Ok(Request::Version(_))));
        assert_eq!(error(&["render", "--version"]), "unknown flag: --version");
        assert_eq!(error(&["render", "-v"]), "unknown shorthand flag: 'v' in -v");
    }

    #[test]
    fn commands_of_later_versions_accept_any_words() {
        assert_eq!(run(&["webui", "run", "--port", "80", "-x"]).command().name, "run");
    }
}
