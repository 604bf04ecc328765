//! The requests of [`Cluster`], as HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use super::transport::{Call, Patience, Response};
use super::{KubeCluster, paths, status, yaml_safe};
use crate::discovery::Discovery;
use crate::error::ClusterError;
use crate::port::{
    Answer, Cluster, DeleteOptions, Deletion, DryRun, ListContent, ListRequest, Patch, ServerVersion, WriteOptions,
};

const PAGE: &str = "500";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

#[async_trait]
impl Cluster for KubeCluster {
    fn context(&self) -> &str {
        &self.context
    }

    fn server_version(&self) -> &ServerVersion {
        &self.version
    }

    fn discovery(&self) -> Arc<Discovery> {
        self.known()
    }

    async fn refresh_discovery(&self) -> Result<Arc<Discovery>, ClusterError> {
        self.refresh().await
    }

    async fn get(&self, object: &ObjectRef) -> Result<Answer<Object>, ClusterError> {
        self.object_call(&object.gvk(), Call::new(Method::GET, self.object_path(object)?)).await
    }

    async fn get_subresource(&self, object: &ObjectRef, name: &str) -> Result<Answer<Value>, ClusterError> {
        let path = format!("{}/{name}", self.object_path(object)?);
        let answer = self.object_call(&object.gvk(), Call::new(Method::GET, path)).await?;
        Ok(Answer { value: answer.value.0, warnings: answer.warnings })
    }

    async fn create_subresource(
        &self,
        object: &ObjectRef,
        name: &str,
        content: &Value,
    ) -> Result<Answer<Value>, ClusterError> {
        let path = format!("{}/{name}", self.object_path(object)?);
        let call = Call::new(Method::POST, path)
            .body("application/json", body(content))
            .patience(Patience::NotAfterBrokenConnection);
        let answer = self.object_call(&object.gvk(), call).await?;
        Ok(Answer { value: answer.value.0, warnings: answer.warnings })
    }

    async fn list(&self, request: &ListRequest) -> Result<Answer<Vec<Object>>, ClusterError> {
        let path = paths::collection(&self.resource(&request.gvk)?, &request.namespace);
        match self.list_pages(request, &path, PAGE).await {
            // The continue token outlived its snapshot: everything at once has none.
            Err(error) if error.failure().is_some_and(|failure| failure.code == 410) => {
                self.list_pages(request, &path, "").await
            }
            other => other,
        }
    }

    async fn apply(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError> {
        let path = paths::with_write_options(self.object_path(&object.object_ref())?, &options, true);
        let call = Call::new(Method::PATCH, path).body("application/apply-patch+yaml", yaml_safe::body(&object.0));
        self.object_call(&object.gvk(), call).await
    }

    async fn replace(&self, object: &Object, options: WriteOptions<'_>) -> Result<Answer<Object>, ClusterError> {
        let path = paths::with_write_options(self.object_path(&object.object_ref())?, &options, false);
        let call = Call::new(Method::PUT, path)
            .body("application/json", body(&object.0))
            .patience(Patience::NotAfterBrokenConnection);
        self.object_call(&object.gvk(), call).await
    }

    async fn patch(
        &self,
        object: &ObjectRef,
        patch: &Patch,
        options: WriteOptions<'_>,
    ) -> Result<Answer<Object>, ClusterError> {
        let path = paths::with_write_options(self.object_path(object)?, &options, false);
        let (content_type, patch, patience) = match patch {
            Patch::Merge(patch) => ("application/merge-patch+json", patch, Patience::Retry),
            Patch::Json(patch) => ("application/json-patch+json", patch, Patience::NotAfterBrokenConnection),
        };
        let call = Call::new(Method::PATCH, path).body(content_type, body(patch)).patience(patience);
        self.object_call(&object.gvk(), call).await
    }

    async fn delete(&self, object: &ObjectRef, options: DeleteOptions<'_>) -> Result<Answer<Deletion>, ClusterError> {
        let mut request = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": options.propagation.as_str(),
        });
        if options.dry_run == DryRun::All {
            request["dryRun"] = json!(["All"]);
        }
        if let Some(uid) = options.uid {
            request["preconditions"] = json!({"uid": uid});
        }
        let call = Call::new(Method::DELETE, self.object_path(object)?).body("application/json", body(&request));
        let response = self.exchange(&object.gvk(), &call).await?;
        let deletion = Deletion { uid: deleted_uid(&response) };
        Ok(Answer { value: deletion, warnings: status::warnings(&response.headers) })
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Object>>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: String,
}

impl KubeCluster {
    fn object_path(&self, object: &ObjectRef) -> Result<String, ClusterError> {
        paths::object(&self.resource(&object.gvk())?, object)
    }

    async fn object_call(&self, gvk: &Gvk, call: Call) -> Result<Answer<Object>, ClusterError> {
        let response = self.exchange(gvk, &call).await?;
        let value = decode(&call, &response)?;
        Ok(Answer { value, warnings: status::warnings(&response.headers) })
    }

    /// A 404 without `Status` comes from a path that is no longer served: the kind is gone.
    async fn exchange(&self, gvk: &Gvk, call: &Call) -> Result<Response, ClusterError> {
        let response = self.transport.send(call).await?;
        if response.status == StatusCode::NOT_FOUND && !status::is_status(&response.body) {
            return Err(ClusterError::UnknownKind(gvk.clone()));
        }
        response.into_success(call)
    }

    async fn list_pages(
        &self,
        request: &ListRequest,
        path: &str,
        page_size: &str,
    ) -> Result<Answer<Vec<Object>>, ClusterError> {
        let mut answer = Answer::new(Vec::new());
        let mut token = String::new();
        loop {
            let query =
                [("labelSelector", request.label_selector.as_str()), ("limit", page_size), ("continue", &token)];
            let mut call = Call::new(Method::GET, paths::with_query(path.to_owned(), &query));
            if request.content == ListContent::Metadata {
                call = call.header(header::ACCEPT, METADATA_LIST);
            }
            let response = self.exchange(&request.gvk, &call).await?;
            let page: Page = decode(&call, &response)?;
            answer.warnings.extend(status::warnings(&response.headers));
            answer.value.extend(page.items.unwrap_or_default().into_iter().map(|item| typed(item, &request.gvk)));
            if page.metadata.next.is_empty() {
                return Ok(answer);
            }
            if page.metadata.next == token {
                let message = "the list does not advance: the same continue token came twice".into();
                return Err(ClusterError::Decode { request: call.context(), message });
            }
            token = page.metadata.next;
        }
    }
}

/// An object that is gone is answered with a `Status`, one that has to finish first with itself.
fn deleted_uid(response: &Response) -> Option<String> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let uid = answer.pointer("/details/uid").or_else(|| answer.pointer("/metadata/uid"))?;
    uid.as_str().map(str::to_owned)
}

/// List items do not repeat what they are, or call themselves partial.
fn typed(mut item: Object, gvk: &Gvk) -> Object {
    if let Some(map) = item.0.as_object_mut() {
        map.insert("apiVersion".into(), gvk.api_version().into());
        map.insert("kind".into(), gvk.kind.clone().into());
    }
    item
}

fn body(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn decode<T: serde::de::DeserializeOwned>(call: &Call, response: &Response) -> Result<T, ClusterError> {
    serde_json::from_slice(&response.body)
        .map_err(|error| ClusterError::Decode { request: call.context(), message: error.to_string() })
}
