//! `namePrefix` and `nameSuffix`.

use serde_json::Value;

use crate::identity::group_version;
use crate::manifest::Manifest;
use crate::scalar::stays_a_string;
use crate::unsure::{Certain, Unsure, ensure};

/// Puts texts around the name of every object, except where the name is not free to choose.
pub(crate) fn affix(manifests: &mut [Manifest], prefix: &str, suffix: &str) -> Certain<()> {
    if !prefix.is_empty() {
        rename_all(manifests, |manifest| {
            manifest.trail.prefixes.push(prefix.to_owned());
            format!("{prefix}{}", manifest.name())
        })?;
    }
    if !suffix.is_empty() {
        rename_all(manifests, |manifest| {
            manifest.trail.suffixes.push(suffix.to_owned());
            format!("{}{suffix}", manifest.name())
        })?;
    }
    Ok(())
}

fn rename_all(manifests: &mut [Manifest], name: impl Fn(&mut Manifest) -> String) -> Certain<()> {
    manifests.iter_mut().filter(|manifest| !is_fixed(manifest)).try_for_each(|manifest| {
        manifest.remember();
        let name = name(manifest);
        // Lists of names are kept with commas.
        ensure(stays_a_string(&name) && !name.contains(','), "a name that is no plain text")?;
        set_name(manifest, name)
    })
}

/// Kinds whose names are given by what they stand for.
fn is_fixed(manifest: &Manifest) -> bool {
    let (group, _) = group_version(manifest.api_version());
    let (kind, ..) = manifest.original();
    matches!(kind, "CustomResourceDefinition" | "Namespace")
        || kind == "APIService" && group == "apiregistration.k8s.io"
}

pub(crate) fn set_name(manifest: &mut Manifest, name: String) -> Certain<()> {
    let metadata = manifest.object.get_mut("metadata").and_then(Value::as_object_mut);
    metadata.ok_or(Unsure("no metadata"))?.insert("name".to_owned(), Value::String(name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::manifest;
    use serde_json::json;

    fn renamed(api_version: &str, kind: &str) -> (String, usize) {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}});
        let mut manifests = [manifest(object)];
        affix(&mut manifests, "a-", "-z").unwrap();
        (manifests[0].name().to_owned(), manifests[0].trail.previous.len())
    }

    #[test]
    fn names_get_both_ends() {
        assert_eq!(renamed("v1", "ConfigMap"), ("a-web-z".to_owned(), 2));
    }

    #[test]
    fn names_that_mean_something_stay() {
        assert_eq!(renamed("v1", "Namespace").0, "web");
        assert_eq!(renamed("apiregistration.k8s.io/v1", "APIService").0, "web");
        assert_eq!(renamed("apiextensions.k8s.io/v1", "CustomResourceDefinition").0, "web");
        assert_eq!(renamed("other/v1", "APIService").0, "a-web-z");
    }

    #[test]
    fn a_name_that_becomes_a_number_is_not_certain() {
        let mut manifests = [manifest(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "2"}}))];
        assert!(affix(&mut manifests, "1", "").is_err());
    }
}
