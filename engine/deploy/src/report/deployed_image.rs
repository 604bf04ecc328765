//! What ran before, per image: results tell it even where it played no part in the decision.
//!
//! The live objects are those that the command has read anyway; nothing is requested for this.

use std::collections::BTreeMap;

use windlass_images::resolve::ImageDecision;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;

use crate::collect::PinnedObjects;
use crate::observe::RemoteState;

/// The decisions with `deployed_image`, wherever the live object has the field.
pub(super) fn complete(
    decisions: &[ImageDecision],
    local: &PinnedObjects,
    remote: Option<&RemoteState>,
) -> Vec<ImageDecision> {
    let Some(remote) = remote.filter(|_| !decisions.is_empty()) else { return decisions.to_vec() };
    let objects: BTreeMap<ObjectRef, &Object> =
        local.objects().map(|object| (object.object_ref(), object.as_ref())).collect();
    let completed = decisions.iter().cloned().map(|mut decision| {
        if decision.deployed_image.is_none() {
            let live = remote.get(&decision.object);
            let pair = objects.get(&decision.object).zip(live);
            decision.deployed_image = pair.and_then(|(resolved, live)| deployed(&decision, resolved, live));
        }
        decision
    });
    completed.collect()
}

/// The live text in place of the image; text around it must be the same.
fn deployed(decision: &ImageDecision, resolved: &Object, live: &Object) -> Option<String> {
    let ImageDecision { path, result_image, .. } = decision;
    let text = path.get(&resolved.0)?.as_str()?;
    let (before, after) = text.split_once(result_image.as_str())?;
    let live = path.follow_names(&resolved.0, &live.0)?.get(&live.0)?.as_str()?;
    let image = live.strip_prefix(before)?.strip_suffix(after)?;
    (!image.is_empty()).then(|| image.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use windlass_images::placeholder::{FieldPath, PathStep};
    use windlass_images::resolve::DecisionSource;

    use super::*;

    fn decision(path: FieldPath) -> ImageDecision {
        ImageDecision {
            image: "r/app".into(),
            result_image: "r/app:2".into(),
            deployed_image: None,
            registry_image: None,
            version_filter: String::new(),
            filter_given: false,
            object: ObjectRef::default(),
            path,
            container: String::new(),
            deploy_tags: Vec::new(),
            deployment_dir: String::new(),
            source: DecisionSource::Registry { tag: "2".into() },
        }
    }

    fn found(resolved: Value, live: Value) -> Option<String> {
        let path = [PathStep::Key("c".into()), PathStep::Index(0), PathStep::Key("image".into())];
        deployed(&decision(FieldPath(path.into())), &Object(resolved), &Object(live))
    }

    #[test]
    fn the_live_element_of_the_same_name_counts() {
        let live = json!({"c": [{"name": "side", "image": "x"}, {"name": "app", "image": "r/app:1"}]});
        assert_eq!(
            found(json!({"c": [{"name": "app", "image": "r/app:2"}]}), live.clone()).as_deref(),
            Some("r/app:1")
        );
        assert_eq!(found(json!({"c": [{"name": "new", "image": "r/app:2"}]}), live), None);
    }

    #[test]
    fn text_around_the_image_must_be_the_same() {
        let resolved = json!({"c": [{"image": "--run=r/app:2!"}]});
        assert_eq!(found(resolved.clone(), json!({"c": [{"image": "--run=r/app:1!"}]})).as_deref(), Some("r/app:1"));
        assert_eq!(found(resolved.clone(), json!({"c": [{"image": "r/app:1"}]})), None);
        assert_eq!(found(resolved.clone(), json!({"c": [{"image": "--run=!"}]})), None);
        assert_eq!(found(resolved, json!({"c": [{}]})), None);
    }
}
