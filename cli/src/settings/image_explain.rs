//! `image explain`.

use windlass_images::filter::VersionFilter;
use windlass_images::policy::{OnInvalid, Order, Policy, PolicyError, TagFilter};
use windlass_images::resolve::Election;

use super::commands::TargetCommand;
use super::layers::Layers;
use super::output::OutputTarget;
use super::source::{SettingError, Sourced};
use crate::env_vars::Environment;

/// What is explained, and how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageExplainSettings {
    pub(crate) common: TargetCommand,
    pub(crate) subject: ExplainSubject,
    /// Only this tag.
    pub(crate) tag: Option<String>,
    pub(crate) all_tags: bool,
    pub(crate) json: bool,
    pub(crate) output: OutputTarget,
}

/// What is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExplainSubject {
    /// Every image of the target.
    Project,
    /// A policy of the project, or else an image of the target.
    Named(String),
    /// An image, by flags.
    AdHoc { image: String, election: Box<Election> },
}

/// The flags that make a policy.
const POLICY_FLAGS: [&str; 4] = ["filter", "semver", "alphabetical", "numerical"];
/// The flags that narrow it.
const FILTER_FLAGS: [&str; 3] = ["pattern", "extract", "exclude"];

impl ImageExplainSettings {
    pub(crate) fn read(
        layers: &Layers,
        environment: &Environment,
        name: Option<&String>,
    ) -> Result<Self, SettingError> {
        let (json, output) = output(layers)?;
        Ok(Self {
            common: TargetCommand::read(layers, environment)?,
            subject: subject(layers, name)?,
            tag: layers.text("tag").map(|text| text.value),
            all_tags: layers.switch("all-tags"),
            json,
            output,
        })
    }
}

fn output(layers: &Layers) -> Result<(bool, OutputTarget), SettingError> {
    let text = layers.text_or_default("output-format");
    let (format, path) = text.value.split_once('=').unwrap_or((&text.value, "-"));
    match format {
        "text" => Ok((false, OutputTarget::of(path))),
        "json" => Ok((true, OutputTarget::of(path))),
        _ => Err(SettingError::new(format!("invalid format: {format}"), &text.source)
            .with_hint("use `text` or `json`, with `=<path>` to write a file")),
    }
}

fn subject(layers: &Layers, name: Option<&String>) -> Result<ExplainSubject, SettingError> {
    let given: Vec<_> = POLICY_FLAGS.iter().filter_map(|flag| Some((*flag, layers.text(flag)?))).collect();
    let Some((flag, text)) = given.first() else {
        let narrowing = FILTER_FLAGS.iter().find_map(|flag| Some((flag, layers.text(flag)?)));
        if let Some((flag, text)) = narrowing {
            return Err(SettingError::new(format!("--{flag} narrows a policy, but none is given"), &text.source)
                .with_hint("add --filter, --semver, --alphabetical or --numerical"));
        }
        return Ok(name.map_or(ExplainSubject::Project, |name| ExplainSubject::Named(name.clone())));
    };
    if let Some((other, text)) = given.get(1) {
        return Err(SettingError::new(format!("--{flag} and --{other} are two policies"), &text.source)
            .with_hint("give one of them"));
    }
    let Some(image) = name else {
        return Err(SettingError::new(format!("--{flag} needs an image"), &text.source)
            .with_hint(format!("windlass image explain <image> --{flag} '{}'", text.value)));
    };
    Ok(ExplainSubject::AdHoc { image: image.clone(), election: Box::new(election(layers, flag, text)?) })
}

fn election(layers: &Layers, flag: &str, text: &Sourced<String>) -> Result<Election, SettingError> {
    let order = |text: &str| Order::parse(text);
    let policy = match flag {
        "filter" => VersionFilter::parse(&text.value).map(Policy::Filter).map_err(|error| error.to_string()),
        "semver" => Policy::semver(&text.value).map_err(|error| error.to_string()),
        "alphabetical" => order(&text.value).map(Policy::Alphabetical).map_err(|error| error.to_string()),
        _ => {
            order(&text.value).map(|order| Policy::Numerical(order, OnInvalid::Skip)).map_err(|error| error.to_string())
        }
    };
    let policy = policy.map_err(|reason| SettingError::new(format!("--{flag}: {reason}"), &text.source))?;
    Ok(Election { filter: tag_filter(layers)?, policy, digest: false })
}

fn tag_filter(layers: &Layers) -> Result<TagFilter, SettingError> {
    let (pattern, extract) = (layers.text("pattern"), layers.text("extract"));
    if let (None, Some(extract)) = (&pattern, &extract) {
        return Err(SettingError::new("--extract needs a --pattern to extract from", &extract.source));
    }
    let value = |text: &Option<Sourced<String>>| text.as_ref().map(|text| text.value.clone());
    let filter = TagFilter::new(value(&pattern).as_deref(), value(&extract).as_deref());
    let filter = filter.map_err(|error| refused(&error, pattern.as_ref()))?;
    layers
        .list("exclude")
        .iter()
        .try_fold(filter, |filter, text| filter.excluding(&[&text.value]).map_err(|error| refused(&error, Some(text))))
}

fn refused(error: &PolicyError, text: Option<&Sourced<String>>) -> SettingError {
    let default = super::source::Source::Default;
    SettingError::new(error.to_string(), text.map_or(&default, |text| &text.source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(flags: &[&str], name: Option<&str>) -> Result<ExplainSubject, String> {
        let line: Vec<&str> = ["image", "explain"].iter().chain(flags).copied().collect();
        let layers = layers(&line, &[], "").expect("layers");
        subject(&layers, name.map(str::to_owned).as_ref()).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_make_a_policy_of_their_own() {
        assert_eq!(read(&[], None), Ok(ExplainSubject::Project));
        assert_eq!(read(&[], Some("web")), Ok(ExplainSubject::Named("web".into())));
        let found =
            read(&["--semver", ">=1", "--pattern", "^v", "--exclude", "rc"], Some("r/web")).expect("an election");
        let ExplainSubject::AdHoc { image, election } = found else { panic!("by flags") };
        assert_eq!((image.as_str(), election.policy.to_string().as_str()), ("r/web", "semver(range=\">=1\")"));
        assert!(election.filter.pattern.is_some() && election.filter.exclude.len() == 1);
        for flags in [["--filter", "number()"], ["--alphabetical", "desc"], ["--numerical", "asc"]] {
            assert!(matches!(read(&flags, Some("r/web")), Ok(ExplainSubject::AdHoc { .. })), "{flags:?}");
        }
    }

    #[test]
    fn flags_that_make_no_policy_are_errors() {
        for (flags, name, wanted) in [
            (&["--semver", "1.x"][..], None, "--semver needs an image"),
            (&["--semver", "1x"], Some("a"), "--semver: constraint parser error"),
            (&["--filter", "nope()"], Some("a"), "--filter: unknown filter `nope`"),
            (&["--alphabetical", "up"], Some("a"), "--alphabetical: invalid order argument provided: 'UP'"),
            (&["--numerical", "1"], Some("a"), "--numerical: invalid order argument provided: '1'"),
            (&["--semver", "1", "--numerical", "asc"], Some("a"), "--semver and --numerical are two policies"),
            (&["--pattern", "a"], Some("a"), "--pattern narrows a policy, but none is given"),
            (&["--semver", "1", "--extract", "$1"], Some("a"), "--extract needs a --pattern"),
            (&["--semver", "1", "--pattern", "("], Some("a"), "invalid regular expression pattern '('"),
            (&["--semver", "1", "--exclude", "["], Some("a"), "invalid regular expression pattern '['"),
        ] {
            let error = read(flags, name).expect_err(wanted);
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
