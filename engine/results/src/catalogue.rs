//! What the metadata of result secrets tell about the results.

use std::cmp::Ordering;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{ProjectKey, TargetKey};

use crate::naming::{ResultKind, secret_ref};

/// A stored result, as far as its Secret's metadata tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Id of the result.
    pub id: String,
    /// Its Secret.
    pub secret: ObjectRef,
    /// Project.
    pub project: ProjectKey,
    /// Target.
    pub target: TargetKey,
    start: Option<String>,
    end: Option<String>,
    written: Option<u64>,
    command: String,
    summary: String,
}

impl Listed {
    /// `None` for a Secret that is no result of this kind, or whose summary is missing or unreadable.
    pub fn read(kind: ResultKind, secret: &Object) -> Option<Self> {
        let id = secret.label(kind.id_label()).filter(|id| !id.is_empty())?;
        let summary = secret.annotation(kind.summary_annotation())?;
        let reference = secret_ref(secret.namespace(), secret.name());
        let head: Head = match serde_json::from_str(summary) {
            Ok(head) => head,
            Err(error) => {
                tracing::debug!(secret = %reference, line = error.line(), "skipped: unreadable summary");
                return None;
            }
        };
        let command = head.command_info.unwrap_or_default();
        Some(Self {
            id: id.to_owned(),
            secret: reference,
            project: head.project_key,
            target: head.target_key,
            start: command.start_time.or(head.start_time),
            end: command.end_time.or(head.end_time),
            written: secret.resource_version().parse().ok(),
            command: command.command,
            summary: summary.to_owned(),
        })
    }

    /// Whether the result belongs to a project; empty fields of `wanted` fit any.
    pub fn is_of(&self, wanted: &ProjectKey) -> bool {
        let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        fits(&wanted.repo_key, &self.project.repo_key) && fits(&wanted.sub_dir, &self.project.sub_dir)
    }

    /// The whole summary; `None` when its shape is unknown.
    pub fn summary<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.summary)
            .inspect_err(|_| tracing::debug!(secret = %self.secret, "skipped: unknown shape of summary"))
            .ok()
    }

    /// Newest first: by start, end, command and id.
    ///
    /// Times have whole seconds, and a run can be shorter. Within one second the order of writing
    /// decides, so that the random id does not pick which result is the latest.
    fn newest_first(&self, other: &Self) -> Ordering {
        let newer = (&other.start, &other.end, other.written).cmp(&(&self.start, &self.end, self.written));
        newer.then_with(|| (&self.command, &self.id).cmp(&(&other.command, &other.id)))
    }
}

/// Reads what a list of Secrets tells, newest first.
pub fn catalogue(kind: ResultKind, secrets: &[Object]) -> Vec<Listed> {
    let mut listed: Vec<_> = secrets.iter().filter_map(|secret| Listed::read(kind, secret)).collect();
    listed.sort_by(Listed::newest_first);
    listed
}

/// What retention needs of a summary of either kind. Unknown keys pass: results of a newer
/// writer are cleaned up like any other.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    project_key: ProjectKey,
    target_key: TargetKey,
    command_info: Option<HeadCommand>,
    start_time: Option<String>,
    end_time: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct HeadCommand {
    command: String,
    start_time: Option<String>,
    end_time: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn secret(id: &str, version: &str, summary: &Value) -> Object {
        Object(json!({"metadata": {
            "name": format!("cr-{id}"), "namespace": "r", "resourceVersion": version,
            "labels": {"kluctl.io/result": "true", "kluctl.io/command-result-id": id},
            "annotations": {"kluctl.io/command-result-summary": summary.to_string()},
        }}))
    }

    fn run(start: &str, end: &str, command: &str) -> Value {
        json!({"commandInfo": {"startTime": start, "endTime": end, "command": command}})
    }

    fn ids(secrets: &[Object]) -> Vec<String> {
        catalogue(ResultKind::Command, secrets).into_iter().map(|listed| listed.id).collect()
    }

    #[test]
    fn the_latest_start_comes_first_then_the_latest_end() {
        let early = run("2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z", "deploy");
        let late = run("2024-05-02T09:00:00Z", "2024-05-02T09:00:01Z", "deploy");
        let long = run("2024-05-02T09:00:00Z", "2024-05-02T09:00:09Z", "deploy");
        let unknown = json!({"commandInfo": {"startTime": null}});
        let secrets =
            [secret("u", "9", &unknown), secret("e", "8", &early), secret("l", "7", &late), secret("x", "6", &long)];
        assert_eq!(ids(&secrets), ["x", "l", "e", "u"]);
    }

    #[test]
    fn within_one_second_the_last_written_comes_first() {
        let same = run("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", "deploy");
        assert_eq!(ids(&[secret("a", "99", &same), secret("b", "100", &same)]), ["b", "a"]);
    }

    #[test]
    fn the_rest_is_ordered_by_command_and_id() {
        let run = |command| run("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", command);
        let secrets =
            [secret("a", "", &run("prune")), secret("c", "", &run("deploy")), secret("b", "", &run("deploy"))];
        assert_eq!(ids(&secrets), ["b", "c", "a"]);
    }

    #[test]
    fn secrets_without_id_or_readable_summary_are_skipped() {
        let mut no_summary = secret("a", "1", &json!({}));
        no_summary.0["metadata"]["annotations"] = json!({"other": "{}"});
        let mut no_id = secret("b", "1", &json!({}));
        no_id.0["metadata"]["labels"] = json!({"kluctl.io/result": "true"});
        let empty_id = secret("", "1", &json!({}));
        let mut broken = secret("c", "1", &json!({}));
        broken.set_annotation("kluctl.io/command-result-summary", "{");
        let list = secret("d", "1", &json!(["a"]));
        let wrong = secret("e", "1", &json!({"targetKey": {"clusterId": 5}}));
        let bare = Object(json!({"metadata": {"name": "x"}}));
        assert_eq!(ids(&[no_summary, no_id, empty_id, broken, list, wrong, bare]), [""; 0]);
    }

    #[test]
    fn the_other_kind_of_result_is_skipped() {
        assert_eq!(catalogue(ResultKind::Validate, &[secret("a", "1", &json!({}))]), []);
    }

    #[test]
    fn keys_of_a_newer_writer_pass() {
        let listed =
            catalogue(ResultKind::Command, &[secret("a", "1", &json!({"colour": 1, "commandInfo": {"x": 2}}))]);
        assert_eq!(listed.len(), 1);
    }

    #[test]
    fn empty_fields_of_the_wanted_project_fit_any() {
        let project = json!({"projectKey": {"repoKey": "git://h/a", "subDir": "x"}});
        let listed = &catalogue(ResultKind::Command, &[secret("a", "1", &project)])[0];
        let is_of = |repo: &str, dir: &str| listed.is_of(&ProjectKey { repo_key: repo.into(), sub_dir: dir.into() });
        assert!(is_of("", "") && is_of("git://h/a", "") && is_of("", "x") && is_of("git://h/a", "x"));
        assert!(!is_of("git://h/b", "") && !is_of("git://h/a", "y") && !is_of("git://h", "x"));
    }
}
