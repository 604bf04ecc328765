//! The answer for programs. Keys may be added, never changed.

use serde_json::{Value, json};
use windlass_deploy::flows::ExplainedImage;
use windlass_images::policy::TagReport;
use windlass_images::resolve::DecisionSource;

use crate::wire::Explained;

/// One document with the key `version`.
pub(super) fn document(found: &Explained) -> String {
    let images: Vec<Value> = match found {
        Explained::Policy { name, image, rule, tags } => {
            vec![json!({"policy": name, "image": image, "rule": rule, "tags": tag_list(tags)})]
        }
        Explained::Images(images) => images.images.iter().map(of_image).collect(),
    };
    let unresolved: Vec<String> = match found {
        Explained::Policy { .. } => Vec::new(),
        Explained::Images(images) => images.unresolved.iter().map(ToString::to_string).collect(),
    };
    let document = json!({"version": 1, "images": images, "unresolved": unresolved});
    format!("{document:#}\n")
}

fn of_image(image: &ExplainedImage) -> Value {
    let decision = &image.decision;
    let source = match &decision.source {
        DecisionSource::Fixed(origin) => json!({"kind": "fixed", "entry": origin.to_string()}),
        DecisionSource::Deployed { other_repository } => {
            json!({"kind": "deployed", "otherRepository": other_repository})
        }
        DecisionSource::Registry { tag } => json!({"kind": "registry", "tag": tag}),
        _ => json!({"kind": "other"}),
    };
    json!({
        "image": decision.image,
        "rule": decision.version_filter,
        "object": decision.object.to_string(),
        "field": decision.path.to_string(),
        "container": decision.container,
        "result": decision.result_image,
        "deployed": decision.deployed_image,
        "source": source,
        "tags": tag_list(&image.tags),
    })
}

fn tag_list(tags: &Result<TagReport, String>) -> Value {
    match tags {
        Err(reason) => json!({"error": reason}),
        Ok(report) => {
            let entry = |tag: &windlass_images::policy::ReportedTag| json!({"tag": tag.tag, "fate": tag.fate.as_str(), "reason": tag.reason});
            json!({"chosen": report.chosen, "list": report.tags.iter().map(entry).collect::<Vec<_>>()})
        }
    }
}
