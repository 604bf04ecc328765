//! `image markers`, `policy`, `scan`, `tags` and `update`.

use windlass_automate::change_kind::ChangeKind;
use windlass_images::policy::TagFilter;

use super::credentials::Credentials;
use super::layers::Layers;
use super::output::OutputTarget;
use super::project::ProjectSettings;
use super::source::{SettingError, Source, Sourced};
use crate::env_vars::Environment;

/// What all commands of image automation are told; each has only some of the flags.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AutomationSettings {
    pub(crate) project: ProjectSettings,
    pub(crate) credentials: Credentials,
    /// Names behind the command.
    pub(crate) names: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) policies: Vec<String>,
    pub(crate) path: Option<String>,
    pub(crate) only: Vec<ChangeKind>,
    pub(crate) mode: UpdateMode,
    pub(crate) diff: bool,
    pub(crate) ignore_suspend: bool,
    pub(crate) allow_partial: bool,
    pub(crate) strict: bool,
    pub(crate) offline: bool,
    pub(crate) tags: TagFilter,
    pub(crate) limit: usize,
    pub(crate) format: AutomationFormat,
    pub(crate) output: OutputTarget,
}

/// What becomes of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpdateMode {
    Show,
    Check,
    Write,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AutomationFormat {
    Text,
    Json,
    FixedImages,
}

impl AutomationSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment, names: &[String]) -> Result<Self, SettingError> {
        let (format, output) = output(layers)?;
        let list = |name: &str| layers.list(name).into_iter().map(|text| text.value).collect();
        let given = |name: &str| layers.has(name) && layers.switch(name);
        Ok(Self {
            project: ProjectSettings::read(layers)?,
            credentials: Credentials::read(layers, environment)?,
            names: names.to_vec(),
            resources: list("resources"),
            policies: list("policy"),
            path: layers.text("path").map(|text| text.value),
            only: only(layers)?,
            mode: mode(layers)?,
            diff: given("diff"),
            ignore_suspend: given("ignore-suspend"),
            allow_partial: given("allow-partial"),
            strict: given("strict"),
            offline: given("offline"),
            tags: tags(layers)?,
            limit: limit(layers)?,
            format,
            output,
        })
    }
}

fn output(layers: &Layers) -> Result<(AutomationFormat, OutputTarget), SettingError> {
    let text = layers.text_or_default("output-format");
    let (format, path) = text.value.split_once('=').unwrap_or((&text.value, "-"));
    let fixed = layers.has("all-namespaces");
    let format = match format {
        "text" => AutomationFormat::Text,
        "json" => AutomationFormat::Json,
        "fixed-images" if fixed => AutomationFormat::FixedImages,
        _ => {
            let formats = if fixed { "`text`, `json` or `fixed-images`" } else { "`text` or `json`" };
            return Err(SettingError::new(format!("invalid format: {format}"), &text.source)
                .with_hint(format!("use {formats}, with `=<path>` to write a file")));
        }
    };
    Ok((format, OutputTarget::of(path)))
}

fn mode(layers: &Layers) -> Result<UpdateMode, SettingError> {
    let given = |name: &str| layers.has(name) && layers.switch(name);
    let source = |name: &str| Source::Flag(format!("--{name}"));
    for name in ["commit", "push", "pr"] {
        if given(name) {
            return Err(SettingError::new(
                format!("--{name} is not available yet in this version of windlass"),
                &source(name),
            )
            .with_hint("use --write and commit the files with git"));
        }
    }
    for other in ["check", "dry-run"] {
        if given("write") && given(other) {
            return Err(SettingError::new(format!("--write and --{other} exclude each other"), &source(other)));
        }
    }
    Ok(match (given("write"), given("check")) {
        (true, _) => UpdateMode::Write,
        (_, true) => UpdateMode::Check,
        _ => UpdateMode::Show,
    })
}

fn only(layers: &Layers) -> Result<Vec<ChangeKind>, SettingError> {
    use ChangeKind::{Digest, Downgrade, Major, Minor, Other, Patch};
    let kinds = [Major, Minor, Patch, Digest, Other, Downgrade];
    let kind = |text: Sourced<String>| {
        kinds.into_iter().find(|kind| kind.as_str() == text.value).ok_or_else(|| {
            SettingError::new(format!("--only: `{}` is no kind of change", text.value), &text.source)
                .with_hint(format!("use {}", kinds.map(ChangeKind::as_str).join(", ")))
        })
    };
    layers.list("only").into_iter().map(kind).collect()
}

fn tags(layers: &Layers) -> Result<TagFilter, SettingError> {
    let pattern = layers.text("filter");
    let refused = |error: String, text: Option<&Sourced<String>>| {
        SettingError::new(error, text.map_or(&Source::Default, |text| &text.source))
    };
    let filter = TagFilter::new(pattern.as_ref().map(|text| text.value.as_str()), None)
        .map_err(|error| refused(error.to_string(), pattern.as_ref()))?;
    layers.list("exclude").iter().try_fold(filter, |filter, text| {
        filter.excluding(&[&text.value]).map_err(|error| refused(error.to_string(), Some(text)))
    })
}

fn limit(layers: &Layers) -> Result<usize, SettingError> {
    if !layers.has("limit") {
        return Ok(0);
    }
    let limit = layers.int("limit");
    usize::try_from(limit.value)
        .map_err(|_| SettingError::new(format!("--limit: {} is negative", limit.value), &limit.source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(line: &[&str]) -> Result<AutomationSettings, String> {
        let layers = layers(line, &[], "").expect("layers");
        AutomationSettings::read(&layers, &Environment::default(), &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn an_update_shows_checks_or_writes() {
        let mode = |flags: &[&str]| read(&[&["image", "update"], flags].concat()).expect("settings").mode;
        assert_eq!(mode(&[]), UpdateMode::Show);
        assert_eq!(mode(&["--check", "--diff"]), UpdateMode::Check);
        assert_eq!(mode(&["--write", "--only", "minor"]), UpdateMode::Write);
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        for (line, wanted) in [
            (&["image", "update", "--commit"][..], "--commit is not available yet"),
            (&["image", "update", "--push", "--write"], "--push is not available yet"),
            (&["image", "update", "--pr"], "--pr is not available yet"),
            (&["image", "update", "--write", "--check"], "--write and --check exclude each other"),
            (&["image", "update", "--write", "--dry-run"], "--write and --dry-run exclude each other"),
            (&["image", "update", "--only", "tiny"], "--only: `tiny` is no kind of change"),
            (&["image", "update", "-o", "fixed-images"], "invalid format: fixed-images"),
            (&["image", "policy", "-o", "xml"], "invalid format: xml"),
            (&["image", "tags", "--filter", "("], "invalid regular expression pattern '('"),
            (&["image", "tags", "--limit", "-1"], "--limit: -1 is negative"),
        ] {
            let error = read(line).expect_err(wanted);
            assert!(error.starts_with(wanted), "{error}");
        }
        assert_eq!(
            read(&["image", "policy", "-o", "fixed-images"]).expect("settings").format,
            AutomationFormat::FixedImages
        );
    }
}
