//! What may stand at the end of a command line.

use crate::args::commands::{Command, Operands, ROOT};
use crate::args::{Flag, Kind};

/// What the shell does besides showing candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    /// Complete file names.
    Files,
    /// Complete files with one of the extensions that are listed.
    FilesWithExtension,
    /// Complete directories.
    Directories,
    /// Nothing more.
    Nothing,
    /// Nothing more, and no space behind the word.
    NothingNoSpace,
}

impl Directive {
    fn bits(self) -> u8 {
        match self {
            Self::Files => 0,
            Self::Nothing => 4,
            Self::NothingNoSpace => 6,
            Self::FilesWithExtension => 8,
            Self::Directories => 16,
        }
    }
}

/// Candidates with descriptions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) list: Vec<(String, String)>,
    pub(super) directive: Directive,
}

impl Candidates {
    pub(super) fn print(&self, descriptions: bool) -> String {
        let mut text = String::new();
        for (word, description) in &self.list {
            text.push_str(word);
            if descriptions && !description.is_empty() {
                text.push('\t');
                text.push_str(description);
            }
            text.push('\n');
        }
        text + &format!(":{}\n", self.directive.bits())
    }

    fn nothing() -> Self {
        Self { list: Vec::new(), directive: Directive::Nothing }
    }
}

/// A flag with its value, as far as the line was typed.
pub(super) type Typed = (&'static Flag, String);

/// Values of a flag that come from the project.
pub(super) type FromProject<'a> = dyn FnMut(&'static Flag, &[Typed]) -> Option<Vec<String>> + 'a;

/// Finds what may replace the last of `words`.
pub(super) fn find(words: &[String], from_project: &mut FromProject<'_>) -> Candidates {
    let Some((last, before)) = words.split_last() else { return Candidates::nothing() };
    let line = Line::read(before);
    if let Some(flag) = line.waiting {
        return values(flag, "", last, &line.typed, from_project);
    }
    if let Some((name, value)) = last.strip_prefix("--").and_then(|body| body.split_once('=')) {
        let prefix = format!("--{name}=");
        return match line.command.flag(name) {
            Some(flag) => values(flag, &prefix, value, &line.typed, from_project),
            None => Candidates::nothing(),
        };
    }
    if last.starts_with('-') {
        return Candidates { list: flags(line.command, last), directive: Directive::Nothing };
    }
    Candidates { list: commands(line.command, last), directive: Directive::Nothing }
}

/// What the words before the last one say; mistakes are overlooked.
struct Line {
    command: &'static Command,
    typed: Vec<Typed>,
    /// The last word is this flag's value.
    waiting: Option<&'static Flag>,
}

impl Line {
    fn read(words: &[String]) -> Self {
        let mut line = Self { command: &ROOT, typed: Vec::new(), waiting: None };
        for word in words {
            if let Some(flag) = line.waiting.take() {
                line.typed.push((flag, word.clone()));
            } else if let Some(body) = word.strip_prefix("--") {
                line.flag(body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value))));
            } else if let Some(body) = word.strip_prefix('-') {
                line.short(body);
            } else if let Some(command) = line.command.subcommand(word) {
                line.command = command;
            }
        }
        line
    }

    fn flag(&mut self, (name, value): (&str, Option<&str>)) {
        let Some(flag) = self.command.flag(name) else { return };
        match value {
            Some(value) => self.typed.push((flag, value.to_owned())),
            None if flag.kind == Kind::Switch => {}
            None => self.waiting = Some(flag),
        }
    }

    fn short(&mut self, body: &str) {
        for (index, short) in body.char_indices() {
            let Some(flag) = self.command.short_flag(short) else { return };
            if flag.kind == Kind::Switch {
                continue;
            }
            let rest = &body[index + short.len_utf8()..];
            match rest.strip_prefix('=').unwrap_or(rest) {
                "" => self.waiting = Some(flag),
                value => self.typed.push((flag, value.to_owned())),
            }
            return;
        }
    }
}

fn commands(command: &'static Command, start: &str) -> Vec<(String, String)> {
    let parent = if command.operands == Operands::CommandNames { &ROOT } else { command };
    let mut list: Vec<_> = parent
        .subcommands
        .iter()
        .filter(|sub| sub.name.starts_with(start))
        .map(|sub| (sub.name.to_owned(), sub.short_help.to_owned()))
        .collect();
    list.sort();
    list
}

fn flags(command: &'static Command, start: &str) -> Vec<(String, String)> {
    let mut list = Vec::new();
    for flag in command.flags().filter(|flag| !flag.hidden) {
        let long = format!("--{}", flag.name);
        let short = flag.short.map(|short| format!("-{short}"));
        for form in [Some(long), short].into_iter().flatten() {
            if form.starts_with(start) {
                list.push((form, flag.help.to_owned()));
            }
        }
    }
    list.sort();
    list
}

fn values(
    flag: &'static Flag,
    prefix: &str,
    start: &str,
    typed: &[Typed],
    from_project: &mut FromProject<'_>,
) -> Candidates {
    let directive = match flag.kind {
        Kind::ExistingDir => Directive::Directories,
        Kind::ExistingFile if matches!(flag.name, "project-config" | "fixed-images-file") => {
            let list = ["yml", "yaml"].map(|extension| (extension.to_owned(), String::new())).to_vec();
            return Candidates { list, directive: Directive::FilesWithExtension };
        }
        Kind::ExistingFile => Directive::Files,
        Kind::Switch => {
            return listed(["true", "false"].map(str::to_owned).to_vec(), prefix, start, Directive::Nothing);
        }
        _ => Directive::Nothing,
    };
    if matches!(flag.name, "output-format") {
        return listed(["text", "yaml"].map(str::to_owned).to_vec(), prefix, start, Directive::NothingNoSpace);
    }
    match from_project(flag, typed) {
        Some(found) => {
            let no_space = flag.name == "fixed-image";
            listed(found, prefix, start, if no_space { Directive::NothingNoSpace } else { Directive::Nothing })
        }
        None if matches!(flag.name, "args-from-file" | "output" | "render-output-dir" | "cpu-profile") => {
            Candidates { list: Vec::new(), directive: Directive::Files }
        }
        None => Candidates { list: Vec::new(), directive },
    }
}

fn listed(found: Vec<String>, prefix: &str, start: &str, directive: Directive) -> Candidates {
    let fitting = found.into_iter().filter(|value| value.starts_with(start));
    Candidates { list: fitting.map(|value| (format!("{prefix}{value}"), String::new())).collect(), directive }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(words: &[&str]) -> String {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        find(&words, &mut |flag, typed| {
            (flag.name == "target").then(|| vec!["dev".to_owned(), format!("prod-{}", typed.len())])
        })
        .print(true)
    }

    #[test]
    fn commands_and_flags_are_described() {
        assert_eq!(
            complete(&["de"]),
            "delete\tDelete a target (or parts of it) from the corresponding cluster\n\
             deploy\tDeploys a target to the corresponding cluster\n:4\n"
        );
        assert!(complete(&["deploy", "--out"]).starts_with("--output-format\tSpecify output format and target file"));
        assert_eq!(
            complete(&["list-targets", "--project-dir", "proj", "--only"]),
            "--only-names\tIf provided --only-names will only output\n:4\n"
        );
    }

    #[test]
    fn values_come_from_the_project() {
        assert_eq!(complete(&["deploy", "-t", ""]), "dev\nprod-0\n:4\n");
        assert_eq!(complete(&["deploy", "-c", "x", "--target=p"]), "--target=prod-1\n:4\n");
        assert_eq!(complete(&["deploy", "-t", "x"]), ":4\n");
    }

    #[test]
    fn files_and_directories_are_left_to_the_shell() {
        assert_eq!(complete(&["deploy", "--project-dir", ""]), ":16\n");
        assert_eq!(complete(&["deploy", "--project-config", ""]), "yml\nyaml\n:8\n");
        assert_eq!(complete(&["deploy", "--kubeconfig", ""]), ":0\n");
    }

    #[test]
    fn nonsense_gives_no_candidates() {
        for words in [&["nonsense", "x"][..], &["deploy", "--nonsense="], &["version", "x"], &[]] {
            assert_eq!(complete(words), ":4\n", "{words:?}");
        }
    }
}
