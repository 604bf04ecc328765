//! Decides which image replaces a placeholder, and remembers why.
//!
//! In steps, so that cluster and registry are asked only when an answer needs
//! them: [`needs_deployed`] before the live object is fetched, [`decide`] before
//! a registry is asked, [`RegistryNeed::choose`] with its tags. Spec 02 B9, B12.

mod decision;
mod election;

use std::fmt;

use windlass_model::object_ref::ObjectRef;

use crate::fixed::{FixedImage, FixedImages, FixedQuery};
use crate::placeholder::{FieldPath, Occurrence};
use crate::policy::{Facts, SelectError, Selection, select_with, undated};
use crate::project_policy::ProjectPolicies;
use crate::reference::same_repository;

pub use decision::{DecisionSource, ImageDecision};
pub use election::{Election, ElectionError};

/// Whether newer images are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpdateImages {
    /// Fixed images first, then what runs, then the registry.
    #[default]
    Keep,
    /// Always the registry (`-u`).
    Update,
}

/// What all placeholders of one object have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectSite {
    /// The object; its namespace is the effective one.
    pub object: ObjectRef,
    /// The namespace as rendered, possibly empty.
    pub rendered_namespace: String,
    /// Tags of the deployment item, in order.
    pub deploy_tags: Vec<String>,
    /// Directory of the deployment item, relative to the source root.
    pub deployment_dir: String,
}

impl ObjectSite {
    /// `Kind/name`.
    pub fn deployment(&self) -> String {
        format!("{}/{}", self.object.kind, self.object.name)
    }
}

/// One placeholder to decide.
#[derive(Debug, Clone, Copy)]
pub struct ImageRequest<'a> {
    /// Its object.
    pub site: &'a ObjectSite,
    /// The placeholder.
    pub occurrence: &'a Occurrence,
}

/// What is known about the image that runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployed {
    /// Nobody looked: there is no cluster connection.
    Offline,
    /// The object or the field does not exist, or its kind does not.
    Absent,
    /// The live text.
    Image(String),
}

impl Deployed {
    fn image(&self) -> Option<&str> {
        match self {
            Self::Image(image) => Some(image),
            Self::Offline | Self::Absent => None,
        }
    }
}

/// The first step's outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Known without a registry.
    Resolved(ImageDecision),
    /// A registry must be asked.
    NeedsRegistry(RegistryNeed),
}

/// No image was found; the reasons say what was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The `get_image` argument.
    pub image: String,
    /// The object.
    pub object: ObjectRef,
    /// The field.
    pub path: FieldPath,
    /// What was tried, in order.
    pub reasons: Vec<String>,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, object, path, reasons } = self;
        write!(f, "failed to find fixed image for {image}: {} ({object}, field {path})", reasons.join("; "))
    }
}

impl std::error::Error for Unresolved {}

/// Whether the deployed image can change the result, so that the live object must be fetched.
///
/// Lists that show the deployed image fetch it anyway.
pub fn needs_deployed(
    request: ImageRequest<'_>,
    fixed: &FixedImages,
    vars: &FixedImages,
    update: UpdateImages,
) -> bool {
    update == UpdateImages::Keep && find_fixed(request, fixed, vars).is_none()
}

/// The deciding entry: `fixed` (flags, file, request, target), then the item's variable `images`.
pub fn find_fixed<'f>(
    request: ImageRequest<'_>,
    fixed: &'f FixedImages,
    vars: &'f FixedImages,
) -> Option<&'f FixedImage> {
    let deployment = request.site.deployment();
    let query = FixedQuery {
        image: &request.occurrence.call.image,
        rendered_namespace: &request.site.rendered_namespace,
        namespace: &request.site.object.namespace,
        deployment: &deployment,
        container: &request.occurrence.container,
    };
    fixed.find(&query).or_else(|| vars.find(&query))
}

/// What decides before a registry is asked, and how its tags are elected.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Flags, file, request, target.
    pub fixed: &'a FixedImages,
    /// The variable `images` of the item.
    pub vars: &'a FixedImages,
    /// The policies of the project.
    pub policies: &'a ProjectPolicies,
    /// Whether newer images are wanted.
    pub update: UpdateImages,
}

/// Decides without a registry, or says what to ask one.
pub fn decide(request: ImageRequest<'_>, rules: Rules<'_>, deployed: &Deployed) -> Result<Decision, ElectionError> {
    let Rules { fixed, vars, policies, update } = rules;
    let election = Election::of(&request.occurrence.call, policies)?;
    let draft = ImageDecision::draft(request, deployed.image());
    if update == UpdateImages::Keep {
        if let Some(entry) = find_fixed(request, fixed, vars) {
            let source = DecisionSource::Fixed(entry.origin.clone());
            return Ok(Decision::Resolved(draft.resolved(entry.result_image.clone(), source)));
        }
        if let Deployed::Image(image) = deployed {
            let source = DecisionSource::Deployed { other_repository: !same_repository(image, &draft.image) };
            return Ok(Decision::Resolved(draft.resolved(image.clone(), source)));
        }
    }
    let tried = tried(fixed, vars, deployed, update);
    Ok(Decision::NeedsRegistry(RegistryNeed { draft, election: Box::new(election), tried }))
}

fn tried(fixed: &FixedImages, vars: &FixedImages, deployed: &Deployed, update: UpdateImages) -> Vec<String> {
    if update == UpdateImages::Update {
        return Vec::new();
    }
    let entries = fixed.entries().len() + vars.entries().len();
    let fixed = match entries {
        0 => "fixed: no entries".to_owned(),
        1 => "fixed: the 1 entry does not match".to_owned(),
        n => format!("fixed: none of {n} entries matches"),
    };
    let deployed = match deployed {
        Deployed::Offline => "deployed: offline",
        _ => "deployed: not deployed",
    };
    vec![fixed, deployed.to_owned()]
}

/// A question for a registry.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryNeed {
    draft: ImageDecision,
    election: Box<Election>,
    tried: Vec<String>,
}

/// What the registry said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryAnswer<'a, S> {
    /// The complete list of tags.
    Tags(&'a [S]),
    /// Nobody asked: `--offline-images`.
    Offline,
    /// It could not be asked; the reason.
    Failed(&'a str),
}

impl RegistryNeed {
    /// The question for information only, about a placeholder that is decided: fills `registry_image` of a list.
    pub fn for_information(
        decision: &ImageDecision,
        occurrence: &Occurrence,
        policies: &ProjectPolicies,
    ) -> Result<Self, ElectionError> {
        let election = Election::of(&occurrence.call, policies)?;
        Ok(Self { draft: decision.clone(), election: Box::new(election), tried: Vec::new() })
    }

    /// The repository to ask, as the template wrote it; a tag or digest in it is an error there.
    pub fn image(&self) -> &str {
        &self.draft.image
    }

    /// How its tags are elected.
    pub fn election(&self) -> &Election {
        &self.election
    }

    /// The tags whose build time must be known before [`choose`](Self::choose).
    pub fn undated<'t, S: AsRef<str>>(&self, tags: &'t [S]) -> Vec<&'t str> {
        undated(tags, &self.election.filter, &self.election.policy)
    }

    /// Chooses among the tags.
    pub fn choose<S: AsRef<str>>(
        self,
        answer: RegistryAnswer<'_, S>,
        facts: &Facts,
    ) -> Result<Choice, Box<Unresolved>> {
        let tags = match answer {
            RegistryAnswer::Tags(tags) => tags,
            RegistryAnswer::Offline => return Err(self.unresolved("registry lookups are disabled")),
            RegistryAnswer::Failed(reason) => return Err(self.unresolved(reason)),
        };
        match select_with(tags, &self.election.filter, &self.election.policy, facts) {
            Ok(selection) => Ok(Choice { need: self, selection }),
            Err(SelectError::NoCandidates) if tags.is_empty() => Err(self.unresolved("the repository has no tags")),
            Err(_) => {
                let reason = format!("no tag matched latest_version: {}", self.draft.version_filter);
                Err(self.unresolved(&reason))
            }
        }
    }

    /// The outcome when the registry gave no usable answer.
    pub fn fail(self, reason: &str) -> Box<Unresolved> {
        self.unresolved(reason)
    }

    fn unresolved(self, reason: &str) -> Box<Unresolved> {
        let mut reasons = self.tried;
        reasons.push(format!("registry: {reason}"));
        let ImageDecision { image, object, path, .. } = self.draft;
        Box::new(Unresolved { image, object, path, reasons })
    }
}

/// A chosen tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    need: RegistryNeed,
    selection: Selection,
}

impl Choice {
    /// The tag, and why.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether [`finish`](Self::finish) wants the tag's digest.
    pub fn wants_digest(&self) -> bool {
        self.need.election.digest
    }

    /// The decision; `digest` (`sha256:…`) is appended when given.
    pub fn finish(self, digest: Option<&str>) -> ImageDecision {
        let result = self.image(digest);
        let mut decision =
            self.need.draft.resolved(result.clone(), DecisionSource::Registry { tag: self.selection.tag });
        decision.registry_image = Some(result);
        decision
    }

    /// The decision that was asked about, with the registry's image added for information.
    pub fn inform(self, digest: Option<&str>) -> ImageDecision {
        let image = self.image(digest);
        ImageDecision { registry_image: Some(image), ..self.need.draft }
    }

    fn image(&self, digest: Option<&str>) -> String {
        let tagged = format!("{}:{}", self.need.draft.image, self.selection.tag);
        digest.map_or(tagged.clone(), |digest| format!("{tagged}@{digest}"))
    }
}

#[cfg(test)]
mod tests;
