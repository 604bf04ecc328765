//! Stage 6: replaces the placeholders of `images.get_image` (spec 02 section B12).
//!
//! In waves over all objects: find placeholders, fetch the live objects that
//! matter, decide, ask registries once per repository, write the results.

mod build_times;
mod deployed;
mod tags;

pub use build_times::explain_tags;

use std::sync::{Arc, LazyLock};

use rayon::prelude::*;
use serde_json::{Map, Value};
use windlass_cluster::Cluster;
use windlass_images::fixed::{FixedImageError, FixedImages, FixedOrigin};
use windlass_images::placeholder::{self, Occurrence, PlaceholderError};
use windlass_images::project_policy::ProjectPolicies;
use windlass_images::resolve::{
    self, Decision, Deployed, ElectionError, ImageDecision, ImageRequest as Question, ObjectSite, Rules, Unresolved,
    UpdateImages,
};
use windlass_images::template_functions;
use windlass_model::event::Events;
use windlass_model::object::Object;
use windlass_model::object_ref::ObjectRef;
use windlass_model::project::TargetConfig;
use windlass_registry::Registry;
use windlass_template::ImageFunctions;

use crate::collect::{LocalObjects, RenderedScopes};
use crate::multi_error::Errors;

/// How images are found.
#[derive(Debug, Clone, Default)]
pub struct ImageOptions {
    /// Entries of `--fixed-images-file` and `-F`, later ones win.
    pub fixed: FixedImages,
    /// `-u`: ask the registry for every image.
    pub update: bool,
    /// `--offline-images`: never ask the registry.
    pub offline: bool,
}

/// What the images are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageMode {
    /// Objects that go to a cluster or to the user.
    Normal,
    /// `list-images`: everything that can be known, failures are told at the end.
    List,
    /// `list-images --simple`: results only, failures are told at the end.
    ListSimple,
    /// As `Normal`, for `poke-images`, which needs the places of the images too.
    Poke,
    /// `delete` and `prune`: only the identities of objects matter.
    Identities,
}

/// What image resolution needs.
#[derive(Clone, Copy)]
pub struct ImageRequest<'a> {
    /// Flags.
    pub options: &'a ImageOptions,
    /// The target, for its `images`.
    pub target: &'a TargetConfig,
    /// The policies that calls may name.
    pub policies: &'a ProjectPolicies,
    /// What for.
    pub mode: ImageMode,
    /// Final namespaces.
    pub scopes: &'a RenderedScopes<'a>,
}

/// All decisions, and in list modes what could not be decided.
#[derive(Debug, Default)]
pub struct ResolvedImages {
    /// In item, object and field order.
    pub decisions: Vec<ImageDecision>,
    /// Only in list modes; otherwise these are errors.
    pub unresolved: Vec<ImageFailure>,
    /// The entries of target, file and flags in the order they were given, for results.
    pub fixed: FixedImages,
    /// Where the images belong; only in [`ImageMode::Poke`].
    pub places: Vec<ImagePlaces>,
}

/// The places of images in one object.
#[derive(Debug, Clone)]
pub struct ImagePlaces {
    /// The object; its namespace is the effective one.
    pub object: ObjectRef,
    /// With placeholders.
    pub rendered: Object,
    /// With images.
    pub resolved: Object,
    /// The placeholders.
    pub found: Vec<Occurrence>,
}

/// Why images cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// Entries of the target.
    #[error(transparent)]
    Target(#[from] FixedImageError),
    /// Placeholders of items.
    #[error(transparent)]
    Items(#[from] Errors<ItemFailure>),
}

/// The images of one item.
#[derive(Debug, thiserror::Error)]
#[error("postprocessing kustomize objects for {} failed: {source}", dir.display())]
pub struct ItemFailure {
    /// The item's source directory.
    pub dir: std::path::PathBuf,
    /// Each image.
    #[source]
    pub source: Errors<ImageFailure>,
}

/// One image.
#[derive(Debug, thiserror::Error)]
pub enum ImageFailure {
    /// Nothing gave an image.
    #[error(transparent)]
    Unresolved(#[from] Box<Unresolved>),
    /// A broken placeholder.
    #[error("{object}: {source}")]
    Placeholder {
        /// Its object.
        object: ObjectRef,
        /// What is wrong.
        #[source]
        source: PlaceholderError,
    },
    /// Its tags can not be elected: no such policy, or a hand-made placeholder with a bad filter.
    #[error("{object}: {source}")]
    Election {
        /// Its object.
        object: ObjectRef,
        /// What is wrong.
        #[source]
        source: ElectionError,
    },
    /// The variable `images` of the item.
    #[error(transparent)]
    Vars(FixedImageError),
    /// The live object cannot be read, and its image was needed.
    #[error("get the deployed image of {object}: {message}")]
    Live {
        /// The object.
        object: ObjectRef,
        /// The server's answer.
        message: String,
    },
}

/// `images.*` and `version.*` of templates.
#[derive(Debug, Clone, Copy)]
pub struct TemplateFunctions;

impl ImageFunctions for TemplateFunctions {
    fn get_image(&self, positional: &[Value], named: &Map<String, Value>) -> Result<String, String> {
        template_functions::get_image(positional, named)
    }

    fn version(&self, name: &str, positional: &[Value], named: &Map<String, Value>) -> Result<String, String> {
        template_functions::version_function(name, positional, named)
    }
}

/// An object with placeholders.
struct Site {
    item: usize,
    object: usize,
    site: ObjectSite,
    found: Vec<Occurrence>,
    vars: VarsImages,
}

/// The variable `images` of an item. It is read only when an image is looked up that nothing before it answers.
#[derive(Clone)]
enum VarsImages {
    Entries(Arc<FixedImages>),
    /// It cannot be read, which has been reported.
    Broken,
}

static NO_ENTRIES: LazyLock<FixedImages> = LazyLock::new(FixedImages::default);

impl Site {
    fn question<'a>(&'a self, occurrence: &'a Occurrence) -> Question<'a> {
        Question { site: &self.site, occurrence }
    }

    fn vars(&self) -> &FixedImages {
        match &self.vars {
            VarsImages::Entries(images) => images,
            VarsImages::Broken => &NO_ENTRIES,
        }
    }

    /// Whether the entry that decides may be one that cannot be read.
    fn is_open(&self, occurrence: &Occurrence, fixed: &FixedImages) -> bool {
        matches!(self.vars, VarsImages::Broken) && !is_fixed(&self.site, occurrence, fixed)
    }
}

/// Whether flags, file or target answer.
fn is_fixed(site: &ObjectSite, occurrence: &Occurrence, fixed: &FixedImages) -> bool {
    resolve::find_fixed(Question { site, occurrence }, fixed, &NO_ENTRIES).is_some()
}

/// Replaces every placeholder.
///
/// # Errors
/// All images that cannot be resolved, per item; in list modes only what is wrong with entries.
pub async fn resolve(
    mut local: LocalObjects,
    request: ImageRequest<'_>,
    registry: &dyn Registry,
    cluster: Option<&dyn Cluster>,
    events: &dyn Events,
) -> Result<(LocalObjects, ResolvedImages), ImagesError> {
    let fixed = fixed_images(request)?;
    let (sites, mut failures) = find(&local, &fixed, request);
    if request.mode == ImageMode::Identities {
        for site in &sites {
            write_back(&mut local, site, &identities(site, &fixed));
        }
        return Ok((local, ResolvedImages { fixed, ..ResolvedImages::default() }));
    }
    let deployed = deployed::fetch(&sites, &local, &fixed, request, cluster, events, &mut failures).await;
    let answers = decide(&sites, &deployed, &fixed, request, registry, events, &mut failures).await;
    let (mut decisions, mut places) = (Vec::new(), Vec::new());
    for (site, answers) in sites.iter().zip(answers) {
        let rendered = (request.mode == ImageMode::Poke).then(|| object_of(&local, site).clone());
        let results: Vec<Option<String>> =
            answers.iter().map(|a| a.as_ref().map(|decision| decision.result_image.clone())).collect();
        write_back(&mut local, site, &results);
        decisions.extend(answers.into_iter().flatten());
        places.extend(rendered.map(|rendered| ImagePlaces {
            object: site.site.object.clone(),
            rendered,
            resolved: object_of(&local, site).clone(),
            found: site.found.clone(),
        }));
    }
    decisions.iter().filter_map(ImageDecision::warning).for_each(|text| events.warn(text));
    let unresolved = report(&local, failures, request.mode)?;
    Ok((local, ResolvedImages { decisions, unresolved, fixed, places }))
}

fn object_of<'a>(local: &'a LocalObjects, site: &Site) -> &'a Object {
    &local.items[site.item].objects[site.object]
}

fn write_back(local: &mut LocalObjects, site: &Site, results: &[Option<String>]) {
    placeholder::replace(&mut local.items[site.item].objects[site.object].0, &site.found, results);
}

/// Target entries first, then those of the caller: later ones win.
fn fixed_images(request: ImageRequest<'_>) -> Result<FixedImages, FixedImageError> {
    let name = request.target.name.clone();
    let origin = |index| FixedOrigin::Target { target: name.clone(), index, at: None };
    let mut fixed = FixedImages::default();
    fixed.extend(FixedImages::from_list(&Value::Array(request.target.images.clone()), origin)?);
    fixed.extend(request.options.fixed.entries().iter().cloned());
    Ok(fixed)
}

/// Failures with the index of their item.
type Failures = Vec<(usize, ImageFailure)>;

fn find(local: &LocalObjects, fixed: &FixedImages, request: ImageRequest<'_>) -> (Vec<Site>, Failures) {
    let items = local.items.par_iter().enumerate();
    let per_item: Vec<(Vec<Site>, Failures)> =
        items.map(|(index, item)| find_in_item(index, item, fixed, request)).collect();
    let (mut sites, mut failures) = (Vec::new(), Vec::new());
    for (found, failed) in per_item {
        sites.extend(found);
        failures.extend(failed);
    }
    (sites, failures)
}

fn find_in_item(
    index: usize,
    item: &crate::collect::LocalItem,
    fixed: &FixedImages,
    request: ImageRequest<'_>,
) -> (Vec<Site>, Failures) {
    let (mut sites, mut failures) = (Vec::new(), Vec::new());
    let mut vars: Option<VarsImages> = None;
    for (object_index, object) in item.objects.iter().enumerate() {
        let found = placeholder::find(&object.0);
        let mut object_ref = object.object_ref();
        object_ref.namespace = request.scopes.namespace_of(object).to_owned();
        failures.extend(
            found
                .errors
                .into_iter()
                .map(|source| (index, ImageFailure::Placeholder { object: object_ref.clone(), source })),
        );
        if found.occurrences.is_empty() {
            continue;
        }
        let site = ObjectSite {
            object: object_ref,
            rendered_namespace: object.namespace().to_owned(),
            deploy_tags: item.node.tags.clone(),
            deployment_dir: deployment_dir(item),
        };
        // With `-u` no fixed image counts.
        let looks_further =
            !request.options.update && found.occurrences.iter().any(|occurrence| !is_fixed(&site, occurrence, fixed));
        let vars = match looks_further {
            true => vars.get_or_insert_with(|| vars_images(index, item, &mut failures)).clone(),
            false => VarsImages::Entries(Arc::default()),
        };
        sites.push(Site { item: index, object: object_index, site, found: found.occurrences, vars });
    }
    (sites, failures)
}

/// The item's directory with the suffix of repeated uses, as `list-images` shows it.
fn deployment_dir(item: &crate::collect::LocalItem) -> String {
    let Some(place) = &item.node.render_dir else { return String::new() };
    let relative: Vec<_> = place.components().skip(1).map(|c| c.as_os_str().to_string_lossy()).collect();
    if relative.is_empty() { item.node.source_dir.clone().unwrap_or_default() } else { relative.join("/") }
}

fn vars_images(index: usize, item: &crate::collect::LocalItem, failures: &mut Failures) -> VarsImages {
    match FixedImages::from_vars(item.node.vars.as_json().get("images")) {
        Ok(images) => VarsImages::Entries(Arc::new(images)),
        Err(error) => {
            failures.push((index, ImageFailure::Vars(error)));
            VarsImages::Broken
        }
    }
}

/// One answer per placeholder, in site and field order.
async fn decide(
    sites: &[Site],
    deployed: &[Vec<Deployed>],
    fixed: &FixedImages,
    request: ImageRequest<'_>,
    registry: &dyn Registry,
    events: &dyn Events,
    failures: &mut Failures,
) -> Vec<Vec<Option<ImageDecision>>> {
    let update = if request.options.update { UpdateImages::Update } else { UpdateImages::Keep };
    let mut steps: Vec<Vec<Option<Decision>>> = Vec::with_capacity(sites.len());
    for (site, deployed) in sites.iter().zip(deployed) {
        let rules = Rules { fixed, vars: site.vars(), policies: request.policies, update };
        let mut answers = Vec::with_capacity(site.found.len());
        for (occurrence, deployed) in site.found.iter().zip(deployed) {
            if site.is_open(occurrence, fixed) && update == UpdateImages::Keep {
                answers.push(None);
                continue;
            }
            answers.push(match resolve::decide(site.question(occurrence), rules, deployed) {
                Ok(decision) => Some(decision),
                Err(source) => {
                    let object = site.site.object.clone();
                    failures.push((site.item, ImageFailure::Election { object, source }));
                    None
                }
            });
        }
        steps.push(answers);
    }
    tags::ask(sites, steps, request, registry, events, failures).await
}

/// For `delete` and `prune`: the fixed image, or the bare name; nobody is asked.
fn identities(site: &Site, fixed: &FixedImages) -> Vec<Option<String>> {
    let result = |occurrence: &Occurrence| match resolve::find_fixed(site.question(occurrence), fixed, site.vars()) {
        Some(entry) => entry.result_image.clone(),
        None => occurrence.call.image.clone(),
    };
    site.found.iter().map(|occurrence| Some(result(occurrence))).collect()
}

fn report(local: &LocalObjects, failures: Failures, mode: ImageMode) -> Result<Vec<ImageFailure>, ImagesError> {
    match mode {
        ImageMode::List | ImageMode::ListSimple => Ok(failures.into_iter().map(|(_, failure)| failure).collect()),
        ImageMode::Normal | ImageMode::Poke | ImageMode::Identities => {
            let mut items: std::collections::BTreeMap<usize, Vec<ImageFailure>> = std::collections::BTreeMap::new();
            for (index, failure) in failures {
                items.entry(index).or_default().push(failure);
            }
            let errors = items.into_iter().filter_map(|(index, failures)| {
                let dir = local.items[index].node.dir.clone().unwrap_or_default();
                Errors::new(failures).map(|source| ItemFailure { dir, source })
            });
            Errors::check(errors.collect())?;
            Ok(Vec::new())
        }
    }
}

#[cfg(test)]
mod tests;
