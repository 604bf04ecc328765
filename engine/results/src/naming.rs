//! Names, labels and annotations of result secrets (spec 03 section 21.3).

use std::fmt;

use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::ProjectKey;

use crate::error::StoreError;

/// Namespace of the store unless the settings name another.
pub const DEFAULT_NAMESPACE: &str = "kluctl-results";
/// Label of every stored result; its value is [`RESULT_LABEL_VALUE`].
pub const RESULT_LABEL: &str = "kluctl.io/result";
/// Value of [`RESULT_LABEL`].
pub const RESULT_LABEL_VALUE: &str = "true";
/// Annotation with the repository key of the project.
pub const REPO_KEY_ANNOTATION: &str = "kluctl.io/result-project-repo-key";
/// Annotation with the project's directory in the repository.
pub const SUB_DIR_ANNOTATION: &str = "kluctl.io/result-project-subdir";
/// Annotation with the name of the KluctlDeployment.
pub const DEPLOYMENT_NAME_ANNOTATION: &str = "kluctl.io/result-deployment-name";
/// Annotation with the namespace of the KluctlDeployment.
pub const DEPLOYMENT_NAMESPACE_ANNOTATION: &str = "kluctl.io/result-deployment-namespace";

const LONGEST_NAME: usize = 63;

/// What a Secret is the result of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResultKind {
    /// Of a command that changes a cluster.
    Command,
    /// Of a validation.
    Validate,
}

impl ResultKind {
    /// Label that carries the result's id.
    pub fn id_label(self) -> &'static str {
        match self {
            Self::Command => "kluctl.io/command-result-id",
            Self::Validate => "kluctl.io/validate-result-id",
        }
    }

    /// Annotation that carries the summary.
    pub fn summary_annotation(self) -> &'static str {
        match self {
            Self::Command => "kluctl.io/command-result-summary",
            Self::Validate => "kluctl.io/validate-result-summary",
        }
    }

    /// Status line while a result is written.
    pub fn status_line(self) -> &'static str {
        match self {
            Self::Command => "Writing command result",
            Self::Validate => "Writing validate result",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Command => "cr",
            Self::Validate => "vr",
        }
    }
}

/// `command result` or `validate result`.
impl fmt::Display for ResultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command => "command result",
            Self::Validate => "validate result",
        })
    }
}

/// A Secret by name.
pub fn secret_ref(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(&Gvk::from_api_version("v1", "Secret"), namespace, name)
}

/// `cr-[REPO-]ID` or `vr-[REPO-]ID`, at most 63 characters.
///
/// # Errors
/// An id that can not be part of a name.
pub fn secret_name(kind: ResultKind, project: &ProjectKey, id: &str) -> Result<String, StoreError> {
    let prefix = kind.prefix();
    let without_repo = prefix.len() + 1 + id.len();
    if !is_id(id) || without_repo > LONGEST_NAME {
        return Err(StoreError::Id { kind, id: id.to_owned() });
    }
    let room = LONGEST_NAME.saturating_sub(without_repo + 1);
    let repo: String = repo_part(&project.repo_key).chars().take(room).collect();
    Ok(if repo.is_empty() { format!("{prefix}-{id}") } else { format!("{prefix}-{repo}-{id}") })
}

/// Whether a text can be the id of a stored result: part of a name, and a label's value.
pub fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.bytes().all(|byte| plain(byte) || byte == b'-')
        && id.bytes().next().is_some_and(plain)
        && id.bytes().last().is_some_and(plain)
}

/// Last path element of the repository, reduced to what a name may hold. Controllers of the
/// predecessor do not lower-case their keys, and names know no capitals.
fn repo_part(repo_key: &str) -> String {
    let location = repo_key.split_once("://").map_or(repo_key, |(_, location)| location);
    let path = location.split_once('/').map_or("", |(_, path)| path);
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.replace('_', "-").to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5b0c3a52-1111-4222-8333-444455556666";

    fn name(repo_key: &str) -> String {
        secret_name(ResultKind::Command, &ProjectKey { repo_key: repo_key.into(), sub_dir: "x".into() }, ID).unwrap()
    }

    #[test]
    fn the_repository_is_part_of_the_name() {
        assert_eq!(name("git://git.example.com/team/my_shop"), format!("cr-my-shop-{ID}"));
        assert_eq!(name("oci://example.com/charts/Shop.v2/"), format!("cr-shopv2-{ID}"));
        let validate = secret_name(ResultKind::Validate, &ProjectKey::default(), ID).unwrap();
        assert_eq!(validate, format!("vr-{ID}"));
    }

    #[test]
    fn without_a_usable_repository_its_dash_is_missing_too() {
        for key in ["", "git://", "git://host", "git://host/", "git://host/a/...", "git://host/a/äöü"] {
            assert_eq!(name(key), format!("cr-{ID}"), "{key}");
        }
    }

    #[test]
    fn a_long_repository_is_cut_to_23_characters() {
        let name = name("git://host/abcdefghijklmnopqrstuvwxyz0123456789");
        assert_eq!(name, format!("cr-abcdefghijklmnopqrstuvw-{ID}"));
        assert_eq!(name.len(), LONGEST_NAME);
    }

    #[test]
    fn an_id_that_fills_the_name_leaves_no_room_for_the_repository() {
        let project = ProjectKey { repo_key: "git://h/shop".into(), sub_dir: String::new() };
        for (length, wanted) in [(58, "cr-s-"), (59, "cr-"), (60, "cr-")] {
            let id = "a".repeat(length);
            assert_eq!(secret_name(ResultKind::Command, &project, &id).unwrap(), format!("{wanted}{id}"), "{length}");
        }
    }

    #[test]
    fn ids_that_can_not_be_part_of_a_name_are_refused() {
        let long = "a".repeat(61);
        for id in ["", "-", "a-", "-a", "A", "a,kluctl.io/result=true", "a/b", "ä", " a", &long] {
            let error = secret_name(ResultKind::Command, &ProjectKey::default(), id).unwrap_err();
            assert!(matches!(error, StoreError::Id { kind: ResultKind::Command, .. }), "{id}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_is_valid_and_ends_with_the_id(key in "(git://|oci://)?[ -~é/]{0,60}") {
            let name = name(&key);
            assert!(name.len() <= LONGEST_NAME && name.ends_with(ID) && is_id(&name), "{name}");
        }
    }
}
