//! References to directories outside of the project: git repositories and OCI artifacts (spec 01 section 11).

mod git_url;
mod oci_url;

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

pub use git_url::{GitUrl, GitUrlError, SourceKey, SourceKind};
pub use oci_url::{OciUrl, OciUrlError};

/// What to check out of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GitReference {
    /// Tip of a branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A full commit hash.
    Commit(String),
}

/// The three places that upstream prints.
impl fmt::Display for GitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "{{{name}  }}"),
            Self::Tag(name) => write!(f, "{{ {name} }}"),
            Self::Commit(name) => write!(f, "{{  {name}}}"),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawReference {
    branch: Option<String>,
    tag: Option<String>,
    commit: Option<String>,
}

impl<'de> Deserialize<'de> for GitReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawReference { branch, tag, commit } =
            deserializer.deserialize_any(MapOnly("a map with branch, tag or commit"))?;
        let given = [branch.map(Self::Branch), tag.map(Self::Tag), commit.map(Self::Commit)];
        let mut given = given.into_iter().flatten().filter(|reference| !reference.name().is_empty());
        match (given.next(), given.next()) {
            (Some(reference), None) => Ok(reference),
            (None, _) => Err(de::Error::custom("either branch, tag or commit must be set")),
            (Some(_), Some(_)) => Err(de::Error::custom("only one of the ref fields can be set")),
        }
    }
}

impl GitReference {
    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Branch(name) | Self::Tag(name) | Self::Commit(name) => name,
        }
    }
}

/// A state of a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    /// The repository.
    pub url: GitUrl,
    /// What of it; the default branch when absent.
    pub reference: Option<GitReference>,
}

/// `git` of an include: an address, or a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GitProject {
    /// The repository.
    pub url: GitUrl,
    /// What of it.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// Directory in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_dir: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RawGitProject {
    url: String,
    #[serde(rename = "ref")]
    reference: Option<GitReference>,
    sub_dir: Option<String>,
}

impl<'de> Deserialize<'de> for GitProject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawGitProject { url, reference, sub_dir } = deserializer.deserialize_any(TextOrMap)?;
        let url = GitUrl::parse(&url).map_err(de::Error::custom)?;
        Ok(Self { url, reference, sub_dir: sub_dir.filter(|dir| !dir.is_empty()) })
    }
}

impl GitProject {
    /// Repository and reference.
    pub fn source(&self) -> GitSource {
        GitSource { url: self.url.clone(), reference: self.reference.clone() }
    }
}

/// `git` of a vars source; its texts are templates until the entry is rendered.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitVars {
    /// The repository.
    pub url: String,
    /// What of it.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// The file, from the root of the repository.
    pub path: String,
}

/// `gitFiles` of a vars source.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitFilesVars {
    /// The repository.
    pub url: String,
    /// Regular expression for branches or tags, or a commit.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// Which files.
    #[serde(deserialize_with = "crate::nullable")]
    pub files: Vec<GitFilesEntry>,
}

/// One entry of `files` of `gitFiles`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitFilesEntry {
    /// Which paths.
    pub glob: String,
    /// Content is a template.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "crate::nullable")]
    pub render: bool,
    /// Content is YAML.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "crate::nullable")]
    pub parse_yaml: bool,
    /// … with several documents.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "crate::nullable")]
    pub yaml_multi_doc: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What of an OCI repository; both parts may be given, then the digest decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OciReference {
    /// The tag; `latest` when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// `sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A state of an OCI repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciSource {
    /// The repository.
    pub url: OciUrl,
    /// What of it.
    pub reference: OciReference,
}

/// `oci` of an include.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OciProject {
    /// `oci://host[:port]/repository`; its form is checked where it is used.
    pub url: String,
    /// What of it.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<OciReference>,
    /// Directory in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_dir: Option<String>,
}

/// The first element of a sub directory that cannot be one.
pub fn bad_sub_dir_element(sub_dir: &str) -> Option<&str> {
    let forbidden = |c: char| c.is_control() || "\\:*?\"<>|^".contains(c);
    sub_dir.split('/').find(|element| element.contains(forbidden))
}

/// Refuses a text where a map is wanted, before any field is looked at.
struct MapOnly(&'static str);

impl<'de> Visitor<'de> for MapOnly {
    type Value = RawReference;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RawReference::deserialize(MapAccessDeserializer::new(map))
    }
}

struct TextOrMap;

impl<'de> Visitor<'de> for TextOrMap {
    type Value = RawGitProject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a git url, or a map with url, ref and subDir")
    }

    fn visit_str<E: de::Error>(self, url: &str) -> Result<Self::Value, E> {
        Ok(RawGitProject { url: url.to_owned(), ..RawGitProject::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RawGitProject::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(value: serde_json::Value) -> String {
        serde_json::from_value::<GitProject>(value).unwrap_err().to_string()
    }

    #[test]
    fn an_include_is_a_url_or_a_map() {
        let text: GitProject = serde_json::from_value(json!("https://h/a.git")).unwrap();
        assert_eq!((text.url.as_str(), &text.reference, &text.sub_dir), ("https://h/a.git", &None, &None));
        let map = json!({"url": "git@h:a/b", "ref": {"tag": "v1"}, "subDir": "x"});
        let project: GitProject = serde_json::from_value(map.clone()).unwrap();
        assert_eq!(project.reference, Some(GitReference::Tag("v1".into())));
        assert_eq!(serde_json::to_value(&project).unwrap(), map);
    }

    #[test]
    fn wrong_references_say_what_is_wanted() {
        let with = |reference: serde_json::Value| refusal(json!({"url": "https://h/a", "ref": reference}));
        assert_eq!(with(json!({})), "either branch, tag or commit must be set");
        assert_eq!(with(json!({"tag": "a", "branch": "b"})), "only one of the ref fields can be set");
        assert!(with(json!("main")).contains("expected a map with branch, tag or commit"));
        assert!(with(json!({"nope": "b"})).contains("unknown field `nope`"));
    }

    #[test]
    fn addresses_are_checked_when_they_are_read() {
        assert_eq!(refusal(json!("file:///x")), "file:// protocol is not supported: file:///x");
        assert_eq!(refusal(json!({"url": "/x/y"})), "file:// protocol is not supported: /x/y");
        assert_eq!(refusal(json!({"subDir": "x"})), "file:// protocol is not supported: ");
        assert!(refusal(json!(["x"])).contains("expected a git url, or a map"));
    }

    #[test]
    fn sub_directories_have_plain_elements() {
        assert_eq!(bad_sub_dir_element("a/b c/.."), None);
        assert_eq!(bad_sub_dir_element("a/b:c"), Some("b:c"));
        assert_eq!(bad_sub_dir_element("a\\b"), Some("a\\b"));
    }

    #[test]
    fn references_print_in_three_places() {
        let texts = [GitReference::Branch("b".into()), GitReference::Tag("t".into()), GitReference::Commit("c".into())];
        assert_eq!(texts.map(|r| r.to_string()), ["{b  }", "{ t }", "{  c}"]);
    }
}
