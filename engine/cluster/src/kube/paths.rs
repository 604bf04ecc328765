//! URLs of objects and lists.

use windlass_model::object_ref::ObjectRef;

use crate::discovery::{ApiResource, Scope};
use crate::error::ClusterError;
use crate::port::{DryRun, WriteOptions};

/// Path of one object.
pub(super) fn object(resource: &ApiResource, object: &ObjectRef) -> Result<String, ClusterError> {
    if object.name.is_empty() {
        return Err(ClusterError::MissingName);
    }
    if resource.scope == Scope::Namespaced && object.namespace.is_empty() {
        return Err(ClusterError::MissingNamespace);
    }
    Ok(format!("{}/{}", collection(resource, &object.namespace), escape(&object.name)))
}

/// Path of all objects of a kind, in one namespace unless that is empty.
pub(super) fn collection(resource: &ApiResource, namespace: &str) -> String {
    let mut path = if resource.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", resource.group) };
    path.push('/');
    path.push_str(&resource.version);
    if resource.scope == Scope::Namespaced && !namespace.is_empty() {
        path.push_str("/namespaces/");
        path.push_str(&escape(namespace));
    }
    path.push('/');
    path.push_str(&resource.plural);
    path
}

/// Adds what belongs to a write.
pub(super) fn with_write_options(path: String, options: &WriteOptions<'_>, force: bool) -> String {
    let mut query = vec![("fieldManager", options.manager)];
    if force {
        query.push(("force", if options.force { "true" } else { "false" }));
    }
    if options.dry_run == DryRun::All {
        query.push(("dryRun", "All"));
    }
    with_query(path, &query)
}

/// Appends an encoded query; empty values are left out.
pub(super) fn with_query(path: String, query: &[(&str, &str)]) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        encoded.append_pair(key, value);
    }
    let encoded = encoded.finish();
    if encoded.is_empty() { path } else { format!("{path}?{encoded}") }
}

/// Percent-encodes everything that is not plain in a path segment.
fn escape(segment: &str) -> String {
    let mut escaped = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'@' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {

    use super::*;

    fn resource(group: &str, kind: &str, plural: &str, scope: Scope) -> ApiResource {
        ApiResource {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            plural: plural.into(),
            scope,
            verbs: Vec::new(),
            subresources: Vec::new(),
        }
    }

    fn path(resource: &ApiResource, namespace: &str, name: &str) -> Result<String, String> {
        object(resource, &ObjectRef::new(&resource.gvk(), namespace, name)).map_err(|error| error.to_string())
    }

    #[test]
    fn core_and_group_paths() {
        let pods = resource("", "Pod", "pods", Scope::Namespaced);
        assert_eq!(path(&pods, "a", "b").unwrap(), "/api/v1/namespaces/a/pods/b");
        assert_eq!(collection(&pods, ""), "/api/v1/pods");
        let roles = resource("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", Scope::Cluster);
        let role = path(&roles, "ignored", "system:node").unwrap();
        assert_eq!(role, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node");
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        let pods = resource("", "Pod", "pods", Scope::Namespaced);
        assert_eq!(path(&pods, "a", "../b?x").unwrap(), "/api/v1/namespaces/a/pods/..%2Fb%3Fx");
    }

    #[test]
    fn a_namespaced_object_needs_its_namespace() {
        let pods = resource("", "Pod", "pods", Scope::Namespaced);
        let wanted = "an empty namespace may not be set when a resource name is provided";
        assert_eq!(path(&pods, "", "b").unwrap_err(), wanted);
        assert_eq!(path(&pods, "a", "").unwrap_err(), "resource name may not be empty");
    }

    #[test]
    fn writes_name_manager_force_and_dry_run() {
        let options = WriteOptions { manager: "kluctl", force: true, dry_run: DryRun::All };
        assert_eq!(with_write_options("/x".into(), &options, true), "/x?fieldManager=kluctl&force=true&dryRun=All");
        assert_eq!(with_write_options("/x".into(), &options, false), "/x?fieldManager=kluctl&dryRun=All");
    }
}
