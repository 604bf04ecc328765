//! The tree as a list of items in deployment order (spec 01 section 6.6).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use windlass_model::deployment::ItemConfig;
use windlass_template::SearchPath;

use super::load::{TreeRequest, distinct, is_include};
use super::{ItemNode, ProjectNode, TreeError};
use crate::vars;

/// Flags of include items; they hold for every item below.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    always_deploy: bool,
    only_render: bool,
    skip_delete_if_tags: bool,
}

impl Flags {
    fn below(self, include: &ItemConfig) -> Self {
        Self {
            always_deploy: self.always_deploy || include.always_deploy,
            only_render: self.only_render || include.only_render,
            skip_delete_if_tags: self.skip_delete_if_tags || include.skip_delete_if_tags,
        }
    }

    fn set_on(self, mut item: ItemConfig) -> ItemConfig {
        item.always_deploy |= self.always_deploy;
        item.only_render |= self.only_render;
        item.skip_delete_if_tags |= self.skip_delete_if_tags;
        item
    }
}

/// Every item whose conditions hold, depth first; loads the items' own variables on the way.
///
/// # Errors
/// A condition or a vars source of an item.
pub async fn flatten(root: &ProjectNode, request: TreeRequest<'_>) -> Result<Vec<ItemNode>, TreeError> {
    let mut flattener = Flattener { request, uses: HashMap::new(), items: Vec::new() };
    flattener.project(root, Flags::default(), &mut Vec::new()).await?;
    Ok(flattener.items)
}

struct Flattener<'a> {
    request: TreeRequest<'a>,
    /// How often a directory was used so far; only looked up, never iterated.
    uses: HashMap<(usize, PathBuf), usize>,
    items: Vec<ItemNode>,
}

impl Flattener<'_> {
    async fn project(
        &mut self,
        project: &ProjectNode,
        flags: Flags,
        position: &mut Vec<usize>,
    ) -> Result<(), TreeError> {
        let batch = self.request.engine.batch(project.vars.clone(), SearchPath::empty());
        let batch = crate::config_file::standing_in(batch, &project.dir);
        for (index, config) in project.config.deployments.iter().enumerate() {
            position.push(index);
            if let Some(included) = project.includes.get(&index) {
                let flags = flags.below(config);
                Box::pin(self.project(included, flags, position)).await?;
                self.items.extend(include_waits(project, config, flags));
                self.items.extend(include_barrier(project, config));
            } else if !is_include(config) && vars::evaluate(&batch, config.when.as_deref())? {
                let item = self.item(project, config, flags, position).await?;
                self.items.push(item);
            }
            position.pop();
        }
        Ok(())
    }

    async fn item(
        &mut self,
        project: &ProjectNode,
        config: &ItemConfig,
        flags: Flags,
        position: &[usize],
    ) -> Result<ItemNode, TreeError> {
        let context = self.request.vars_context(&project.source, &project.inherited.search_dirs);
        let vars = vars::load_all(project.vars.clone(), &config.vars, &context).await?;
        let dir = match &config.path {
            Some(path) => Some(project.source.join(&project.dir, path)?),
            None => None,
        };
        let render_dir = dir.as_deref().map(|dir| self.render_dir(project, dir));
        Ok(ItemNode {
            source: project.source.clone(),
            source_dir: dir.as_deref().map(|dir| project.source.relative(dir)),
            project_dir: dir.as_deref().map(|dir| relative_to_project(dir, &project.dir)),
            render_dir,
            dir,
            vars,
            tags: distinct([&project.inherited.tags, &config.tags]),
            inherited: project.inherited.clone(),
            position: Some(position.to_vec()),
            config: flags.set_on(config.clone()),
        })
    }

    /// `<source id>/<dir>`, with `-1`, `-2`, … for further uses of the same directory.
    fn render_dir(&mut self, project: &ProjectNode, dir: &Path) -> PathBuf {
        let uses = self.uses.entry((project.source.id, dir.to_path_buf())).or_default();
        let suffix = if *uses == 0 { String::new() } else { format!("-{uses}") };
        *uses += 1;
        let relative = project.source.relative(dir);
        let id = project.source.id;
        PathBuf::from(if relative == "." { format!("{id}{suffix}") } else { format!("{id}/{relative}{suffix}") })
    }
}

fn relative_to_project(dir: &Path, project: &Path) -> String {
    let up = project.ancestors().take_while(|ancestor| !dir.starts_with(ancestor)).count();
    let base = project.ancestors().nth(up).unwrap_or(project);
    let mut parts: Vec<String> = vec!["..".into(); up];
    parts.extend(dir.strip_prefix(base).unwrap_or(dir).components().map(|c| c.as_os_str().to_string_lossy().into()));
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

/// An include with `waitReadinessObjects` waits for them after its items, and is filtered by its tags.
fn include_waits(project: &ProjectNode, config: &ItemConfig, flags: Flags) -> Option<ItemNode> {
    let objects = &config.wait_readiness_objects;
    let waits = ItemConfig { wait_readiness_objects: objects.clone(), ..ItemConfig::default() };
    let tags = distinct([&project.inherited.tags, &config.tags]);
    (!objects.is_empty()).then(|| bare(project, flags.set_on(waits), tags))
}

/// An include with `barrier: true` ends in a bare barrier with the tags of the including project.
fn include_barrier(project: &ProjectNode, config: &ItemConfig) -> Option<ItemNode> {
    let barrier = ItemConfig { barrier: true, message: config.message.clone(), ..ItemConfig::default() };
    config.barrier.then(|| bare(project, barrier, project.inherited.tags.clone()))
}

/// An item without directory that stands for a part of an include.
fn bare(project: &ProjectNode, config: ItemConfig, tags: Vec<String>) -> ItemNode {
    ItemNode {
        config,
        source: project.source.clone(),
        dir: None,
        source_dir: None,
        project_dir: None,
        render_dir: None,
        vars: project.vars.clone(),
        tags,
        inherited: project.inherited.clone(),
        position: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_paths_may_climb() {
        assert_eq!(relative_to_project(Path::new("/r/a/b"), Path::new("/r/a")), "b");
        assert_eq!(relative_to_project(Path::new("/r/c"), Path::new("/r/a/b")), "../../c");
        assert_eq!(relative_to_project(Path::new("/r/a"), Path::new("/r/a")), ".");
    }
}
