//! The three layers (flags > environment > config file) under one roof: asks for a flag, gets its value and source.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config_file::ConfigFile;
use super::source::{SettingError, SettingErrors, Source, Sourced};
use crate::args::value::{self, Value};
use crate::args::{Command, Flag, Invocation, Kind, UsageError};
use crate::env_vars::Environment;

/// A text that was given for a flag.
type Text = Sourced<String>;

/// Values of all flags of one command, checked.
#[derive(Debug)]
pub(crate) struct Layers {
    command: &'static Command,
    home: Option<PathBuf>,
    /// Per flag of the command: what counts, in order.
    texts: Vec<(&'static Flag, Vec<Text>)>,
}

/// Why the layers cannot be merged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayersError {
    #[error(transparent)]
    Settings(SettingErrors),
    #[error(transparent)]
    Usage(#[from] UsageError),
}

impl Layers {
    /// Merges the layers for the command of `invocation`; values from environment and file are checked here.
    pub(crate) fn merge(
        invocation: &Invocation,
        environment: &Environment,
        file: &ConfigFile,
    ) -> Result<Self, LayersError> {
        let command = invocation.command();
        let home = environment.home();
        let mut flags: Vec<_> = command.flags().collect();
        flags.sort_by_key(|flag| flag.name);
        let (mut texts, mut errors) = (Vec::new(), Vec::new());
        for flag in flags {
            let (given, mut bad) = texts_of(flag, invocation, environment, file);
            bad.extend(given.iter().filter_map(|text| check(flag, text, home.as_deref()).err()));
            if flag.required && given.is_empty() && bad.is_empty() {
                return Err(UsageError::Required { name: flag.name }.into());
            }
            errors.append(&mut bad);
            texts.push((flag, given));
        }
        if errors.is_empty() {
            Ok(Self { command, home, texts })
        } else {
            Err(LayersError::Settings(SettingErrors(errors)))
        }
    }

    /// Home directory, for `~/` in values.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Whether the command has the flag at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.command.flag(name).is_some()
    }

    /// All values of a list flag.
    pub(crate) fn list(&self, name: &str) -> Vec<Text> {
        self.given(name).to_vec()
    }

    /// A text; a default of the flag counts as not set.
    pub(crate) fn text(&self, name: &str) -> Option<Text> {
        self.given(name).last().cloned()
    }

    /// A text or the flag's default.
    pub(crate) fn text_or_default(&self, name: &str) -> Text {
        self.text(name).unwrap_or_else(|| Sourced::new(self.default(name).to_owned(), Source::Default))
    }

    /// A switch; false when the command has no such flag.
    pub(crate) fn switch(&self, name: &str) -> bool {
        matches!(self.value(name, Kind::Switch), Some(Sourced { value: Value::Bool(true), .. }))
    }

    /// A number.
    pub(crate) fn int(&self, name: &str) -> Sourced<i64> {
        match self.value(name, Kind::Int) {
            Some(Sourced { value: Value::Int(number), source }) => Sourced::new(number, source),
            _ => Sourced::new(0, Source::Default),
        }
    }

    /// A duration.
    pub(crate) fn duration(&self, name: &str) -> Sourced<Duration> {
        match self.value(name, Kind::Duration) {
            Some(Sourced { value: Value::Duration(duration), source }) => Sourced::new(duration, source),
            _ => Sourced::new(Duration::ZERO, Source::Default),
        }
    }

    /// An existing file or directory.
    pub(crate) fn path(&self, name: &str) -> Option<Sourced<PathBuf>> {
        let kind = self.command.flag(name)?.kind;
        match self.value(name, kind) {
            Some(Sourced { value: Value::Path(path), source }) => Some(Sourced::new(path, source)),
            _ => None,
        }
    }

    fn given(&self, name: &str) -> &[Text] {
        self.texts.iter().find(|(flag, _)| flag.name == name).map_or(&[], |(_, texts)| texts)
    }

    fn default(&self, name: &str) -> &'static str {
        self.command.flag(name).map_or("", |flag| flag.default)
    }

    fn value(&self, name: &str, kind: Kind) -> Option<Sourced<Value>> {
        let text = self.text_or_default(name);
        value::read(kind, &text.value, self.home()).ok().map(|value| Sourced::new(value, text.source))
    }
}

/// What counts for a flag: everything for lists (file, environment, flags), the strongest layer for others.
fn texts_of(
    flag: &Flag,
    invocation: &Invocation,
    environment: &Environment,
    file: &ConfigFile,
) -> (Vec<Text>, Vec<SettingError>) {
    let flags = invocation
        .given
        .iter()
        .filter(|given| given.flag.name == flag.name)
        .map(|given| Sourced::new(given.text.clone(), Source::Flag(given.written.clone())));
    let flags: Vec<_> = flags.collect();
    if !flag.from_everywhere || (flag.kind != Kind::List && !flags.is_empty()) {
        return (flags, Vec::new());
    }
    if flag.kind != Kind::List {
        return match environment.scalar(flag.name) {
            Some(variable) => (vec![Sourced::new(variable.value, Source::Variable(variable.name))], Vec::new()),
            None => from_file(flag, file),
        };
    }
    let (mut texts, errors) = from_file(flag, file);
    let variables = environment.list(flag.name).into_iter();
    texts.extend(variables.map(|variable| Sourced::new(variable.value, Source::Variable(variable.name))));
    texts.extend(flags);
    (texts, errors)
}

fn from_file(flag: &Flag, file: &ConfigFile) -> (Vec<Text>, Vec<SettingError>) {
    let Some((key, texts)) = file.texts(flag.name) else { return (Vec::new(), Vec::new()) };
    let source = Source::ConfigFile { path: file.path().to_owned(), key: key.to_owned() };
    match texts {
        Ok(texts) => (texts.into_iter().map(|text| Sourced::new(text, source.clone())).collect(), Vec::new()),
        Err(_) => {
            let reason = format!("viper flag {} has unexpected type", flag.name);
            let hint = "write a text, true or false, a whole number, or a list of texts";
            (Vec::new(), vec![SettingError::new(reason, &source).with_hint(hint)])
        }
    }
}

fn check(flag: &Flag, text: &Text, home: Option<&Path>) -> Result<(), SettingError> {
    match value::read(flag.kind, &text.value, home) {
        Ok(_) => Ok(()),
        Err(reason) => Err(SettingError::new(reason, &text.source)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::args::{Request, parse};

    /// Layers of a command line, variables and a config file.
    pub(crate) fn layers(line: &[&str], variables: &[(&str, &str)], file: &str) -> Result<Layers, LayersError> {
        let words: Vec<_> = line.iter().map(|word| (*word).to_owned()).collect();
        let invocation = match parse("windlass", &words, None) {
            Ok(Request::Run(invocation)) => invocation,
            other => panic!("{other:?}"),
        };
        Layers::merge(&invocation, &Environment::of(variables), &ConfigFile::of(file))
    }

    fn errors(line: &[&str], variables: &[(&str, &str)], file: &str) -> Vec<(String, Option<String>)> {
        match layers(line, variables, file) {
            Err(LayersError::Settings(errors)) => errors.0.iter().map(|e| (e.to_string(), e.origin())).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_beat_environment_beats_file_beats_default() {
        let (variables, file) = ([("KLUCTL_TIMEOUT", "2m")], "timeout: 3m\n");
        let timeout = |line: &[&str], variables: &[(&str, &str)], file: &str| {
            layers(line, variables, file).expect("layers").duration("timeout")
        };
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert_eq!(
            timeout(&["render", "--timeout", "1m"], &variables, file),
            Sourced::new(minutes(1), Source::Flag("--timeout".into()))
        );
        assert_eq!(
            timeout(&["render"], &variables, file),
            Sourced::new(minutes(2), Source::Variable("KLUCTL_TIMEOUT".into()))
        );
        let from_file = Source::ConfigFile { path: "home/.kluctl/config.yaml".into(), key: "timeout".into() };
        assert_eq!(timeout(&["render"], &[], file), Sourced::new(minutes(3), from_file));
        assert_eq!(timeout(&["render"], &[], ""), Sourced::new(minutes(10), Source::Default));
    }

    #[test]
    fn lists_add_up_from_file_to_flags() {
        let layers = layers(
            &["render", "-a", "c=cli", "-a", "b=cli"],
            &[("KLUCTL_ARG_1", "b=one"), ("KLUCTL_ARG", "b=env"), ("WINDLASS_ARG_2", "w=2")],
            "arg: [a=cfg, b=cfg]\n",
        );
        let texts: Vec<_> = layers.expect("layers").list("arg").into_iter().map(|text| text.value).collect();
        assert_eq!(texts, ["a=cfg", "b=cfg", "b=env", "b=one", "w=2", "c=cli", "b=cli"]);
    }

    #[test]
    fn one_variable_is_one_list_element() {
        let layers = layers(&["render"], &[("KLUCTL_ARG", "a=1,b=1")], "").expect("layers");
        assert_eq!(layers.list("arg").len(), 1);
    }

    #[test]
    fn a_flag_hides_a_malformed_variable() {
        assert!(
            layers(&["render", "--print-all"], &[("KLUCTL_PRINT_ALL", "")], "").expect("layers").switch("print-all")
        );
    }

    #[test]
    fn all_bad_values_are_reported_with_their_source() {
        let found = errors(&["render"], &[("KLUCTL_PRINT_ALL", "perhaps"), ("KLUCTL_TIMEOUT", "30")], "");
        assert_eq!(
            found,
            [
                (
                    "strconv.ParseBool: parsing \"perhaps\": invalid syntax".into(),
                    Some("environment variable `KLUCTL_PRINT_ALL`".into())
                ),
                ("time: missing unit in duration \"30\"".into(), Some("environment variable `KLUCTL_TIMEOUT`".into())),
            ]
        );
    }

    #[test]
    fn bad_values_of_the_config_file_name_file_and_key() {
        for (file, reason) in [
            ("target: {a: 1}", "viper flag target has unexpected type"),
            ("Target: 1.5", "viper flag target has unexpected type"),
            ("arg: [1, 2]", "viper flag arg has unexpected type"),
            ("timeout: 30", "time: missing unit in duration \"30\""),
            ("kubeconfig: nowhere", "nowhere does not exist"),
        ] {
            let key = file.split(':').next().unwrap_or_default();
            let origin = format!("key `{key}` of `home/.kluctl/config.yaml`");
            assert_eq!(errors(&["render"], &[], file), [(reason.to_owned(), Some(origin))]);
        }
    }

    #[test]
    fn the_whole_message_is_the_one_scripts_know() {
        let Err(LayersError::Settings(errors)) = layers(&["render"], &[("KLUCTL_KUBECONFIG", "missing")], "") else {
            panic!("must fail");
        };
        assert_eq!(errors.to_string(), "1 error occurred:\n\t* missing does not exist\n\n");
    }

    #[test]
    fn settings_of_other_commands_are_ignored() {
        assert!(layers(&["version"], &[("KLUCTL_TIMEOUT", "30")], "target: {a: 1}").is_ok());
        assert_eq!(errors(&["version"], &[("KLUCTL_DEBUG", "perhaps")], "").len(), 1);
    }

    #[test]
    fn any_source_satisfies_a_required_flag() {
        let missing = layers(&["oci", "push"], &[], "").expect_err("must fail");
        assert_eq!(missing.to_string(), "required flag(s) \"url\" not set");
        assert!(layers(&["oci", "push"], &[("KLUCTL_URL", "oci://x/y")], "").is_ok());
    }

    #[test]
    fn credential_flags_are_read_from_the_command_line_only() {
        let layers = layers(&["render"], &[("KLUCTL_REGISTRY_PASSWORD", "x")], "registry-password: y").expect("layers");
        assert!(layers.list("registry-password").is_empty());
    }
}
