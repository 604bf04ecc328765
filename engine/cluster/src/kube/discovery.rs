//! Asks a server what it serves: two requests where it offers aggregated discovery,
//! one per group and version elsewhere.
//!
//! Aggregated answers carry an `ETag`, so a run that finds nothing new pays two empty answers
//! and still never works with an old list. Servers without it are asked again after a while.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use http::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::transport::{Call, Patience, Response, Transport};
use crate::discovery::{ApiGroup, ApiGroupVersion, ApiResource, Scope};
use crate::error::ClusterError;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// How long an answer without `ETag` is believed.
const TIME_TO_LIVE: Duration = Duration::from_secs(600);

/// How to find out whether an answer is still true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    core: String,
    groups: String,
    /// Seconds since 1970, of answers without `ETag`.
    fetched_at: u64,
}

/// An answer to keep.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) validators: Validators,
    pub(super) groups: Vec<ApiGroup>,
}

/// `None`: what was known before is still true.
pub(super) async fn fetch(transport: &Transport, known: &Validators) -> Result<Option<Found>, ClusterError> {
    if known.core.is_empty() && now().saturating_sub(known.fetched_at) < TIME_TO_LIVE.as_secs() {
        return Ok(None);
    }
    let core_call = aggregated_call("/api", &known.core);
    let groups_call = aggregated_call("/apis", &known.groups);
    let (core, groups) = tokio::join!(transport.send(&core_call), transport.send(&groups_call));
    let (core, groups) = (core?, groups?);
    if core.status == StatusCode::NOT_MODIFIED && groups.status == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    // Both are needed: one half of the old answer is not kept separately.
    let core = unconditional(transport, core, "/api").await?;
    let groups = unconditional(transport, groups, "/apis").await?;
    let validators = Validators { core: etag(&core), groups: etag(&groups), fetched_at: now() };
    let found = match (read_aggregated(&core), read_aggregated(&groups)) {
        (Some(mut all), Some(rest)) => {
            all.extend(rest);
            all
        }
        _ => return fetch_each_group(transport, &core, &groups).await.map(Some),
    };
    Ok(Some(Found { validators, groups: found }))
}

impl Validators {
    /// Whatever the age of the last answer, the next fetch asks the server.
    pub(super) fn expire(&mut self) {
        self.fetched_at = 0;
    }
}

fn aggregated_call(path: &str, validator: &str) -> Call {
    let call = Call::new(Method::GET, path.into()).header(header::ACCEPT, AGGREGATED).patience(Patience::Retry);
    if validator.is_empty() { call } else { call.header(header::IF_NONE_MATCH, validator) }
}

async fn unconditional(transport: &Transport, response: Response, path: &str) -> Result<Response, ClusterError> {
    let call = aggregated_call(path, "");
    if response.status == StatusCode::NOT_MODIFIED {
        transport.send(&call).await?.into_success(&call)
    } else {
        response.into_success(&call)
    }
}

fn etag(response: &Response) -> String {
    response.headers.get(header::ETAG).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedList {
    kind: String,
    #[serde(default)]
    items: Vec<AggregatedGroup>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    #[serde(default)]
    metadata: AggregatedMetadata,
    #[serde(default)]
    versions: Vec<AggregatedVersion>,
}

#[derive(Deserialize, Default)]
struct AggregatedMetadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct AggregatedVersion {
    version: String,
    #[serde(default)]
    resources: Vec<AggregatedResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedResource {
    resource: String,
    response_kind: Option<AggregatedKind>,
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    subresources: Vec<AggregatedSubresource>,
}

#[derive(Deserialize)]
struct AggregatedKind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct AggregatedSubresource {
    subresource: String,
}

fn read_aggregated(response: &Response) -> Option<Vec<ApiGroup>> {
    let list: AggregatedList = serde_json::from_slice(&response.body).ok()?;
    (list.kind == "APIGroupDiscoveryList").then(|| list.items.into_iter().map(aggregated_group).collect())
}

fn aggregated_group(group: AggregatedGroup) -> ApiGroup {
    let name = group.metadata.name;
    let preferred_version = group.versions.first().map(|version| version.version.clone()).unwrap_or_default();
    let versions = group
        .versions
        .into_iter()
        .map(|AggregatedVersion { version, resources }| ApiGroupVersion {
            resources: resources.into_iter().filter_map(|r| aggregated_resource(&name, &version, r)).collect(),
            version,
        })
        .collect();
    ApiGroup { name, preferred_version, versions }
}

fn aggregated_resource(group: &str, version: &str, resource: AggregatedResource) -> Option<ApiResource> {
    let kind = resource.response_kind.filter(|kind| !kind.kind.is_empty())?.kind;
    let scope = if resource.scope == "Namespaced" { Scope::Namespaced } else { Scope::Cluster };
    let subresources = resource.subresources.into_iter().map(|sub| sub.subresource).collect();
    Some(ApiResource {
        group: group.into(),
        version: version.into(),
        kind,
        plural: resource.resource,
        scope,
        verbs: sorted(resource.verbs),
        subresources: sorted(subresources),
    })
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

#[derive(Deserialize)]
struct CoreVersions {
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Vec<ListedGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedGroup {
    name: String,
    versions: Vec<ListedVersion>,
    preferred_version: Option<ListedVersion>,
}

#[derive(Deserialize)]
struct ListedVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<ListedResource>,
}

#[derive(Deserialize)]
struct ListedResource {
    name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

async fn fetch_each_group(transport: &Transport, core: &Response, groups: &Response) -> Result<Found, ClusterError> {
    let core: CoreVersions = decode(core, "/api")?;
    let listed: GroupList = decode(groups, "/apis")?;
    let core_group = ListedGroup {
        name: String::new(),
        preferred_version: core.versions.first().map(|version| ListedVersion { version: version.clone() }),
        versions: core.versions.into_iter().map(|version| ListedVersion { version }).collect(),
    };
    let all = std::iter::once(core_group).chain(listed.groups);
    let groups = join_all(all.map(|group| fetch_group(transport, group))).await;
    let validators = Validators { fetched_at: now(), ..Validators::default() };
    Ok(Found { validators, groups })
}

async fn fetch_group(transport: &Transport, group: ListedGroup) -> ApiGroup {
    let preferred_version = group.preferred_version.map(|version| version.version).unwrap_or_default();
    let versions = join_all(group.versions.iter().map(|v| fetch_version(transport, &group.name, &v.version))).await;
    ApiGroup { name: group.name, preferred_version, versions: versions.into_iter().flatten().collect() }
}

/// A version that cannot be read (its server may be down) is left out.
async fn fetch_version(transport: &Transport, group: &str, version: &str) -> Option<ApiGroupVersion> {
    let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let call = Call::new(Method::GET, path.clone());
    let response = transport.send(&call).await.and_then(|response| response.into_success(&call));
    let list: ResourceList = match response.and_then(|response| decode(&response, &path)) {
        Ok(list) => list,
        Err(error) => {
            tracing::debug!(%error, path, "group left out of discovery");
            return None;
        }
    };
    Some(ApiGroupVersion { version: version.into(), resources: listed_resources(group, version, list) })
}

fn listed_resources(group: &str, version: &str, list: ResourceList) -> Vec<ApiResource> {
    let (subs, whole): (Vec<_>, Vec<_>) = list.resources.into_iter().partition(|r| r.name.contains('/'));
    let subresources = |plural: &str| {
        let names = subs.iter().filter_map(|sub| sub.name.split_once('/').filter(|(parent, _)| *parent == plural));
        sorted(names.map(|(_, name)| name.to_owned()).collect())
    };
    whole
        .into_iter()
        .map(|r| ApiResource {
            group: group.into(),
            version: version.into(),
            kind: r.kind,
            scope: if r.namespaced { Scope::Namespaced } else { Scope::Cluster },
            verbs: sorted(r.verbs),
            subresources: subresources(&r.name),
            plural: r.name,
        })
        .collect()
}

fn decode<T: DeserializeOwned>(response: &Response, path: &str) -> Result<T, ClusterError> {
    serde_json::from_slice(&response.body).map_err(|error| ClusterError::Decode {
        request: Call::new(Method::GET, path.into()).context(),
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &str) -> Response {
        Response { status: StatusCode::OK, headers: http::HeaderMap::new(), body: body.as_bytes().to_vec().into() }
    }

    #[test]
    fn aggregated_answers_give_groups_in_preferred_order() {
        let groups = read_aggregated(&response(
            r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[
            {"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},
              "scope":"Namespaced","verbs":["patch","list"],"subresources":[{"subresource":"status"}]}]},
            {"version":"v1beta1","resources":[]}]}]}"#,
        ))
        .unwrap();
        assert_eq!(groups[0].preferred_version, "v1");
        let resource = &groups[0].versions[0].resources[0];
        assert_eq!((resource.kind.as_str(), resource.scope), ("Deployment", Scope::Namespaced));
        assert_eq!(resource.verbs, ["list", "patch"]);
    }

    #[test]
    fn an_old_server_is_recognised() {
        assert!(read_aggregated(&response(r#"{"kind":"APIGroupList","groups":[]}"#)).is_none());
        assert!(read_aggregated(&response("not json")).is_none());
    }

    #[test]
    fn listed_subresources_belong_to_their_resource() {
        let list: ResourceList = serde_json::from_str(
            r#"{"resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]},
            {"name":"pods/status","kind":"Pod","namespaced":true},{"name":"nodes","kind":"Node","namespaced":false}]}"#,
        )
        .unwrap();
        let resources = listed_resources("", "v1", list);
        assert_eq!(resources.len(), 2);
        assert_eq!(resources[0].subresources, ["status"]);
        assert_eq!(resources[1].scope, Scope::Cluster);
    }
}
