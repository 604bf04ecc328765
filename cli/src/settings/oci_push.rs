//! `oci push`.

use std::collections::BTreeMap;

use windlass_registry::Repository;

use super::credentials::Credentials;
use super::layers::Layers;
use super::project::ProjectSettings;
use super::source::{SettingError, Sourced};
use crate::env_vars::Environment;

/// What is pushed where, and what is told about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OciPushSettings {
    pub(crate) project: ProjectSettings,
    pub(crate) credentials: Credentials,
    url: Sourced<String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) report: PushReport,
}

/// Where the artifact goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// As the user wrote it, without the scheme.
    pub(crate) written: String,
    pub(crate) repository: Repository,
    pub(crate) tag: String,
}

/// How the outcome is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushReport {
    Lines,
    Json,
    Yaml,
}

impl OciPushSettings {
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, SettingError> {
        Ok(Self {
            project: ProjectSettings::read(layers)?,
            credentials: Credentials::read(layers, environment)?,
            url: layers.text_or_default("url"),
            annotations: layers.list("annotation").iter().map(annotation).collect::<Result<_, _>>()?,
            report: report(layers.text("output"))?,
        })
    }

    /// Where to push. Not checked before the project is, as scripts know the order of these errors.
    pub(crate) fn destination(&self) -> Result<Destination, SettingError> {
        destination(&self.url)
    }
}

fn destination(url: &Sourced<String>) -> Result<Destination, SettingError> {
    let Some(written) = url.value.strip_prefix("oci://") else {
        return Err(SettingError::new("URL must be in format 'oci://<domain>/<org>/<repo>'", &url.source));
    };
    let invalid = |hint: String| {
        let reason = format!("'{}' invalid URL: could not parse reference: {written}", url.value);
        SettingError::new(reason, &url.source).with_hint(hint)
    };
    if written.contains('@') {
        return Err(invalid("an artifact is pushed under a tag; its digest is the outcome".to_owned()));
    }
    // A colon before the last slash belongs to the port.
    let (name, tag) = match written.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (written, "latest"),
    };
    if !is_tag(tag) {
        return Err(invalid(format!("`{tag}` is no tag: letters, digits, `_`, `.` and `-`, at most 128")));
    }
    let repository = Repository::parse(name).map_err(|error| invalid(error.to_string()))?;
    Ok(Destination { written: written.to_owned(), repository, tag: tag.to_owned() })
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn annotation(text: &Sourced<String>) -> Result<(String, String), SettingError> {
    match text.value.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => {
            let reason = format!("invalid annotation {}, must be in the format key=value", text.value);
            Err(SettingError::new(reason, &text.source))
        }
    }
}

fn report(text: Option<Sourced<String>>) -> Result<PushReport, SettingError> {
    let Some(text) = text else { return Ok(PushReport::Lines) };
    match text.value.as_str() {
        "" => Ok(PushReport::Lines),
        "json" => Ok(PushReport::Json),
        "yaml" => Ok(PushReport::Yaml),
        other => Err(SettingError::new(format!("invalid output format: {other}"), &text.source)
            .with_hint("use `json` or `yaml`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::layers::tests::layers;

    fn read(words: &[&str]) -> Result<OciPushSettings, SettingError> {
        let layers = layers(&[&["oci", "push"], words].concat(), &[], "").expect("layers");
        OciPushSettings::read(&layers, &Environment::default())
    }

    fn of_url(url: &str) -> Result<(String, String, String), SettingError> {
        let Destination { written, repository, tag } = read(&["--url", url])?.destination()?;
        Ok((written, format!("{}/{}", repository.host(), repository.path()), tag))
    }

    #[test]
    fn a_destination_has_a_repository_and_a_tag() {
        let of = |url: &str| of_url(url).expect("a destination");
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(of("oci://reg.example:5000/a/b"), owned("reg.example:5000/a/b", "reg.example:5000/a/b", "latest"));
        assert_eq!(of("oci://reg.example/aa:V1_2.3-x"), owned("reg.example/aa:V1_2.3-x", "reg.example/aa", "V1_2.3-x"));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["https://reg.example/aa", "reg.example/aa", "OCI://reg.example/aa"] {
            assert_eq!(
                of_url(url).expect_err(url).reason,
                "URL must be in format 'oci://<domain>/<org>/<repo>'",
                "{url}"
            );
        }
        let digest = format!("oci://reg.example/aa@sha256:{}", "0".repeat(64));
        let long = format!("oci://reg.example/aa:{}", "t".repeat(129));
        let bad = ["oci://reg.example/Bad Name", "oci://", "oci://reg.example/aa:", "oci://reg.example/aa:-x"];
        for url in bad.into_iter().chain([digest.as_str(), long.as_str()]) {
            let error = of_url(url).expect_err(url);
            let expected = format!("'{url}' invalid URL: could not parse reference: {}", &url[6..]);
            assert_eq!(error.reason, expected);
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn annotations_are_divided_at_the_first_sign() {
        let url = ["--url", "oci://reg.example/aa"];
        let settings = read(&[&url[..], &["--annotation", "a=b=c", "--annotation", "d="]].concat()).expect("settings");
        let expected = [("a", "b=c"), ("d", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(settings.annotations, BTreeMap::from(expected));
        for text in ["ab", "=b", ""] {
            let error = read(&[&url[..], &["--annotation", text]].concat()).expect_err(text);
            assert_eq!(error.reason, format!("invalid annotation {text}, must be in the format key=value"));
        }
    }

    #[test]
    fn reports_are_known() {
        let of = |word: &str| read(&["--url", "oci://reg.example/aa", "--output", word]).map(|found| found.report);
        assert_eq!((of("json"), of("yaml")), (Ok(PushReport::Json), Ok(PushReport::Yaml)));
        assert_eq!(of("text").expect_err("must fail").reason, "invalid output format: text");
        assert_eq!(read(&["--url", "oci://reg.example/aa"]).expect("settings").report, PushReport::Lines);
    }
}
