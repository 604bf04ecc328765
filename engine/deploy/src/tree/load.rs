//! Reads one project after the other, depth first (spec 01 sections 6.1 and 6.5).

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};
use windlass_cluster::Cluster;
use windlass_model::deployment::{DeploymentConfig, ItemConfig};
use windlass_model::event::Events;
use windlass_model::location::Source;
use windlass_model::project::LibraryConfig;
use windlass_model::source::{OciSource, OciUrl};
use windlass_sources::Sources;
use windlass_template::{Batch, Engine, SearchPath, Vars};

use super::{Inherited, ProjectError, ProjectNode, TreeError};
use crate::args::merge_args;
use crate::config_file;
use crate::meaning;
use crate::source_tree::SourceTree;
use crate::target::ResolvedTarget;
use crate::validation;
use crate::vars::{self, Notices, Remote, VarsContext, is_empty};

/// Projects may not be nested deeper than this.
const MAX_DEPTH: usize = 64;

/// A project may include itself, for instance until a `when` ends it, but not more often than this.
const MAX_TURNS: usize = 10;

/// What loading needs beside the target.
#[derive(Clone, Copy)]
pub struct TreeRequest<'a> {
    /// Renders `deployment.yaml` and vars.
    pub engine: &'a Engine,
    /// Process environment, for `systemEnvVars`.
    pub environment: &'a BTreeMap<String, String>,
    /// Stores and addresses, and whose credentials they get.
    pub remote: Remote<'a>,
    /// Directories of git repositories and OCI artifacts.
    pub sources: &'a dyn Sources,
    /// The cluster, when the run is connected to one.
    pub cluster: Option<&'a dyn Cluster>,
    /// Takes warnings and notices.
    pub events: &'a dyn Events,
    /// What the user was told already.
    pub notices: &'a Notices,
}

impl<'a> TreeRequest<'a> {
    /// What the vars of a project in `source` may read.
    pub(super) fn vars_context(self, source: &'a SourceTree, search_dirs: &'a [PathBuf]) -> VarsContext<'a> {
        let Self { engine, environment, remote, sources, cluster, events, notices } = self;
        VarsContext { engine, environment, remote, sources, source, search_dirs, cluster, events, notices }
    }
}

/// Loads the root project of a target and everything it includes.
///
/// # Errors
/// The first project that cannot be loaded, with the chain of includes.
pub async fn load(target: &ResolvedTarget, request: TreeRequest<'_>) -> Result<ProjectNode, TreeError> {
    let source = Arc::new(target.project.source.clone());
    let loader = Loader { request, next_source: AtomicUsize::new(source.id + 1) };
    let origin = Origin { name: String::new(), source };
    let place = Place { dir: target.project.dir.clone(), origin, chain: Vec::new() };
    loader.tree(place, target.vars()).await
}

struct Loader<'a> {
    request: TreeRequest<'a>,
    /// Number of the next source, in load order.
    next_source: AtomicUsize,
}

/// A source tree and what it is called in messages: nothing for the main project, a URL for others.
#[derive(Clone)]
struct Origin {
    name: String,
    source: Arc<SourceTree>,
}

impl Origin {
    fn describe(&self, dir: &Path) -> String {
        let relative = self.source.relative(dir);
        if self.name.is_empty() { relative } else { format!("{}//{relative}", self.name) }
    }
}

/// Where a project lies.
struct Place {
    dir: PathBuf,
    origin: Origin,
    /// The including projects, root first.
    chain: Vec<String>,
}

/// Includes by index into `deployments`.
type Waiting = VecDeque<(usize, Result<Included, TreeError>)>;

/// A project whose includes are being loaded.
struct Open {
    node: ProjectNode,
    origin: Origin,
    /// This project and those around it, root first.
    chain: Vec<String>,
    /// Evaluates the conditions of its entries.
    conditions: Batch,
    /// Includes that are not loaded yet, in order, by index into `deployments`; `None` before they are fetched.
    waiting: Option<Waiting>,
}

/// The directory behind an include, before its source has a number.
enum Included {
    Local,
    Fetched { name: String, root: PathBuf, sub_dir: String },
}

/// The including side of an included project.
struct Parent<'a> {
    inherited: &'a Inherited,
    include_tags: &'a [String],
    same_source: bool,
}

impl Loader<'_> {
    /// The projects around the current one are a list, not nested calls: a deep tree needs no deep stack.
    async fn tree(&self, place: Place, vars: Vars) -> Result<ProjectNode, TreeError> {
        let mut around: Vec<(usize, Open)> = Vec::new();
        let mut current = self.project(place, vars, None).await?;
        loop {
            match self.next_include(&mut current).await {
                Ok(Some((index, include))) => around.push((index, std::mem::replace(&mut current, include))),
                Ok(None) => {
                    let Some((index, parent)) = around.pop() else { return Ok(current.node) };
                    let include = std::mem::replace(&mut current, parent);
                    current.node.includes.insert(index, include.node);
                }
                Err(error) => {
                    let dirs = around.iter().map(|(_, open)| &open.node.dir).chain([&current.node.dir]).rev();
                    return Err(dirs.fold(error, |source, dir| TreeError::Includes {
                        dir: dir.clone(),
                        source: Box::new(source),
                    }));
                }
            }
        }
    }

    /// The next include of a project with its place in `deployments`, without the includes in it.
    async fn next_include(&self, open: &mut Open) -> Result<Option<(usize, Open)>, TreeError> {
        let mut waiting = match open.waiting.take() {
            Some(waiting) => waiting,
            None => self.fetch_includes(&open.node, &open.conditions).await?,
        };
        let next = waiting.pop_front();
        open.waiting = Some(waiting);
        let Some((index, included)) = next else { return Ok(None) };
        let item = &open.node.config.deployments[index];
        let (dir, origin) = self.place(&open.node, item, included?, &open.origin)?;
        let include = self.include(&open.node, item, dir, origin, &open.chain).await?;
        Ok(Some((index, include)))
    }

    /// One project, without its includes.
    async fn project(&self, place: Place, vars: Vars, parent: Option<&Parent<'_>>) -> Result<Open, TreeError> {
        let Place { dir, origin, mut chain } = place;
        let source = origin.source.clone();
        chain.push(origin.describe(&dir));
        if !dir.is_dir() {
            return Err(TreeError::NoDirectory { dir });
        }
        let failed = |source| TreeError::Project { dir: dir.clone(), source };
        let search_dirs = search_dirs(&dir, parent);
        let mut config = self.read(&dir, &source, &vars, &search_dirs, parent.is_none()).map_err(failed)?;
        if parent.is_none() && config.when.as_deref().is_some_and(|when| !when.is_empty()) {
            return Err(TreeError::RootCondition);
        }
        let context = self.request.vars_context(&source, &search_dirs);
        let vars = vars::load_all(vars, &config.vars, &context).await.map_err(|e| failed(ProjectError::Vars(e)))?;
        note_hidden_names(&dir, &vars);
        config.deployments.iter_mut().for_each(set_default_tags);
        let batch = self.request.engine.batch(vars.clone(), SearchPath::empty());
        let batch = config_file::standing_in(batch, &dir);
        check_item_dirs(&config, &dir, &source, &batch).map_err(failed)?;
        if !vars::evaluate(&batch, config.when.as_deref()).map_err(|e| failed(ProjectError::Condition(e)))? {
            config.deployments.clear();
        }
        let inherited = Arc::new(inherit(&config, search_dirs, parent));
        let node = ProjectNode { dir, source, config, vars, inherited, includes: BTreeMap::new() };
        Ok(Open { node, origin, chain, conditions: batch, waiting: None })
    }

    /// Renders and decodes `deployment.yaml`; a root without one is a single item (spec 01 section 3.8).
    fn read(
        &self,
        dir: &Path,
        source: &SourceTree,
        vars: &Vars,
        search_dirs: &[PathBuf],
        is_root: bool,
    ) -> Result<DeploymentConfig, ProjectError> {
        let Some(file) = config_file::find_deployment(dir) else {
            return missing_deployment(dir, is_root);
        };
        source.check(&file).map_err(ProjectError::Outside)?;
        let original = config_file::read_text(&file).map_err(ProjectError::Config)?;
        let search = SearchPath::new(search_dirs.iter().cloned()).within(&source.root);
        let text = self
            .request
            .engine
            .batch(vars.clone(), search)
            .render_text_of(&file, original.text.clone())
            .map_err(ProjectError::Template)?;
        let rendered = Source::new(original.name.as_str(), text);
        let config: DeploymentConfig = config_file::decode(&rendered).map_err(ProjectError::Config)?;
        validation::check_deployment(&config).map_err(ProjectError::Config)?;
        meaning::check(&config, &rendered).map_err(ProjectError::Config)?;
        refuse_output_fields(&config)?;
        Ok(config)
    }

    async fn fetch_includes(&self, node: &ProjectNode, conditions: &Batch) -> Result<Waiting, TreeError> {
        let mut wanted = Vec::new();
        for (index, item) in node.config.deployments.iter().enumerate() {
            if is_include(item) && vars::evaluate(conditions, item.when.as_deref())? {
                wanted.push((index, item));
            }
        }
        // All of them at once, so that their servers are waited for together.
        let fetched = futures::future::join_all(wanted.iter().map(|(_, item)| self.fetch(item))).await;
        Ok(wanted.into_iter().map(|(index, _)| index).zip(fetched).collect())
    }

    /// The directory of another repository, or the news that there is none.
    async fn fetch(&self, item: &ItemConfig) -> Result<Included, TreeError> {
        if let Some(git) = &item.git {
            let checked_out = self.request.sources.git(&git.source()).await?;
            let sub_dir = git.sub_dir.clone().unwrap_or_default();
            return Ok(Included::Fetched { name: git.url.to_string(), root: checked_out.root.clone(), sub_dir });
        }
        let Some(oci) = &item.oci else { return Ok(Included::Local) };
        let url = OciUrl::parse(&oci.url)?;
        let name = url.to_string();
        let source = OciSource { url, reference: oci.reference.clone().unwrap_or_default() };
        let checked_out = self.request.sources.oci(&source).await?;
        let sub_dir = oci.sub_dir.clone().unwrap_or_default();
        Ok(Included::Fetched { name, root: checked_out.root.clone(), sub_dir })
    }

    fn place(
        &self,
        node: &ProjectNode,
        item: &ItemConfig,
        included: Included,
        origin: &Origin,
    ) -> Result<(PathBuf, Origin), TreeError> {
        let (dir, origin) = match included {
            Included::Local => {
                let path = item.include.as_deref().unwrap_or_default();
                (node.source.join(&node.dir, path)?, origin.clone())
            }
            Included::Fetched { name, root, sub_dir } => {
                let id = self.next_source.fetch_add(1, Ordering::Relaxed);
                let source = Arc::new(SourceTree { id, root });
                (source.join(&source.root, &sub_dir)?, Origin { name, source })
            }
        };
        if !dir.is_dir() {
            return Err(TreeError::NoDirectory { dir });
        }
        origin.source.check(&dir)?;
        Ok((dir, origin))
    }

    async fn include(
        &self,
        node: &ProjectNode,
        item: &ItemConfig,
        dir: PathBuf,
        origin: Origin,
        chain: &[String],
    ) -> Result<Open, TreeError> {
        let name = origin.describe(&dir);
        let turns = chain.iter().filter(|place| **place == name).count();
        if turns >= MAX_TURNS {
            return Err(TreeError::Cycle { turns, chain: one_turn(chain, name) });
        }
        if chain.len() > MAX_DEPTH {
            return Err(TreeError::TooDeep { limit: MAX_DEPTH, chain: one_turn(chain, name) });
        }
        let vars = self.include_vars(node, item, &dir, &origin).await?;
        let same_source = origin.source.id == node.source.id;
        let parent = Parent { inherited: &node.inherited, include_tags: &item.tags, same_source };
        let place = Place { dir, origin, chain: chain.to_vec() };
        self.project(place, vars, Some(&parent)).await
    }

    /// The start variables of an included project: a copy, or a library's own context (spec 01 section 4).
    async fn include_vars(
        &self,
        node: &ProjectNode,
        item: &ItemConfig,
        dir: &Path,
        origin: &Origin,
    ) -> Result<Vars, TreeError> {
        let vars = match config_file::find_library_config(dir) {
            None => {
                self.warn_about_args(item, &origin.describe(dir));
                node.vars.clone()
            }
            Some(file) => {
                origin.source.check(&file)?;
                library_vars(node, item, &read_library(&file)?)?
            }
        };
        let context = self.request.vars_context(&node.source, &node.inherited.search_dirs);
        Ok(vars::load_all(vars, &item.vars, &context).await?)
    }

    /// `args` of an include that takes all variables of its parent anyway (spec 01 section 16.2, 6).
    fn warn_about_args(&self, item: &ItemConfig, dir: &str) {
        if item.args.as_ref().is_some_and(|args| !args.is_empty()) {
            self.request.events.warn(format!(
                "the include `{dir}` has no `.kluctl-library.yaml`, so it sees the args of its parent and not the `args` \
                 of the include; add the file to make it a library, or use `vars`"
            ));
        }
    }
}

/// The part of the chain that repeats, or its end.
fn one_turn(chain: &[String], next: String) -> Vec<String> {
    let start = chain.iter().rposition(|place| *place == next).unwrap_or(chain.len().saturating_sub(3));
    chain[start..].iter().cloned().chain([next]).collect()
}

/// Not a warning: projects that ran silently with kluctl stay silent.
fn note_hidden_names(dir: &Path, vars: &Vars) {
    for name in vars.hidden_names() {
        tracing::debug!(project = %dir.display(), name, "a built-in function hides the variable from templates");
    }
}

fn missing_deployment(dir: &Path, is_root: bool) -> Result<DeploymentConfig, ProjectError> {
    if is_root {
        let item = ItemConfig { path: Some(".".into()), ..ItemConfig::default() };
        return Ok(DeploymentConfig { deployments: vec![item], ..DeploymentConfig::default() });
    }
    Err(match config_file::find_kustomization(dir) {
        Some(_) => ProjectError::IsKustomization { dir: dir.into() },
        None => ProjectError::NoDeployment { dir: dir.into() },
    })
}

fn refuse_output_fields(config: &DeploymentConfig) -> Result<(), ProjectError> {
    for item in &config.deployments {
        let fields = [
            ("renderedHelmChartConfig", item.rendered_helm_chart_config.as_ref().is_some_and(|v| !is_empty(v))),
            ("renderedObjects", item.rendered_objects.as_ref().is_some_and(|v| !v.is_empty())),
            ("renderedInclude", item.rendered_include.is_some()),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, set)| *set) {
            return Err(ProjectError::OutputOnly { field });
        }
    }
    Ok(())
}

fn read_library(file: &Path) -> Result<LibraryConfig, TreeError> {
    let read = || {
        let config: LibraryConfig = config_file::read(file)?;
        validation::check_args(&config.args)?;
        Ok(config)
    };
    read().map_err(|source| TreeError::Library { file: file.into(), source })
}

fn library_vars(node: &ProjectNode, item: &ItemConfig, library: &LibraryConfig) -> Result<Vars, TreeError> {
    let empty = Map::new();
    let args = merge_args(&library.args, [item.args.as_ref().unwrap_or(&empty)])?;
    let mut vars = if item.pass_vars { node.vars.as_json().clone() } else { Map::new() };
    vars.insert("args".into(), Value::Object(args));
    Ok(Vars::new(vars))
}

/// Whether the entry includes another project.
pub(super) fn is_include(item: &ItemConfig) -> bool {
    item.include.is_some() || item.git.is_some() || item.oci.is_some()
}

/// The last path element, unless that says nothing (spec 01 section 7.1).
fn set_default_tags(item: &mut ItemConfig) {
    if !item.tags.is_empty() {
        return;
    }
    let Some(path) = item.path.as_ref().or(item.include.as_ref()) else { return };
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !matches!(last, "" | "." | "..") {
        item.tags.push(last.into());
    }
}

fn check_item_dirs(
    config: &DeploymentConfig,
    dir: &Path,
    source: &SourceTree,
    batch: &Batch,
) -> Result<(), ProjectError> {
    for item in &config.deployments {
        let Some(path) = &item.path else { continue };
        if !vars::evaluate(batch, item.when.as_deref()).map_err(ProjectError::Condition)? {
            continue;
        }
        let item_dir = source.join(dir, path).map_err(ProjectError::Outside)?;
        if !item_dir.exists() {
            return Err(ProjectError::NoItemDirectory { path: path.clone() });
        }
        if !item_dir.is_dir() {
            return Err(ProjectError::ItemIsFile { path: path.clone() });
        }
        source.check(&item_dir).map_err(ProjectError::Outside)?;
    }
    Ok(())
}

fn search_dirs(dir: &Path, parent: Option<&Parent<'_>>) -> Vec<PathBuf> {
    let mut dirs = vec![dir.to_path_buf()];
    if let Some(parent) = parent.filter(|p| p.same_source) {
        dirs.extend(parent.inherited.search_dirs.iter().cloned());
    }
    dirs
}

fn inherit(config: &DeploymentConfig, search_dirs: Vec<PathBuf>, parent: Option<&Parent<'_>>) -> Inherited {
    let root = Inherited::default();
    let outer = parent.map_or(&root, |p| p.inherited);
    let include_tags = parent.map_or(&[][..], |p| p.include_tags);
    let mut common_labels = outer.common_labels.clone();
    common_labels.extend(config.common_labels.clone());
    let mut common_annotations = outer.common_annotations.clone();
    common_annotations.extend(config.common_annotations.clone());
    Inherited {
        common_labels,
        common_annotations,
        override_namespace: config.override_namespace.clone().or_else(|| outer.override_namespace.clone()),
        tags: distinct([&config.tags, include_tags, &outer.tags]),
        ignore_for_diff: config.ignore_for_diff.iter().chain(outer.ignore_for_diff.iter()).cloned().collect(),
        conflict_resolution: config
            .conflict_resolution
            .iter()
            .chain(outer.conflict_resolution.iter())
            .cloned()
            .collect(),
        search_dirs,
    }
}

/// Concatenates, dropping later duplicates.
pub(super) fn distinct<const N: usize>(lists: [&[String]; N]) -> Vec<String> {
    let mut result: Vec<String> = Vec::new();
    for tag in lists.into_iter().flatten() {
        if !result.contains(tag) {
            result.push(tag.clone());
        }
    }
    result
}
