//! `list-images`: every image of the target, as a fixed-images file.

use serde_json::{Map, Value, json};
use windlass_model::result::ImageEntry;

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt;
use crate::settings::ListImagesSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: ListImagesSettings) -> Result<(), Failure> {
    let (limit, simple, targets) = (settings.common.project.timeout, settings.simple, settings.output.clone());
    let task = app.clone();
    let images = interrupt::run(limit, async move { wire::list_images(&task, &settings).await })?;
    output::to_all(app, &targets, &document(&images, simple)?)
}

fn document(images: &[ImageEntry], simple: bool) -> Result<String, Failure> {
    let entries = images.iter().map(|image| entry(image, simple)).collect::<Result<Vec<_>, _>>()?;
    let value = if entries.is_empty() { Value::Object(Map::new()) } else { json!({"images": entries}) };
    Ok(windlass_yaml::to_string(&value))
}

fn entry(image: &ImageEntry, simple: bool) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(image).map_err(|error| Failure::Output { text: error.to_string() })?;
    if let Some(map) = value.as_object_mut().filter(|_| simple) {
        map.retain(|key, _| matches!(key.as_str(), "image" | "resultImage"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_images_are_an_empty_map() {
        assert_eq!(document(&[], false).expect("text"), "{}\n");
    }

    #[test]
    fn the_simple_form_has_two_keys() {
        let image: ImageEntry =
            serde_json::from_value(json!({"image": "reg.example/a", "resultImage": "a:1", "namespace": "x"}))
                .expect("image");
        assert_eq!(document(&[image], true).expect("text"), "images:\n- image: reg.example/a\n  resultImage: a:1\n");
    }
}
