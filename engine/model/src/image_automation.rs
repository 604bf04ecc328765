//! The section `imageAutomation` of a project as written (spec 06 section 14.2).
//!
//! Only shapes: patterns, ranges and durations are texts here. What reads them
//! is `windlass-images` (policies) and the automation flow (updates).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::nullable;

/// `imageAutomation`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImageAutomation {
    /// Namespace part of the address of entries without one.
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    /// Globs of more files with this section's content, relative to this file.
    #[serde(deserialize_with = "nullable")]
    pub include: Vec<String>,
    /// Settings by registry host.
    #[serde(deserialize_with = "nullable")]
    pub registries: Vec<Value>,
    /// Images whose tags are scanned.
    #[serde(deserialize_with = "nullable")]
    pub repositories: Vec<RepositoryEntry>,
    /// How one tag of a repository is elected.
    #[serde(deserialize_with = "nullable")]
    pub policies: Vec<PolicyEntry>,
    /// Which files are edited, and what becomes of the change.
    #[serde(deserialize_with = "nullable")]
    pub updates: Vec<Value>,
    /// Where the secrets that entries name come from, by `namespace/name`.
    #[serde(deserialize_with = "nullable")]
    pub secrets: Map<String, Value>,
}

/// One entry of `repositories`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RepositoryEntry {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Namespace part of the address.
    pub namespace: Option<String>,
    /// The image, without tag.
    #[serde(deserialize_with = "nullable")]
    pub image: String,
    /// Time between scans, as `10m`.
    pub interval: Option<String>,
    /// Limit of one scan, as `30s`.
    pub timeout: Option<String>,
    /// Patterns of tags that do not exist for policies; absent means signatures, attestations and bills of material.
    pub exclude: Option<Vec<String>>,
    /// Labels, for selectors of updates.
    #[serde(deserialize_with = "nullable")]
    pub labels: Map<String, Value>,
    /// Not scanned.
    #[serde(deserialize_with = "nullable")]
    pub suspend: bool,
    /// Which namespaces may refer to it.
    pub access_from: Option<Value>,
}

/// One entry of `policies`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicyEntry {
    /// Name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Namespace part of the address.
    pub namespace: Option<String>,
    /// Labels, for selectors of updates.
    #[serde(deserialize_with = "nullable")]
    pub labels: Map<String, Value>,
    /// Name of an entry of `repositories`; or else `image`.
    pub repository: Option<String>,
    /// The image itself, without tag.
    pub image: Option<String>,
    /// Which tags are looked at, and which part of them.
    #[serde(deserialize_with = "nullable")]
    pub filter: PolicyFilter,
    /// How the tags are compared; exactly one.
    pub select: Option<PolicySelect>,
    /// `Never`, `IfNotPresent` or `Always`.
    pub digest: Option<String>,
    /// Platforms that a candidate must offer, as `linux/arm64`.
    #[serde(deserialize_with = "nullable")]
    pub platforms: Vec<String>,
    /// Least age of a candidate, as `3d`.
    pub minimum_age: Option<String>,
    /// What becomes of a candidate whose age is not known: `hold` or `allow`.
    pub minimum_age_unknown: Option<String>,
    /// `allow`, `warn` or `deny`.
    pub downgrade: Option<String>,
    /// Keys of which one must have signed a candidate.
    #[serde(deserialize_with = "nullable")]
    pub verify: Vec<Value>,
    /// Groups pull requests.
    pub group: Option<String>,
    /// Neither elected nor written.
    #[serde(deserialize_with = "nullable")]
    pub suspend: bool,
}

/// `filter` of a policy.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicyFilter {
    /// Tags must match this.
    pub pattern: Option<String>,
    /// The part to compare, as `$version`.
    pub extract: Option<String>,
    /// Patterns or `glob:` patterns of tags to leave out.
    #[serde(deserialize_with = "nullable")]
    pub ignore: Vec<String>,
}

/// `select` of a policy: one of the fields is set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicySelect {
    /// Versions in a range.
    #[serde(deserialize_with = "present")]
    pub semver: Option<SemverSelect>,
    /// Byte order.
    #[serde(deserialize_with = "present")]
    pub alphabetical: Option<OrderSelect>,
    /// Numbers.
    #[serde(deserialize_with = "present")]
    pub numerical: Option<NumericalSelect>,
    /// Digit runs as numbers, the rest as bytes.
    #[serde(deserialize_with = "present")]
    pub natural: Option<OrderSelect>,
    /// Unix times.
    #[serde(deserialize_with = "present")]
    pub timestamp: Option<TimestampSelect>,
    /// Calendar versions.
    #[serde(deserialize_with = "present")]
    pub calver: Option<CalverSelect>,
    /// The image that was built last.
    #[serde(deserialize_with = "present")]
    pub newest_build: Option<NewestBuildSelect>,
    /// One tag, of which the digest changes.
    #[serde(deserialize_with = "present")]
    pub digest: Option<DigestSelect>,
}

/// `timestamp:` without a value is the same as `timestamp: {}`.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

/// `select.semver`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SemverSelect {
    /// The range; absent means `*`.
    pub range: Option<String>,
    /// Whether versions at the end of tags count; absent means yes.
    pub loose: Option<bool>,
    /// Whether pre-releases count although the range names none.
    #[serde(deserialize_with = "nullable")]
    pub prerelease: bool,
}

/// `select.alphabetical` and `select.natural`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrderSelect {
    /// `asc` or `desc`.
    #[serde(deserialize_with = "nullable")]
    pub order: String,
}

/// `select.numerical`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NumericalSelect {
    /// `asc` or `desc`.
    #[serde(deserialize_with = "nullable")]
    pub order: String,
    /// `skip` or `fail`.
    pub on_invalid: Option<String>,
}

/// `select.timestamp`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TimestampSelect {
    /// `auto`, `s`, `ms`, `us` or `ns`.
    pub unit: Option<String>,
}

/// `select.calver`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CalverSelect {
    /// Such as `YYYY.0M.0D[.MICRO]`.
    #[serde(deserialize_with = "nullable")]
    pub format: String,
}

/// `select.newestBuild`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewestBuildSelect {
    /// `created`; absent means the same.
    pub by: Option<String>,
}

/// `select.digest`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DigestSelect {
    /// The tag.
    #[serde(deserialize_with = "nullable")]
    pub tag: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_select_without_value_is_set() {
        let policy: PolicyEntry = serde_json::from_value(json!({"name": "a", "select": {"timestamp": null}})).unwrap();
        let select = policy.select.unwrap();
        assert!(select.timestamp.is_some() && select.semver.is_none());
    }

    #[test]
    fn unknown_keys_are_errors() {
        for entry in [
            json!({"polices": []}),
            json!({"policies": [{"select": {"semvr": {}}}]}),
            json!({"repositories": [{"images": "a"}]}),
        ] {
            let error = serde_json::from_value::<ImageAutomation>(entry).unwrap_err().to_string();
            assert!(error.starts_with("unknown field"), "{error}");
        }
    }
}
