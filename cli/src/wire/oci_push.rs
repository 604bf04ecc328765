//! Pushes the project to a registry, with what its git repository tells about it.

use std::collections::BTreeMap;
use std::path::Path;

use windlass_git::WorkTree;
use windlass_model::event::Events as _;
use windlass_model::result::GitInfo;
use windlass_sources::push;

use super::{failure, project_dir, registry};
use crate::app::App;
use crate::diagnostics::Failure;
use crate::progress::Progress;
use crate::settings::{OciPushSettings, PushReport};

const CREATED: &str = "org.opencontainers.image.created";
const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";
const GIT_INFO: &str = "io.kluctl.image.git_info";

/// What is in the registry now.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// Host and path.
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) digest: String,
}

/// Packs and pushes.
pub(crate) async fn oci_push(app: &App, settings: &OciPushSettings) -> Result<Pushed, Failure> {
    let OciPushSettings { project, credentials, annotations, report, .. } = settings;
    let dir = project_dir(project)?;
    let info = git_info(&dir)?;
    let destination = settings.destination()?;
    let annotations = annotated(&info, windlass_registry::Timestamp::now(), annotations);
    app.printer.hide(credentials.secrets());
    let registry = registry::open(credentials, &app.environment, &app.printer)?;
    let progress = Progress::new(app.printer.clone());
    let tell = |text: String| {
        if *report == PushReport::Lines {
            progress.info(text);
        }
    };
    tell(format!("Pushing artifact to {}", destination.written));
    let digest = push(&dir, &destination.repository, &destination.tag, &annotations, &*registry).await;
    let digest = digest.map_err(failure)?;
    let repository = format!("{}/{}", destination.repository.host(), destination.repository.path());
    tell(format!("Artifact successfully pushed to {repository}@{digest}"));
    Ok(Pushed { repository, tag: destination.tag, digest })
}

fn git_info(dir: &Path) -> Result<GitInfo, Failure> {
    let tree = WorkTree::around(dir)
        .ok_or_else(|| Failure::Output { text: "could not detect git repository root".to_owned() })?;
    let below = dir.strip_prefix(tree.root()).unwrap_or(Path::new(""));
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    windlass_git::read(tree.root(), &parts.join("/")).map_err(failure)
}

/// The user's annotations win over all but the one that includes read.
fn annotated(
    info: &GitInfo,
    now: windlass_registry::Timestamp,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        (CREATED.to_owned(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        (SOURCE.to_owned(), info.url.clone().unwrap_or_default()),
        (REVISION.to_owned(), info.commit.clone()),
    ]);
    annotations.extend(own.clone());
    let info = serde_json::to_string(info).unwrap_or_default();
    annotations.insert(GIT_INFO.to_owned(), info);
    annotations
}

#[cfg(test)]
mod tests {
    use windlass_model::result::GitRef;

    use super::*;

    #[test]
    fn own_annotations_win_over_all_but_the_git_info() {
        let info = GitInfo {
            url: Some("https://h/r.git".into()),
            git_ref: Some(GitRef::Branch("main".into())),
            sub_dir: "a/b".into(),
            commit: "c".into(),
            dirty: true,
        };
        let own = [(SOURCE, "mine"), (GIT_INFO, "mine"), ("x", "y")];
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let now = windlass_registry::Timestamp::UNIX_EPOCH;
        let all = annotated(&info, now, &BTreeMap::from(own));
        let git = r#"{"url":"https://h/r.git","ref":{"branch":"main"},"subDir":"a/b","commit":"c","dirty":true}"#;
        let expected =
            [(CREATED, "1970-01-01T00:00:00Z"), (SOURCE, "mine"), (REVISION, "c"), (GIT_INFO, git), ("x", "y")];
        assert_eq!(all, BTreeMap::from(expected.map(|(key, value)| (key.to_owned(), value.to_owned()))));
    }

    #[test]
    fn a_project_without_repository_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let refused = git_info(dir.path()).expect_err("must fail");
        assert_eq!(refused.to_string(), "could not detect git repository root");
    }
}
