//! Where results go: `--output-format format[=path]` and `--output path`.

use std::path::PathBuf;

use super::layers::Layers;
use super::source::{SettingError, Sourced};

/// Format of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    Text,
    Yaml,
}

/// Where one copy of the output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputTarget {
    Stdout,
    File(PathBuf),
}

/// How a result is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputSettings {
    /// In the order given; never empty.
    pub(crate) copies: Vec<(OutputFormat, OutputTarget)>,
    /// Show secrets.
    pub(crate) no_obfuscate: bool,
    /// Text without diffs.
    pub(crate) short: bool,
}

impl OutputSettings {
    /// Of `--output-format`. The format is checked before any work is done.
    pub(crate) fn of_result(layers: &Layers) -> Result<Self, SettingError> {
        Self::read(layers, "output-format", "invalid format")
    }

    /// Of `validate --output`, which means the same.
    pub(crate) fn of_validation(layers: &Layers) -> Result<Self, SettingError> {
        Self::read(layers, "output", "invalid validation result format")
    }

    fn read(layers: &Layers, flag: &str, problem: &str) -> Result<Self, SettingError> {
        let copies = layers.list(flag).iter().map(|text| copy(text, problem)).collect::<Result<Vec<_>, _>>()?;
        let copies = if copies.is_empty() { vec![(OutputFormat::Text, OutputTarget::Stdout)] } else { copies };
        Ok(Self { copies, no_obfuscate: layers.switch("no-obfuscate"), short: layers.switch("short-output") })
    }
}

fn copy(text: &Sourced<String>, problem: &str) -> Result<(OutputFormat, OutputTarget), SettingError> {
    let (format, path) = text.value.split_once('=').unwrap_or((&text.value, "-"));
    let format = match format {
        "text" => OutputFormat::Text,
        "yaml" => OutputFormat::Yaml,
        _ => {
            return Err(SettingError::new(format!("{problem}: {format}"), &text.source)
                .with_hint("use `text` or `yaml`, with `=<path>` to write a file"));
        }
    };
    Ok((format, target(path)))
}

fn target(path: &str) -> OutputTarget {
    match path {
        "" | "-" => OutputTarget::Stdout,
        path => OutputTarget::File(PathBuf::from(path)),
    }
}

impl OutputTarget {
    /// A path; empty and `-` are stdout.
    pub(super) fn of(path: &str) -> Self {
        target(path)
    }

    /// Of `list-targets --output` and `list-images --output`: paths; none is stdout.
    pub(crate) fn list(layers: &Layers) -> Vec<Self> {
        let targets: Vec<_> = layers.list("output").iter().map(|path| target(&path.value)).collect();
        if targets.is_empty() { vec![Self::Stdout] } else { targets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(values: &[&str]) -> Result<OutputSettings, SettingError> {
        let mut line = vec!["diff"];
        for value in values {
            line.extend(["-o", value]);
        }
        OutputSettings::of_result(&layers(&line, &[], "").expect("layers"))
    }

    #[test]
    fn every_copy_is_kept_in_order() {
        let file = |path: &str| OutputTarget::File(path.into());
        let settings = read(&["text=out.txt", "text", "text=-", "yaml=x=y.yaml"]).expect("settings");
        assert_eq!(
            settings.copies,
            [
                (OutputFormat::Text, file("out.txt")),
                (OutputFormat::Text, OutputTarget::Stdout),
                (OutputFormat::Text, OutputTarget::Stdout),
                (OutputFormat::Yaml, file("x=y.yaml")),
            ]
        );
        assert_eq!(read(&[]).expect("settings").copies, [(OutputFormat::Text, OutputTarget::Stdout)]);
    }

    #[test]
    fn unknown_formats_are_refused_before_any_work() {
        for (value, reason) in
            [("json", "invalid format: json"), ("", "invalid format: "), ("json=a", "invalid format: json")]
        {
            assert_eq!(read(&[value]).expect_err("must fail").reason, reason);
        }
        let layers = layers(&["validate", "-o", "some/path"], &[], "").expect("layers");
        let error = OutputSettings::of_validation(&layers).expect_err("must fail");
        assert_eq!(error.reason, "invalid validation result format: some/path");
    }
}
