//! What `images.get_image` leaves in rendered text, and finding it again.
//!
//! The text must survive YAML, Helm and Kustomize, so it has no spaces and no
//! quotes. Format and markers are upstream's. Spec 02 B4.

mod find;
mod path;
mod poke;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::filter::{FilterError, VersionFilter};

pub use find::{Carrier, Found, Occurrence, PlaceholderError, find, replace, unresolved_marker};
pub use path::{FieldPath, PathStep};
pub use poke::{Poked, poke};

/// Starts a placeholder.
pub const BEGIN: &str = "XXXXXbegin_get_image_";
/// Ends a placeholder.
pub const END: &str = "_end_get_imageXXXXX";

/// One call of `images.get_image`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ImageCall {
    /// The repository, as written.
    pub image: String,
    /// The filter text, as written; absent means `semver()`.
    #[serde(default)]
    pub latest_version: Option<String>,
    /// Whether the result shall name the digest too.
    #[serde(default)]
    pub digest: bool,
}

impl ImageCall {
    /// A call without filter.
    pub fn new(image: &str) -> Self {
        Self { image: image.to_owned(), latest_version: None, digest: false }
    }

    /// The filter to use.
    pub fn filter(&self) -> Result<VersionFilter, FilterError> {
        self.latest_version.as_deref().map_or_else(|| Ok(VersionFilter::default()), VersionFilter::parse)
    }

    /// The filter text as given, `semver()` when none was.
    pub fn filter_text(&self) -> &str {
        self.latest_version.as_deref().unwrap_or("semver()")
    }

    /// The placeholder for this call. Without filter it is the same text as upstream's.
    pub fn encode(&self) -> String {
        let mut json = format!("{{\"image\": {}", Value::from(self.image.as_str()));
        if let Some(filter) = &self.latest_version {
            json.push_str(&format!(", \"latestVersion\": {}", Value::from(filter.as_str())));
        }
        if self.digest {
            json.push_str(", \"digest\": true");
        }
        json.push('}');
        format!("{BEGIN}{}{END}", STANDARD.encode(json))
    }

    /// Reads the text between the markers.
    fn decode(body: &str) -> Option<Self> {
        serde_json::from_slice(&STANDARD.decode(body).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_argument_form_is_upstreams_text() {
        let text = ImageCall::new("reg.example/one").encode();
        assert_eq!(text, "XXXXXbegin_get_image_eyJpbWFnZSI6ICJyZWcuZXhhbXBsZS9vbmUifQ==_end_get_imageXXXXX");
    }

    #[test]
    fn a_call_survives_the_way() {
        let call = ImageCall { image: "r/ä".into(), latest_version: Some("regex(\"a\\d\")".into()), digest: true };
        let text = call.encode();
        let body = text.strip_prefix(BEGIN).unwrap().strip_suffix(END).unwrap();
        assert_eq!(ImageCall::decode(body), Some(call));
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in
            ["", "!!", &STANDARD.encode("{"), &STANDARD.encode("{}"), &STANDARD.encode(r#"{"image":"a","x":1}"#)]
        {
            assert_eq!(ImageCall::decode(body), None, "{body}");
        }
    }
}
