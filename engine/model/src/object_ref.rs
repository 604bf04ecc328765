//! Identity of a Kubernetes object (spec 03 section 2.1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Group, version and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// API group, empty for the core group.
    pub group: String,
    /// API version without the group, such as `v1`.
    pub version: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
}

impl Gvk {
    /// From an `apiVersion` (`v1`, `apps/v1`) and a kind.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Group and kind without the version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }
}

/// The form results are sorted by: `apps/v1, Kind=Deployment`, core group `/v1, Kind=ConfigMap`.
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

/// Group and kind, the part of an identity that does not change with the API version.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
}

/// Names one object. Equal only when all five fields are equal; display shows `NS/KIND/NAME`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// API group, empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// API version without group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Kind; always written, even when empty.
    #[serde(default)]
    pub kind: String,
    /// Name; always written, even when empty.
    #[serde(default)]
    pub name: String,
    /// Namespace, empty for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

impl ObjectRef {
    /// Builds a ref of the parts.
    pub fn new(gvk: &Gvk, namespace: &str, name: &str) -> Self {
        Self {
            group: gvk.group.clone(),
            version: gvk.version.clone(),
            kind: gvk.kind.clone(),
            name: name.into(),
            namespace: namespace.into(),
        }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk { group: self.group.clone(), version: self.version.clone(), kind: self.kind.clone() }
    }

    /// Group and kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// The same object without the API version: how orphans are compared.
    #[must_use]
    pub fn without_version(&self) -> Self {
        Self { version: String::new(), ..self.clone() }
    }

    /// Sort key of results: GVK display form, then namespace, then name.
    pub fn sort_key(&self) -> (String, &str, &str) {
        (self.gvk().to_string(), &self.namespace, &self.name)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.kind)?;
        if !self.name.is_empty() {
            write!(f, "/{}", self.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_leaves_out_what_is_empty() {
        let gvk = Gvk::from_api_version("apps/v1", "Deployment");
        assert_eq!(ObjectRef::new(&gvk, "shop", "web").to_string(), "shop/Deployment/web");
        assert_eq!(ObjectRef::new(&gvk, "", "web").to_string(), "Deployment/web");
        assert_eq!(ObjectRef::new(&gvk, "", "").to_string(), "Deployment");
        assert_eq!(ObjectRef::default().to_string(), "");
    }

    #[test]
    fn core_group_sorts_as_slash_version() {
        assert_eq!(Gvk::from_api_version("v1", "ConfigMap").to_string(), "/v1, Kind=ConfigMap");
    }

    #[test]
    fn kind_and_name_are_always_serialised() {
        let json = serde_json::to_string(&ObjectRef::default()).unwrap();
        assert_eq!(json, r#"{"kind":"","name":""}"#);
    }
}
