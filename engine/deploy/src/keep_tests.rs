use std::sync::Mutex;

use serde_json::json;
use windlass_cluster::fake::{FakeCluster, Verb};
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};
use windlass_model::result::{ProjectKey, ResultObject};
use windlass_results::Reach;

use super::*;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Events for Lines {
    fn emit(&self, event: Event) {
        let line = match event {
            Event::StageStarted { title, .. } => title,
            Event::Info { text } | Event::Warning { text } | Event::Error { text } => text,
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

fn wanted(keep: usize) -> StoreSettings {
    StoreSettings { keep_command_results: keep, ..StoreSettings::default() }
}

async fn opened(cluster: &Arc<FakeCluster>, keep: usize, lines: &Lines) -> Result<Keeping, StoreError> {
    let cluster: Arc<dyn Cluster> = cluster.clone();
    open(Some(&wanted(keep)), Some(&cluster), lines).await
}

fn result(id: &str) -> CommandResult {
    let object =
        Object(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "cHc="}}));
    let rendered = ResultObject { object_ref: object.object_ref(), rendered: Some(object), ..ResultObject::default() };
    CommandResult { id: id.into(), objects: vec![rendered], ..CommandResult::default() }
}

fn kube_system() -> ObjectRef {
    ObjectRef::new(&Gvk::from_api_version("v1", "Namespace"), "", "kube-system")
}

#[tokio::test]
async fn nothing_is_asked_when_no_store_is_wanted() {
    let fake = Arc::new(FakeCluster::new());
    let cluster: Arc<dyn Cluster> = fake.clone();
    let keeping = open(None, Some(&cluster), &Lines::default()).await.unwrap();
    keeping
        .keep(&result("a"), SecretValues::Hidden, &windlass_masking::SecretValues::default(), &Lines::default())
        .await
        .unwrap();
    assert!(matches!(keeping, Keeping::Unwanted) && fake.requests().is_empty());
    assert!(matches!(open(Some(&wanted(5)), None, &Lines::default()).await.unwrap(), Keeping::Unwanted));
}

#[tokio::test]
async fn missing_permissions_are_a_warning_and_other_failures_are_not() {
    let (cluster, lines) = (Arc::new(FakeCluster::new()), Lines::default());
    cluster.fail_with(Verb::Get, &kube_system(), 403, "forbidden");
    cluster.fail_with(Verb::List, &ObjectRef { name: String::new(), ..kube_system() }, 403, "forbidden");
    let keeping = opened(&cluster, 5, &lines).await.unwrap();
    assert!(matches!(keeping, Keeping::Denied));
    assert_eq!(lines.taken(), ["Not enough permissions to write to the result store."]);
    keeping.keep(&result("a"), SecretValues::Hidden, &windlass_masking::SecretValues::default(), &lines).await.unwrap();
    assert!(lines.taken().is_empty());
    cluster.fail_with(Verb::Get, &kube_system(), 500, "broken");
    assert!(opened(&cluster, 5, &lines).await.is_err());
}

#[tokio::test]
async fn values_of_secrets_are_never_stored() {
    let (cluster, lines) = (Arc::new(FakeCluster::new()), Lines::default());
    let Keeping::Store(store) = opened(&cluster, 5, &lines).await.unwrap() else { panic!("no store") };
    let keeping = Keeping::Store(store);
    keeping.keep(&result("a"), SecretValues::Shown, &windlass_masking::SecretValues::default(), &lines).await.unwrap();
    let Keeping::Store(store) = keeping else { unreachable!() };
    let stored = store.read("a", Reach::Namespace).await.unwrap();
    assert_eq!(stored.objects[0].rendered.as_ref().unwrap().0["data"], json!({"k": "KioqKio="}));
}

#[tokio::test]
async fn progress_tells_of_writing_and_of_old_results() {
    let (cluster, lines) = (Arc::new(FakeCluster::new()), Lines::default());
    let keeping = opened(&cluster, 1, &lines).await.unwrap();
    for id in ["a", "b"] {
        keeping
            .keep(&result(id), SecretValues::Hidden, &windlass_masking::SecretValues::default(), &lines)
            .await
            .unwrap();
    }
    let writing = "Writing command result";
    assert_eq!(lines.taken(), [writing, writing, "Deleted old command result a"]);
    let Keeping::Store(store) = keeping else { panic!("no store") };
    assert_eq!(store.list_summaries(&ProjectKey::default(), Reach::Namespace).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_write_is_told_and_returned() {
    let (cluster, lines) = (Arc::new(FakeCluster::new()), Lines::default());
    let keeping = opened(&cluster, 5, &lines).await.unwrap();
    let secret = ObjectRef::new(&Gvk::from_api_version("v1", "Secret"), "kluctl-results", "cr-a");
    cluster.fail_with(Verb::Apply, &secret, 403, "secrets \"cr-a\" is forbidden");
    let error = keeping
        .keep(&result("a"), SecretValues::Hidden, &windlass_masking::SecretValues::default(), &lines)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "secrets \"cr-a\" is forbidden");
    let text = "Failed to write result to result store: secrets \"cr-a\" is forbidden";
    assert_eq!(lines.taken(), ["Writing command result", text]);
}
