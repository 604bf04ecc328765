//! Stage 7: what is on the cluster before anything is written (spec 03 section 4).
//!
//! Objects are found by their discriminator label, kind by kind, and those of the project
//! that were not found that way by reference. Kinds that the project uses are listed
//! whole, since nearly everything found will be compared; any other kind can only contribute orphans,
//! so it is listed as metadata, and only managed objects are then read.
//!
//! Upstream also lists all namespaces. Nothing here needs that: whether a namespace is about to be created is seen
//! from the project's own `Namespace` objects, and for any other one the server answers for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::join_all;
use windlass_cluster::{ApiResource, Cluster, ClusterError, ListContent, ListRequest};
use windlass_model::event::Events;
use windlass_model::object::{DISCRIMINATOR_LABEL, Object};
use windlass_model::object_ref::{GroupKind, Gvk, ObjectRef};

use crate::delete::is_managed;
use crate::problems::Problems;

const BY_LABEL: &str = "Getting remote objects by discriminator";
/// Upstream's last line of this stage. It stays, because people and scripts know that applying comes next.
const NAMESPACES: &str = "Getting namespaces";
const SLOW: &str = "No discriminator configured for target, retrieval of remote objects will be slow.";
const REVERTED: &str = "listing objects by discriminator on global level failed due to permission errors, so Kluctl \
    reverted to listing on namespace level. This is not realiable and might end up missing detection for some orphan object";
const LABEL_PERMISSION: &str = "at least one permission error was encountered while gathering objects by discriminator \
    labels. This might result in orphan object detection to not work properly";
const KNOWN_PERMISSION: &str = "at least one permission error was encountered while gathering known objects. This might \
    result in orphan object detection and diffs to not work properly";
/// From this many unlabelled objects of a kind in one namespace on, one list of names is cheaper than reading each:
/// in a first deployment none of them exists.
const MANY: usize = 32;
/// Requests handed to the cluster at once; how many are sent is its own decision.
const QUEUE: usize = 256;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct ObserveRequest<'a> {
    /// Objects with this label.
    pub discriminator: Lookup<'a>,
    /// Objects that the project has.
    pub local: &'a BTreeSet<ObjectRef>,
    /// Which kinds are listed by label.
    pub kinds: ListedKinds,
}

/// Whether objects are looked up by label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Not at all.
    ByReferenceOnly,
    /// With this discriminator; an empty one finds nothing and warns.
    ByDiscriminator(&'a str),
}

/// Which kinds are listed by label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedKinds {
    /// All that the server serves: finds orphans.
    All,
    /// Those of the local objects.
    Used,
}

/// The live objects of a deployment, by exact reference.
#[derive(Debug, Clone, Default)]
pub struct RemoteState {
    objects: BTreeMap<ObjectRef, Arc<Object>>,
    unlisted: BTreeSet<GroupKind>,
}

impl RemoteState {
    /// The live object of a reference.
    pub fn get(&self, object: &ObjectRef) -> Option<&Arc<Object>> {
        self.objects.get(object)
    }

    /// All of them, ordered by reference.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectRef, &Arc<Object>)> {
        self.objects.iter()
    }

    /// Kinds whose list failed: more objects of the deployment may exist. Lists of single namespaces do not help.
    pub fn unlisted(&self) -> &BTreeSet<GroupKind> {
        &self.unlisted
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn insert(&mut self, object: Object) {
        self.objects.insert(object.object_ref(), Arc::new(object));
    }
}

impl FromIterator<Object> for RemoteState {
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        let mut state = Self::default();
        objects.into_iter().for_each(|object| state.insert(object));
        state
    }
}

/// Looks. Without a cluster there is nothing to see.
pub async fn observe(
    request: ObserveRequest<'_>,
    cluster: Option<&dyn Cluster>,
    events: &dyn Events,
    problems: &Problems,
) -> RemoteState {
    let mut state = RemoteState::default();
    let Some(cluster) = cluster else { return state };
    match request.discriminator {
        Lookup::ByReferenceOnly => {}
        Lookup::ByDiscriminator("") => events.warn(SLOW.into()),
        Lookup::ByDiscriminator(discriminator) => {
            events.start(BY_LABEL);
            let search = Search { cluster, discriminator, local: request.local, problems };
            search.run(request.kinds, &mut state).await;
            events.finish(BY_LABEL);
        }
    }
    let missing: Vec<_> = request.local.iter().filter(|object| state.get(object).is_none()).collect();
    if !missing.is_empty() {
        let title = format!("Getting {} additional remote objects", missing.len());
        events.start(&title);
        read_known(&missing, cluster, problems, &mut state).await;
        events.finish(&title);
    }
    events.start(NAMESPACES);
    events.finish(NAMESPACES);
    state
}

struct Search<'a> {
    cluster: &'a dyn Cluster,
    discriminator: &'a str,
    local: &'a BTreeSet<ObjectRef>,
    problems: &'a Problems,
}

impl Search<'_> {
    async fn run(&self, kinds: ListedKinds, state: &mut RemoteState) {
        let requests = self.requests(kinds);
        let lists = join_all(requests.iter().map(|request| self.cluster.list(request))).await;
        let (mut denied, mut partial) = (Vec::new(), Vec::new());
        for (request, list) in requests.into_iter().zip(lists) {
            match list {
                Ok(answer) if request.content == ListContent::Full => {
                    answer.value.into_iter().for_each(|object| state.insert(object));
                }
                Ok(answer) => partial.extend(answer.value),
                Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => {}
                Err(error) => {
                    state.unlisted.insert(request.gvk.group_kind());
                    if error.is_permission() {
                        denied.push(request);
                    } else {
                        self.problems.warning(&ObjectRef::new(&request.gvk, "", ""), error.to_string());
                    }
                }
            }
        }
        self.complete(partial, state).await;
        if !denied.is_empty() {
            self.list_namespaces(&denied, state).await;
            self.problems.general_warning(LABEL_PERMISSION);
        }
    }

    /// One list per kind, and one more where the project uses another version than the preferred one:
    /// its objects would otherwise be read one by one.
    fn requests(&self, kinds: ListedKinds) -> Vec<ListRequest> {
        let discovery = self.cluster.discovery();
        let used: BTreeSet<GroupKind> = self.local.iter().map(ObjectRef::group_kind).collect();
        let mut listed: BTreeMap<Gvk, ListContent> = BTreeMap::new();
        for resource in discovery.preferred().iter().filter(|resource| resource.has_verb("list")) {
            // Without local objects there is nothing to compare, but everything found will be shown.
            let whole = used.is_empty() || used.contains(&resource.group_kind());
            if whole || kinds == ListedKinds::All {
                let content = if whole { ListContent::Full } else { ListContent::Metadata };
                listed.insert(resource.gvk(), content);
            }
        }
        let versions =
            self.local.iter().map(ObjectRef::gvk).filter(|gvk| discovery.resource(gvk).is_some_and(can_list));
        listed.extend(versions.map(|gvk| (gvk, ListContent::Full)));
        listed.into_iter().map(|(gvk, content)| ListRequest { content, ..self.request(gvk) }).collect()
    }

    fn request(&self, gvk: Gvk) -> ListRequest {
        ListRequest::all(gvk).with_label(DISCRIMINATOR_LABEL, self.discriminator)
    }

    /// Reads the managed ones whole; others (copied labels) can neither be orphans nor be shown.
    async fn complete(&self, partial: Vec<Object>, state: &mut RemoteState) {
        let managed = partial.iter().filter(|object| is_managed(object)).map(Object::object_ref);
        let reads = managed.map(|object| async move { (self.cluster.get(&object).await, object) });
        for (answer, object) in futures::stream::iter(reads).buffered(QUEUE).collect::<Vec<_>>().await {
            match answer {
                Ok(answer) => state.insert(answer.value),
                Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => {}
                Err(error) => self.problems.warning(&object, error.to_string()),
            }
        }
    }

    /// Accounts of single namespaces may list there. Failures are no news.
    async fn list_namespaces(&self, denied: &[ListRequest], state: &mut RemoteState) {
        let names = self.local.iter().flat_map(|object| {
            let own = (object.group.is_empty() && object.kind == "Namespace").then_some(object.name.as_str());
            [Some(object.namespace.as_str()).filter(|name| !name.is_empty()), own].into_iter().flatten()
        });
        let names: BTreeSet<&str> = names.collect();
        let requests: Vec<_> = denied
            .iter()
            .flat_map(|request| names.iter().map(|name| self.request(request.gvk.clone()).in_namespace(name)))
            .collect();
        let lists = join_all(requests.iter().map(|request| self.cluster.list(request))).await;
        let found: Vec<_> = lists.into_iter().flatten().flat_map(|answer| answer.value).collect();
        if !found.is_empty() {
            self.problems.general_warning(REVERTED);
        }
        found.into_iter().for_each(|object| state.insert(object));
    }
}

fn can_list(resource: &ApiResource) -> bool {
    resource.has_verb("list")
}

async fn read_known(objects: &[&ObjectRef], cluster: &dyn Cluster, problems: &Problems, state: &mut RemoteState) {
    let objects = drop_missing(objects, cluster).await;
    let reads = objects.iter().map(|object| async move { (*object, cluster.get(object).await) });
    let answers: Vec<_> = futures::stream::iter(reads).buffered(QUEUE).collect().await;
    let mut denied = false;
    for (object, answer) in answers {
        match answer {
            Ok(answer) => {
                problems.api_warnings(object, &answer.warnings);
                state.insert(answer.value);
            }
            Err(ClusterError::NotFound(_) | ClusterError::UnknownKind(_)) => {}
            Err(error) if error.is_permission() => denied = true,
            Err(error) => problems.error(object, error.to_string()),
        }
    }
    if denied {
        problems.general_warning(KNOWN_PERMISSION);
    }
}

/// Leaves out objects of which a list of their kind and namespace says that they do not exist.
/// Kinds that cannot be listed are left in: reading tells more.
async fn drop_missing<'a>(objects: &[&'a ObjectRef], cluster: &dyn Cluster) -> Vec<&'a ObjectRef> {
    let mut groups: BTreeMap<(Gvk, &str), Vec<&ObjectRef>> = BTreeMap::new();
    for object in objects {
        groups.entry((object.gvk(), object.namespace.as_str())).or_default().push(object);
    }
    let checks = groups.into_iter().map(|((gvk, namespace), group)| async move {
        if group.len() < MANY {
            return group;
        }
        let request = ListRequest::all(gvk).in_namespace(namespace).metadata_only();
        match cluster.list(&request).await {
            Ok(answer) => {
                let names: BTreeSet<&str> = answer.value.iter().map(Object::name).collect();
                group.into_iter().filter(|object| names.contains(object.name.as_str())).collect()
            }
            Err(_) => group,
        }
    });
    join_all(checks).await.concat()
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
