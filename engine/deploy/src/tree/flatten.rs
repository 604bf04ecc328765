//! The tree as a list of items in deployment order (spec 01 section 6.6).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use windlass_model::deployment::ItemConfig;
use windlass_template::SearchPath;

use super::load::{TreeRequest, distinct, is_include};
use super::{ItemNode, ProjectNode, TreeError};
use crate::vars;

/// Every item whose conditions hold, depth first; loads the items' own variables on the way.
///
/// # Errors
/// A condition or a vars source of an item.
pub async fn flatten(root: &ProjectNode, request: TreeRequest<'_>) -> Result<Vec<ItemNode>, TreeError> {
    let mut flattener = Flattener { request, uses: HashMap::new(), items: Vec::new() };
    flattener.project(root, &mut Vec::new()).await?;
    Ok(flattener.items)
}

struct Flattener<'a> {
    request: TreeRequest<'a>,
    /// How often a directory was used so far; only looked up, never iterated.
    uses: HashMap<(usize, PathBuf), usize>,
    items: Vec<ItemNode>,
}

impl Flattener<'_> {
    async fn project(&mut self, project: &ProjectNode, position: &mut Vec<usize>) -> Result<(), TreeError> {
        let batch = self.request.engine.batch(project.vars.clone(), SearchPath::empty());
        let batch = crate::config_file::standing_in(batch, &project.dir);
        for (index, config) in project.config.deployments.iter().enumerate() {
            position.push(index);
            if let Some(included) = project.includes.get(&index) {
                Box::pin(self.project(included, position)).await?;
                if config.barrier {
                    self.items.push(include_barrier(project, config));
                }
            } else if !is_include(config) && vars::evaluate(&batch, config.when.as_deref())? {
                let item = self.item(project, config, position).await?;
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
            config: config.clone(),
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

/// An include with `barrier: true` ends in a bare barrier with the tags of the including project.
fn include_barrier(project: &ProjectNode, config: &ItemConfig) -> ItemNode {
    let barrier = ItemConfig { barrier: true, message: config.message.clone(), ..ItemConfig::default() };
    ItemNode {
        config: barrier,
        source: project.source.clone(),
        dir: None,
        source_dir: None,
        project_dir: None,
        render_dir: None,
        vars: project.vars.clone(),
        tags: project.inherited.tags.clone(),
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
