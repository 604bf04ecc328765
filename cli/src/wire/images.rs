//! Fixed images of flags and file.

use std::io::Read;

use windlass_deploy::ImageOptions;
use windlass_images::fixed::{FixedImage, FixedImageError, FixedImages, FixedOrigin};
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
    let entries = FixedImages::from_document(&document.value, origin).map_err(|error| match &error {
        FixedImageError::Entry { index, .. } => {
            let at = document.location(&["images".into(), (*index).into()]);
            fail(format!("{error} ({at}: images[{index}])"))
        }
        _ => fail(error.to_string()),
    });
    Ok(entries?)
}

fn stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::source::{Source, Sourced};

    fn read(text: &str) -> Result<ImageOptions, String> {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("f.yaml");
        std::fs::write(&path, text).expect("write");
        let file = Sourced::new(path, Source::Flag("--fixed-images-file".into()));
        let flag = Sourced::new("img=flag".to_owned(), Source::Flag("-F".into()));
        let settings = ImageSettings { fixed: vec![flag], fixed_file: Some(file), update: false, offline: false };
        let shorten = |text: String| text.replace(&format!("{}/", dir.path().display()), "");
        options(&settings).map_err(|failure| shorten(failure.to_string()))
    }

    #[test]
    fn flags_come_after_the_file() {
        let found = read("images: [{image: img, resultImage: file}]").expect("options").fixed;
        assert_eq!(
            found.entries().iter().map(|entry| entry.result_image.as_str()).collect::<Vec<_>>(),
            ["file", "flag"]
        );
    }

    #[test]
    fn a_broken_entry_is_named() {
        let error = read("images:\n- image: a\n  resultImage: b\n- image: c\n").expect_err("must fail");
        let reason =
            "Key: 'FixedImage.ResultImage' Error:Field validation for 'ResultImage' failed on the 'required' tag";
        assert_eq!(error, format!("unmarshalling f.yaml failed: {reason} (f.yaml:4:3: images[1])"));
        let error = read("images:\n- imageRegex: (\n  resultImage: b\n").expect_err("must fail");
        assert!(error.ends_with("(f.yaml:2:3: images[0])"), "{error}");
    }

    #[test]
    fn a_broken_document_has_a_position() {
        for (text, wanted) in [
            ("images: [", "unmarshalling f.yaml failed: f.yaml:1:9: "),
            ("images: 5", "unmarshalling f.yaml failed: error unmarshaling JSON: "),
            (
                "other: []",
                "unmarshalling f.yaml failed: error unmarshaling JSON: while decoding JSON: json: unknown field",
            ),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
