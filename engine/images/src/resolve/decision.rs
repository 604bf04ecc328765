//! The outcome for one placeholder.

use windlass_model::object_ref::ObjectRef;

use super::ImageRequest;
use crate::fixed::FixedOrigin;
use crate::placeholder::FieldPath;

/// Why an image was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionSource {
    /// A fixed image.
    Fixed(FixedOrigin),
    /// It runs already.
    Deployed {
        /// It comes from another repository than the one asked for: worth a warning that mentions `-u`.
        other_repository: bool,
    },
    /// The registry's best tag.
    Registry {
        /// That tag.
        tag: String,
    },
}

/// What one placeholder becomes, with everything that lists and results show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDecision {
    /// The `get_image` argument.
    pub image: String,
    /// The replacement.
    pub result_image: String,
    /// The image that runs now, when known.
    pub deployed_image: Option<String>,
    /// The registry's best image, when it was asked.
    pub registry_image: Option<String>,
    /// The filter text as given, `semver()` when none was.
    pub version_filter: String,
    /// Whether the template gave a filter.
    pub filter_given: bool,
    /// The object; its namespace is the effective one.
    pub object: ObjectRef,
    /// The field.
    pub path: FieldPath,
    /// The container, or empty.
    pub container: String,
    /// Tags of the deployment item.
    pub deploy_tags: Vec<String>,
    /// Directory of the deployment item.
    pub deployment_dir: String,
    /// Why.
    pub source: DecisionSource,
}

impl ImageDecision {
    /// `Kind/name` of the object.
    pub fn deployment(&self) -> String {
        format!("{}/{}", self.object.kind, self.object.name)
    }

    /// A warning that the result deserves.
    pub fn warning(&self) -> Option<String> {
        let Self { image, result_image, object, .. } = self;
        matches!(self.source, DecisionSource::Deployed { other_repository: true }).then(|| {
            format!(
                "{object}: kept the deployed image `{result_image}`, which is not from `{image}`; use `-u` to update it"
            )
        })
    }

    /// Everything but result and source; private to the resolution steps.
    pub(super) fn draft(request: ImageRequest<'_>, deployed: Option<&str>) -> Self {
        let ImageRequest { site, occurrence } = request;
        Self {
            image: occurrence.call.image.clone(),
            result_image: String::new(),
            deployed_image: deployed.map(str::to_owned),
            registry_image: None,
            version_filter: occurrence.call.filter_text().to_owned(),
            filter_given: occurrence.call.latest_version.is_some(),
            object: site.object.clone(),
            path: occurrence.path.clone(),
            container: occurrence.container.clone(),
            deploy_tags: site.deploy_tags.clone(),
            deployment_dir: site.deployment_dir.clone(),
            source: DecisionSource::Registry { tag: String::new() },
        }
    }

    pub(super) fn resolved(self, result_image: String, source: DecisionSource) -> Self {
        Self { result_image, source, ..self }
    }
}
