//! Stage: puts what happened into a command result (spec 03 section 15).

mod deployed_image;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use windlass_images::fixed::{FixedImage, ImageMatch};
use windlass_model::deployment::DeploymentConfig;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::result::{
    Change, ClusterInfo, CommandInfo, CommandResult, DeploymentError, GitInfo, ImageEntry, ProjectKey, ResultObject,
    ResultTarget, TargetKey,
};

use crate::collect::PinnedObjects;
use crate::diff::{by_diff_ref, diff_ref};
use crate::observe::RemoteState;
use crate::prepare::Prepared;
use crate::tree::ProjectNode;

/// What a flow found out about objects.
#[derive(Debug, Default)]
pub struct ObjectFacts<'a> {
    /// Live objects before the command.
    pub remote: Option<&'a RemoteState>,
    /// The server's answers.
    pub applied: Option<&'a BTreeMap<ObjectRef, Arc<Object>>>,
    /// Applied as hooks.
    pub hooks: BTreeSet<ObjectRef>,
    /// Did not exist before.
    pub new: BTreeSet<ObjectRef>,
    /// Changes by diff ref.
    pub changes: BTreeMap<ObjectRef, Vec<Change>>,
    /// Deleted by the command.
    pub deleted: BTreeSet<ObjectRef>,
    /// Left over.
    pub orphans: BTreeSet<ObjectRef>,
}

/// Facts about the run as a whole.
#[derive(Debug, Clone, Default)]
pub struct RunFacts {
    /// UUID of the run.
    pub id: String,
    /// Repository of the project.
    pub git: GitInfo,
    /// Key of that repository, empty when unknown.
    pub repo_key: String,
    /// UID of `kube-system`, empty when unknown.
    pub cluster_id: String,
}

/// Builds the result of a command; lists come out sorted.
pub fn result(
    prepared: &Prepared,
    run: RunFacts,
    command: CommandInfo,
    facts: ObjectFacts<'_>,
    errors: Vec<DeploymentError>,
    warnings: Vec<DeploymentError>,
) -> CommandResult {
    let RunFacts { id, git, repo_key, cluster_id } = run;
    let target = &prepared.target.target;
    let mut result = CommandResult {
        id,
        project_key: ProjectKey { repo_key, sub_dir: git.sub_dir.clone() },
        target_key: TargetKey {
            target_name: target.name.clone(),
            cluster_id: cluster_id.clone(),
            discriminator: target.discriminator.clone(),
        },
        target: result_target(prepared),
        command,
        git_info: git,
        cluster_info: ClusterInfo { cluster_id },
        deployment: serde_json::to_value(deployment(prepared)).ok(),
        seen_images: seen_images(prepared, facts.remote),
        objects: objects(&prepared.objects, facts),
        errors,
        warnings,
        ..CommandResult::default()
    };
    result.sort();
    result
}

fn result_target(prepared: &Prepared) -> ResultTarget {
    let target = &prepared.target.target;
    ResultTarget {
        name: target.name.clone(),
        context: target.context.clone(),
        args: target.args.clone(),
        aws: serde_json::to_value(&target.aws).unwrap_or_default(),
        images: target.images.clone(),
        discriminator: target.discriminator.clone(),
    }
}

/// Every resolved image as results record it; `remote` tells what ran before.
pub fn seen_images(prepared: &Prepared, remote: Option<&RemoteState>) -> Vec<ImageEntry> {
    let decisions = deployed_image::complete(&prepared.images.decisions, &prepared.objects, remote);
    let seen = windlass_images::listing::seen(&decisions);
    seen.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()
}

/// The fixed images of the run as results record them.
pub fn command_images(prepared: &Prepared) -> Vec<ImageEntry> {
    prepared.images.fixed.entries().iter().map(image_entry).collect()
}

fn image_entry(fixed: &FixedImage) -> ImageEntry {
    let FixedImage { image, namespace, deployment, container, result_image, origin: _ } = fixed;
    let (image, image_regex) = match image {
        Some(ImageMatch::Exact(image)) => (Some(image.clone()), None),
        Some(ImageMatch::Regex(regex)) => (None, Some(regex.as_str().to_owned())),
        None => (None, None),
    };
    ImageEntry {
        image,
        image_regex,
        result_image: result_image.clone(),
        namespace: namespace.clone(),
        deployment: deployment.clone(),
        container: container.clone(),
        ..ImageEntry::default()
    }
}

/// The root `deployment.yaml` with the objects of each item and the included projects.
fn deployment(prepared: &Prepared) -> DeploymentConfig {
    let mut rendered: BTreeMap<&[usize], Vec<ObjectRef>> = BTreeMap::new();
    for (position, item) in prepared.positions.iter().zip(&prepared.objects.items) {
        if let Some(position) = position {
            rendered.insert(position, item.objects.iter().map(|o| o.object_ref()).collect());
        }
    }
    project(&prepared.tree, &mut Vec::new(), &rendered)
}

fn project(
    node: &ProjectNode,
    position: &mut Vec<usize>,
    rendered: &BTreeMap<&[usize], Vec<ObjectRef>>,
) -> DeploymentConfig {
    let mut config = node.config.clone();
    for (index, item) in config.deployments.iter_mut().enumerate() {
        position.push(index);
        item.rendered_objects = rendered.get(position.as_slice()).filter(|refs| !refs.is_empty()).cloned();
        if let Some(included) = node.includes.get(&index) {
            item.rendered_include = Some(Box::new(project(included, position, rendered)));
        }
        position.pop();
    }
    config
}

fn objects(local: &PinnedObjects, facts: ObjectFacts<'_>) -> Vec<ResultObject> {
    let ObjectFacts { remote, applied, hooks, new, mut changes, deleted, orphans } = facts;
    let mut entries: BTreeMap<ObjectRef, ResultObject> = BTreeMap::new();
    for object in local.objects() {
        entry(&mut entries, diff_ref(object)).rendered = Some(Object::clone(object));
    }
    for (key, object) in remote.map(by_diff_ref).unwrap_or_default() {
        entry(&mut entries, key).remote = Some(Object::clone(&object));
    }
    for (own, object) in applied.into_iter().flatten() {
        let key = diff_ref(object);
        let entry = entry(&mut entries, key.clone());
        entry.applied = Some(Object::clone(object));
        entry.hook = hooks.contains(own);
        entry.changes = changes.remove(&key).unwrap_or_default();
        entry.new = new.contains(own) && !entry.hook && entry.changes.is_empty();
    }
    for own in deleted {
        entry(&mut entries, own).deleted = true;
    }
    for own in orphans {
        let entry = entry(&mut entries, own);
        entry.orphan = !entry.deleted;
    }
    let part_of_run = |e: &ResultObject| e.rendered.is_some() || e.applied.is_some() || e.deleted || e.orphan;
    entries.into_values().filter(part_of_run).collect()
}

fn entry(entries: &mut BTreeMap<ObjectRef, ResultObject>, key: ObjectRef) -> &mut ResultObject {
    entries.entry(key.clone()).or_insert_with(|| ResultObject { object_ref: key, ..ResultObject::default() })
}
