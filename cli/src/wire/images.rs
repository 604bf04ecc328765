//! Fixed images of flags and file.

use std::io::Read;

use windlass_deploy::ImageOptions;
use windlass_images::fixed::{FixedImage, FixedImages, FixedOrigin};
use windlass_yaml::{Dialect, parse_first};

use crate::diagnostics::Failure;
use crate::settings::{ImageSettings, SettingError};

/// File first, then flags: later entries win.
pub(super) fn options(settings: &ImageSettings) -> Result<ImageOptions, Failure> {
    let mut fixed = FixedImages::default();
    fixed.extend(of_file(settings)?);
    for text in &settings.fixed {
        let entry = FixedImage::from_flag(&text.value).map_err(|error| {
            SettingError::new(error.to_string(), &text.source)
                .with_hint("for other images use a file with `--fixed-images-file`, see `list-images`")
        })?;
        fixed.extend([entry]);
    }
    Ok(ImageOptions { fixed, update: settings.update, offline: settings.offline })
}

fn of_file(settings: &ImageSettings) -> Result<Vec<FixedImage>, Failure> {
    let Some(file) = &settings.fixed_file else { return Ok(Vec::new()) };
    let name = file.value.display().to_string();
    let fail = |reason: String| SettingError::new(format!("unmarshalling {name} failed: {reason}"), &file.source);
    let bytes = if name == "-" { stdin() } else { std::fs::read(&file.value) };
    let bytes = bytes.map_err(|error| SettingError::new(crate::files::open_error(&name, &error), &file.source))?;
    let text = windlass_yaml::decode(&bytes, &name).map_err(|error| fail(error.to_string()))?;
    let source = windlass_yaml::Source::new(name.clone(), text);
    let document = parse_first(&source, Dialect::GoV2).map_err(|error| fail(error.to_string()))?;
    let origin = |index: usize| FixedOrigin::File {
        path: file.value.clone(),
        index,
        at: Some(document.location(&["images".into(), index.into()])),
    };
    Ok(FixedImages::from_document(&document.value, origin).map_err(|error| fail(error.to_string()))?)
}

fn stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
}
