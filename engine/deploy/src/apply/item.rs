//! One deployment item: deletions, hooks, objects in waves, readiness, hooks (spec 03 section 7.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use windlass_cluster::Discovery;
use windlass_model::deployment::ObjectMatch;
use windlass_model::object::Object;
use windlass_model::object_ref::{Gvk, ObjectRef};

use super::hooks::Hook;
use super::object::Role;
use super::waves::Waves;
use super::{ApplyMode, ReadinessWait, Run};
use crate::collect::PinnedItem;
use crate::delete::{DeleteRequest, Gone, Target, delete_object};
use crate::hooks::{HookSettings, HookStage};
use crate::wait::{WaitRequest, wait_ready};

const DELETE: &str = "kluctl.io/delete";
const WAIT_READINESS: &str = "kluctl.io/wait-readiness";

/// An item's objects, sorted by what happens to them.
pub(super) struct ItemPlan<'a> {
    pub(super) item: &'a PinnedItem,
    /// Prefix of progress lines.
    pub(super) label: &'a str,
    pub(super) waves: Waves<'a>,
    hooks: Vec<Hook<'a>>,
    /// Local objects marked for deletion.
    marked: BTreeSet<ObjectRef>,
    /// None of the item's objects exists.
    initial: bool,
}

impl<'a> ItemPlan<'a> {
    pub(super) fn new(item: &'a PinnedItem, run: &Run<'_>) -> Self {
        let (mut hooks, mut plain, mut marked) = (Vec::new(), Vec::new(), BTreeSet::new());
        for object in &item.objects {
            let settings = HookSettings::of(object);
            let reference = object.object_ref();
            settings.errors.iter().for_each(|message| run.fail(&reference, message.as_str()));
            settings.warnings.iter().for_each(|message| run.problems.warning(&reference, message.as_str()));
            if object.bool_annotation(DELETE) == Some(true) {
                marked.insert(reference);
            } else if settings.is_hook {
                hooks.push(Hook { object, reference, settings });
            } else {
                plain.push(object);
            }
        }
        hooks.sort_by_key(|hook| hook.settings.weight);
        let initial = item.objects.iter().all(|object| run.remote.get(&object.object_ref()).is_none());
        Self { item, label: label(item), waves: Waves::of(plain), hooks, marked, initial }
    }

    /// There is nothing to do, and nothing to tell about.
    fn is_empty(&self) -> bool {
        self.label.is_empty() && self.item.objects.is_empty()
    }

    /// Nothing has to happen before the item's objects.
    pub(super) fn starts_with_objects(&self) -> bool {
        self.marked.is_empty() && self.item.delete_objects.is_empty() && self.hooks_of(HookStage::Pre).next().is_none()
    }

    pub(super) fn hooks_of(&self, stage: HookStage) -> impl DoubleEndedIterator<Item = &Hook<'a>> {
        self.hooks.iter().filter(move |hook| hook.settings.runs_in(stage, self.initial))
    }

    fn waits_for(&self, object: &Object) -> bool {
        self.item.wait_readiness || object.bool_annotation(WAIT_READINESS) == Some(true)
    }

    fn awaited(&self) -> impl Iterator<Item = ObjectRef> {
        self.waves.objects().filter(|object| self.waits_for(object)).map(|object| object.object_ref())
    }
}

/// An object that several items of a batch have is applied once, as the last of them has it: they run at the same
/// time, and one after another would end the same way.
pub(super) fn drop_superseded(plans: &mut [ItemPlan<'_>]) {
    let mut last: BTreeMap<ObjectRef, *const Object> = BTreeMap::new();
    for object in plans.iter().flat_map(|plan| plan.waves.objects()) {
        last.insert(object.object_ref(), Arc::as_ptr(object));
    }
    if last.len() < plans.iter().map(|plan| plan.waves.len()).sum() {
        for plan in plans {
            plan.waves.retain(|object| last.get(&object.object_ref()) == Some(&Arc::as_ptr(object)));
        }
    }
}

fn label(item: &PinnedItem) -> &str {
    if !item.dir.is_empty() {
        &item.dir
    } else if !item.delete_objects.is_empty() {
        "<delete>"
    } else if !item.wait_readiness_objects.is_empty() {
        "<wait>"
    } else {
        ""
    }
}

impl Run<'_> {
    pub(super) fn begin(&self, plan: &ItemPlan<'_>) {
        if !plan.is_empty() {
            self.tell(plan.label, "Initializing".into());
        }
    }

    pub(super) async fn item(&self, plan: &ItemPlan<'_>) {
        if self.is_aborted() || plan.is_empty() {
            return;
        }
        let mut deletes = plan.marked.clone();
        deletes.extend(self.resolve(&plan.item.delete_objects));
        self.delete_objects(plan, &deletes).await;
        self.run_hooks(plan, HookStage::Pre).await;
        self.apply_objects(plan).await;
        self.wait_for_objects(plan, &deletes).await;
        if !self.is_aborted() {
            self.run_hooks(plan, HookStage::Post).await;
        }
        self.tell(plan.label, self.outcome(plan, &deletes));
    }

    fn outcome(&self, plan: &ItemPlan<'_>, deletes: &BTreeSet<ObjectRef>) -> String {
        let ledger = self.ledger();
        let applied = |object: &ObjectRef| ledger.applied.contains_key(object);
        let objects = plan.waves.objects().filter(|object| applied(&object.object_ref())).count();
        let hooks = plan.hooks.iter().filter(|hook| applied(&hook.reference)).count();
        let deleted = deletes.intersection(&ledger.deleted).count();
        let errors = plan.item.objects.iter().filter(|object| self.problems.had_error(&object.object_ref())).count();
        let parts = [
            ("Applied", objects, "objects"),
            ("Applied", hooks, "hooks"),
            ("Deleted", deleted, "objects"),
            ("Encountered", errors, "errors"),
        ];
        let parts = parts.iter().filter(|(_, count, _)| *count > 0);
        let texts: Vec<_> = parts.map(|(verb, count, what)| format!("{verb} {count} {what}.")).collect();
        if texts.is_empty() { "Applied 0 objects.".into() } else { texts.join(" ") }
    }

    /// The objects that a project names by group, kind, name and namespace.
    fn resolve(&self, matches: &[ObjectMatch]) -> Vec<ObjectRef> {
        let discovery = self.cluster.discovery();
        let mut found = Vec::new();
        for wanted in matches {
            let before = found.len();
            found.extend(
                resources(wanted, &discovery)
                    .map(|gvk| ObjectRef::new(&gvk, wanted.namespace.as_deref().unwrap_or_default(), &wanted.name)),
            );
            if found.len() == before {
                self.fail(&ObjectRef::default(), no_such_resource(wanted));
            }
        }
        found
    }

    async fn delete_objects(&self, plan: &ItemPlan<'_>, objects: &BTreeSet<ObjectRef>) {
        if objects.is_empty() {
            return;
        }
        self.tell(plan.label, format!("Deleting {} objects", objects.len()));
        let request = self.delete_request();
        join_all(objects.iter().map(|object| async {
            if self.is_aborted() {
                return;
            }
            match delete_object(object, Target::ByName, self.cluster, &request, self.problems).await {
                Ok(Gone::Deleted) => drop(self.ledger().deleted.insert(object.clone())),
                Ok(Gone::Missing) => {}
                Err(error) => self.fail(object, error.to_string()),
            }
        }))
        .await;
    }

    /// Deletions inside an item always wait: what follows relies on them.
    pub(super) fn delete_request(&self) -> DeleteRequest {
        DeleteRequest { dry_run: self.options.mode.dry_run(), wait: true, stop: self.options.stop.clone() }
    }

    async fn apply_objects(&self, plan: &ItemPlan<'_>) {
        if plan.waves.len() == 0 {
            return;
        }
        self.tell(plan.label, format!("Applying {} objects", plan.waves.len()));
        if !plan.starts_with_objects() {
            self.wave(plan, &plan.waves.foundations).await;
        }
        self.wave(plan, &plan.waves.prerequisites).await;
        self.wave(plan, &plan.waves.others).await;
        self.wave(plan, &plan.waves.interceptors).await;
    }

    /// Applies objects at the same time; with `--abort-on-error` one after another, because nothing
    /// may be sent after the first error.
    pub(super) async fn wave(&self, plan: &ItemPlan<'_>, objects: &[&Arc<Object>]) {
        if self.options.abort_on_error {
            for object in objects {
                self.apply_unless_aborted(plan, object).await;
            }
        } else {
            join_all(objects.iter().map(|object| self.apply_unless_aborted(plan, object))).await;
        }
        self.await_definitions(objects).await;
    }

    async fn apply_unless_aborted(&self, plan: &ItemPlan<'_>, object: &Arc<Object>) {
        if !self.is_aborted() {
            self.apply_object(plan.item, object, Role::Object).await;
        }
    }

    /// Watches all objects at once. What failed to be applied, or was deleted, will not get ready.
    async fn wait_for_objects(&self, plan: &ItemPlan<'_>, deleted: &BTreeSet<ObjectRef>) {
        // Names that lead nowhere are errors in a preview as well, and without waiting.
        let mut objects: BTreeSet<ObjectRef> = self.resolve(&plan.item.wait_readiness_objects).into_iter().collect();
        let ReadinessWait::UpTo(limit) = self.options.readiness else { return };
        if self.options.mode == ApplyMode::DryRun {
            return;
        }
        objects.extend(plan.awaited().filter(|object| !self.problems.had_error(object)));
        join_all(objects.difference(deleted).map(|object| self.wait_for(plan.label, object, limit))).await;
    }

    /// Whether the object got ready.
    pub(super) async fn wait_for(&self, item: &str, object: &ObjectRef, limit: std::time::Duration) -> bool {
        if self.options.mode == ApplyMode::DryRun {
            return true;
        }
        if self.is_aborted() {
            return false;
        }
        let request = WaitRequest { object, item, limit, stop: &self.options.stop };
        let outcome = wait_ready(request, self.cluster, &self.expectations, self.events, self.problems).await;
        outcome.errors.iter().for_each(|message| self.fail(object, message.as_str()));
        outcome.ready
    }
}

fn resources<'a>(wanted: &'a ObjectMatch, discovery: &'a Discovery) -> impl Iterator<Item = Gvk> + 'a {
    discovery.matching(wanted.group.as_deref(), wanted.kind.as_deref()).map(|resource| resource.gvk())
}

/// The same words for objects to delete.
fn no_such_resource(wanted: &ObjectMatch) -> String {
    let namespace = wanted.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
    let kind = wanted.kind.as_deref().unwrap_or_default();
    let group = wanted.group.as_deref().filter(|group| !group.is_empty());
    let group = group.map(|group| format!(".{group}")).unwrap_or_default();
    let name = &wanted.name;
    format!("failed to wait for readiness of {namespace}{name}. resource with group/kind {kind}{group} not found")
}
