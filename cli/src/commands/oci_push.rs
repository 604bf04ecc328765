//! `oci push`: the project as an artifact in a registry.

use serde::Serialize;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::{OciPushSettings, PushReport};
use crate::wire;

/// What `--output` shows, in this order.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    url: String,
    repository: &'a str,
    tag: &'a str,
    digest: &'a str,
}

pub(super) fn run(app: &App, settings: OciPushSettings) -> Result<(), Failure> {
    let (task, asked) = (app.clone(), settings.clone());
    let work = move |_| async move { wire::oci_push(&task, &asked).await };
    let pushed = interrupt::run(settings.project.timeout, Stopping::AtOnce, work)?.value;
    let shown = Shown {
        url: format!("oci://{}@{}", pushed.repository, pushed.digest),
        repository: &pushed.repository,
        tag: &pushed.tag,
        digest: &pushed.digest,
    };
    match text(&shown, settings.report).map_err(|error| Failure::Output { text: error.to_string() })? {
        Some(text) => output::stdout(app, &text),
        None => Ok(()),
    }
}

fn text(shown: &Shown<'_>, report: PushReport) -> Result<Option<String>, serde_json::Error> {
    Ok(match report {
        PushReport::Lines => None,
        PushReport::Json => Some(serde_json::to_string_pretty(shown)? + "\n"),
        PushReport::Yaml => Some(windlass_yaml::to_string(&serde_json::to_value(shown)?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_the_recorded_form() {
        let shown = Shown { url: "oci://h/r@d".into(), repository: "h/r", tag: "t", digest: "d" };
        let of = |report| text(&shown, report).expect("text");
        let json =
            "{\n  \"url\": \"oci://h/r@d\",\n  \"repository\": \"h/r\",\n  \"tag\": \"t\",\n  \"digest\": \"d\"\n}\n";
        assert_eq!(of(PushReport::Json).as_deref(), Some(json));
        assert_eq!(of(PushReport::Yaml).as_deref(), Some("digest: d\nrepository: h/r\ntag: t\nurl: oci://h/r@d\n"));
        assert_eq!(of(PushReport::Lines), None);
    }
}
